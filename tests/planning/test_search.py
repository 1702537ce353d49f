"""Planner: bounds that widen with the budget, optima in batches, and searches that fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale.planning.search import Planner

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def test_searches_that_do_not_settle_are_noted(chinchilla: js.Draws) -> None:
    """A draw without a number is no optimum: it is counted."""
    values = chinchilla.values.copy()
    values[0, :3, list(chinchilla.names).index("A")] = np.nan
    plan = js.allocate(replace(chinchilla, values=values), 1e12)
    (note,) = [n for n in plan.notes if n.code == "search-unsettled"]
    assert note.severity == "caution"
    assert note.seen.startswith("In 3 of 201 draws and budgets")


@pytest.fixture(scope="module")
def planner(chinchilla: js.Draws) -> Planner:
    return js.allocate(chinchilla, 1e12).planner


def test_bounds_widen_with_budgets_past_the_runs(planner: Planner) -> None:
    """By the budget over the largest spent, and over the smallest below it; not in between."""
    least, most = planner.spent
    low, high = planner.ends_of_last(np.array([least / 10, least, most, most * 100]))
    np.testing.assert_allclose(low, planner.bounds[1, 0] * np.array([0.1, 1, 1, 1]), rtol=1e-12)
    np.testing.assert_allclose(high, planner.bounds[1, 1] * np.array([1, 1, 1, 100]), rtol=1e-12)


def test_bounds_that_are_given_or_those_of_the_law_do_not_widen(planner: Planner) -> None:
    far = np.array([planner.spent[1] * 1e4])
    held = replace(planner, wide=np.zeros(2))
    np.testing.assert_allclose(held.ends_of_last(far)[1], planner.bounds[1, 1], rtol=1e-12)
    hard = planner.bounds * np.array([0.1, 10.0])
    lawful = replace(planner, hard=hard)
    np.testing.assert_allclose(lawful.ends_of_last(far)[1], hard[1, 1], rtol=1e-12)


def test_attainable_inputs_keep_the_bounds_of_the_last(planner: Planner) -> None:
    budgets = np.full(3, planner.spent[1])
    low, high = (ends[0] for ends in planner.ends_of_last(budgets))
    best = np.array([[1e4, high * (1 + 1e-10)], [1e4, high * 1.01], [1e4, low * 0.99]])
    assert planner.attainable(best, budgets).tolist() == [True, False, False]


def test_optima_of_samples_and_budgets_have_their_shapes(
    chinchilla: js.Draws, planner: Planner
) -> None:
    samples = np.concatenate([chinchilla.fit.params.to_numpy()[None], chinchilla.flat[:4]])
    optima = planner.optima(samples, np.array([1e12, 1e13, 1e14]))
    assert optima.inputs.shape == (5, 3, 2)
    assert optima.output.shape == optima.bound.shape == optima.settled.shape == (5, 3)
    assert optima.settled.all()
    np.testing.assert_allclose(6 * optima.inputs.prod(axis=2), [[1e12, 1e13, 1e14]] * 5, rtol=1e-9)
    some = optima.only(np.array([True, False, True]))
    np.testing.assert_array_equal(some.inputs, optima.inputs[:, [0, 2]])
    # One budget alone has the optimum that it has among others.
    alone = planner.optima(samples, np.array([1e13]))
    np.testing.assert_allclose(alone.inputs[:, 0], optima.inputs[:, 1], rtol=1e-7)


def test_grids_span_what_the_budget_allows(planner: Planner) -> None:
    place = planner.place(planner.fit.params.to_numpy()[None], np.log([1e13]))
    grid = planner.grid(place)
    assert grid.shape[0] == 1
    assert grid.shape[2] == 1
    D = 1e13 / 6 / np.exp(grid[0, [0, -1], 0])
    assert D.min() >= np.exp(place.low[0, 1]) * (1 - 1e-9)
    assert D.max() <= np.exp(place.high[0, 1]) * (1 + 1e-9)
