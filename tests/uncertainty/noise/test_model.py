"""noise: residuals made comparable, drawn from, and enough to cover new runs and families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, compute
from jscale.uncertainty.noise.errors import Errors
from jscale.uncertainty.noise.model import NoiseModel, noise_model, studentised_residuals

WORLDS = 60
POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}


@pytest.fixture(scope="module")
def line() -> js.Fit:
    """A straight line by least squares, whose leverages a textbook gives."""

    @js.law(output="y")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 2.0, 12)
    frame = pd.DataFrame({"x": x, "y": 1.0 + 0.5 * x + 0.1 * rng.standard_normal(12)})
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    return js.fit(straight, runs, objective=js.least_squares(space="linear"))


def test_studentised_residuals_of_a_line(line):
    x, y = line.runs["x"], line.runs["y"]
    leverage = 1 / len(x) + (x - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    slope, offset = np.polyfit(x, y, 1)
    expected = (y - offset - slope * x) / np.sqrt(1 - leverage)
    found = studentised_residuals(line)
    np.testing.assert_allclose(found, expected - np.median(expected), atol=1e-8)


def test_they_are_larger_than_residuals_and_have_median_zero(fit):
    found = studentised_residuals(fit)
    assert np.std(found) > np.std(fit.residuals)
    assert np.median(found) == pytest.approx(0.0, abs=1e-15)


def test_rows_of_weight_zero_say_nothing_of_noise(runs):
    weights = np.ones(len(runs))
    weights[:7] = 0.0
    fit = js.fit("chinchilla", runs, weights=weights)
    assert len(studentised_residuals(fit)) == len(runs) - 7


@pytest.mark.full
def test_a_runs_rows_are_studentised_together():
    """r̃ = (I − H)^(−1/2) r by run, H the run's block of the hat matrix: here of a plain mean."""
    from scipy.linalg import sqrtm

    @js.law(output="y")
    def mean(x, *, a: js.Real):
        return a + 0.0 * x

    rng = np.random.default_rng(1)
    run = np.repeat(np.arange(4), [3, 1, 2, 2])
    frame = pd.DataFrame({"x": np.arange(8.0), "run": run, "y": rng.standard_normal(8)})
    runs = js.Runs.from_frame(frame, output="y", x="x", run="run", loss_unit="other")
    fit = js.fit(mean, runs, objective=js.least_squares(space="linear"))
    r = (frame["y"] - frame["y"].mean()).to_numpy()
    expected = np.empty(8)
    for label in range(4):
        rows = np.flatnonzero(run == label)
        block = np.eye(len(rows)) - 1 / 8
        expected[rows] = np.linalg.inv(sqrtm(block).real) @ r[rows]
    found = studentised_residuals(fit)
    np.testing.assert_allclose(found, expected - np.median(expected), atol=1e-8)
    model = noise_model(fit)
    by_run = pd.Series(model.own.shares).groupby(run).sum()
    np.testing.assert_allclose(by_run, 0.25)


# ── What errors are drawn from ───────────────────────────────────────────────────────────────


def drawn(model: NoiseModel, runs: js.Runs, count: int = 4000, seed: int = 1) -> np.ndarray:
    """Errors (count, 4) at the first four rows of runs."""
    return model.draw(np.zeros((count, 4)), runs.frame.head(4), seed)


def test_empirical_noise_is_drawn_from_the_residuals_and_repeats(fit):
    model = noise_model(fit, "empirical", trend=False)
    noise = drawn(model, fit.runs)
    assert np.isin(noise, studentised_residuals(fit)).all()
    np.testing.assert_array_equal(noise, drawn(model, fit.runs))
    assert (noise != drawn(model, fit.runs, seed=2)).any()


def test_residuals_of_few_runs_are_filled_up_from_a_student_t(fit):
    """With probability 20/(20 + n) an error is none of the residuals."""
    noise = drawn(noise_model(fit, trend=False), fit.runs)
    beyond = np.mean(~np.isin(noise, studentised_residuals(fit)))
    expected = 20 / (20 + len(fit.runs))
    assert beyond == pytest.approx(expected, abs=4 * np.sqrt(expected / noise.size))
    assert np.abs(noise).max() > np.abs(studentised_residuals(fit)).max()


def test_a_student_t_alone(fit):
    noise = drawn(noise_model(fit, "student_t", trend=False), fit.runs)
    assert not np.isin(noise, studentised_residuals(fit)).any()


def test_runs_without_noise_have_none():
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 30))
    errors = Errors.of(np.zeros(9), np.full(9, 1 / 9), 6, 9)
    assert not errors.draw((5, 5), np.random.default_rng(0)).any()
    assert errors.typical_freedom == np.inf
    model = noise_model(js.fit("power_const", runs, starts=8))
    assert np.abs(drawn(model, runs)).max() < 1e-9


