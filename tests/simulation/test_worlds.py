"""Planted worlds: designs that are legal for their law, and scattered parameters within bounds.

That each law is found again in its world is in tests/conformance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import FAMILIES, SPREAD, WORLDS, architecture, choices, scattered
from jscale.simulation.worlds.designs import compute, grid
from jscale.simulation.worlds.size_and_data import crossed, over, repeated


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_has_the_inputs_and_parameters_of_its_law(world: str) -> None:
    law, (planted, design) = js.laws.get(world), WORLDS[world]
    assert set(planted) == set(law.names)
    assert set(law.inputs) <= set(design.columns)
    inputs = design[list(law.inputs)]
    assert np.isfinite(inputs.to_numpy()).all()
    assert (inputs[list(law.positive_inputs)] > 0).all(axis=None)
    for name, (low, high) in law.limits.items():
        if name in inputs:
            assert inputs[name].between(low, high).all(), name
    for smaller, larger in law.ordered:
        assert (inputs[smaller] <= inputs[larger]).all()
    if law.simplex:
        np.testing.assert_allclose(inputs[list(law.simplex)].sum(axis=1), 1.0, rtol=1e-12)
    # Enough runs to tell the parameters, and none logged twice.
    assert len(inputs.drop_duplicates()) > len(law.names)


@pytest.mark.parametrize("world", WORLDS)
def test_scattered_parameters_stay_in_their_support_and_repeat(world: str) -> None:
    law, (base, design) = js.laws.get(world), WORLDS[world]
    moved, same_design = scattered(world, 3)
    assert same_design is design
    assert moved == scattered(world, 3)[0]
    assert moved != base
    assert moved != scattered(world, 4)[0]
    for name, value in moved.items():
        role, planted = law.role(name), base[name]
        if role.support == "fraction":
            value, planted = value / (1 - value), planted / (1 - planted)
        most = 0.5 if role.name == "location" else SPREAD.get(world, 0.2)
        assert abs(np.log(value / planted)) <= most, name


def test_no_two_families_plant_the_same_world() -> None:
    names = [name for family in FAMILIES for name in family.WORLDS]
    assert len(names) == len(set(names)) == len(WORLDS)
    assert set(SPREAD) <= set(WORLDS)


def test_designs_cross_and_spread() -> None:
    table = crossed(a=np.array([1, 2]), b=np.array([3, 4, 5]))
    assert table.to_numpy().tolist() == [[1, 3], [1, 4], [1, 5], [2, 3], [2, 4], [2, 5]]
    pd.testing.assert_frame_equal(
        grid(np.array([1, 2]), np.array([3, 4, 5])), table.set_axis(["N", "D"], axis=1)
    )
    np.testing.assert_allclose(compute(1e16, 1e20, 5)["C"], [1e16, 1e17, 1e18, 1e19, 1e20])
    np.testing.assert_allclose(over("T", 1.0, 8.0, 4)["T"], [1, 2, 4, 8])


def test_repeated_tokens_are_seen_up_to_sixty_four_epochs() -> None:
    epochs = (repeated()["D"] / repeated()["U"]).to_numpy()
    np.testing.assert_allclose([epochs.min(), epochs.max()], [1.0, 64.0], rtol=1e-12)


def test_mixtures_begin_with_their_corners_and_sum_to_one() -> None:
    shares = choices.mixtures(3, 10, seed=1)
    assert list(shares) == ["r_1", "r_2", "r_3"]
    np.testing.assert_array_equal(shares.iloc[:3], np.eye(3))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)


def test_formats_keep_the_bits_of_a_shape_together() -> None:
    table = architecture.formats()
    by_shape = table.groupby("shape")[["exponent_bits", "mantissa_bits"]].nunique()
    assert (by_shape == 1).all(axis=None)
    assert len(table[["exponent_bits", "mantissa_bits"]].drop_duplicates()) == len(by_shape)
