"""The catalogue as a whole: every law has its world, and nearly all are recovered."""

from __future__ import annotations

import jscale as js
from tests.conformance.test_laws import SEEDS, recovered
from tests.conformance.worlds import WORLDS


def test_every_law_has_a_world() -> None:
    assert {world.partition(":")[0] for world in WORLDS} == set(js.laws.CATALOGUE)


def test_recovery_pooled() -> None:
    found = sum(recovered(world) for world in WORLDS)
    assert found >= 0.97 * len(SEEDS) * len(WORLDS)
