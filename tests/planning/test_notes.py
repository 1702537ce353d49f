"""Notes on plans: searches that did not converge, optima at a bound, budgets below the runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale.planning.notes import notes_on_optima, notes_on_small
from jscale.planning.search import Optima, Planner

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def test_a_limit_of_data_is_kept_and_told(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, 1e13, bounds={"N": (1e3, 2e4)})
    assert plan.frame["N"].item() == pytest.approx(2e4)
    assert plan.frame["at_bound"].item() == 1.0
    (note,) = plan.notes
    assert note.code == "no-interior-optimum"
    assert "best N is the largest that the bounds allow" in note.seen


def test_budgets_far_below_the_runs_are_noted(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, 1e11, cost=js.costs.lifetime(1e15))
    assert "below-the-runs" in {note.code for note in plan.notes}
    assert not plan.interval(0.5).isna().any(axis=None)


@pytest.fixture(scope="module")
def planner(chinchilla: js.Draws) -> Planner:
    return js.allocate(chinchilla, 1e12).planner


def optima(bound: list[list[int]], settled: list[list[bool]] | None = None) -> Optima:
    """Optima of samples and budgets of which only bounds and settled searches matter."""
    sides = np.array(bound)
    ended = np.ones(sides.shape, dtype=bool) if settled is None else np.array(settled)
    return Optima(np.ones((*sides.shape, 2)), np.ones(sides.shape), sides, ended)


def test_optima_inside_that_settled_have_no_note(planner: Planner) -> None:
    assert list(notes_on_optima(planner, optima([[0, 0], [0, 0]]))) == []
    assert list(notes_on_optima(planner, optima([[0]]))) == []


@pytest.mark.parametrize(
    ("settled", "severity", "seen"),
    [
        (
            [[True, True], [False, True]],
            "caution",
            "In 1 of 4 draws and budgets the search did not",
        ),
        ([[False, True], [False, True]], "warning", "converge, the estimate among them."),
    ],
)
def test_searches_that_did_not_converge(planner: Planner, settled, severity, seen) -> None:
    (note,) = notes_on_optima(planner, optima([[0, 0], [0, 0]], settled))
    assert (note.code, note.severity) == ("search-unsettled", severity)
    assert seen in note.seen


@pytest.mark.parametrize(("side", "word"), [(1, "largest"), (-1, "smallest")])
def test_an_estimate_at_a_bound(planner: Planner, side: int, word: str) -> None:
    """A bound that was given may be intended; one of the search is not an answer."""
    found = optima([[0, side], [0, side]])
    (note,) = notes_on_optima(planner, found)
    assert note.code == "no-interior-optimum"
    assert note.seen == f"At 1 of 2 budgets the best N is the {word} that the bounds allow."
    assert note.do.startswith("Give meaningful bounds")
    (given,) = notes_on_optima(replace(planner, wide=np.array([1.0, 0.0])), found)
    assert given.do.startswith("Where the bound is a real limit")


@pytest.mark.parametrize(("at_bound", "noted"), [(1, False), (2, True)])
def test_more_than_one_draw_in_a_hundred_at_a_bound(
    planner: Planner, at_bound: int, noted: bool
) -> None:
    sides = [[0]] + [[1]] * at_bound + [[0]] * (100 - at_bound)
    codes = [note.code for note in notes_on_optima(planner, optima(sides))]
    assert codes == (["draws-without-optimum"] if noted else [])


def test_where_tokens_per_parameter_are_held_nothing_is_at_a_bound(planner: Planner) -> None:
    held, between = (replace(planner, ratio=ends) for ends in ((20.0, 20.0), (20.0, 200.0)))
    at_bound = optima([[1], [1]])
    assert list(notes_on_optima(held, at_bound)) == []
    assert [note.code for note in notes_on_optima(between, at_bound)] == ["no-interior-optimum"]


def test_budgets_more_than_ten_times_below_the_cheapest_run(planner: Planner) -> None:
    least = planner.spent[0]
    assert list(notes_on_small(planner, np.array([least / 9, least]))) == []
    (note,) = notes_on_small(planner, np.array([least / 11, least]))
    assert note.code == "below-the-runs"
    assert note.seen.startswith("1 of 2 budgets are more than 10 times smaller")
