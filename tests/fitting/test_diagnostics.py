"""Diagnostics: errors against closed forms, weak directions, patterns in residuals."""

from __future__ import annotations

from dataclasses import replace

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
    of_parameters,
    pattern_in_residuals,
    smoothed_curvature,
    studentised,
)
from jscale.simulation.worlds import CHINCHILLA, FARSEER, SURFACE, WORLDS
from tests.worlds import line


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


def test_curvature_is_exact_where_noise_is_small_and_smooth_where_not() -> None:
    small = np.array([1e-6, 2e-6, -1e-6, 0.5])
    np.testing.assert_array_equal(smoothed_curvature(js.huber(), small), [1, 1, 1, 0])
    rng = np.random.default_rng(0)
    normal = 0.01 * rng.standard_normal(100_000)
    found = smoothed_curvature(js.huber(), normal).mean()
    density = 2 * 1e-3 / (0.01 * np.sqrt(2 * np.pi) * np.sqrt(1 + 0.7**2))
    assert found == pytest.approx(density, rel=0.02)
    absolute = smoothed_curvature(js.least_absolute(), normal).mean()
    assert absolute == pytest.approx(density / 1e-3, rel=0.02)


@pytest.mark.full
@pytest.mark.parametrize("distribution", ["normal", "student_t"])
def test_errors_cover_the_truth_about_as_often_as_they_say(distribution: str) -> None:
    """100 worlds of 60 runs: nominal 90% intervals of three parameters cover 86 to 99%."""
    rng = np.random.default_rng(0)
    design = pd.DataFrame(
        {"N": 10 ** rng.uniform(7.5, 10, 60), "D": 10 ** rng.uniform(9, 11.5, 60)}
    )
    inside = np.zeros(3)
    for seed in range(100):
        runs = js.simulate(
            "chinchilla", CHINCHILLA, design, noise=0.01, seed=seed, distribution=distribution
        )
        fit = js.fit("chinchilla", runs, starts=4)
        for i, name in enumerate(("E", "alpha", "beta")):
            inside[i] += abs(fit.params[name] - CHINCHILLA[name]) <= 1.673 * fit.stderr[name]
    assert np.all((inside >= 86) & (inside <= 99)), inside


def test_rows_of_one_run_count_as_one() -> None:
    """Every run logged ten times gives the errors of the runs logged once."""
    base = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01, seed=1).frame
    base = base.assign(id=np.arange(len(base)))
    jitter = 1 + 1e-7 * np.random.default_rng(0).standard_normal(10 * len(base))
    many = pd.concat([base] * 10, ignore_index=True)
    many["loss"] = many["loss"] * jitter
    once = js.fit("chinchilla", js.Runs.from_frame(base, run="id"))
    ten = js.fit("chinchilla", js.Runs.from_frame(many, run="id"))
    np.testing.assert_allclose(ten.stderr, once.stderr, rtol=0.02)
    assert {n.code for n in ten.notes} == {n.code for n in once.notes}


@pytest.mark.full
def test_rows_without_weight_change_no_error() -> None:
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01, seed=1)
    wild = runs.frame.copy()
    wild.loc[:20, "loss"] *= 1.5
    weights = np.where(np.arange(len(wild)) <= 20, 0.0, 1.0)
    left_out = js.fit("chinchilla", wild, weights=weights)
    without = js.fit("chinchilla", runs.where(weights > 0))
    np.testing.assert_allclose(left_out.stderr, without.stderr, rtol=1e-4)
    assert [n.code for n in left_out.notes] == [n.code for n in without.notes]


def test_without_a_run_to_spare_errors_are_infinite() -> None:
    runs = js.simulate("power_const", {"E": 1.0, "A": 9.0, "alpha": 0.1}, {"C": [1e3, 1e6, 1e9]})
    with pytest.warns(js.FitWarning, match="errors cannot be estimated and are infinite"):
        fit = js.fit("power_const", runs)
    assert np.isinf(fit.stderr).all()
    for draw in (js.bootstrap, js.laplace):
        with pytest.raises(js.FitError, match="no run is left to estimate errors"):
            draw(fit)
    assert js.predict(fit, C=1e8, method=None).frame["curve"][0] > 1.0


