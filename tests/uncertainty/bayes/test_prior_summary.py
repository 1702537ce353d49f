"""prior_summary: the priors in the law's own units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import jscale as js
from jscale.uncertainty.bayes.prior_summary import prior_summary


def lognormal(mean: float, sd: float) -> list[float]:
    return np.exp(mean + sd * stats.norm.ppf([0.05, 0.5, 0.95])).tolist()


def test_a_summary_is_in_the_laws_own_units(fit: js.Fit) -> None:
    table = prior_summary(fit)
    assert list(table.index) == ["E", "A", "alpha", "B", "beta", "noise_scale"]
    assert list(table.columns) == ["distribution", "units", "5%", "50%", "95%"]
    quantiles = table[["5%", "50%", "95%"]].astype(float)
    np.testing.assert_allclose(quantiles.loc["E"], lognormal(0.5, 1.0), rtol=0.05)
    np.testing.assert_allclose(quantiles.loc["alpha"], lognormal(-1.0, 0.7), rtol=0.05)
    np.testing.assert_allclose(quantiles.loc["noise_scale"], lognormal(-5.0, 1.5), rtol=0.08)
    assert table.loc["A", "units"] == "its term at the geometric mean of N"
    assert table.loc["B", "distribution"] == "lognormal(-1, 1.5)"
    # A = A'·N0^alpha: its median is near that of the product.
    N0 = np.exp(np.log(fit.runs["N"]).mean())
    rng = np.random.default_rng(0)
    A = np.exp(-1 + 1.5 * rng.standard_normal(10**5)) * N0 ** np.exp(
        -1 + 0.7 * rng.standard_normal(10**5)
    )
    assert quantiles.loc["A", "50%"] == pytest.approx(np.median(A), rel=0.1)


def test_a_law_with_data_or_alone(runs: js.Runs, fit: js.Fit) -> None:
    beside = prior_summary("chinchilla", runs)
    assert beside.equals(prior_summary(fit))
    alone = prior_summary("chinchilla")
    assert alone.loc["A", "50%"] == pytest.approx(np.exp(-1), rel=0.05)


def test_a_summary_of_pooled_parameters(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(family=["abc"[i % 3] for i in range(len(fit.runs))])
    pooled = prior_summary(js.fit("chinchilla", table), pool={"E": "family"})
    assert "E[a]" not in pooled.index
    assert pooled.loc["E[spread]", "distribution"] == "half_normal(0.5)"
    assert pooled.loc["E[spread]", "50%"] == pytest.approx(0.5 * 0.6745, rel=0.05)
    assert "standard deviation of the logarithm" in pooled.loc["E[spread]", "units"]
    assert pooled.loc["E[mean]", "50%"] == pytest.approx(np.exp(0.5), rel=0.05)


def test_wrong_sources(fit: js.Fit, runs: js.Runs) -> None:
    with pytest.raises(js.JscaleError, match="takes the fit's own runs: leave out the data"):
        prior_summary(fit, runs)
    with pytest.raises(js.JscaleError, match="takes a Fit or a law, not int"):
        prior_summary(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(js.JscaleError, match="pool= needs a fit"):
        prior_summary("chinchilla", runs, pool={"E": "family"})
