"""forecast: laws with their discrepancy, on tables of every kind."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, grid

# Far points are meant here; what is said of them has tests of its own.
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.ExtrapolationWarning")
BEYOND = {"N": [5e9, 2e10], "D": [3e11, 1e12]}


@pytest.mark.full
def test_it_predicts_both_intervals(forecast: js.Forecast) -> None:
    frame = js.predict(forecast, BEYOND).frame
    assert (frame["prediction_low"] < frame["confidence_low"]).all()
    assert (frame["confidence_low"] < frame["curve"]).all()
    assert (frame["curve"] < frame["confidence_high"]).all()
    assert (frame["confidence_high"] < frame["prediction_high"]).all()


@pytest.mark.full
def test_it_covers_the_truth_that_it_can_know(forecast: js.Forecast) -> None:
    frame = forecast.predict(BEYOND, level=0.95).frame
    truth = js.laws.get("chinchilla")(
        N=np.array(BEYOND["N"]), D=np.array(BEYOND["D"]), **CHINCHILLA
    )
    assert ((frame["confidence_low"] < truth) & (truth < frame["confidence_high"])).all()


def test_intervals_widen_with_distance(forecast: js.Forecast) -> None:
    frame = forecast.predict(N=[1e9, 1e10, 1e11], D=[1e11, 1e12, 1e13]).frame
    width = np.log(frame["confidence_high"] / frame["confidence_low"])
    assert (np.diff(width) > 0).all()


def test_a_larger_level_is_a_wider_interval(forecast: js.Forecast) -> None:
    half, most = (forecast.predict(N=2e9, D=1e11, level=x).frame for x in (0.5, 0.95))
    assert most["prediction_high"][0] > half["prediction_high"][0]


@pytest.mark.full
def test_a_law_that_is_wrong_bends_towards_the_runs() -> None:
    design = grid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 6))
    table = js.simulate("chinchilla", CHINCHILLA, design).frame
    table["loss"] *= np.exp(0.02 * np.sin(np.log(table["D"] / 1e9)))
    fitted = js.forecast(table).fitted
    assert np.abs(fitted / table["loss"] - 1).mean() < 0.006


@pytest.mark.first_quick
@pytest.mark.parametrize("rows", [3, 4])
def test_few_runs_are_a_matter_of_the_prior(rows: int, runs: js.Runs) -> None:
    few = runs.where(np.isin(np.arange(len(runs)), np.linspace(0, len(runs) - 1, rows).astype(int)))
    forecast = js.forecast(few)
    frame = js.predict(forecast, N=1e9, D=1e11).frame
    truth = float(js.laws.get("chinchilla")(N=1e9, D=1e11, **CHINCHILLA))
    assert frame["prediction_low"][0] < truth < frame["prediction_high"][0]


def test_too_few_runs_are_refused(runs: js.Runs) -> None:
    with pytest.raises(js.DataError, match="needs at least 3 independent runs; there are 2"):
        js.forecast(runs.where(np.arange(len(runs)) < 2))


def test_scores_stay_between_zero_and_one(scores: js.Forecast) -> None:
    frame = scores.predict(C=[1e16, 1e22, 1e25], level=0.99).frame
    ends = frame[["prediction_low", "prediction_high"]].to_numpy()
    assert ((ends > 0) & (ends < 1)).all()
    assert frame["curve"].is_monotonic_increasing
    assert scores.response == "odds of failure"


@pytest.mark.full
def test_any_law_of_the_catalogue_has_a_discrepancy(runs: js.Runs) -> None:
    forecast = js.forecast(runs, ["farseer", "chinchilla"])
    assert forecast.weights.sum() == pytest.approx(1.0)
    assert list(forecast.weights.index) == ["farseer", "chinchilla"]
    assert len(js.predict(forecast, N=2e9, D=2e11)) == 1


def test_contributions_add_up_and_are_named(forecast: js.Forecast) -> None:
    shares = forecast.contribution(N=[1e8, 1e10], D=[1e10, 1e12])
    total = shares[["noise", "parameters", "discrepancy", "choice"]].sum(axis=1)
    np.testing.assert_allclose(total, 1.0)
    assert shares["mostly"][0] == "the noise of a run"
    assert shares["noise"][1] < shares["noise"][0]


@pytest.mark.full
def test_plans_draw_whole_functions(forecast: js.Forecast) -> None:
    plan = js.allocate(forecast, C=[1e21])
    truth = js.allocate(js.fit("chinchilla", forecast.runs), C=[1e21], method="laplace")
    assert plan.frame["N_low"][0] < truth.frame["N"][0] < plan.frame["N_high"][0]
    wide = np.log(plan.frame["N_high"] / plan.frame["N_low"])[0]
    assert wide > np.log(truth.frame["N_high"] / truth.frame["N_low"])[0]


@pytest.mark.full
def test_what_a_loss_takes(forecast: js.Forecast) -> None:
    needs = js.required(forecast, "D", loss=2.2, N=1e9)
    assert len(needs.frame) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"response": "probit"}, js.JscaleError, "response='probit' is not known"),
        ({"draws": 1}, js.JscaleError, "draws=1 must be a whole number"),
        ({"seed": -1}, js.JscaleError, "seed=-1 must be a whole number"),
        ({"prior": 3}, js.JscaleError, "prior=3 is not known"),
    ],
)
def test_wrong_arguments(runs: js.Runs, arguments: dict, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        js.forecast(runs, **arguments)


def test_known_errors_of_new_runs_are_added_in_quadrature(forecast: js.Forecast) -> None:
    at = {"N": 1e9, "D": 1e11}
    plain, noisy = (js.predict(forecast, **at, known_error=e).frame.iloc[0] for e in (None, 0.05))
    assert noisy["confidence_high"] == plain["confidence_high"]
    width = [np.log(f["prediction_high"] / f["prediction_low"]) for f in (plain, noisy)]
    # Ninety per cent of a normal distribution lie within 1.645 standard deviations.
    assert width[1] == pytest.approx(np.hypot(width[0], 2 * 1.645 * 0.05), rel=0.02)


def test_a_new_family_and_another_noise_are_refused(forecast: js.Forecast) -> None:
    with pytest.raises(js.PredictionError, match="predicts new runs of the fitted families"):
        js.predict(forecast, N=1e9, D=1e11, new="family")


def test_it_shows_laws_and_noise(forecast: js.Forecast) -> None:
    text = repr(forecast)
    assert "Forecast of loss from 25 runs" in text
    assert "chinchilla 1.00" in text
    assert "<ul>" in forecast._repr_html_()
    assert forecast.to_frame()["weight"].sum() == pytest.approx(1.0, abs=0.05)
