"""Laws of one axis, shapes, ensembles and regimes against values by hand and limits."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js


def test_power_shift_starts_level_and_ends_as_a_power() -> None:
    law, p = js.laws.get("power_shift"), {"E": 1.0, "A": 8.0, "B": 4.0, "alpha": 0.5}
    assert law(12.0, **p) == pytest.approx(3.0)
    assert law.quantities["starting_loss"](p) == pytest.approx(5.0)
    assert law(1e12, **p) == pytest.approx(1 + 8e-6)
    assert law.invert(3.0, **p) == pytest.approx(12.0)
    assert np.isnan(law.invert([0.9, 5.1], **p)).all()


def test_log_linear_gains_the_same_with_each_doubling() -> None:
    law = js.laws.get("log_linear")
    scores = law([1.0, 2.0, 4.0], a=0.1, b=0.3)
    np.testing.assert_allclose(np.diff(scores), 0.3 * np.log(2))
    assert law.invert(scores[2], a=0.1, b=0.3) == pytest.approx(4.0)


def test_stretched_is_a_line_in_log_log() -> None:
    y = js.laws.get("stretched")([1.0, 10.0], A=2.0, alpha=0.4)
    assert y[0] == pytest.approx(np.exp(-2))
    assert np.log(np.log(y[1]) / np.log(y[0])) / np.log(10) == pytest.approx(-0.4)
