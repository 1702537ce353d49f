"""ForecastTable: families by label, their predictions in one table, and failures kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, grid

NEAR = {"N": [1e9, 2e9], "D": 5e10}


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    """Three worlds of different floors, and one of two runs."""
    design = grid(np.geomspace(1e8, 4e9, 5), np.geomspace(2e9, 1e11, 5))
    worlds = {**CHINCHILLA, "E": np.array([1.5, 1.7, 1.9, 2.1])}
    runs = js.simulate("chinchilla", worlds, design, noise=0.005, worlds=4, seed=1)
    names = np.array(["a", "b", "c", "few"])[runs["world"]]
    frame = runs.frame.assign(family=names).drop(columns="world")
    last = np.flatnonzero(names == "few")[2:]
    return js.Runs.from_frame(frame.drop(index=frame.index[last]))


@pytest.fixture(scope="module")
def table(runs: js.Runs) -> js.ForecastTable:
    with pytest.warns(js.FitWarning, match="1 of 4 families could not be forecast: see table"):
        return js.forecast_many(runs, by="family")


@pytest.mark.full
def test_predictions_are_those_of_each_family(table: js.ForecastTable) -> None:
    found = table.predict(**NEAR, level=0.8)
    assert found["family"].tolist() == ["a", "a", "b", "b", "c", "c", "few", "few"]
    columns = ["curve", "confidence_low", "confidence_high", "prediction_low", "prediction_high"]
    assert [*found] == ["family", "N", "D", *columns, "extrapolation"]
    for name in "abc":
        alone = js.predict(table[name], **NEAR, level=0.8).frame
        own = found[found["family"] == name][list(alone)]
        np.testing.assert_allclose(own, alone, rtol=1e-9)
    assert found[found["family"] == "few"][columns].isna().all(axis=None)


def test_a_table_with_the_families_holds_the_points_of_each(table: js.ForecastTable) -> None:
    points = pd.DataFrame({"family": ["c", "a", "c"], "N": [1e9, 2e9, 3e9], "D": 5e10})
    found = table.predict(points)
    assert found["family"].tolist() == ["c", "c", "a"]
    assert found["N"].tolist() == [1e9, 3e9, 2e9]
    own = js.predict(table["a"], N=2e9, D=5e10).frame
    np.testing.assert_allclose(found.iloc[[2]][list(own)], own, rtol=1e-9)
    with pytest.raises(
        js.PredictionError, match=r"family is d in the table of points, which is no fitted family"
    ):
        table.predict(points.assign(family="d"))


def test_distance_is_warned_of_once_with_the_measured_coverage(table: js.ForecastTable) -> None:
    with pytest.warns(js.ExtrapolationWarning, match=r"3 of 6 .* Of \d+ real runs") as warned:
        table.predict(N=[1e9, 1e11], D=5e11)
    assert len(warned) == 1


def test_the_summary_says_what_each_rests_on(table: js.ForecastTable) -> None:
    frame = table.to_frame()
    assert frame.index.tolist() == ["a", "b", "c", "few"]
    assert [*frame] == ["runs", "noise", "chinchilla", "failure"]
    assert frame["runs"].tolist()[:3] == [25, 25, 25]
    assert frame["noise"][:3].between(0.002, 0.01).all()
    np.testing.assert_allclose(frame["chinchilla"][:3], 1.0)
    assert "needs at least 3 independent runs; there are 2" in frame.loc["few", "failure"]


def test_it_shows_itself(table: js.ForecastTable) -> None:
    assert repr(table).startswith("ForecastTable by family: 4 families, 1 failed\n")
    assert "<table" in table._repr_html_()
    assert len(table) == 4


def test_a_family_without_a_forecast(table: js.ForecastTable) -> None:
    with pytest.raises(js.JscaleError, match="family='few' has no forecast: A forecast needs at"):
        table["few"]
    with pytest.raises(
        js.JscaleError, match=r"no family family='fews'\. Did you mean 'few'\? Families: a, b, c"
    ):
        table["fews"]
    none = replace(table, forecasts={}, failures=dict.fromkeys(table.labels, "no"))
    with pytest.raises(js.PredictionError, match=r"No family has a forecast: see table\.failures"):
        none.predict(**NEAR)
    assert none.to_frame()["failure"].tolist() == ["no"] * 4


def test_inputs_are_checked(table: js.ForecastTable) -> None:
    with pytest.raises(js.PredictionError, match="D is missing"):
        table.predict(N=1e9)
    with pytest.raises(js.JscaleError, match="level=2"):
        table.predict(**NEAR, level=2)
