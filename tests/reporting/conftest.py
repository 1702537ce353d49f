"""Fits, draws and pages that the tests of this folder share."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.reporting.page import Report, report
from jscale.simulation.worlds import CHINCHILLA, grid

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="session")
def runs() -> js.Runs:
    return js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3)


@pytest.fixture(scope="session")
def fit(runs) -> js.Fit:
    return js.fit("chinchilla", runs.where(runs["C"] < np.quantile(runs["C"], 0.9)))


@pytest.fixture(scope="session")
def held_out(runs) -> js.Runs:
    return runs.where(runs["C"] >= np.quantile(runs["C"], 0.9))


@pytest.fixture(scope="session")
def draws(fit) -> js.Draws:
    return js.laplace(fit, 300)


@pytest.fixture(scope="session")
def page(fit, draws, held_out) -> Report:
    return report(fit, draws, held_out=held_out, about={"schedule": "cosine, 1% warm-up"})


@pytest.fixture(scope="session")
def planned() -> js.Draws:
    """Draws of the surface of our own runs, whose page plans budgets."""
    table = js.datasets.load("stdlib_lm")
    return js.laplace(js.fit("chinchilla", table[table["split"] == "fit"]), 200)


@pytest.fixture(scope="session")
def planned_page(planned: js.Draws) -> Report:
    return report(planned.fit, planned)
