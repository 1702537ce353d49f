"""The posterior: closed forms, agreement of its methods, counted outcomes, messages, notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import betaln, expit

import jscale as js
from jscale.model.roles import Fraction, Real
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.bayes.posterior import posterior, prior
from jscale.uncertainty.bayes.result import Posterior


@js.law(output="score")
def line(x: Any, *, a: Real, b: Real) -> Any:
    """A line: a + b·x."""
    return a + b * x


@js.law(output="rate")
def steady(x: Any, *, p: Fraction) -> Any:
    """The same rate everywhere."""
    return p + 0.0 * x


@pytest.fixture(scope="module")
def line_fit() -> js.Fit:
    rng = np.random.default_rng(1)
    x = np.linspace(-1.0, 2.0, 12)
    score = 0.7 + 0.4 * x + 0.3 * rng.standard_normal(12)
    runs = js.Runs.from_frame(pd.DataFrame({"x": x, "score": score}), x="x", output="score",
                              loss_unit="other")  # fmt: skip
    return js.fit(line, runs, objective=js.least_squares(space="linear"))


@pytest.fixture(scope="module")
def by_importance(fit: js.Fit) -> Posterior:
    return posterior(fit, method="importance", seed=1)


@pytest.fixture(scope="module")
def by_nuts(fit: js.Fit) -> Posterior:
    return posterior(fit, method="nuts", seed=2)


def rates(k: list[int], n: list[int]) -> js.Fit:
    """Rates of counted successes, and the fit of a constant to them."""
    table = pd.DataFrame({"x": np.arange(1.0, len(k) + 1), "n": n, "rate": np.divide(k, n)})
    runs = js.Runs.from_frame(table, x="x", output="rate", loss_unit="other")
    return js.fit(steady, runs, objective=js.least_squares(space="linear"))


# Closed forms


@pytest.mark.parametrize("method", ["importance", "nuts"])
def test_a_line_with_known_noise_has_the_conjugate_posterior(line_fit: js.Fit, method: str) -> None:
    """Normal noise of known scale and normal priors N(0, 2): the posterior is normal."""
    known = {"noise_scale": ("lognormal", float(np.log(0.3)), 1e-4)}
    post = posterior(line_fit, likelihood="normal", priors=known, method=method, seed=4)
    x, y = line_fit.runs["x"], line_fit.runs["score"]
    X = np.column_stack([np.ones_like(x), x])
    covariance = np.linalg.inv(X.T @ X / 0.3**2 + np.eye(2) / 2.0**2)
    mean = covariance @ X.T @ y / 0.3**2
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


def test_auto_takes_nuts_where_importance_fails() -> None:
    table = js.datasets.load("stdlib_lm")
    fit = js.fit("chinchilla", table[table["split"] == "fit"])
    post = posterior(fit, seed=1)
    assert post.settings["method"] == "nuts"
    assert "importance sampling had Pareto's k" in post.settings["why"]
    assert post.passed
    assert "checks passed" in repr(post)


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


def test_fixed_and_tied_parameters_stay_so(fit: js.Fit) -> None:
    fixed = js.fit("chinchilla", fit.runs, fixed={"E": 1.69}, tie=("alpha", "beta"))
    post = posterior(fixed, draws=100, seed=1)
    assert (post["E"] == 1.69).all()
    np.testing.assert_array_equal(post["alpha"], post["beta"])
    assert post["A"].std() > 0


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


def test_new_counted_runs_have_the_binomials_spread() -> None:
    fit = rates([3000, 3450, 2980], [10000, 11500, 10000])
    post = posterior(fit, likelihood="binomial", trials="n", seed=3)
    assert post.noise is not None
    curve = np.full((4000, 2), 0.3)
    few = post.noise.draw(curve, pd.DataFrame({"n": [50, 5000]}), 0).std(axis=0)
    np.testing.assert_allclose(few, np.sqrt(0.21 / np.array([50, 5000])), rtol=0.05)
    usual = post.noise.draw(curve, pd.DataFrame({"x": [1.0, 2.0]}), 0).std(axis=0)
    np.testing.assert_allclose(usual, np.sqrt(0.21 / 10000), rtol=0.05)


def test_prior_draws_are_predicted_with(fit: js.Fit) -> None:
    drawn = prior(fit, draws=2000, seed=1)
    assert drawn.method == "prior"
    assert drawn.log_likelihood is None
    assert "no data used" in repr(drawn)
    assert np.log(drawn["E"].to_numpy()).mean() == pytest.approx(0.5, abs=0.1)
    frame = js.predict(drawn, N=1e9, D=2e10).frame.iloc[0]
    assert frame["confidence_high"] > 3 * frame["confidence_low"]


# Notes


def codes(post: Posterior) -> list[str]:
    return [note.code for note in post.notes]


def test_a_parameter_that_data_do_not_inform_is_prior_driven(fit: js.Fit) -> None:
    post = posterior(fit, priors={"E": ("lognormal", float(np.log(1.69)), 1e-3)}, seed=1)
    note = next(n for n in post.notes if n.code == "prior-driven")
    assert "for E by less than 20 %" in note.seen
    assert note.severity == "info"
    assert "the prior that you stated" in note.seen


def test_a_prior_that_nobody_stated_is_named_as_such() -> None:
    draws = np.random.default_rng(0).standard_normal((500, 2))
    moments = np.zeros(2), np.ones(2)
    none, own = (
        list(verdicts.notes_on_priors(("E", "A"), draws, *moments, frozenset(), frozenset(x)))
        for x in ("", "A")
    )
    assert [(n.code, n.severity) for n in none] == [("prior-driven", "caution")]
    assert "prior of E, A by" in none[0].seen
    assert {n.severity: n.seen.split(" for ")[-1].split(" of ")[-1][:1] for n in own} == {
        "info": "A", "caution": "E"
    }  # fmt: skip
    assert 'priors={"E": …}' in own[1].do


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
    assert "come near 0 % of the runs only" in note.seen
    assert not post.passed


def test_estimators_that_disagree_are_shown_both(fit: js.Fit) -> None:
    moved = replace(fit, params=fit.params * 1.0)
    moved.params["alpha"] += 3 * fit.stderr["alpha"]
    found = verdicts.note_on_disagreement(moved, ("alpha",), fit.params[["alpha"]].to_numpy()[None])
    assert found[0].code == "estimators-disagree"
    assert "(posterior)" in found[0].seen
    assert "± " in found[0].seen
    assert "estimators-disagree" not in codes(posterior(fit, seed=1))


def test_rows_that_share_a_run_are_noted(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(name=[f"r{i // 2}" for i in range(len(fit.runs))])
    shared = js.fit("chinchilla", js.Runs.from_frame(table, run="name"))
    post = posterior(shared, seed=1)
    note = next(n for n in post.notes if n.code == "rows-share-a-run")
    assert "42 rows come from 21 independent runs" in note.seen
    assert not post.passed
    assert "checks passed" not in repr(post)


def test_failed_checks_are_never_fine() -> None:
    rhat, ess = np.array([1.2, 1.0]), np.array([50.0, 3000.0])
    notes = list(verdicts.notes_on_chains(7, 4000, rhat, ess, ["E", "A"]))
    assert [n.code for n in notes] == ["divergences", "not-mixed", "few-effective-draws"]
    assert "7 of 4000 transitions" in notes[0].seen
    assert "E (1.200)" in notes[1].seen
    assert "E (50)" in notes[2].seen
    bad = list(verdicts.notes_on_importance(0.9, 0.05, 4000))
    assert [n.code for n in bad] == ["importance-unreliable", "few-effective-draws"]
    assert "0.90" in bad[0].seen
    assert list(verdicts.notes_on_chains(0, 4000, rhat[1:], ess[1:], ["A"])) == []


def test_chains_that_stand_still_and_weights_that_are_few_are_never_fine() -> None:
    nan = np.array([np.nan])
    notes = list(verdicts.notes_on_chains(0, 4000, nan, nan, ["E"]))
    assert [n.code for n in notes] == ["not-mixed", "few-effective-draws"]
    uneven = list(verdicts.notes_on_importance(0.66, 0.17, 4000))
    assert [(n.code, n.severity) for n in uneven] == [("importance-uneven", "warning")]
    assert "By their weights 17 % of the points count (k 0.66)" in uneven[0].seen
    assert [n.code for n in verdicts.notes_on_importance(np.nan, 0.9, 4000)] == [
        "importance-unreliable"
    ]


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


@pytest.mark.filterwarnings("ignore::jscale.JscaleWarning")
def test_a_floor_that_was_fitted_to_zero_is_no_bar_to_the_mode() -> None:
    """Of our eight smallest runs E is fitted next to zero, its logarithm far off any prior."""
    table = js.datasets.load("stdlib_lm")
    few = table[table["split"] == "fit"].nsmallest(8, "C")
    fit = js.fit("chinchilla", few)
    assert fit.params["E"] < 0.01
    post = js.posterior(fit, draws=100, warmup=100)
    assert "mode-not-settled" not in {note.code for note in post.notes}


@pytest.mark.filterwarnings("ignore::jscale.JscaleWarning")
def test_chains_start_where_the_prior_has_mass(fit: js.Fit) -> None:
    from numpyro.distributions import Uniform

    top = float(fit.params["E"]) * 1.001
    post = js.posterior(fit, method="nuts", priors={"E": Uniform(0.1, top)}, draws=100, warmup=200)
    E = post.values[:, :, post.names.index("E")]
    assert E.max() <= top
    assert (np.ptp(E, axis=1) > 0).all()


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
    with pytest.raises(js.FitError, match="no run is left to say how sure it is"):
        posterior(tight)


def test_draws_by_name(by_importance: Posterior) -> None:
    assert by_importance["alpha"].dims == ("chain", "draw")
    with pytest.raises(
        js.JscaleError, match=r"No parameter 'nois_scale'\. Did you mean 'noise_scale'"
    ):
        by_importance["nois_scale"]
    with pytest.raises(js.JscaleError, match=r"for_new_group.*needs a pooled posterior"):
        by_importance.for_new_group()


# New rows, and what makes a posterior again


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


def test_known_errors_of_the_fitted_runs_would_count_twice(fit: js.Fit) -> None:
    frame = fit.runs.frame.assign(own=0.001)
    known = js.fit(fit.law, js.Runs.from_frame(frame))
    post = posterior(known, method="importance", seed=1)
    with pytest.raises(js.PredictionError, match="'own' is a column of the fitted runs too"):
        js.predict(post, frame.iloc[:2], known_error="own")


def test_settings_hold_what_makes_it_again(fit: js.Fit) -> None:
    from numpyro.distributions import LogNormal

    E = ("lognormal", 0.5, 0.5)
    made = posterior(fit, priors={"E": E, "A": LogNormal(5.0, 2.0)}, method="importance", draws=50)
    assert made.settings["priors"] == {"E": E, "A": "LogNormal"}
    counted = posterior(rates([30, 40], [100] * 2), likelihood="binomial", trials="n", draws=50)
    assert counted.settings["trials"] == "n"


def test_one_chain_is_checked_by_its_halves(fit: js.Fit) -> None:
    post = posterior(fit, method="nuts", chains=1, draws=400, seed=1)
    assert np.isfinite(post.checks["max_rhat"])
    assert post.checks["min_ess"] > 0