def test_an_exact_fit_is_agreed_on_by_its_starts() -> None:
    fit = js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, SURFACE))
    assert fit.agree == (64, 64)
    assert not {"starts-disagree", "outlier-driven"} & {n.code for n in fit.notes}


def test_covariance_is_symmetric_and_positive() -> None:
    fit = js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.01))
    with float64_scope():
        found = covariance(fit.problem, at_optimum(fit))
    np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-18)
    assert np.linalg.eigvalsh(found).min() > 0


@pytest.mark.full
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


@pytest.mark.full
def test_a_wrong_law_leaves_one() -> None:
    runs = js.simulate("farseer", FARSEER, WORLDS["farseer"][1], noise=0.005)
    fit = js.fit("chinchilla", runs)
    note = next(n for n in fit.notes if n.code == "residuals-patterned")
    assert "more flexible law" in note.do
    share, chance = pattern_in_residuals(fit.problem, at_optimum(fit))
    assert share > 0.5
    assert chance < 1e-10


@pytest.mark.full
def test_few_rows_show_no_pattern() -> None:
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE.iloc[::12], noise=0.01)
    fit = js.fit("chinchilla", runs)
    assert pattern_in_residuals(fit.problem, at_optimum(fit)) == (0.0, 1.0)


def test_a_coordinate_that_moves_nothing_has_an_infinite_error_and_the_others_theirs() -> None:
    runs = js.simulate("power_const:N", {"E": 1.7, "A": 50.0, "alpha": 0.3},
                       {"N": np.geomspace(1e3, 1e7, 30)}, noise=0.01, seed=1)  # fmt: skip
    fit = js.fit("power_const:N", runs)
    optimum = at_optimum(fit)
    jacobian = optimum.jacobian.copy()
    jacobian[:, 0] = 0.0
    found = covariance(fit.problem, replace(optimum, jacobian=jacobian))
    assert np.isinf(found[0, 0])
    assert (found[0, 1:] == 0).all()
    assert np.isfinite(found[1:, 1:]).all()
    carried = of_parameters(found, np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]]))
    assert np.isinf(carried[0, 0])
    two = np.array([2.0, 1.0])
    assert carried[1, 1] == pytest.approx(two @ found[1:, 1:] @ two)


def test_slopes_that_overflow_cost_their_own_parameter_alone() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(1, 5, 50)
    table = pd.DataFrame({"x": x, "loss": 5 - 0.3 * x + 0.1 * rng.standard_normal(50)})
    fit = js.fit(line, table, objective=js.least_squares(space="linear"))
    plain = at_optimum(fit)
    large = replace(plain, jacobian=plain.jacobian * np.array([1.0, 1e200]))
    before, after = covariance(fit.problem, plain), covariance(fit.problem, large)
    np.testing.assert_allclose(after[0, 0], before[0, 0], rtol=1e-9)
    np.testing.assert_allclose(after[0, 1] * 1e200, before[0, 1], rtol=1e-9)
    np.testing.assert_allclose(studentised(fit.problem, large), studentised(fit.problem, plain))
    assert directions(fit.problem, large).condition == pytest.approx(
        directions(fit.problem, plain).condition
    )
    jacobian = plain.jacobian.copy()
    jacobian[3, 1] = np.inf
    lost = replace(plain, jacobian=jacobian)
    found = covariance(fit.problem, lost)
    assert np.isfinite(found[0, 0])
    assert found[1, 1] == np.inf
    assert found[0, 1] == 0.0
    weak = directions(fit.problem, lost)
    assert (weak.condition, weak.names) == (np.inf, ("b",))
    assert np.isfinite(studentised(fit.problem, lost)).all()
