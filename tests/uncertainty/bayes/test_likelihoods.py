"""Likelihoods: densities of rows, counted outcomes, and how new runs scatter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jscale as js
from jscale._precision import float64_scope
from jscale.uncertainty.bayes.likelihoods import LikelihoodNoise, log_density, nuisance_prior
from jscale.uncertainty.bayes.posterior import posterior
from tests.uncertainty.bayes.small_laws import rates


@pytest.mark.full
def test_densities_are_scipys() -> None:
    predicted, target, k, n = np.array([0.2, 0.5, 0.9]), np.log([0.3, 0.5, 0.8]), 3.0, 11.0
    counts, scale = (np.full(3, k), np.full(3, n)), np.log(0.7)
    off = np.log(predicted) - target
    exact = {
        "normal": stats.norm.logpdf(off, 0, 0.7),
        "student_t": stats.t.logpdf(off, 5.0, 0, 0.7),
        "binomial": stats.binom.logpmf(k, n, predicted),
        "beta_binomial": stats.betabinom.logpmf(k, n, 0.7 * predicted, 0.7 * (1 - predicted)),
    }
    with float64_scope():
        for likelihood, wanted in exact.items():
            found = log_density(likelihood, "log", predicted, target, counts, scale, 5.0)
            np.testing.assert_allclose(found, wanted, rtol=1e-10, err_msg=likelihood)


@pytest.mark.parametrize(
    ("likelihood", "bad"),
    [("normal", [0.0, -1.0, np.nan]), ("binomial", [0.0, 1.0, 1.2]), ("student_t", [-2.0])],
)
def test_a_law_that_gives_no_such_value_has_no_density(likelihood: str, bad: list[float]) -> None:
    predicted = np.array([0.5, *bad])
    counts = np.full(len(predicted), 3.0), np.full(len(predicted), 9.0)
    with float64_scope():
        found = log_density(
            likelihood, "log", predicted, np.zeros(len(predicted)), counts, 0.0, 3.0
        )
    found = np.asarray(found)
    assert np.isfinite(found[0])
    assert (found[1:] == -np.inf).all()


def test_what_the_noise_is_expected_to_be_depends_on_the_space() -> None:
    assert nuisance_prior("student_t", "log") == nuisance_prior("normal", "log")
    assert nuisance_prior("normal", "linear") != nuisance_prior("normal", "log")
    assert nuisance_prior("beta_binomial", "log") == nuisance_prior("beta_binomial", "linear")


def test_each_draw_scatters_by_its_own_scale() -> None:
    noise = LikelihoodNoise("normal", "log", 3.0, np.array([0.01, 1.0]))
    errors = noise.draw(np.zeros((2, 4000)), pd.DataFrame(), 0)
    np.testing.assert_allclose(errors.std(axis=1), [0.01, 1.0], rtol=0.05)
    mixed = noise.draw(np.zeros((4000, 1)), pd.DataFrame(), 0)
    assert np.mean(np.abs(mixed) > 0.05) == pytest.approx(0.48, abs=0.04)


def test_a_beta_binomial_scatters_more_than_a_binomial() -> None:
    """Its variance is p(1−p)/n times 1 + (n − 1)/(concentration + 1)."""
    table, curves = pd.DataFrame({"n": [100]}), np.full((4000, 1), 0.3)
    found = [
        LikelihoodNoise(name, "linear", 3.0, np.full(4000, 19.0), ("n", 5.0))
        .draw(curves, table, 0).var()
        for name in ("binomial", "beta_binomial")
    ]  # fmt: skip
    np.testing.assert_allclose(found, 0.0021 * np.array([1.0, 1 + 99 / 20]), rtol=0.08)


def test_no_success_keeps_a_rate_that_has_a_logarithm() -> None:
    noise = LikelihoodNoise("binomial", "log", 3.0, np.zeros(50), ("n", 10.0))
    curves = np.full((50, 1), np.log(1e-9))
    seen = curves + noise.draw(curves, pd.DataFrame({"x": [1.0]}), 0)
    np.testing.assert_allclose(np.exp(seen), 0.5 / 11)


@pytest.mark.full
def test_new_counted_runs_have_the_binomials_spread() -> None:
    fit = rates([3000, 3450, 2980], [10000, 11500, 10000])
    post = posterior(fit, likelihood="binomial", trials="n", seed=3)
    assert post.noise is not None
    curve = np.full((4000, 2), 0.3)
    few = post.noise.draw(curve, pd.DataFrame({"n": [50, 5000]}), 0).std(axis=0)
    np.testing.assert_allclose(few, np.sqrt(0.21 / np.array([50, 5000])), rtol=0.05)
    usual = post.noise.draw(curve, pd.DataFrame({"x": [1.0, 2.0]}), 0).std(axis=0)
    np.testing.assert_allclose(usual, np.sqrt(0.21 / 10000), rtol=0.05)


def test_trials_that_cannot_be() -> None:
    fit = rates([30, 45, 28], [100, 120, 90])
    frame = fit.runs.frame
    with pytest.raises(js.DataError, match=r"no column 'm' of trials. *Its columns are x, rate, n"):
        posterior(fit, likelihood="binomial", trials="m")
    frame["n"] = [100, 120, 91]
    message = r"rate times n must be a whole number of successes, but it is row 2 \(28.31"
    with pytest.raises(js.DataError, match=message):
        posterior(fit, likelihood="binomial", trials="n")
    frame["n"] = [100.0, 0.0, 90.0]
    with pytest.raises(js.DataError, match=r"n must be a whole number, 1 or more.*row 1 \(0.0\)"):
        posterior(fit, likelihood="binomial", trials="n")


def test_losses_are_no_rates(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(n=100)
    with pytest.raises(js.DataError, match="loss must be a rate between 0 and 1"):
        posterior(js.fit("chinchilla", table), likelihood="binomial", trials="n")


@pytest.mark.full
def test_new_rates_take_their_own_number_of_trials() -> None:
    """With p known as from 300 trials, ten more trials vary by √(p(1−p)/10), and many by none."""
    post = posterior(rates([30, 40, 35], [100] * 3), likelihood="binomial", trials="n", seed=3)
    rows = pd.DataFrame({"x": [1.0, 1.0], "n": [10, 1_000_000]})
    frame = js.predict(post, rows, level=0.9).frame
    wide = (frame["prediction_high"] - frame["prediction_low"]).to_numpy()
    curve = (frame["confidence_high"] - frame["confidence_low"]).to_numpy()
    assert wide[0] > 4 * curve[0]
    assert wide[1] == pytest.approx(curve[1], rel=0.05)
    by_name = js.predict(post, x=1.0, n=10).frame
    np.testing.assert_array_equal(by_name["n"], [10])


@pytest.mark.parametrize("bad", [0, 2.5, np.nan])
def test_new_rates_want_whole_trials(bad: float) -> None:
    post = posterior(rates([30, 40, 35], [100] * 3), likelihood="binomial", trials="n", seed=3)
    with pytest.raises(js.PredictionError, match="column 'n' must hold whole numbers of trials"):
        js.predict(post, pd.DataFrame({"x": [1.0], "n": [bad]}))
