"""Draws that the tests of this folder plan with."""

from __future__ import annotations

import pytest

import jscale as js
from jscale.simulation.worlds import scattered
from tests.planning.mixtures import LAW, TRUTH, design


def draws_of(name: str) -> js.Draws:
    """Draws of a law of the catalogue, fitted to its own world with a little noise."""
    planted, design = scattered(name, 0)
    return js.laplace(js.fit(name, js.simulate(name, planted, design, noise=0.005)), 50)


@pytest.fixture(scope="session")
def chinchilla() -> js.Draws:
    """Draws of the surface of our own runs."""
    table = js.datasets.load("stdlib_lm")
    return js.laplace(js.fit("chinchilla", table.loc[table["split"] == "fit"]), 200)


@pytest.fixture(scope="session")
def repeated() -> js.Draws:
    """Draws of a law whose unique tokens U are at most its tokens D."""
    return draws_of("data_constrained")


@pytest.fixture(scope="session")
def exact() -> dict[str, js.Fit]:
    """Fits of three targets over the same shares, without noise."""
    return {t: js.fit(LAW, js.simulate(LAW, own, design())) for t, own in TRUTH.items()}
