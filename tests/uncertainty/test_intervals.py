"""intervals: BCa against SciPy's own on a mean, and what it needs to be right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.uncertainty.intervals import acceleration, bca, influences

SQUARES = js.least_squares(space="linear")
RESAMPLES = 4000


@js.law(output="y")
def flat(x: float, *, m: js.Real):
    """The same everywhere: by least squares, the mean."""
    return m + 0.0 * x


def skewed(rows: int = 25) -> np.ndarray:
    return np.random.default_rng(1).exponential(size=rows)


def mean_of(y: np.ndarray, **columns: object) -> js.Fit:
    frame = pd.DataFrame({"x": np.linspace(0.0, 1.0, len(y)), "y": y, **columns})
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    return js.fit(flat, runs, objective=SQUARES)


@pytest.fixture(scope="module")
def mean() -> js.Draws:
    return js.bootstrap(mean_of(skewed()), RESAMPLES)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bca_is_scipys_on_the_same_draws(mean, level):
    from scipy import stats

    y = skewed()
    assert mean.fit.params["m"] == pytest.approx(y.mean(), rel=1e-12)
    own = stats.bootstrap((y,), np.mean, n_resamples=2, method="BCa", rng=0)
    own.bootstrap_distribution = mean["m"].to_numpy().ravel()
    expected = stats.bootstrap(
        (y,), np.mean, n_resamples=0, method="BCa", bootstrap_result=own, confidence_level=level
    ).confidence_interval
    found = mean.interval(level, kind="bca").loc["m"]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # and it matters: a mean of skewed numbers has its interval moved up
    assert (found > mean.interval(level).loc["m"]).all()


@pytest.mark.full
def test_bca_is_scipys_with_draws_of_its_own(mean):
    """Five Monte-Carlo standard errors of a quantile near the ends of a normal."""
    from scipy import stats

    expected = stats.bootstrap(
        (skewed(),), np.mean, n_resamples=20000, method="BCa", rng=3, confidence_level=0.9
    ).confidence_interval
    found = mean.interval(0.9, kind="bca").loc["m"]
    error = np.sqrt(0.05 * 0.95 / RESAMPLES) / 0.103 * mean["m"].std().item()
    assert np.abs(np.array(expected) - found).max() < 5 * 1.5 * error


def test_acceleration_of_a_mean():
    y = skewed()
    d = y - y.mean()
    expected = np.sum(d**3) / (6 * np.sum(d**2) ** 1.5)
    assert acceleration(influences(mean_of(y)))[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.full
def test_influences_are_summed_over_clusters():
    """A cluster's influence on a mean is the sum of its deviations over n."""
    y = skewed(24)
    fit = mean_of(y, size=np.arange(24) % 12)
    expected = pd.Series(y - y.mean()).groupby(np.arange(24) % 12).sum() / 24
    np.testing.assert_allclose(influences(fit, "size")[:, 0], expected, atol=1e-12)
    draws = js.bootstrap(fit, 500, cluster="size")
    assert (draws.interval(0.9, kind="bca")["low"] < draws.interval(0.9, kind="bca")["high"]).all()


def test_without_skew_or_bias_bca_is_percentile():
    samples = np.random.default_rng(0).standard_normal((2001, 2))
    middle = np.quantile(samples, 0.5, axis=0)
    found = bca(samples, middle, np.zeros(2), (0.05, 0.95), ("a", "b"))
    np.testing.assert_allclose(found, np.quantile(samples, (0.05, 0.95), axis=0), atol=1e-3)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_a_fixed_parameter_has_no_width(runs):
    draws = js.bootstrap(js.fit("chinchilla", runs, fixed={"E": 1.7}), 200)
    found = draws.interval(0.9, kind="bca")
    assert tuple(found.loc["E"]) == (1.7, 1.7)
    assert (found["low"] < found["high"]).drop("E").all()


def test_kinked_objectives_take_the_smoothed_curvature(fit):
    """Seven residuals inside delta: the exact Hessian would be made of these alone."""
    from jscale._precision import float64_scope
    from jscale.fitting.second_order import second_order

    with float64_scope():
        assert second_order(fit.problem, fit.theta).smoothed
        local = second_order(fit.problem, fit.theta, smoothed=True)
    expected = (local.by_weights() * local.weights[:, None]) @ local.slope.T
    scale = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(influences(fit) / scale, expected / scale, atol=1e-9)


def test_summary_takes_the_kind(draws):
    summary, interval = draws.summary(0.5, kind="bca"), draws.interval(0.5, kind="bca")
    np.testing.assert_array_equal(summary["low_50%"], interval["low"])
    np.testing.assert_array_equal(summary["high_50%"], interval["high"])
    assert not summary.equals(draws.summary(0.5))


def test_unknown_kind_of_interval(draws):
    with pytest.raises(
        js.JscaleError,
        match=r"kind='bcA' is not known\. Did you mean 'bca'\? Use percentile, bca\.",
    ):
        draws.interval(kind="bcA")


def test_bca_is_for_a_bootstrap(fit):
    with pytest.raises(js.JscaleError, match=r"these draws are from laplace; use .*\"percentile\""):
        js.laplace(fit, 100).summary(kind="bca")


def test_bca_checks_its_level(draws):
    with pytest.raises(js.JscaleError, match=r"level=90 must lie strictly between"):
        draws.interval(90, kind="bca")


def test_draws_on_one_side(draws):
    values = draws.values.copy()
    values[..., 2] += 10.0
    with pytest.raises(js.JscaleError, match=r"All draws of alpha lie on one side.*\"percentile\""):
        replace(draws, values=values).interval(kind="bca")


def test_bca_past_the_outermost_draw(draws):
    """Of 64 draws none lies where a 99% interval ends."""
    with pytest.warns(js.FitWarning, match=r"E, .*end at the outermost of 64 draws.*fit, 10000\)"):
        draws.interval(0.99, kind="bca")
