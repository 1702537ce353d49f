"""Predicting and choosing a schedule from whole curves, on runs of our own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import jscale as js

SIZE = "w064-d01200k-b16"
STEPS, PEAK, WARMUP = 586, 0.01004, 60
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture(scope="module")
def curves() -> js.Curves:
    return js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))


@pytest.fixture(scope="module")
def draws(curves: js.Curves) -> dict[str, js.Draws]:
    """Draws of both laws, fitted to a constant rate and a cosine."""
    runs = curves.where([f"{SIZE}-constant-s0", f"{SIZE}-cosine-s0"]).runs()
    laws = {"annealing": "annealing", "multi_power": js.multi_power(curves.schedules)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.FitWarning)  # which of these are seen is the machine's
        return {name: js.bootstrap(js.fit(law, runs), 100) for name, law in laws.items()}


@pytest.mark.parametrize(("name", "within"), [("annealing", 0.012), ("multi_power", 0.008)])
def test_a_schedule_left_out(curves: js.Curves, draws, name: str, within: float) -> None:
    """Constant and cosine tell warmup-stable-decay to about 1 %; the bounds leave 30 % slack."""
    held = curves.frame.loc[curves.frame["run"] == f"{SIZE}-wsd-s0"]
    schedule = curves.schedule_of(f"{SIZE}-wsd-s0")
    found = js.predict_curve(draws[name], schedule, steps=held["S"].to_numpy())
    np.testing.assert_array_equal(found.frame["S"], held["S"])
    error = np.abs(found.frame["curve"].to_numpy() / held["loss"].to_numpy() - 1)
    assert error.mean() < within
    assert (found.frame["confidence_low"] < found.frame["confidence_high"]).to_numpy().all()


def test_a_fitted_schedule_is_predicted_as_it_was_fitted(curves: js.Curves, draws) -> None:
    fit = draws["multi_power"].fit
    own = fit.runs.frame.loc[fit.runs.frame["run"] == f"{SIZE}-cosine-s0"]
    schedule = curves.schedule_of(f"{SIZE}-cosine-s0")
    found = js.predict_curve(fit, schedule, steps=own["S"].to_numpy(), method=None)
    rows = (fit.runs.frame["run"] == f"{SIZE}-cosine-s0").to_numpy()
    np.testing.assert_allclose(found.frame["curve"], fit.fitted[rows], rtol=1e-9)


def test_steps_not_asked_for_run_from_warm_up_to_end(draws) -> None:
    schedule = js.schedules.cosine(STEPS, PEAK, warmup=WARMUP)
    found = js.predict_curve(draws["annealing"], schedule, method=None).frame
    assert (found["S"].iloc[0], found["S"].iloc[-1], len(found)) == (WARMUP, STEPS, 200)


def test_the_best_schedule_beats_every_named_one(draws) -> None:
    """Within the same bounds, under the law at its point estimate."""
    best = js.best_schedule(draws["multi_power"], STEPS, peak=PEAK, end=1e-4, warmup=WARMUP)
    rates = best.schedule.rates
    assert (np.diff(rates[WARMUP:]) <= 0).all()
    assert rates.max() <= PEAK * (1 + 1e-12)
    assert rates.min() > 0
    assert rates[-1] >= 1e-4
    lowest = best.frame["loss"].to_numpy()[0]
    others = [
        js.schedules.cosine(STEPS, PEAK, 1e-4, warmup=WARMUP),
        js.schedules.linear(STEPS, PEAK, 1e-4, warmup=WARMUP),
        *(js.schedules.wsd(STEPS, PEAK, 1e-4, warmup=WARMUP, decay=d) for d in (0.1, 0.2, 0.5)),
    ]
    for other in others:
        end = js.best_schedule(
            draws["multi_power"], STEPS, peak=PEAK, end=1e-4, warmup=WARMUP, against=other
        )
        losses = end.frame["loss"].to_numpy()
        assert losses[0] == pytest.approx(lowest, abs=1e-12)
        assert losses[1] > lowest + 1e-4
        assert end.gain == pytest.approx(losses[1] - lowest, abs=1e-12)


def test_no_small_change_of_the_best_schedule_is_better(draws) -> None:
    """A hundred other falling schedules near it, within the bounds, all end higher."""
    drawn = draws["multi_power"]
    best = js.best_schedule(drawn, STEPS, peak=PEAK, end=1e-4, warmup=WARMUP)
    from jscale._precision import float64_scope
    from jscale.laws.annealing import loss_at_end

    params, rng = dict(drawn.fit.params), np.random.default_rng(0)
    after = best.schedule.rates[WARMUP:]
    place = np.linspace(0, 1, len(after))
    with float64_scope():

        def end(own: np.ndarray) -> float:
            rates = np.concatenate([best.schedule.rates[:WARMUP], own])
            return float(loss_at_end(drawn.fit.law, params, rates, WARMUP, 0.999))

        lowest = end(after)
        for _ in range(100):
            bump = np.exp(-0.5 * ((place - rng.uniform()) / rng.uniform(0.1, 0.4)) ** 2)
            moved = after * (1.0 + 0.1 * rng.choice([-1, 1]) * bump)
            moved = np.minimum.accumulate(np.clip(moved, 1e-4, PEAK))
            assert end(moved) > lowest - 1e-5


def test_its_interval_and_notes(draws) -> None:
    best = js.best_schedule(draws["annealing"], STEPS, peak=PEAK, warmup=WARMUP)
    assert best.gain_low < best.gain < best.gain_high
    assert 0.0 <= best.better <= 1.0
    codes = [note.code for note in best.notes]
    assert codes[:2] == ["within-the-law", "annealing-law-fails"]
    assert "at-the-end-bound" not in codes  # a rate cannot end lower than 0
    assert "predicted gain" in repr(best)
    assert list(best.to_frame()["schedule"]) == ["best", "cosine"]
    longer = js.best_schedule(draws["annealing"], 4 * STEPS, peak=PEAK, warmup=WARMUP)
    assert "longer-than-fitted" in [note.code for note in longer.notes]


def test_the_memory_of_the_fitted_curves_goes_with_the_fit() -> None:
    own = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"), memory=0.9)
    names = [f"{SIZE}-constant-s0", f"{SIZE}-cosine-s0"]
    fit = js.fit("annealing", own.where(names).runs())
    rows = (fit.runs.frame["run"] == names[1]).to_numpy()
    steps = fit.runs.frame.loc[rows, "S"].to_numpy()
    found = js.predict_curve(fit, own.schedule_of(names[1]), steps=steps, method=None)
    np.testing.assert_allclose(found.frame["curve"], fit.fitted[rows], rtol=1e-9)


def test_the_law_with_sizes_has_a_best_schedule_too() -> None:
    """And asks for the size."""
    curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    names = [r for r in dict.fromkeys(curves.frame["run"]) if "wsd" not in r and "d01200k" in r]
    held = {"beta": 0.3, "alpha": 0.4}
    fit = js.fit("annealing_size", curves.where(names).runs(N="N"), fixed=held)
    options = {"peak": PEAK, "warmup": WARMUP, "end": 1e-4}
    best = js.best_schedule(js.laplace(fit, 20), STEPS, N=65536, **options)
    assert best.gain > 0
    cosine = js.schedules.cosine(STEPS, PEAK, 1e-4, warmup=WARMUP)
    said = js.predict_curve(fit, cosine, steps=[STEPS], N=65536, method=None).frame["curve"]
    assert best.frame["loss"].to_numpy()[1] == pytest.approx(said.item(), rel=1e-9)
    with pytest.raises(
        js.PredictionError, match=r"N is missing: beside the schedule annealing_size takes N=…"
    ):
        js.best_schedule(fit, STEPS, **options)
    with pytest.raises(js.PredictionError, match="C is unknown: beside the schedule"):
        js.predict_curve(fit, cosine, N=65536, C=1e12)


def test_other_laws_and_bounds_are_refused(draws) -> None:
    table = js.datasets.load("stdlib_lm")
    fit = js.fit("chinchilla", table.loc[table["split"] == "fit"])
    with pytest.raises(js.PredictionError, match=r"fit of annealing or multi_power .* chinchilla"):
        js.predict_curve(fit, js.schedules.cosine(10, 1.0))
    runs = draws["annealing"].fit.runs
    each = js.fit("annealing", runs, per={"L0": "run"})
    with pytest.raises(js.PredictionError, match=r"has its own L0 for each group"):
        js.predict_curve(each, js.schedules.cosine(10, 1.0))
    with pytest.raises(js.PredictionError, match="takes a Schedule, not list"):
        js.predict_curve(draws["annealing"], [1.0, 2.0])  # type: ignore[arg-type]
    with pytest.raises(js.PredictionError, match=r"peak=0.1, end=0.1, knots=24: a schedule falls"):
        js.best_schedule(draws["annealing"], 100, peak=0.1, end=0.1)
    warmed = js.schedules.cosine(100, 1.0, warmup=0.1)
    with pytest.raises(js.PredictionError, match=r"end of the warm-up, step 10, but .* step 5"):
        js.predict_curve(draws["annealing"], warmed, steps=[5, 20])
    with pytest.raises(js.PredictionError, match="against has 100 steps, the best schedule 90"):
        js.best_schedule(draws["annealing"], 90, peak=0.1, against=warmed)
    with pytest.raises(
        js.PredictionError, match=r"N is unknown: .* annealing takes no other input"
    ):
        js.best_schedule(draws["annealing"], 90, peak=0.1, N=3.0)
    with pytest.raises(js.DataError, match="has the steps 1 to 10, not 11"):
        js.predict_curve(draws["annealing"], js.schedules.cosine(10, 1.0), steps=[11])
