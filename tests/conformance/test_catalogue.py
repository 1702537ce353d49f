"""The catalogue as a whole: every law has its world."""

from __future__ import annotations

import jscale as js
from jscale.simulation.worlds import WORLDS


def test_every_law_has_a_world() -> None:
    assert {world.partition(":")[0] for world in WORLDS} == set(js.laws.CATALOGUE)
