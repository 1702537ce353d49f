"""Saved forecasts: made again from runs and prior, the same, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import compute


@pytest.fixture(scope="module")
def made() -> js.Forecast:
    planted = {"E": 1.7, "A": 300.0, "alpha": 0.15}
    return js.forecast(
        js.simulate("power_const", planted, compute(1e18, 1e21, 9), noise=0.004, seed=2)
    )


@pytest.mark.full
def test_a_forecast_is_made_again(made: js.Forecast, tmp_path: Path) -> None:
    again = js.load(js.save(made, tmp_path / "forecast.json"))
    assert isinstance(again, js.Forecast)
    np.testing.assert_allclose(again.fitted, made.fitted, rtol=1e-9)
    assert again.settings == made.settings


@pytest.mark.full
def test_a_damaged_file_is_refused(made: js.Forecast, tmp_path: Path) -> None:
    path = js.save(made, tmp_path / "forecast.json")
    document = json.loads(path.read_text())
    del document["settings"]["response"]
    path.write_text(json.dumps(document))
    with pytest.raises(js.FileError, match="is a damaged saved forecast"):
        js.load(path)


@pytest.mark.full
def test_a_forecast_that_says_something_else_is_refused(made: js.Forecast, tmp_path: Path) -> None:
    path = js.save(made, tmp_path / "forecast.json")
    document = json.loads(path.read_text())
    document["fitted"] = [1.01 * x for x in document["fitted"]]
    path.write_text(json.dumps(document))
    with pytest.raises(js.FileError, match=r"says something else of its own runs \(up to 1% off"):
        js.load(path)
