"""A small synthetic table, its fit, and draws of it, shared by the tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, grid

DESIGN = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="session")
def runs() -> js.Runs:
    return js.simulate("chinchilla", CHINCHILLA, DESIGN, noise=0.005, seed=3)


@pytest.fixture(scope="session")
def fit(runs: js.Runs) -> js.Fit:
    return js.fit("chinchilla", runs)


@pytest.fixture(scope="session")
def draws(fit: js.Fit) -> js.Draws:
    return js.bootstrap(fit, 64, seed=5)
