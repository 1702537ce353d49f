"""The influence of runs on a forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js

AT = {"N": [1e8, 5e9], "D": [1e10, 3e11]}


@pytest.fixture(scope="module")
def found(forecast: js.Forecast) -> pd.DataFrame:
    return forecast.influence(AT)


def test_every_point_and_run_has_a_row(found: pd.DataFrame, runs: js.Runs) -> None:
    assert found.index.names == ["point", "run"]
    assert len(found) == 2 * len(runs)
    assert ((found["narrowing"] >= 0) & (found["narrowing"] < 1)).all()


def test_outcomes_that_are_all_higher_raise_the_curve_as_much(found: pd.DataFrame) -> None:
    """In range nearly; beyond, the prior of the floor is relative to the lowest outcome."""
    total = found["derivative"].groupby("point").sum()
    assert total[0] == pytest.approx(1.0, abs=0.02)


def test_beyond_the_runs_the_largest_matter_most(found: pd.DataFrame, runs: js.Runs) -> None:
    C = runs["N"] * runs["D"]
    largest = found.loc[1, "narrowing"].nlargest(5).index
    assert np.median(C[largest]) > np.median(C)


@pytest.mark.full
def test_the_curve_is_wider_without_the_run_that_narrows_it_most(
    forecast: js.Forecast, found: pd.DataFrame, runs: js.Runs
) -> None:
    narrowing = found.loc[1, "narrowing"]
    table = pd.DataFrame({name: values[1:] for name, values in AT.items()})

    def variance(forecast: js.Forecast) -> float:
        curve = forecast.mixture(table).curve
        return float((curve.quantile(0.84) - curve.quantile(0.16))[0] ** 2)

    most, least = (int(x) for x in (narrowing.idxmax(), narrowing.idxmin()))
    without = [variance(js.forecast(runs.where(runs.frame.index != x))) for x in (most, least)]
    # Refits also estimate weights and the noise's scale anew: the order is what is sure.
    assert without[0] > 1.2 * variance(forecast)
    assert without[0] > without[1]


def test_scores_are_moved_on_their_own_scale(scores: js.Forecast) -> None:
    """Outcomes that are all closer to their ceiling raise the curve."""
    moved = scores.influence(C=[1e20])["derivative"]
    assert 0.3 < moved.sum() < 3.0
