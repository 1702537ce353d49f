"""A small table of N and D, and its experts under the package's prior, shared by this folder."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.discrepancy.experts import Solved
from jscale.discrepancy.prior import ForecastPrior, default_prior
from jscale.simulation.worlds import CHINCHILLA, grid


@pytest.fixture(scope="session")
def prior() -> ForecastPrior:
    return default_prior()


@pytest.fixture(scope="session")
def runs() -> js.Runs:
    design = grid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5))
    return js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=1)


@pytest.fixture(scope="session")
def forecast(runs: js.Runs) -> js.Forecast:
    return js.forecast(runs)


@pytest.fixture(scope="session")
def solved(forecast: js.Forecast) -> Solved:
    return forecast.experts[0]
