"""Diagnostics: errors against closed forms, weak directions, patterns in residuals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.diagnostics import (
    Optimum,
    covariance,
    directions,
    linearise,
    pattern_in_residuals,
    smoothing_width,
)
from jscale.model.roles import Real
from tests.conformance.worlds import CHINCHILLA, FARSEER, SURFACE, WORLDS


@js.law
def line(x: float, *, a: Real, b: Real) -> float:
    return a + b * x


def at_optimum(fit: js.Fit) -> Optimum:
    with float64_scope():
        return linearise(fit.problem, fit.theta)


def test_least_squares_errors_are_whites() -> None:
    """With least squares the sandwich is White's estimator times n/(n−p)."""
    rng = np.random.default_rng(0)
    x = np.linspace(1, 5, 50)
    y = 2 - 0.3 * x + 0.1 * x * rng.standard_normal(50)
    table = pd.DataFrame({"x": x, "loss": y})
    fit = js.fit(line, table, objective=js.least_squares(space="linear"), loss_unit="other")
    X = np.column_stack([np.ones(50), x])
    bread = np.linalg.inv(X.T @ X)
    white = bread @ (X.T @ (X * (fit.residuals**2)[:, None])) @ bread * 50 / 48
    np.testing.assert_allclose(fit.covariance.to_numpy(), white, rtol=1e-6)


def test_errors_of_huber_match_their_spread_over_worlds() -> None:
    """60 worlds: the mean squared z of alpha is near 1 (its standard error is 0.18)."""
    z = []
    for seed in range(60):
        runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01, seed=seed)
        fit = js.fit("chinchilla", runs, starts=4)
        z.append((fit.params["alpha"] - CHINCHILLA["alpha"]) / fit.stderr["alpha"])
    assert 0.55 < np.mean(np.square(z)) < 1.6


def test_smoothing_width_is_delta_where_noise_is_small() -> None:
    assert smoothing_width(np.full(9, 1e-6), js.huber()) == 1e-3
    rng = np.random.default_rng(0)
    wide = smoothing_width(0.01 * rng.standard_normal(4000), js.huber())
    assert wide == pytest.approx(1.5 * 0.01, rel=0.05)


def test_covariance_is_symmetric_and_positive() -> None:
    fit = js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01))
    with float64_scope():
        found = covariance(fit.problem, at_optimum(fit))
    np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-18)
    assert np.linalg.eigvalsh(found).min() > 0


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_the_weakest_direction_is_named() -> None:
    """With one size only, E and A cannot be told apart."""
    design = SURFACE[SURFACE["N"] == SURFACE["N"].iloc[0]]
    runs = js.simulate("chinchilla", CHINCHILLA, design, noise=0.001)
    fit = js.fit("chinchilla", runs, fixed={"alpha": 0.34})
    found = directions(fit.problem, at_optimum(fit))
    assert set(found.names) == {"E", "A"}
    assert found.condition > 1e10


def test_a_right_law_leaves_no_pattern() -> None:
    """20 worlds: at most one p-value under 0.01."""
    low = 0
    for seed in range(20):
        runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01, seed=seed)
        fit = js.fit("chinchilla", runs, starts=4)
        low += pattern_in_residuals(fit.problem, at_optimum(fit))[1] < 0.01
        assert "residuals-patterned" not in {n.code for n in fit.notes}
    assert low <= 1


def test_a_wrong_law_leaves_one() -> None:
    runs = js.simulate("farseer", FARSEER, WORLDS["farseer"][1], noise=0.005)
    fit = js.fit("chinchilla", runs)
    note = next(n for n in fit.notes if n.code == "residuals-patterned")
    assert "more flexible law" in note.do
    share, chance = pattern_in_residuals(fit.problem, at_optimum(fit))
    assert share > 0.5
    assert chance < 1e-10


def test_few_rows_show_no_pattern() -> None:
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE.iloc[::12], noise=0.01)
    fit = js.fit("chinchilla", runs)
    assert pattern_in_residuals(fit.problem, at_optimum(fit)) == (0.0, 1.0)
