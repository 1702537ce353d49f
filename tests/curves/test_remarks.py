"""Notes on isoFLOP tables: which are given, at what they begin, and what they name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.curves.budgets import Budgets
from jscale.curves.remarks import notes_of_doubts, notes_on_bias, notes_on_minima, notes_on_rows
from jscale.data.doubts import Doubt
from tests.curves.worlds import surface

RUNS = js.Runs.from_frame(
    pd.DataFrame({"N": np.geomspace(1e8, 1e9, 5), "C": [1e18] * 4 + [7e19], "loss": 3.0})
)


def test_doubts_become_notes_of_their_code() -> None:
    (note,) = notes_of_doubts([Doubt("loss-unit", "It looks odd.", "Say its unit.")])
    assert (note.code, note.severity) == ("loss-unit", "caution")
    assert str(note) == "[caution] loss-unit: It looks odd. Say its unit."


def test_rows_in_no_budget_are_counted_and_their_compute_named() -> None:
    all_rows = Budgets(np.array([1e18, 7e19]), (np.arange(4), np.array([4])))
    assert list(notes_on_rows(RUNS, all_rows)) == []
    (note,) = notes_on_rows(RUNS, Budgets(np.array([1e18]), (np.arange(4),)))
    assert (note.code, note.severity) == ("rows-left-out", "info")
    assert note.seen.startswith("1 of 5 rows are in no budget of at least 4 sizes N (C = 7e+19)")


def test_given_budgets_with_too_few_sizes_are_a_caution() -> None:
    (note,) = notes_on_rows(RUNS, Budgets(np.array([1e18]), (np.arange(4),), ((7e19, 1),)))
    assert note.severity == "caution"
    assert "of the budgets given, 7e+19 has 1" in note.seen


def minima(at_edge: list[bool], lost: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"C": [1e18, 1e19, 1e20], "at_edge": at_edge, "lost": lost})


def test_budgets_without_a_minimum_are_named() -> None:
    sure = minima([False] * 3, [0.0, 0.05, 0.0])
    assert list(notes_on_minima(sure, 0.05)) == []
    (note,) = notes_on_minima(minima([True, False, False], [0.9, 0.0, 0.0]), 0.0)
    assert note.code == "at-edge"
    assert "at C = 1e+18." in note.seen
    assert note.means.startswith("These budgets do not determine the best size; 2 are left")


@pytest.mark.parametrize(
    ("lost", "pathless", "seen"),
    [
        ([0.0, 0.06, 0.0], 0.0, "at C = 1e+19; 0% have no path"),
        ([0.0, 0.0, 0.0], 0.2, "somewhere; 20% have no path"),
    ],
)
def test_minima_that_resamples_lose(lost: list[float], pathless: float, seen: str) -> None:
    (note,) = notes_on_minima(minima([False] * 3, lost), pathless)
    assert note.code == "minimum-unsure"
    assert seen in note.seen


def biased(bias: list[float], error: float, best: float = 1e9) -> tuple[Any, Any]:
    table = pd.DataFrame(
        {"C": [1e18, 1e19], "surface_N": [best, 2e9], "bias": bias, "at_edge": [False, True]}
    )
    paths = pd.DataFrame({"surface_exponent": [0.5], "exponent_bias": [error]}, index=["N"])
    return table, paths


def test_bias_is_noted_from_ten_per_cent_or_a_hundredth_of_the_exponent() -> None:
    """At the edge there is no minimum whose bias would count."""
    fit = surface()
    assert list(notes_on_bias(*biased([0.09, 5.0], 0.009), fit)) == []
    for bias, error in (([-0.11, 5.0], 0.0), ([0.0, 0.0], -0.011)):
        (note,) = notes_on_bias(*biased(bias, error), fit)
        assert note.code == "parabola-biased"
        assert f"miss the best N by {100 * bias[0]:+.1f}% to {100 * bias[0]:+.1f}%" in note.seen
        assert f"0.5000 by {error:+.4f}" in note.seen


def test_without_a_surface_nothing_is_said_of_bias() -> None:
    assert list(notes_on_bias(*biased([9.0, 9.0], 1.0), None)) == []


def test_a_surface_without_an_optimum_is_named_by_its_law() -> None:
    (note,) = notes_on_bias(*biased([0.0, 0.0], 0.0, best=np.nan), surface())
    assert note.code == "surface-without-optimum"
    assert note.seen.startswith("chinchilla has no lowest loss")
    assert "at C = 1e+18" in note.seen
