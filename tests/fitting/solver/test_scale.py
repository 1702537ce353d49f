"""Scales found together with the parameters: the equations hold at the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.objective.hubers import TUNING, expected_square

TRUTH = {"E": 1.7, "A": 50.0, "alpha": 0.3}
C = np.geomspace(1e3, 1e7, 40)


def world(noise: float = 0.02, seed: int = 0) -> js.Runs:
    return js.simulate(
        "power_const", TRUTH, {"C": C}, noise=noise, distribution="student_t", seed=seed
    )


@pytest.fixture(scope="module")
def proposal_2() -> js.Fit:
    return js.fit("power_const", world(), objective=js.huber(delta="auto"))


@pytest.mark.full
def test_hubers_second_proposal_holds(proposal_2: js.Fit) -> None:
    scale = proposal_2.settings.solved.width / TUNING
    u = proposal_2.residuals / scale
    n, p = len(u), 3
    assert np.sum(np.minimum(np.abs(u), TUNING) ** 2) / (n - p) == pytest.approx(
        expected_square(TUNING), rel=1e-8
    )


def test_expected_square_is_that_of_a_normal() -> None:
    z = np.random.default_rng(0).standard_normal(400_000)
    assert expected_square(1.345) == pytest.approx(
        np.mean(np.minimum(np.abs(z), 1.345) ** 2), rel=0.01
    )


@pytest.mark.full
def test_the_scale_is_that_of_the_noise() -> None:
    runs = js.simulate("power_const", TRUTH, {"C": np.geomspace(1e3, 1e7, 400)}, noise=0.02, seed=1)
    fit = js.fit("power_const", runs, objective=js.huber(delta="auto"))
    normal = np.std(js.fit("power_const", runs, objective=js.least_squares()).residuals)
    assert fit.settings.scale == pytest.approx(TUNING * normal, rel=0.06)


@pytest.mark.full
def test_a_scale_far_off_does_not_depend_on_units_of_the_residual(proposal_2: js.Fit) -> None:
    """Noise a hundred times smaller: the scale is, too."""
    small = js.fit("power_const", world(noise=2e-4), objective=js.huber(delta="auto"))
    assert small.settings.scale == pytest.approx(proposal_2.settings.scale / 100, rel=0.05)


@pytest.mark.full
def test_student_t_is_the_maximum_of_the_likelihood_scale_included() -> None:
    from scipy.optimize import minimize

    runs = world(seed=2)
    fit = js.fit("power_const", runs, objective=js.student_t(df=4.0))
    y = np.log(runs["loss"])

    def loss(v: np.ndarray) -> float:
        E, A, alpha, s = np.exp(v)
        u = (np.log(E + A * C**-alpha) - y) / s
        return float(np.sum(2.5 * np.log1p(u * u / 4.0)) + len(C) * v[3])

    start = np.log([*fit.params, fit.settings.scale])
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-13})
    assert fit.objective == pytest.approx(loss(start), rel=1e-10)
    assert found.fun >= fit.objective - 1e-8 * abs(fit.objective)
    np.testing.assert_allclose(found.x, start, atol=2e-4)


@pytest.mark.full
def test_an_exact_table_ends_at_the_scale_of_rounding() -> None:
    runs = js.simulate("power_const", TRUTH, {"C": C})
    for objective in (js.huber(delta="auto"), js.student_t()):
        fit = js.fit("power_const", runs, objective=objective)
        assert fit.settings.scale < 1e-13
        np.testing.assert_allclose(fit.fitted, runs["loss"], rtol=1e-9)


def test_bootstrap_save_and_load_keep_the_scale(proposal_2: js.Fit, tmp_path) -> None:
    again = js.load(js.save(proposal_2, tmp_path / "fit.json"))
    assert again.settings.scale == proposal_2.settings.scale
    assert again.problem.objective.width == proposal_2.settings.scale
    assert again.settings.objective.auto
    draws = js.bootstrap(proposal_2, resamples=100, seed=0)
    assert draws.failed == 0
    assert "delta=0.0" in str(proposal_2)


def test_the_scale_of_weights_changes_nothing(proposal_2: js.Fit) -> None:
    for factor in (1e-6, 1e6):
        weights = np.full(len(proposal_2.runs), factor)
        fit = js.fit(proposal_2.law, proposal_2.runs, objective=js.huber("auto"), weights=weights)
        assert fit.settings.scale == pytest.approx(proposal_2.settings.scale, rel=1e-7)
        np.testing.assert_allclose(fit.params, proposal_2.params, rtol=1e-6)


def test_the_scale_is_not_for_batches() -> None:
    table = pd.DataFrame({"C": C, "loss": world()["loss"], "family": "a"})
    with pytest.raises(js.JscaleError, match="fit_many takes a number for delta, not huber"):
        js.fit_many("power_const", table, by="family", objective=js.huber(delta="auto"))
