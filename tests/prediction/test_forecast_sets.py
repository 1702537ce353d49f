"""Forecasts of many sets of rows are those of each set alone, in whatever batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction import forecast_sets as module
from jscale.prediction.forecast_sets import forecast_sets, mixtures
from jscale.simulation.worlds import CHINCHILLA, grid

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.ExtrapolationWarning")

DESIGN = grid(np.geomspace(1e8, 4e9, 6), np.geomspace(2e9, 1e11, 6))
POINTS = pd.DataFrame({"N": [2e9, 3e10], "D": [5e10, 4e11]})


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    return js.simulate("chinchilla", CHINCHILLA, DESIGN, noise=0.005, seed=3)


def sets_of(runs: js.Runs) -> list[np.ndarray]:
    """Sets of several sizes that share rows; the last has one size, and another law by auto."""
    every = np.arange(len(runs))
    one_size = np.flatnonzero(runs["N"] == runs["N"][0])
    return [every[:14], every[::2], every, every[6:20], one_size]


@pytest.fixture(scope="module")
def found(runs: js.Runs) -> list[js.Forecast]:
    return [fc for fc in forecast_sets(runs, sets_of(runs)) if isinstance(fc, js.Forecast)]


def part(runs: js.Runs, rows: np.ndarray) -> js.Runs:
    return runs.where(np.isin(np.arange(len(runs)), rows))


def test_each_set_is_forecast_as_alone(runs: js.Runs, found: list[js.Forecast]) -> None:
    assert len(found) == 5
    for rows, forecast in zip(sets_of(runs), found, strict=True):
        alone = js.forecast(part(runs, rows))
        assert alone.settings == forecast.settings
        assert alone.weights.index.equals(forecast.weights.index)
        one, other = (js.predict(fc, **at(fc)).frame for fc in (alone, forecast))
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert [fc.weights.index[0] for fc in found[:4]] == ["chinchilla"] * 4
    assert found[4].weights.index[0] != "chinchilla"


def at(forecast: js.Forecast) -> dict[str, np.ndarray]:
    return {name: POINTS[name].to_numpy() for name in forecast.reference.law.inputs if name in POINTS} or {"C": np.array([1e21])}  # fmt: skip


@pytest.mark.parametrize("numbers", [None, 1])
def test_mixtures_are_those_of_each_forecast(
    runs: js.Runs, found: list[js.Forecast], numbers: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one table at a time, and two points at a time."""
    if numbers:
        monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", numbers)
        monkeypatch.setattr(module, "_POINTS_AT_ONCE", 2)
    tables = [POINTS, POINTS.iloc[:1], pd.concat([POINTS, POINTS * 1.1, POINTS * 0.9])]
    for forecast, table, mixture in zip(found, tables, mixtures(found[:3], tables), strict=False):
        expected = forecast.mixture(table)
        np.testing.assert_allclose(mixture.frame(0.8), expected.frame(0.8), rtol=1e-9)
        y = expected.frame(0.8)["curve"].to_numpy() * 1.01
        np.testing.assert_allclose(mixture.log_score(y), expected.log_score(y), rtol=1e-7)


@pytest.mark.full
def test_several_laws_stay_with_their_set(runs: js.Runs) -> None:
    laws = ["chinchilla", "chinchilla_tied"]
    sets = [np.arange(14), np.arange(6, 20)]
    for rows, forecast in zip(sets, forecast_sets(runs, sets, laws, prior="weak"), strict=True):
        assert isinstance(forecast, js.Forecast)
        alone = js.forecast(part(runs, rows), laws, prior="weak")
        np.testing.assert_allclose(forecast.weights, alone.weights, rtol=1e-8, atol=1e-12)
        (mixture,) = mixtures([forecast], [POINTS])
        np.testing.assert_allclose(mixture.frame(0.9), alone.mixture(POINTS).frame(0.9), rtol=1e-9)


def test_a_set_that_cannot_be_forecast_keeps_its_error(runs: js.Runs) -> None:
    few, usable = forecast_sets(runs, [np.arange(2), np.arange(14)])
    assert isinstance(usable, js.Forecast)
    with pytest.raises(js.DataError, match="needs at least 3 independent runs; there are 2"):
        raise few


def test_no_sets_are_no_forecasts(runs: js.Runs) -> None:
    assert forecast_sets(runs, []) == []
    assert mixtures([], []) == []


def test_arguments_are_checked_once_for_all(runs: js.Runs) -> None:
    with pytest.raises(js.JscaleError, match="draws=0 must be a whole number"):
        forecast_sets(runs, [np.arange(14)], draws=0)
