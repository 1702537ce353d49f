"""profile: exact for straight lines, the objective's own least values elsewhere, open where flat."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jscale as js
from jscale.simulation.worlds import compute
from jscale.uncertainty.profile import Profile, limit_of, profile

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}


@pytest.fixture(scope="module")
def line() -> js.Fit:
    """A straight line by least squares, whose intervals a textbook gives."""

    @js.law(output="y")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 2.0, 12)
    frame = pd.DataFrame({"x": x, "y": 1.0 + 0.5 * x + 0.1 * rng.standard_normal(12)})
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    return js.fit(straight, runs, objective=js.least_squares(space="linear"))


@pytest.fixture(scope="module")
def alpha(fit: js.Fit) -> Profile:
    return profile(fit, "alpha")


# ── Against textbooks, and against fits with the value fixed ─────────────────────────────────


@pytest.mark.first_quick
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("what", "combination"),
    [("a", (1.0, 0.0)), ("b", (0.0, 1.0)), ({"x": 5.0}, (1.0, 5.0)),
     (lambda p: p["a"] - 2.0 * p["b"], (1.0, -2.0))],
    ids=["a", "b", "curve", "function"],
)  # fmt: skip
def test_of_a_line_it_is_the_exact_t_interval(line, what, combination, level):
    X = np.column_stack([np.ones(12), line.runs["x"]])
    inverse, v = np.linalg.inv(X.T @ X), np.array(combination)
    b = inverse @ X.T @ line.runs["y"]
    s = np.sqrt(np.sum((line.runs["y"] - X @ b) ** 2) / 10)
    half = stats.t.ppf(0.5 + 0.5 * level, 10) * s * np.sqrt(v @ inverse @ v)
    found = profile(line, what, level=0.99)
    assert found.estimate == pytest.approx(v @ b, abs=1e-9)
    assert found.freedom == 10
    np.testing.assert_allclose(found.interval(level), v @ b + half * np.array([-1, 1]), atol=1e-8)


@pytest.mark.full
def test_no_fit_with_the_value_fixed_is_better(fit, alpha):
    """A fit with alpha fixed, from many starts, ends at the same objective."""
    rows = alpha.table.iloc[[2, 8, 17, 22]]
    for value, objective in zip(rows["value"], rows["objective"], strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fixed = js.fit("chinchilla", fit.runs, fixed={"alpha": value})
        assert objective == pytest.approx(fixed.objective, rel=1e-6)


def test_its_parameters_are_those_of_the_objective(fit, alpha):
    row = alpha.to_frame().iloc[5]
    predicted = fit.law(fit.runs["N"], fit.runs["D"], **row[list(fit.law.names)])
    r = np.abs(np.log(predicted / fit.runs["loss"]))
    delta = 1e-3
    total = np.where(r <= delta, 0.5 * r**2, delta * (r - 0.5 * delta)).sum()
    assert row["objective"] == pytest.approx(total, rel=1e-9)
    assert row["value"] == pytest.approx(row["alpha"], rel=1e-9)


def test_the_statistic_has_the_size_of_a_sandwich_wald_statistic_nearby():
    """For a smooth objective: near the estimate, (value − estimate)²/error² to a few percent."""
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 60), noise=0.01, seed=2)
    fit = js.fit("power_const", runs, objective=js.pseudo_huber(0.01), starts=8)
    found = profile(fit, "alpha", level=0.1)
    near = found.table[found.table["statistic"].between(1e-3, 0.05)]
    wald = ((near["value"] - fit.params["alpha"]) / fit.stderr["alpha"]) ** 2
    assert len(near) > 4
    np.testing.assert_allclose(near["statistic"], wald, rtol=0.2)


@pytest.mark.first_quick
@pytest.mark.parametrize(
    "objective", ["huber", "least_squares", "least_absolute", "student_t"]
)  # fmt: skip
def test_every_objective_has_a_profile_about_its_estimate(runs, objective):
    fit = js.fit("chinchilla", runs, objective=objective)
    found = profile(fit, "beta")
    low, high = found.interval()
    wald = 2 * limit_of(0.9, found.freedom) * fit.stderr["beta"]
    assert low < fit.params["beta"] < high
    assert high - low == pytest.approx(wald, rel=0.3)
    assert found.table["statistic"].min() == 0.0
    assert found.table["value"].is_monotonic_increasing
    assert not any(note.code == "profile-open" for note in found.notes)


def test_levels_nest(alpha):
    inner, outer = alpha.interval(0.5), alpha.interval()
    assert outer[0] < inner[0] < alpha.estimate < inner[1] < outer[1]


# ── Every quantity ───────────────────────────────────────────────────────────────────────────


def test_of_the_curve(fit):
    far = {"N": 1e11, "D": 1e13}
    found = profile(fit, far)
    assert found.name == "loss at N=100000000000.0, D=10000000000000.0"
    assert found.estimate == pytest.approx(fit.law(**far, **fit.params))
    row = found.table.iloc[3]
    assert row["value"] == pytest.approx(fit.law(**far, **row[list(fit.law.names)]), rel=1e-9)
    assert found.interval()[0] < found.estimate < found.interval()[1]


def test_of_a_combination(fit):
    name = fit.derived.index[0]
    found = profile(fit, name)
    assert found.estimate == pytest.approx(fit.derived.loc[name, "estimate"])
    row = found.table.iloc[-2]
    assert row["value"] == pytest.approx(row["beta"] / (row["alpha"] + row["beta"]), rel=1e-9)
    as_function = profile(fit, lambda p: p["beta"] / (p["alpha"] + p["beta"]))
    np.testing.assert_allclose(found.interval(), as_function.interval(), rtol=2e-3)


def test_rows_of_weight_zero_take_no_part(runs):
    weights = np.ones(len(runs))
    weights[:7] = 0.0
    masked = profile(js.fit("chinchilla", runs, weights=weights), "alpha")
    left = profile(js.fit("chinchilla", runs.where(weights > 0)), "alpha")
    np.testing.assert_allclose(masked.interval(), left.interval(), rtol=1e-4)


# ── Ends that are not there ──────────────────────────────────────────────────────────────────


def test_an_interval_without_an_end_is_open():
    """Runs too noisy to show an irreducible loss: E may be anything down to zero."""
    runs = js.simulate("power_const", POWER, compute(1e17, 1e19, 14), noise=0.05, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = js.fit("power_const", runs, objective="least_squares")
    found = profile(fit, "E")
    assert found.interval()[0] == 0.0
    assert np.isfinite(found.interval()[1])
    note = next(note for note in found.notes if note.code == "profile-open")
    assert "The profile of E does not rise to the 90% limit below the estimate" in str(note)
    assert "profile-open" in repr(found)
    assert repr(found).startswith("Profile of E: ")


def test_a_better_optimum_on_the_way_is_told(fit):
    """A fit that was stopped away from its optimum."""
    theta = fit.theta.copy()
    theta[0] += 0.02
    found = profile(replace(fit, theta=theta), "alpha")
    assert any(note.code == "profile-lower" for note in found.notes)
    assert "A better optimum was met along the profile" in repr(found)


# ── What cannot be profiled ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_levels_outside_their_range(fit, alpha, level):
    with pytest.raises(js.JscaleError, match=r"must lie strictly between 0 and 1"):
        profile(fit, "alpha", level=level)
    with pytest.raises(js.JscaleError, match=r"must lie strictly between 0 and 1"):
        alpha.interval(level)


def test_a_level_beyond_what_was_followed(alpha):
    with pytest.raises(
        js.JscaleError, match=r"level=0\.99: .* up to 0\.9\. Make one .*level=0\.99\)"
    ):
        alpha.interval(0.99)


def test_too_few_points(fit):
    with pytest.raises(js.JscaleError, match=r"points=3 must be a whole number, at least 4"):
        profile(fit, "alpha", points=3)


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_fits_without_noise_or_runs_to_spare():
    exact = js.simulate("power_const", POWER, compute(1e17, 1e22, 12))
    with pytest.raises(js.FitError, match="passes exactly through its runs"):
        profile(js.fit("power_const", exact, starts=8), "alpha")
    few = js.simulate("power_const", POWER, compute(1e17, 1e22, 3), noise=0.01)
    with pytest.raises(js.FitError, match="passes through its 3 independent runs"):
        profile(js.fit("power_const", few, starts=8), "alpha")


# ── Coverage ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_intervals_cover_as_often_as_they_say():
    """Of E by least squares in 20 worlds, within 3.5 standard errors of the count; Wald's too."""
    worlds, level = 20, 0.8
    hits = {"profile": 0, "wald": 0}
    for seed in range(worlds):
        runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 20), noise=0.01, seed=seed)
        fit = js.fit("power_const", runs, starts=8, objective="least_squares")
        found = profile(fit, "E", level=level, points=12)
        low, high = found.interval()
        hits["profile"] += int(low <= POWER["E"] <= high)
        half = limit_of(level, found.freedom) * fit.stderr["E"]
        hits["wald"] += int(abs(fit.params["E"] - POWER["E"]) <= half)
    slack = 3.5 * np.sqrt(worlds * level * (1 - level))
    assert abs(hits["profile"] - worlds * level) <= slack
    assert abs(hits["wald"] - worlds * level) <= slack
