"""Predicting the loss along another schedule from whole curves, on runs of our own."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.curves.conftest import SIZE

STEPS, PEAK, WARMUP = 586, 0.01004, 60
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.mark.full
@pytest.mark.parametrize(("name", "within"), [("annealing", 0.012), ("multi_power", 0.008)])
def test_a_schedule_left_out(curves: js.Curves, draws, name: str, within: float) -> None:
    """Constant and cosine tell warmup-stable-decay to about 1%; the bounds leave 30% slack."""
    held = curves.frame.loc[curves.frame["run"] == f"{SIZE}-wsd-s0"]
    schedule = curves.schedule_of(f"{SIZE}-wsd-s0")
    prediction = js.predict_curve(draws[name], schedule, steps=held["S"].to_numpy())
    np.testing.assert_array_equal(prediction.frame["S"], held["S"])
    error = np.abs(prediction.frame["curve"].to_numpy() / held["loss"].to_numpy() - 1)
    assert error.mean() < within
    assert (
        (prediction.frame["confidence_low"] < prediction.frame["confidence_high"]).to_numpy().all()
    )


@pytest.mark.full
def test_a_fitted_schedule_is_predicted_as_it_was_fitted(curves: js.Curves, draws) -> None:
    fit = draws["multi_power"].fit
    logged = fit.runs.frame.loc[fit.runs.frame["run"] == f"{SIZE}-cosine-s0"]
    schedule = curves.schedule_of(f"{SIZE}-cosine-s0")
    prediction = js.predict_curve(fit, schedule, steps=logged["S"].to_numpy(), method=None)
    rows = (fit.runs.frame["run"] == f"{SIZE}-cosine-s0").to_numpy()
    np.testing.assert_allclose(prediction.frame["curve"], fit.fitted[rows], rtol=1e-9)


@pytest.mark.full
def test_steps_not_asked_for_run_from_warm_up_to_end(draws) -> None:
    schedule = js.schedules.cosine(STEPS, PEAK, warmup=WARMUP)
    prediction = js.predict_curve(draws["annealing"], schedule, method=None).frame
    assert (prediction["S"].iloc[0], prediction["S"].iloc[-1], len(prediction)) == (
        WARMUP,
        STEPS,
        200,
    )


def test_the_memory_of_the_fitted_curves_goes_with_the_fit() -> None:
    logged = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"), memory=0.9)
    names = [f"{SIZE}-constant-s0", f"{SIZE}-cosine-s0"]
    fit = js.fit("annealing", logged.where(names).runs())
    rows = (fit.runs.frame["run"] == names[1]).to_numpy()
    steps = fit.runs.frame.loc[rows, "S"].to_numpy()
    prediction = js.predict_curve(fit, logged.schedule_of(names[1]), steps=steps, method=None)
    np.testing.assert_allclose(prediction.frame["curve"], fit.fitted[rows], rtol=1e-9)


@pytest.mark.full
def test_other_laws_and_steps_are_refused(draws) -> None:
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
    warmed = js.schedules.cosine(100, 1.0, warmup=0.1)
    with pytest.raises(js.PredictionError, match=r"end of the warm-up, step 10, but .* step 5"):
        js.predict_curve(draws["annealing"], warmed, steps=[5, 20])
    with pytest.raises(js.DataError, match="has the steps 1 to 10, not 11"):
        js.predict_curve(draws["annealing"], js.schedules.cosine(10, 1.0), steps=[11])