def test_says_how_it_was_chosen(fit):
    said = repr(noise_model(fit))
    assert said.startswith("NoiseModel(a new run's errors): the residuals of 42 runs, and with pr")
    assert "probability 0.32 a Student-t of about" in said
    alone = repr(noise_model(fit, "empirical"))
    assert "errors): the residuals of 42 runs; robust standard deviation 0.0" in alone
    assert "fitted to the residuals of 42 runs" in repr(noise_model(fit, "student_t"))


def test_unknown_choices(fit):
    with pytest.raises(
        js.JscaleError, match=r"kind='empiric' .*Did you mean 'empirical'\? Use aut"
    ):
        noise_model(fit, "empiric")
    with pytest.raises(
        js.JscaleError, match=r"new='familly' .*Did you mean 'family'\? Use run, fa"
    ):
        noise_model(fit, new="familly")


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_without_a_run_to_spare():
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 3), noise=0.01)
    with pytest.raises(js.FitError, match="passes through its 3 independent runs"):
        noise_model(js.fit("power_const", runs, starts=8))


# ── Noise that varies ────────────────────────────────────────────────────────────────────────


def varying(trend: float, count: int = 120, seed: int = 0) -> js.Fit:
    noise = js.Noise(sd=0.01, trend=trend)
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, count), noise=noise, seed=seed)
    return js.fit("power_const", runs, starts=8)


@pytest.mark.full
@pytest.mark.parametrize("trend", [-0.2, 0.2])
def test_noise_that_follows_compute_is_found(trend):
    model = noise_model(varying(trend))
    assert model.trend is not None
    assert model.trend.column == "C"
    assert model.trend.slope == pytest.approx(trend, abs=3 * model.trend.error)
    assert model.trend.error < 0.06
    assert [note.code for note in model.notes] == ["noise-varies"]
    how = "shrinks" if trend < 0 else "grows"
    assert f"The runs' noise {how} as C^{model.trend.slope:.3g}" in str(model.notes[0])
    ends = pd.DataFrame({"C": [1e17, 1e22]})
    noise = model.draw(np.zeros((20000, 2)), ends, seed=1)
    middle = np.quantile(np.abs(noise), 0.5, axis=0)
    assert np.log(middle[1] / middle[0]) / np.log(1e5) == pytest.approx(trend, abs=0.06)


def test_even_noise_is_seldom_said_to_vary(fit):
    assert noise_model(fit).notes == ()
    found = [noise_model(varying(0.0, 40, seed)) for seed in range(12)]
    assert sum(len(model.notes) for model in found) <= 1
    slopes = np.array([(model.trend.slope, model.trend.error) for model in found])
    assert np.abs(slopes[:, 0] / slopes[:, 1]).max() < 3.5
    assert slopes[:, 1].max() < 0.1


@pytest.mark.full
def test_noise_may_be_taken_to_be_even():
    model = noise_model(varying(0.2), trend=False)
    assert (model.trend, model.notes) == (None, ())


def test_a_far_run_that_the_fit_passes_through_says_nothing_of_noise():
    """Its residual is next to zero whatever its error: no sign that noise shrinks."""
    C = np.r_[np.geomspace(1e17, 1e18, 11), 1e21]
    slopes, held = [], []
    for seed in range(30):
        runs = js.simulate("power_const", POWER, {"C": C}, noise=0.01, seed=seed)
        model = noise_model(js.fit("power_const", runs, starts=8))
        slopes.append(model.trend.slope)
        low, high = model.quantiles(pd.DataFrame({"C": [1e21]}), [0.1, 0.9])[:, 0]
        held.append(high - low)
    assert abs(np.median(slopes)) < 0.05
    assert np.median(held) > 0.015


@pytest.mark.full
@pytest.mark.filterwarnings("error::RuntimeWarning", "ignore::jscale.errors.FitWarning")
def test_a_run_with_a_parameter_to_itself_says_nothing_of_noise():
    design = js.designs.random(24, (1e7, 1e9), (1e9, 1e11), seed=1)
    frame = js.simulate("chinchilla", CHINCHILLA, design, noise=0.01, seed=1).frame
    frame["family"] = ["a"] * 12 + ["b"] * 11 + ["c"]
    trend = noise_model(js.fit("chinchilla", frame, per={"E": "family"})).trend
    assert trend is not None
    assert np.isfinite([trend.slope, trend.error, trend.chance, trend.centre]).all()


def test_a_trend_is_asked_for_or_not():
    with pytest.raises(js.JscaleError, match=r"trend='C' must be True"):
        noise_model(varying(0.0, 12), trend="C")


# ── New families ─────────────────────────────────────────────────────────────────────────────


def of_families(count: int, shared: float, seed: int = 0) -> pd.DataFrame:
    """Ten runs for each family, whose losses share an effect."""
    design = js.designs.random(10 * count, (1e8, 1e10), (2e9, 2e11), seed=seed)
    design["family"] = [f"f{k % count}" for k in range(len(design))]
    noise = js.Noise(sd=0.004, shared={"family": shared})
    return js.simulate("chinchilla", CHINCHILLA, design, noise=noise, seed=seed).frame


