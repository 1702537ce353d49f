"""The best schedule under a law of whole curves: nothing near it is better, and its notes."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js

STEPS, PEAK, WARMUP = 586, 0.01004, 60
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.mark.full
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


@pytest.mark.full
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

        def end(after: np.ndarray) -> float:
            rates = np.concatenate([best.schedule.rates[:WARMUP], after])
            return float(loss_at_end(drawn.fit.law, params, rates, WARMUP, 0.999))

        lowest = end(after)
        for _ in range(100):
            bump = np.exp(-0.5 * ((place - rng.uniform()) / rng.uniform(0.1, 0.4)) ** 2)
            moved = after * (1.0 + 0.1 * rng.choice([-1, 1]) * bump)
            moved = np.minimum.accumulate(np.clip(moved, 1e-4, PEAK))
            assert end(moved) > lowest - 1e-5


@pytest.mark.full
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


@pytest.mark.full
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
        js.PredictionError, match=r"N is missing: besides the schedule annealing_size takes N=…"
    ):
        js.best_schedule(fit, STEPS, **options)
    with pytest.raises(js.PredictionError, match="C is unknown: besides the schedule"):
        js.predict_curve(fit, cosine, N=65536, C=1e12)


@pytest.mark.full
def test_bounds_and_references_that_cannot_be(draws) -> None:
    with pytest.raises(js.PredictionError, match=r"peak=0.1, end=0.1, knots=24: a schedule falls"):
        js.best_schedule(draws["annealing"], 100, peak=0.1, end=0.1)
    for knots in (0, 1):
        with pytest.raises(js.PredictionError, match=f"knots={knots}: .* at least 2 knots"):
            js.best_schedule(draws["annealing"], 100, peak=0.1, knots=knots)
    warmed = js.schedules.cosine(100, 1.0, warmup=0.1)
    with pytest.raises(js.PredictionError, match="against has 100 steps, the best schedule 90"):
        js.best_schedule(draws["annealing"], 90, peak=0.1, against=warmed)
    with pytest.raises(
        js.PredictionError, match=r"N is unknown: .* annealing takes no other input"
    ):
        js.best_schedule(draws["annealing"], 90, peak=0.1, N=3.0)
