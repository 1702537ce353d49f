"""laplace: draws with the mean and covariance of the fit, in the solver's coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.diagnostics import linearise
from jscale.fitting.objective import Objective
from jscale.uncertainty.laplace import hessian_covariance

DRAWS = 4000


@pytest.fixture(scope="module")
def theta(fit: js.Fit) -> np.ndarray:
    """Draws (DRAWS, p) taken back to the solver's coordinates."""
    draws, layout, centre = (
        js.laplace(fit, DRAWS, seed=2),
        fit.problem.layout,
        fit.problem.data.centre,
    )
    rows = draws.to_frame().to_dict("records")
    return np.stack([layout.coordinates(row, centre) for row in rows])


def test_mean_and_covariance_are_those_of_the_fit(fit, theta):
    root = np.linalg.cholesky(fit.theta_covariance)
    z = np.linalg.solve(root, (theta - fit.theta).T)
    freedom = len(fit.runs) - len(fit.theta)
    # Five standard errors: 1/sqrt(n) of a mean, about sqrt(2/n) of a variance.
    assert np.abs(z.mean(axis=1)).max() < 5 / np.sqrt(DRAWS)
    expected = freedom / (freedom - 2) * np.eye(len(z))
    assert np.abs(np.cov(z) - expected).max() < 5 * np.sqrt(2 / DRAWS)


def kurtosis(values: np.ndarray) -> float:
    centred = np.asarray(values) - np.asarray(values).mean()
    return float(np.mean(centred**4) / np.mean(centred**2) ** 2)


def test_tails_are_those_of_student(fit):
    """The kurtosis of each parameter's draws shows few degrees of freedom."""
    few = js.simulate(
        "power", {"A": 50.0, "alpha": 0.07}, {"C": np.geomspace(1e17, 1e20, 7)}, noise=0.01
    )
    small = js.fit("power", few)
    wide, narrow = js.laplace(small, DRAWS), js.laplace(fit, DRAWS)
    assert (wide.settings["freedom"], narrow.settings["freedom"]) == (5, 37)
    assert kurtosis(wide["alpha"]) > 4.0 > kurtosis(np.log(narrow["alpha"]))


def test_repeats_with_its_seed(fit):
    first, again, other = (js.laplace(fit, 10, seed=s).values for s in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert not np.isclose(first, other).any()


def test_parameters_keep_to_their_support(fit):
    assert (js.laplace(fit, DRAWS).flat > 0).all()


def test_says_what_it_did(fit):
    draws = js.laplace(fit, 10, seed=4)
    assert draws.method == "laplace"
    assert draws.settings == {"draws": 10, "seed": 4, "kind": "sandwich", "freedom": 37}


def test_too_few_draws(fit):
    with pytest.raises(
        js.JscaleError, match=r"draws=1 must be a whole number, at least 2: laplace\(fit, draws="
    ):
        js.laplace(fit, draws=1)


def test_a_coordinate_that_moves_nothing_stays_fixed_with_a_warning():
    """A term that has died has no error at all to draw from; the others have theirs."""
    table = js.simulate(
        "power_const:N", {"E": 1.7, "A": 50.0, "alpha": 0.3}, {"N": np.geomspace(1e3, 1e7, 30)},
        noise=0.01, seed=1,
    )  # fmt: skip
    fit = js.fit("power_const:N", table)
    covariance = fit.theta_covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance[0, 0] = np.inf
    dead = replace(fit, theta_covariance=covariance)
    with pytest.warns(
        js.FitWarning, match=r"The data say nothing about E, .*fixed at the fit's value"
    ):
        draws = js.laplace(dead, draws=200)
    assert np.ptp(draws.flat[:, 0]) == 0.0
    assert draws.flat[:, 1].std() > 0


@js.law(output="y")
def straight(x: float, *, a: js.Real, b: js.Real):
    return a + b * x


def line(objective: Objective, rows: int = 30, **columns: object) -> js.Fit:
    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 2.0, rows)
    frame = pd.DataFrame({"x": x, "y": 1.0 + 0.5 * x + 0.1 * rng.standard_normal(rows), **columns})
    marks = {name: name for name in columns}
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other", **marks)
    return js.fit(straight, runs, objective=objective)


def by_hessian(fit: js.Fit) -> np.ndarray:
    with float64_scope():
        return hessian_covariance(fit.problem, linearise(fit.problem, fit.theta))


def test_hessian_of_squares_is_that_of_a_text_book():
    """s²·(XᵀX)⁻¹ with s² = RSS/(n − p)."""
    fit = line(js.least_squares(space="linear"))
    x, y = fit.runs["x"], fit.runs["y"]
    _, expected = np.polyfit(x, y, 1, cov=True)
    np.testing.assert_allclose(by_hessian(fit), expected[::-1, ::-1], rtol=1e-9)


def test_hessian_of_a_likelihood_needs_no_scale():
    """With errors of its own kind and scale, Σ psi² is Σ psi': phi is one."""
    rng = np.random.default_rng(1)
    x = np.linspace(0.0, 1.0, 4000)
    frame = pd.DataFrame({"x": x, "y": x + 0.1 * rng.standard_t(3, 4000)})
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    fit = js.fit(straight, runs, objective=js.student_t(3, 0.1, space="linear"))
    r, X = fit.residuals, np.column_stack([np.ones(4000), x])
    curvature = 4 * (0.03 - r**2) / (0.03 + r**2) ** 2
    expected = np.linalg.inv((X * curvature[:, None]).T @ X)
    np.testing.assert_allclose(by_hessian(fit), expected, rtol=0.1)


def test_hessian_agrees_with_the_sandwich_where_errors_are_alike(runs):
    fit = js.fit("chinchilla", runs, objective=js.pseudo_huber(1e-2))
    ratio = np.diag(by_hessian(fit)) / np.diag(fit.theta_covariance)
    assert np.all((ratio > 0.5) & (ratio < 2.0)), ratio
    draws = js.laplace(fit, DRAWS, kind="hessian")
    assert draws.method == "laplace (hessian)"
    assert draws.settings["kind"] == "hessian"
    assert not np.isclose(draws.flat, js.laplace(fit, DRAWS).flat).all(axis=0).any()


def test_hessian_holds_a_term_that_has_died():
    fit = line(js.least_squares(space="linear"))
    with float64_scope():
        optimum = linearise(fit.problem, fit.theta)
    dead = replace(optimum, jacobian=optimum.jacobian * [0.0, 1.0])
    found = hessian_covariance(fit.problem, dead)
    assert found[0, 0] == np.inf
    assert found[0, 1] == found[1, 0] == 0.0
    assert 0 < found[1, 1] < np.inf


def test_hessian_takes_rows_for_independent_and_says_so():
    fit = line(js.least_squares(space="linear"), run=np.arange(30) // 3)
    note = js.laplace(fit, 10, kind="hessian").notes[0]
    assert note.code == "rows-not-independent"
    assert note.seen == "30 rows come from 10 independent runs."
    assert js.laplace(fit, 10).notes == ()


def test_unknown_kind(fit):
    with pytest.raises(
        js.JscaleError,
        match=r"kind='hesian' is not known\. Did.*'hessian'\? Use sandwich, hessian\.",
    ):
        js.laplace(fit, kind="hesian")