@pytest.mark.full
def test_a_new_family_brings_its_own_effect():
    """Its runs' spread is that of families and of runs together, the planted one within 35%.

    A run's own error is known less well: the curve, bent by few families, is wrong within each.
    """
    runs = js.Runs.from_frame(of_families(16, 0.03), group="family")
    fit = js.fit("chinchilla", runs, objective="least_squares")
    family, run = noise_model(fit, new="family"), noise_model(fit)
    assert 0.003 < family.own.spread < 0.008
    middle = np.quantile(drawn(family, runs), [0.16, 0.84])
    assert np.ptp(middle) / 2 == pytest.approx(np.hypot(0.03, 0.004), rel=0.35)
    assert run.family is None
    assert "what a family shares, from 16 (0.0" in repr(family)
    assert repr(family).startswith("NoiseModel(a new family's errors)")


def test_families_are_needed_for_a_new_one(fit):
    with pytest.raises(
        js.JscaleError, match=r"needs the family of each run, .* group=\"<column>\""
    ):
        noise_model(fit, new="family")
    few = js.Runs.from_frame(of_families(4, 0.01), group="family")
    wrong = r"column 'family' has 4 families \(f0, f1, f2, f3\); how .* 5 or more\. .*new=\"run\""
    with pytest.raises(js.JscaleError, match=wrong):
        noise_model(js.fit("chinchilla", few), new="family")


@pytest.mark.full
def test_parameters_by_family_say_nothing_of_a_new_one():
    runs = js.Runs.from_frame(of_families(5, 0.01), group="family")
    fit = js.fit("chinchilla", runs, per={"E": "family"})
    wrong = r"E differs by family in this fit, .* js\.posterior\(fit, pool=\{'E': 'family'\}\)"
    with pytest.raises(js.JscaleError, match=wrong):
        noise_model(fit, new="family")


# ── Known errors ─────────────────────────────────────────────────────────────────────────────


def with_known(sd: float, known: float) -> js.Fit:
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 300), noise=np.hypot(sd, known))
    return js.fit("power_const", runs.frame.assign(seen=known), starts=8)


def test_known_errors_are_taken_out_of_the_noise():
    fit = with_known(0.01, 0.02)
    assert noise_model(fit).own.spread == pytest.approx(np.hypot(0.01, 0.02), rel=0.15)
    assert noise_model(fit, known_error="seen").own.spread == pytest.approx(0.01, rel=0.35)


def test_known_errors_that_explain_all():
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, 30), noise=0.01, seed=1)
    fit = js.fit("power_const", runs.frame.assign(seen=0.5), starts=8)
    model = noise_model(fit, known_error="seen")
    assert not drawn(model, fit.runs).any()
    assert [note.code for note in model.notes] == ["known-error-is-all"]
    assert "column 'seen' are as large as the residuals" in str(model.notes[0])


@pytest.mark.full
def test_known_errors_that_cannot_be_used():
    fit = with_known(0.01, 0.02)
    with pytest.raises(js.DataError, match=r"'sen': the fitted runs .* Did you mean 'seen'\? Thei"):
        noise_model(fit, known_error="sen")
    bad = js.fit("power_const", fit.runs.frame.assign(seen=-1.0), starts=8)
    with pytest.raises(
        js.DataError, match=r"'seen' must hold standard dev.*row 0 \(-1\.0\), row 1"
    ):
        noise_model(bad, known_error="seen")


# ── Coverage ─────────────────────────────────────────────────────────────────────────────────


LEVELS = (0.5, 0.9)


@pytest.fixture(scope="module")
def hits() -> dict[tuple[str, float], int]:
    """How many worlds' intervals hold the true curve, and a new run, at an inner input."""
    design, at = compute(1e17, 1e22, 30), 3e20
    truth = float(js.laws.get("power_const")(at, **POWER))
    found = {(kind, level): 0 for kind in ("confidence", "prediction") for level in LEVELS}
    for seed in range(WORLDS):
        runs = js.simulate("power_const", POWER, design, noise=0.01, seed=seed)
        draws = js.laplace(js.fit("power_const", runs, starts=8), 400)
        fresh = truth * np.exp(0.01 * np.random.default_rng(1000 + seed).standard_normal())
        for level in LEVELS:
            row = js.predict(draws, C=at, level=level).frame.iloc[0]
            for kind, value in (("confidence", truth), ("prediction", fresh)):
                found[kind, level] += int(row[f"{kind}_low"] <= value <= row[f"{kind}_high"])
    return found


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["confidence", "prediction"])
def test_intervals_cover_as_often_as_they_say(hits, kind, level):
    """Within 3.5 standard errors of a count of 60."""
    slack = 3.5 * np.sqrt(WORLDS * level * (1 - level))
    assert abs(hits[kind, level] - WORLDS * level) <= slack
