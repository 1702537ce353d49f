"""Components: functions of draws, pools of several, and their weighted mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.prediction.components import (
    Component,
    OfCompute,
    component_of,
    curves,
    draw_count,
    estimate,
    over_draws,
    pooled,
    with_compute,
)
from tests.prediction.near import NEAR


def part(fit: js.Fit, draws: int, weight: float, offset: float = 0.0) -> Component:
    """A component whose draws are numbered, from ``offset`` on, in its first parameter."""
    flat = np.repeat(fit.params.to_numpy()[None], draws, axis=0)
    flat[:, 0] = offset + np.arange(draws)
    return component_of(fit, flat, f"part {offset:g}", weight)


def test_any_part_of_the_pool_holds_components_by_their_weights(surface: js.Fit) -> None:
    weights = np.array([3.0, 1.0, 6.0])
    parts = [part(surface, 200, w) for w in weights]
    owner, draw = pooled(parts)
    assert draw.tolist() == list(range(200))
    for count in (10, 37, 200):
        share = np.bincount(owner[:count], minlength=3) / count
        np.testing.assert_allclose(share, weights / 10, atol=1.5 / count)


def test_draws_of_a_smaller_component_are_taken_again(surface: js.Fit) -> None:
    parts = [part(surface, 7, 0.5), part(surface, 100, 0.5), part(surface, 0, 5.0)]
    owner, draw = pooled(parts)
    assert draw_count(parts) == len(owner) == 100
    assert set(owner) == {0, 1}  # one without draws has no share of them
    rows = np.arange(100)
    np.testing.assert_array_equal(draw, np.where(owner == 0, rows % 7, rows))
    assert draw_count([]) == 0


def test_the_estimate_of_several_is_their_weighted_mean(surface: js.Fit, curve: js.Draws) -> None:
    of_pair, of_compute = component_of(surface, np.empty((0, 5)), "a", 3.0), part_of(curve, 1.0)
    mean = estimate([of_pair, of_compute])
    table = pd.DataFrame([NEAR]).assign(C=6 * NEAR["N"] * NEAR["D"])
    with float64_scope():
        codes = mean.codes(table)
        point = {name: float(table[name].iloc[0]) for name in table}
        found = float(mean.function(mean.point, point, [{}, {}]))
    assert [len(c) for c in codes] == [0, 0]
    one = float(surface.law(**NEAR, **surface.params))
    other = float(curve.fit.law(C=point["C"], **curve.fit.params))
    assert found == pytest.approx(0.75 * one + 0.25 * other, rel=1e-12)
    assert estimate([of_pair]) is of_pair


def part_of(draws: js.Draws, weight: float) -> Component:
    return component_of(draws.fit, draws.flat, weight=weight)


def test_compute_is_that_of_N_and_D_unless_it_is_given(curve: js.Draws) -> None:
    function = OfCompute(part_of(curve, 1.0).function)
    with float64_scope():
        by_pair = float(function(curve.flat[0], {"N": 1e9, "D": 1e10}, {}))
        given = float(function(curve.flat[0], {"N": 1e9, "D": 1e10, "C": 6e19}, {}))
        other = float(function(curve.flat[0], {"N": 1e9, "D": 1e10, "C": 6e20}, {}))
    assert by_pair == given != other
    assert function.law == curve.fit.law


def test_a_table_gains_compute_only_where_the_law_takes_it(
    surface: js.Fit, curve: js.Draws
) -> None:
    table = pd.DataFrame([NEAR])
    assert with_compute(surface, table) is table
    assert with_compute(curve.fit, table)["C"].tolist() == [6 * NEAR["N"] * NEAR["D"]]
    own = table.assign(C=1.0)
    assert with_compute(curve.fit, own) is own


def first_parameter(component: Component, samples: np.ndarray, rows: np.ndarray) -> tuple:
    """What is computed of each sample: its first number, and its place among the draws."""
    return samples[:, 0], rows.astype(float)


def test_what_is_computed_of_one_component_is_of_all_its_draws(surface: js.Fit) -> None:
    value, rows = over_draws([part(surface, 9, 1.0)], first_parameter, every=2)
    assert value.tolist() == [surface.params["E"], 0, 2, 4, 6, 8]
    assert rows.tolist() == list(range(6))


def test_what_is_computed_of_several_lies_where_the_pool_says(surface: js.Fit) -> None:
    parts = [part(surface, 20, 0.75), part(surface, 20, 0.25, offset=100.0)]
    owner, draw = pooled(parts)
    value, rows = over_draws(parts, first_parameter, average=True)
    np.testing.assert_array_equal(value[1:], draw + 100.0 * owner)
    np.testing.assert_array_equal(rows[1:], 1 + np.arange(20))
    assert value[0] == pytest.approx(surface.params["E"])
    half = over_draws(parts, first_parameter, every=2, average=True)[0]
    np.testing.assert_array_equal(half[1:], value[1::2])


def test_an_optimums_place_is_asked_of_the_mean_function(surface: js.Fit) -> None:
    asked = []

    def note(component: Component, samples: np.ndarray, rows: np.ndarray) -> tuple:
        asked.append((component.name, len(samples)))
        return (samples[:, 0],)

    parts = [part(surface, 8, 0.75), part(surface, 8, 0.25, offset=100.0)]
    (value,) = over_draws(parts, note)
    assert asked == [("part 0", 7), ("part 100", 3), ("mean", 1)]
    assert value[0] == 0.75  # the first of the mean's numbers is the first weight


def test_curves_are_the_law_for_every_sample(draws):
    table = draws.fit.runs.frame.head(3)
    found = curves(draws.fit, table, draws.flat[:5])
    for row, sample in zip(found, draws.to_frame().head(5).to_dict("records"), strict=True):
        expected = draws.fit.law(table["N"], table["D"], **sample)
        np.testing.assert_allclose(row, expected, rtol=1e-12)
