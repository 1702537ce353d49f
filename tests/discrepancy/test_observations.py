"""Observations: arrays of one length."""

from __future__ import annotations

import numpy as np

from jscale.discrepancy.observations import Observations


def test_their_length_is_that_of_the_outcomes() -> None:
    seen = Observations((np.ones(3), np.ones(3)), np.zeros(3))
    assert len(seen) == 3
    assert seen.run is seen.known is seen.relative is None
    assert seen.codes == {}
