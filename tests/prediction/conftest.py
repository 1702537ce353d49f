"""Fits, draws and forecasts of small synthetic tables, shared by the tests of this folder."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, compute, grid

DESIGN = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="session")
def surface() -> js.Fit:
    return js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, DESIGN, noise=0.005, seed=3))


@pytest.fixture(scope="session")
def families() -> js.Fit:
    """One irreducible loss for each of two families, gpt's a tenth higher."""
    frames = []
    for family, factor in (("gpt", 1.1), ("llama", 1.0)):
        planted = {**CHINCHILLA, "E": CHINCHILLA["E"] * factor}
        runs = js.simulate("chinchilla", planted, DESIGN, noise=0.002, seed=4)
        frames.append(runs.frame.assign(family=family))
    table = pd.concat(frames, ignore_index=True)
    return js.fit("chinchilla", table, per={"E": "family"})


@pytest.fixture(scope="session")
def draws(surface: js.Fit) -> js.Draws:
    return js.laplace(surface, 200, seed=1)


@pytest.fixture(scope="session")
def curve(surface: js.Fit) -> js.Draws:
    """The same runs as a law of C alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return js.laplace(js.fit("power_const", surface.runs), 200, seed=2)


@pytest.fixture(scope="session")
def runs() -> js.Runs:
    """Twenty-five runs to forecast from."""
    design = grid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5))
    return js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=1)


@pytest.fixture(scope="session")
def forecast(runs: js.Runs) -> js.Forecast:
    return js.forecast(runs)


@pytest.fixture(scope="session")
def scores() -> js.Forecast:
    """A forecast of scores that rise with compute."""
    table = compute(1e18, 1e21, 10)
    table["score"] = 0.95 - 0.6 * (table["C"] / 1e18) ** -0.2
    return js.forecast(table, output="score")
