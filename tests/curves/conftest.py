"""Whole curves of runs of our own, and fits of both laws of them, shared in this folder."""

from __future__ import annotations

import warnings

import pytest

import jscale as js

# The curves of one size and one number of tokens, under three schedules.
SIZE = "w064-d01200k-b16"


@pytest.fixture(scope="session")
def curves() -> js.Curves:
    return js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))


@pytest.fixture(scope="session")
def draws(curves: js.Curves) -> dict[str, js.Draws]:
    """Draws of both laws, fitted to a constant rate and a cosine."""
    runs = curves.where([f"{SIZE}-constant-s0", f"{SIZE}-cosine-s0"]).runs()
    laws = {"annealing": "annealing", "multi_power": js.multi_power(curves.schedules)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.FitWarning)  # which of these are seen is the machine's
        return {name: js.bootstrap(js.fit(law, runs), 100) for name, law in laws.items()}
