"""The posterior: closed forms, agreement of its methods, counted outcomes, messages, notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import betaln, expit

import jscale as js
from jscale.uncertainty.bayes.posterior import posterior, prior
from jscale.uncertainty.bayes.result import Posterior
from tests.uncertainty.bayes.small_laws import conjugate, rates


@pytest.fixture(scope="module")
def by_nuts(fit: js.Fit) -> Posterior:
    return posterior(fit, method="nuts", seed=2)


# Closed forms


@pytest.mark.full
@pytest.mark.parametrize("method", ["importance", "nuts"])
def test_a_line_with_known_noise_has_the_conjugate_posterior(line_fit: js.Fit, method: str) -> None:
    """Normal noise of known scale and normal priors N(0, 2): the posterior is normal."""
    known = {"noise_scale": ("lognormal", float(np.log(0.3)), 1e-4)}
    post = posterior(line_fit, likelihood="normal", priors=known, method=method, seed=4)
    mean, covariance = conjugate(line_fit, 0.3)
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(post.flat.mean(axis=0), mean, atol=4 * sd.max() / np.sqrt(2000))
    np.testing.assert_allclose(post.flat.std(axis=0), sd, rtol=0.06)
    correlation = covariance[0, 1] / sd.prod()
    assert np.corrcoef(post.flat.T)[0, 1] == pytest.approx(correlation, abs=0.05)


def test_binomial_rates_have_the_posterior_of_an_integral() -> None:
    fit = rates([30, 45, 28], [100, 120, 90])
    post = posterior(fit, likelihood="binomial", trials="n", seed=3)
    u = np.linspace(-6, 6, 20001)
    density = stats.norm.logpdf(u, 0, 1.5) + 103 * np.log(expit(u)) + 207 * np.log(expit(-u))
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    mean = weight @ expit(u)
    sd = np.sqrt(weight @ (expit(u) - mean) ** 2)
    p = post["p"].to_numpy().ravel()
    assert p.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(2500))
    assert p.std() == pytest.approx(sd, rel=0.06)
    assert post.extras == {}


@pytest.mark.full
def test_beta_binomial_rates_have_the_posterior_of_an_integral() -> None:
    k, n = np.array([10, 60, 25, 48]), np.array([100, 120, 90, 100])
    fit = rates(k.tolist(), n.tolist())
    post = posterior(fit, likelihood="beta_binomial", trials="n", method="nuts", seed=3)
    u, v = np.meshgrid(np.linspace(-5, 4, 601), np.linspace(-4, 14, 601), indexing="ij")
    a, b = expit(u) * np.exp(v), expit(-u) * np.exp(v)
    density = stats.norm.logpdf(u, 0, 1.5) + stats.norm.logpdf(v, 4.0, 2.0)
    for ki, ni in zip(k, n, strict=True):
        density = density + betaln(ki + a, ni - ki + b) - betaln(a, b)
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    for drawn, exact in ((post["p"], expit(u)), (np.log(post["concentration"]), v)):
        mean = float(np.sum(weight * exact))
        sd = float(np.sqrt(np.sum(weight * (exact - mean) ** 2)))
        assert float(drawn.mean()) == pytest.approx(mean, abs=5 * sd / np.sqrt(1000))
        assert float(drawn.std()) == pytest.approx(sd, rel=0.1)


# Methods


def test_importance_and_nuts_agree(by_importance: Posterior, by_nuts: Posterior) -> None:
    for name in (*by_nuts.names, "noise_scale"):
        a, b = np.log(by_importance[name].to_numpy()), np.log(by_nuts[name].to_numpy())
        ess = min(by_importance.checks["min_ess"], by_nuts.checks["min_ess"])
        assert a.mean() == pytest.approx(b.mean(), abs=4 * b.std() * np.sqrt(2 / ess)), name
        assert a.std() == pytest.approx(b.std(), rel=4 * np.sqrt(2 / ess)), name


def test_auto_takes_importance_where_it_does(fit: js.Fit, by_importance: Posterior) -> None:
    auto = posterior(fit, seed=1)
    assert auto.settings["method"] == "importance"
    assert "Pareto's k" in auto.settings["why"]
    assert auto.settings["resampling"] == "systematic"
    np.testing.assert_array_equal(auto.values, by_importance.values)
    assert auto.checks["pareto_k"] < 0.7
    assert auto.passed


@pytest.mark.full
def test_auto_takes_nuts_where_importance_fails() -> None:
    table = js.datasets.load("stdlib_lm")
    fit = js.fit("chinchilla", table[table["split"] == "fit"])
    post = posterior(fit, seed=1)
    assert post.settings["method"] == "nuts"
    assert "importance sampling had Pareto's k" in post.settings["why"]
    assert post.passed
    assert "checks passed" in repr(post)


@pytest.mark.full
def test_the_same_seed_gives_the_same_draws(fit: js.Fit, by_nuts: Posterior) -> None:
    np.testing.assert_array_equal(posterior(fit, method="nuts", seed=2).values, by_nuts.values)
    a, b = (posterior(fit, seed=s, draws=100).values for s in (1, 2))
    assert not np.array_equal(a, b)


def test_scaling_all_weights_changes_nothing(fit: js.Fit, by_importance: Posterior) -> None:
    weights = np.full(len(fit.runs), 1e6)
    scaled = js.fit("chinchilla", fit.runs, weights=weights)
    post = posterior(scaled, method="importance", seed=1)
    np.testing.assert_allclose(post.values, by_importance.values, rtol=1e-6)


def test_rows_of_weight_zero_do_not_count(fit: js.Fit) -> None:
    weights = np.where(np.arange(len(fit.runs)) < 3, 0.0, 1.0)
    part = js.fit("chinchilla", fit.runs, weights=weights)
    spoilt = fit.runs.frame.copy()
    spoilt.loc[spoilt.index[:3], "loss"] *= 2
    other = js.fit("chinchilla", js.Runs.from_frame(spoilt), weights=weights)
    a, b = (posterior(f, method="importance", seed=1) for f in (part, other))
    np.testing.assert_allclose(a.flat.mean(axis=0), b.flat.mean(axis=0), rtol=1e-3)
    assert a.log_likelihood is not None
    assert a.log_likelihood.shape[2] == len(fit.runs) - 3


@pytest.mark.full
def test_fixed_and_tied_parameters_stay_so(fit: js.Fit) -> None:
    fixed = js.fit("chinchilla", fit.runs, fixed={"E": 1.69}, tie=("alpha", "beta"))
    post = posterior(fixed, draws=100, seed=1)
    assert (post["E"] == 1.69).all()
    np.testing.assert_array_equal(post["alpha"], post["beta"])
    assert post["A"].std() > 0


@pytest.mark.full
def test_parameters_per_group_stay_so(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(family=np.where(np.arange(len(fit.runs)) % 2, "b", "a"))
    table.loc[table["family"] == "b", "loss"] *= 1.1
    grouped = js.fit("chinchilla", table, per={"E": "family"})
    post = posterior(grouped, method="importance", seed=1)
    assert post.names[:2] == ("E[a]", "E[b]")
    assert float((post["E[b]"] > post["E[a]"]).mean()) == 1.0
    ahead = js.predict(post, N=1e9, D=2e10, family=["a", "b"]).frame["confidence_low"]
    assert ahead[1] > ahead[0]


# New runs, and the prior


def test_new_runs_scatter_by_the_likelihood(by_importance: Posterior) -> None:
    noise, scale = by_importance.noise, by_importance.scale
    assert noise is not None
    assert scale is not None
    errors = noise.draw(np.zeros((4000, 3)), pd.DataFrame({"N": [1, 2, 3]}), 0)
    np.testing.assert_array_equal(errors, noise.draw(np.zeros((4000, 3)), pd.DataFrame(), 0))
    middle = np.median(np.abs(errors / scale.reshape(-1, 1)))
    assert middle == pytest.approx(stats.t.ppf(0.75, 3), rel=0.05)
    assert noise.draw(np.zeros((10, 2)), pd.DataFrame(), 0).shape == (10, 2)


def test_predictions_take_a_posterior(by_importance: Posterior) -> None:
    frame = js.predict(by_importance, N=1e9, D=2e10).frame.iloc[0]
    assert frame["prediction_low"] < frame["confidence_low"] < frame["confidence_high"]
    assert frame["prediction_high"] > frame["confidence_high"]


def test_prior_draws_are_predicted_with(fit: js.Fit) -> None:
    drawn = prior(fit, draws=2000, seed=1)
    assert drawn.method == "prior"
    assert drawn.log_likelihood is None
    assert "no data used" in repr(drawn)
    assert np.log(drawn["E"].to_numpy()).mean() == pytest.approx(0.5, abs=0.1)
    frame = js.predict(drawn, N=1e9, D=2e10).frame.iloc[0]
    assert frame["confidence_high"] > 3 * frame["confidence_low"]


# Notes


def test_a_parameter_that_data_do_not_inform_is_prior_driven(fit: js.Fit) -> None:
    post = posterior(fit, priors={"E": ("lognormal", float(np.log(1.69)), 1e-3)}, seed=1)
    note = next(n for n in post.notes if n.code == "prior-driven")
    assert "for E by less than 20%" in note.seen
    assert note.severity == "info"
    assert "the prior that you stated" in note.seen


def test_a_prior_against_the_data_is_noted(fit: js.Fit) -> None:
    post = posterior(fit, priors={"alpha": ("lognormal", float(np.log(2.0)), 0.3)},
                     method="importance", seed=1)  # fmt: skip
    note = next(n for n in post.notes if n.code == "prior-conflict")
    assert "alpha (" in note.seen
    assert "prior standard deviations" in note.seen


def test_a_prior_whose_curves_miss_the_runs_is_noted(fit: js.Fit) -> None:
    post = posterior(fit, priors={"E": ("lognormal", 4.0, 0.1)}, method="importance", seed=1)
    note = next(n for n in post.notes if n.code == "prior-far-from-data")
    assert note.severity == "warning"
    assert "come near only 0% of the runs" in note.seen
    assert not post.passed


def test_rows_that_share_a_run_are_noted(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(name=[f"r{i // 2}" for i in range(len(fit.runs))])
    shared = js.fit("chinchilla", js.Runs.from_frame(table, run="name"))
    post = posterior(shared, seed=1)
    note = next(n for n in post.notes if n.code == "rows-share-a-run")
    assert "42 rows come from 21 independent runs" in note.seen
    assert not post.passed
    assert "checks passed" not in repr(post)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.JscaleWarning")
def test_a_tail_that_importance_sampling_misses_is_left_to_nuts() -> None:
    """Our own runs: ln E spreads by 0.1, and few proposals look as good by less than that."""
    table = js.datasets.load("stdlib_lm")
    fit = js.fit("chinchilla", table[table["split"] == "fit"])
    for seed in range(4):
        weighted = js.posterior(fit, method="importance", draws=125, seed=seed)
        assert not weighted.passed
        assert weighted.values.shape[:2] == (4, 125)
    post = js.posterior(fit, draws=125)
    assert post.settings["method"] == "nuts"
    assert np.log(post.to_frame()["E"]).std() > 0.08


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.JscaleWarning")
def test_a_floor_that_was_fitted_to_zero_is_no_bar_to_the_mode() -> None:
    """Of our eight smallest runs E is fitted next to zero, its logarithm far off any prior."""
    table = js.datasets.load("stdlib_lm")
    few = table[table["split"] == "fit"].nsmallest(8, "C")
    fit = js.fit("chinchilla", few)
    assert fit.params["E"] < 0.01
    post = js.posterior(fit, draws=100, warmup=100)
    assert "mode-not-settled" not in {note.code for note in post.notes}


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.JscaleWarning")
def test_chains_start_where_the_prior_has_mass(fit: js.Fit) -> None:
    from numpyro.distributions import Uniform

    top = float(fit.params["E"]) * 1.001
    post = js.posterior(fit, method="nuts", priors={"E": Uniform(0.1, top)}, draws=100, warmup=200)
    E = post.values[:, :, post.names.index("E")]
    assert E.max() <= top
    assert (np.ptp(E, axis=1) > 0).all()


# Messages


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"likelihood": "studen_t"},
            "likelihood='studen_t' is not known. Did you mean 'student_t'",
        ),
        ({"method": "nutz"}, "method='nutz' is not known. Did you mean 'nuts'"),
        ({"draws": 3}, "draws=3 must be a whole number, 50 or more"),
        ({"warmup": 1.5}, "warmup=1.5 must be a whole number, 50 or more"),
        ({"chains": 0}, "chains=0 must be a whole number, 1 or more"),
        ({"chains": True}, "chains=True must be a whole number, 1 or more"),
        ({"df": -1}, "df=-1 must be a positive number"),
        ({"df": True}, "df=True must be a positive number of degrees of freedom, such as 3"),
        ({"seed": -1}, "seed=-1 must be a whole number, 0 or more, such as 0"),
        ({"seed": 1.5}, "seed=1.5 must be a whole number, 0 or more"),
        ({"seed": "a"}, "seed='a' must be a whole number, 0 or more"),
        ({"seed": None}, "seed=None must be a whole number, 0 or more"),
        ({"seed": True}, "seed=True must be a whole number, 0 or more"),
        ({"trials": "n"}, "trials='n' is for counted outcomes, not for likelihood='student_t'"),
        ({"likelihood": "binomial"}, "name the column that holds the number of trials"),
        ({"method": "importance", "pool": {"E": "N"}}, "is not for pool=: a spread"),
    ],
)
def test_wrong_settings(fit: js.Fit, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        posterior(fit, **wrong)


def test_wrong_settings_of_a_prior(fit: js.Fit) -> None:
    with pytest.raises(js.JscaleError, match="seed=-1 must be a whole number, 0 or more"):
        prior(fit, seed=-1)
    with pytest.raises(js.JscaleError, match="draws=True must be a whole number, 50 or more"):
        prior(fit, draws=True)


def test_runs_without_noise_have_no_scale() -> None:
    exact = js.simulate(
        "power_const", {"E": 1.0, "A": 10.0, "alpha": 0.1}, {"C": np.geomspace(1e9, 1e13, 9)}
    )
    with pytest.raises(js.FitError, match="passes through most runs exactly"):
        posterior(js.fit("power_const", exact))


def test_no_run_to_spare(fit: js.Fit) -> None:
    short = fit.runs.where(np.isin(np.arange(len(fit.runs)), [0, 5, 12, 20, 30]))
    with pytest.warns(js.FitWarning):
        tight = js.fit("chinchilla", short)
    with pytest.raises(js.FitError, match="no run is left to estimate errors"):
        posterior(tight)


# What makes a posterior again


def test_known_errors_of_the_fitted_runs_would_count_twice(fit: js.Fit) -> None:
    frame = fit.runs.frame.assign(own=0.001)
    known = js.fit(fit.law, js.Runs.from_frame(frame))
    post = posterior(known, method="importance", seed=1)
    with pytest.raises(js.PredictionError, match="'own' is a column of the fitted runs too"):
        js.predict(post, frame.iloc[:2], known_error="own")


@pytest.mark.full
def test_settings_hold_what_makes_it_again(fit: js.Fit) -> None:
    from numpyro.distributions import LogNormal

    E = ("lognormal", 0.5, 0.5)
    made = posterior(fit, priors={"E": E, "A": LogNormal(5.0, 2.0)}, method="importance", draws=50)
    assert made.settings["priors"] == {"E": E, "A": "LogNormal"}
    counted = posterior(rates([30, 40], [100] * 2), likelihood="binomial", trials="n", draws=50)
    assert counted.settings["trials"] == "n"


@pytest.mark.full
def test_one_chain_is_checked_by_its_halves(fit: js.Fit) -> None:
    post = posterior(fit, method="nuts", chains=1, draws=400, seed=1)
    assert np.isfinite(post.checks["max_rhat"])
    assert post.checks["min_ess"] > 0
