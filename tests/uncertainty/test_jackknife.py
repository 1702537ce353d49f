"""jackknife: text-book variances, sums over runs, and warnings where a kink makes it wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.second_order import second_order
from jscale.fitting.solver.gauss_newton import WARM, descend
from jscale.uncertainty.jackknife import jackknife, jackknife_covariance

SQUARES = js.least_squares(space="linear")
DRAWS = 4000


def covariance(fit: js.Fit) -> np.ndarray:
    with float64_scope():
        return jackknife_covariance(second_order(fit.problem, fit.theta, smoothed=False))


@pytest.fixture(scope="module")
def smooth(runs: js.Runs) -> js.Fit:
    return js.fit("chinchilla", runs, objective=js.pseudo_huber(1e-2))


def line(**columns: object) -> js.Fit:
    @js.law(output="y")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 2.0, 30)
    y = 1.0 + 0.5 * x + 0.1 * (1.2 + x) * rng.standard_normal(30)
    frame = pd.DataFrame({"x": x, "y": y, **columns})
    marks = {name: name for name in columns}
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other", **marks)
    return js.fit(straight, runs, objective=SQUARES)


@pytest.mark.parametrize("clustered", [False, True])
def test_a_straight_line_has_the_sandwich_of_a_text_book(clustered):
    labels = np.arange(30) // (2 if clustered else 1)
    fit = line(run=labels) if clustered else line()
    x, y = fit.runs["x"], fit.runs["y"]
    X = np.column_stack([np.ones(30), x])
    bread = np.linalg.inv(X.T @ X)
    scores = pd.DataFrame(X * (y - X @ bread @ X.T @ y)[:, None]).groupby(labels).sum().to_numpy()
    n = len(scores)
    expected = n / (n - 2) * bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(covariance(fit), expected, rtol=1e-9)


def test_it_is_made_of_derivatives_by_weight(smooth):
    """Against refits with each run's weight moved a little up and down."""
    n, h = len(smooth.runs), 1e-4
    weights = np.concatenate([1.0 + h * np.eye(n), 1.0 - h * np.eye(n)])
    with float64_scope():
        starts = np.repeat(smooth.theta[None], 2 * n, axis=0)
        ended = descend(smooth.problem, starts, weights=weights, settings=WARM).theta
    moves = (ended[:n] - ended[n:]) / (2 * h)
    expected = n / (n - 5) * moves.T @ moves
    np.testing.assert_allclose(covariance(smooth), expected, rtol=1e-4)


def test_it_agrees_with_the_bootstrap_where_the_objective_is_smooth(smooth):
    by_weight = jackknife(smooth, DRAWS)
    by_refit = js.bootstrap(smooth, 2000)
    ratio = np.log(by_weight.flat).std(axis=0) / np.log(by_refit.flat).std(axis=0)
    assert by_weight.notes == ()
    assert np.all((ratio > 0.85) & (ratio < 1.25)), ratio


def test_draws_have_its_covariance_and_students_tails(smooth):
    draws, layout = jackknife(smooth, DRAWS, seed=2), smooth.problem.layout
    centre = smooth.problem.data.centre
    theta = np.stack([layout.coordinates(r, centre) for r in draws.to_frame().to_dict("records")])
    z = np.linalg.solve(np.linalg.cholesky(covariance(smooth)), (theta - smooth.theta).T)
    freedom = len(smooth.runs) - 5
    assert np.abs(z.mean(axis=1)).max() < 5 / np.sqrt(DRAWS)
    assert np.abs(np.cov(z) - freedom / (freedom - 2) * np.eye(5)).max() < 5 * np.sqrt(3 / DRAWS)


def test_says_what_it_did_and_repeats(smooth):
    first, again, other = (jackknife(smooth, 10, seed=s) for s in (4, 4, 5))
    assert first.method == "jackknife"
    assert first.settings == {"draws": 10, "seed": 4, "freedom": 37}
    assert first.values.tobytes() == again.values.tobytes()
    assert not np.isclose(first.values, other.values).any()
    assert (first.flat > 0).all()


@pytest.mark.full
def test_few_residuals_inside_the_kink_are_told(fit, runs):
    inside = int(np.sum(np.abs(fit.residuals) < 1e-3))
    assert 5 <= inside < 50
    with pytest.warns(
        js.FitWarning, match=rf"near-l1: The residuals of {inside} of 42 .*delta=0\.001.*bootstrap"
    ):
        draws = jackknife(fit, 100)
    assert [(n.code, n.severity) for n in draws.notes] == [("near-l1", "warning")]
    wide = js.fit("chinchilla", js.simulate(
        "chinchilla", fit.params.to_dict(), pd.concat([runs.frame[["N", "D"]]] * 3),
        noise=0.005, seed=4,
    ), objective=js.huber(2e-2))  # fmt: skip
    assert jackknife(wide, 100).notes == ()


@pytest.mark.full
def test_no_derivatives_no_jackknife(runs):
    absolute = js.fit("chinchilla", runs, objective=js.least_absolute())
    with pytest.raises(
        js.NotDifferentiable,
        match=r"needs derivatives\..*vertex.*no derivative there\. Use js\.boo",
    ):
        jackknife(absolute)


def test_too_few_draws(fit):
    with pytest.raises(
        js.JscaleError, match=r"draws=1 must be a whole number, at least 2: jackknife\(fit, draws="
    ):
        jackknife(fit, draws=1)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_no_run_to_spare():
    table = {"C": np.geomspace(1e17, 1e20, 3)}
    few = js.simulate("power_const", {"E": 1.7, "A": 900.0, "alpha": 0.15}, table, noise=0.01)
    fit = js.fit("power_const", few)
    with pytest.raises(js.FitError, match=r"no run is left to estimate errors"):
        jackknife(fit)
