"""What a posterior carries: draws by name, row likelihoods, replicates, groups, verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import jscale as js
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.bayes.posterior import posterior
from jscale.uncertainty.bayes.result import Posterior
from tests.uncertainty.bayes.small_laws import rates


def test_replicates_scatter_around_the_fitted_runs(by_importance: Posterior, fit: js.Fit) -> None:
    new = by_importance.replicated(seed=1)
    assert new is not None
    assert new.shape == (4, 1000, len(fit.runs))
    low, high = np.quantile(new.reshape(4000, -1), [0.05, 0.95], axis=0)
    inside = (fit.runs["loss"] > low) & (fit.runs["loss"] < high)
    assert 0.75 < inside.mean() <= 1.0
    np.testing.assert_array_equal(new, by_importance.replicated(seed=1))
    assert not np.array_equal(new, by_importance.replicated(seed=2))


def test_groups_hold_the_noise_beside_the_parameters(by_importance: Posterior, fit: js.Fit) -> None:
    groups = by_importance.groups()
    assert set(groups) == {
        "posterior", "observed_data", "log_likelihood", "posterior_predictive"
    }  # fmt: skip
    assert set(groups["posterior"].variables) == {*fit.law.names, "noise_scale"}
    dims, values = groups["log_likelihood"].variables["loss"]
    assert dims == ("chain", "draw", "row")
    np.testing.assert_array_equal(values, by_importance.log_likelihood)


def test_a_new_group_without_rows_has_no_row_likelihoods(by_importance: Posterior) -> None:
    loose = replace(by_importance, sampled=None)
    assert loose.log_likelihood is None
    assert loose.replicated() is None
    assert loose.prior is None
    assert loose.summary()["fit"].isna().all()


def test_log_likelihood_is_scipys(by_importance: Posterior, fit: js.Fit) -> None:
    rows = by_importance.log_likelihood
    assert rows is not None
    assert rows.shape == (4, 1000, len(fit.runs))
    one = by_importance.values[2, 17]
    E, A, alpha, B, beta = one
    curve = E + A / fit.runs["N"] ** alpha + B / fit.runs["D"] ** beta
    scale = by_importance["noise_scale"].to_numpy()[2, 17]
    exact = stats.t.logpdf(np.log(fit.runs["loss"]), 3, np.log(curve), scale)
    np.testing.assert_allclose(rows[2, 17], exact, rtol=1e-10)


def test_counted_log_likelihood_is_scipys() -> None:
    fit = rates([30, 45, 28], [100, 120, 90])
    post = posterior(fit, likelihood="binomial", trials="n", seed=3)
    rows = post.log_likelihood
    assert rows is not None
    exact = stats.binom.logpmf([30, 45, 28], [100, 120, 90], post.values[0, 5, 0])
    np.testing.assert_allclose(rows[0, 5], exact, rtol=1e-10)


def test_a_posterior_that_failed_says_so(by_importance: Posterior) -> None:
    bad = tuple(verdicts.notes_on_importance(0.9, 0.5, 4000))
    failed = replace(by_importance, notes=bad)
    assert "NOT to be trusted: importance-unreliable" in repr(failed)
    assert "checks passed" not in repr(failed)
    assert not failed.passed


def test_a_summary_shows_posterior_and_fit(by_importance: Posterior, fit: js.Fit) -> None:
    table = by_importance.summary(0.8)
    assert list(table.columns) == ["estimate", "sd", "low_80%", "high_80%", "fit"]
    assert table.loc["E", "fit"] == fit.params["E"]
    assert np.isnan(table.loc["noise_scale", "fit"])
    assert table.loc["noise_scale", "estimate"] == pytest.approx(0.004, rel=0.4)


def test_draws_by_name(by_importance: Posterior) -> None:
    assert by_importance["alpha"].dims == ("chain", "draw")
    with pytest.raises(
        js.JscaleError, match=r"No parameter 'nois_scale'\. Did you mean 'noise_scale'"
    ):
        by_importance["nois_scale"]
    with pytest.raises(js.JscaleError, match=r"for_new_group.*needs a pooled posterior"):
        by_importance.for_new_group()
