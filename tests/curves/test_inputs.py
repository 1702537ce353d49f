"""What the functions of this room accept, and how they refuse everything else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.curves.inputs import (
    check_resampling,
    check_tolerance,
    check_within,
    row_weights,
    runs_with,
)
from tests.curves.worlds import BUDGETS, slices


@pytest.mark.parametrize("level", [0, 1, 1.5, "0.9"])
def test_a_level_that_cannot_be(level) -> None:
    for function in (js.frontier, js.isoflop):
        with pytest.raises(js.JscaleError, match=r"level=.* must lie strictly between 0 and 1"):
            function(slices(), level=level)


@pytest.mark.parametrize("resamples", [0, 1, 2.5, True])
def test_resamples_must_be_some(resamples) -> None:
    for function in (js.frontier, js.isoflop):
        with pytest.raises(
            js.JscaleError, match=r"resamples=.* must be a whole number, at least 2"
        ):
            function(slices(), resamples=resamples)


def test_a_seed_that_cannot_be() -> None:
    for function in (js.frontier, js.isoflop):
        with pytest.raises(js.LawError, match=r"seed=-1 must be a whole number"):
            function(slices(), seed=-1)


def test_data_that_are_no_runs() -> None:
    with pytest.raises(js.DataError, match="frontier takes Runs or a pandas DataFrame, not dict"):
        js.frontier({"C": BUDGETS})  # pyright: ignore[reportArgumentType]
    with pytest.raises(js.DataError, match="isoflop takes Runs or a pandas DataFrame, not list"):
        js.isoflop([1.0])  # pyright: ignore[reportArgumentType]


def test_a_table_becomes_runs_and_runs_stay_themselves() -> None:
    frame = pd.DataFrame({"params": [1e8, 1e9], "tokens": [1e9, 1e10], "loss": [3.0, 2.5]})
    runs = runs_with(frame, ("N", "C"), "isoflop")
    assert runs["C"].tolist() == [6e17, 6e19]
    assert runs_with(runs, ("N",), "isoflop") is runs


def test_inputs_that_are_missing_are_all_named_with_what_there_is() -> None:
    frame = pd.DataFrame({"D": [1e9, 1e10], "loss": [3.0, 2.5]})
    with pytest.raises(
        js.DataError,
        match=r"isoflop needs N, C of each run; these runs have no N, C, they have D, loss\. "
        r'.*Runs\.from_frame\(df, N="<column>"\)',
    ):
        runs_with(frame, ("N", "C"), "isoflop")


def test_weights_of_rows_are_the_column_or_ones() -> None:
    frame = pd.DataFrame({"C": [1e18, 1e19, 1e20], "loss": [3.0, 2.5, 2.2], "w": [0, 2, 1]})
    weights = row_weights(js.Runs.from_frame(frame, weight="w"))
    assert weights.dtype == np.float64
    assert weights.tolist() == [0.0, 2.0, 1.0]
    assert row_weights(js.Runs.from_frame(frame)).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("number", [0, 0.25, np.float32(0.5), np.int64(1)])
def test_tolerances_become_floats(number) -> None:
    tolerance = check_tolerance(number)
    assert type(tolerance) is float
    assert tolerance == number


def test_widths_lie_strictly_between_zero_and_one() -> None:
    assert check_within(np.float64(0.1)) == 0.1
    for within in (0, 1, np.inf, None, False):
        with pytest.raises(js.JscaleError, match=r"within=.* must lie strictly between 0 and 1"):
            check_within(within)


def test_legal_numbers_of_resamples_pass() -> None:
    check_resampling(0.9, np.int64(2), 0)
    check_resampling(0.5, 1000, np.int64(7))
