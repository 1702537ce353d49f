"""Planted worlds: complete, reproducible, and each near what its family plants."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import FAMILIES, WORLDS, grid, scattered
from jscale.simulation.worlds.families import TRUTHS, families, planted_families


def test_every_family_s_worlds_are_there_once() -> None:
    names = [name for family in FAMILIES for name in family.WORLDS]
    assert sorted(names) == sorted(set(names)) == sorted(WORLDS)
    for family in FAMILIES:
        assert set(family.SPREAD) <= set(family.WORLDS)


@pytest.mark.full
@pytest.mark.parametrize("world", WORLDS)
def test_a_world_has_its_law_s_parameters_and_inputs(world: str) -> None:
    law = js.laws.get(world)
    planted, design = WORLDS[world]
    assert set(planted) == set(law.names)
    assert set(law.inputs) <= set(design.columns)
    assert not design.isna().any(axis=None)
    assert len(design) >= 2 * len(planted)
    curve = np.asarray(law(*(design[x].to_numpy() for x in law.inputs), **planted))
    assert np.isfinite(curve).all()


@pytest.mark.parametrize("world", ["chinchilla", "m4", "data_constrained"])
def test_a_seed_moves_planted_parameters_a_little_and_again_the_same(world: str) -> None:
    base, design = WORLDS[world]
    first, again, other = scattered(world, 1)[0], scattered(world, 1)[0], scattered(world, 2)[0]
    assert first == again
    assert first != other
    assert scattered(world, 1)[1] is design
    for name, value in base.items():
        assert first[name] != value
        assert abs(np.log(first[name] / value)) <= 0.5


def test_a_grid_crosses_sizes_and_data() -> None:
    assert grid(np.array([1.0, 2.0]), np.array([3.0, 4.0])).to_numpy().tolist() == [
        [1, 3],
        [1, 4],
        [2, 3],
        [2, 4],
    ]


def test_families_are_planted_within_their_ranges() -> None:
    table, truths = planted_families(20, seed=3)
    assert table.equals(families(20, seed=3))
    assert table["family"].nunique() == len(truths) == 20
    assert table.groupby("family").size().between(30, 100).all()
    assert (table["D"] / table["N"]).between(2, 200).all()
    for name, (low, high) in TRUTHS.items():
        assert truths[name].between(low, high).all()
    of_each = truths.loc[table["family"]].reset_index(drop=True)
    curve = js.laws.get("chinchilla")(
        table["N"].to_numpy(), table["D"].to_numpy(), **{n: of_each[n].to_numpy() for n in of_each}
    )
    off = np.log(table["loss"] / np.asarray(curve))
    assert 0.009 < off.std() < 0.011
