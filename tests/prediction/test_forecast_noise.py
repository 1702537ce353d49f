"""Noise that follows compute, and known errors, in simulated worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.forecast_noise import known_errors
from jscale.simulation.worlds import CHINCHILLA

# The noise falls from 3% at the smallest runs to 0.3% at the largest.
LOW, HIGH, FALL = 1e17, 1e21, -0.25


def falling(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    C = np.exp(rng.uniform(np.log(LOW), np.log(HIGH), n))
    N = np.sqrt(C / 120) * np.exp(0.7 * rng.normal(size=n))
    D = C / (6 * N)
    curve = js.laws.get("chinchilla")(N=N, D=D, **CHINCHILLA)
    sd = 0.03 * (C / LOW) ** FALL
    return pd.DataFrame({"N": N, "D": D, "loss": curve * np.exp(sd * rng.normal(size=n))})


@pytest.fixture(scope="module")
def varying() -> js.Forecast:
    return js.forecast(falling(60, 0))


@pytest.mark.full
def test_noise_that_falls_with_compute_is_found_and_said(varying: js.Forecast) -> None:
    assert varying.trend is not None
    assert varying.trend.column == "C"
    assert varying.trend.slope == pytest.approx(FALL, abs=0.1)
    (note,) = (n for n in varying.notes if n.code == "noise-varies")
    assert "The noise of runs shrinks as C^-0." in note.seen


def test_new_runs_have_the_noise_of_their_size(varying: js.Forecast) -> None:
    C = np.array([1.0001 * LOW, 0.999 * HIGH, 100 * HIGH])
    N = np.sqrt(C / 120)
    table = pd.DataFrame({"N": N, "D": C / (6 * N)})
    made = varying.mixture(table)
    noise = np.sqrt(made.new.sd[0] ** 2 - made.curve.sd[0] ** 2)
    assert noise[0] / noise[1] == pytest.approx((HIGH / LOW) ** -varying.trend.slope, rel=0.25)  # type: ignore[union-attr]
    # Beyond the largest run it does not shrink further.
    assert noise[2] == pytest.approx(noise[1], rel=0.1)


@pytest.mark.full
def test_noise_that_seems_to_grow_is_not_followed() -> None:
    table = falling(60, 0)
    C = 6 * table["N"] * table["D"]
    curve = js.laws.get("chinchilla")(N=table["N"], D=table["D"], **CHINCHILLA)
    growing = np.exp(0.003 * (C / LOW) ** -FALL * np.random.default_rng(2).normal(size=60))
    assert js.forecast(table.assign(loss=curve * growing)).trend is None


def test_even_noise_is_left_even(forecast: js.Forecast) -> None:
    assert forecast.trend is None


@pytest.mark.full
def test_small_and_large_new_runs_are_covered_as_promised() -> None:
    inside: dict[str, list[bool]] = {"small": [], "large": []}
    for seed in range(12):
        made, new = js.forecast(falling(80, seed)), falling(200, 100 + seed)
        frame = made.predict(new, level=0.8).frame
        hit = frame["prediction_low"].le(new["loss"]) & frame["prediction_high"].ge(new["loss"])
        C = 6 * new["N"] * new["D"]
        inside["small"] += hit[C < 1e18].tolist()
        inside["large"] += hit[C > 1e20].tolist()
    for name, hits in inside.items():
        assert 0.72 < np.mean(hits) < 0.9, name


# ── Known errors ─────────────────────────────────────────────────────────────────────────────


def test_runs_of_large_known_errors_count_for_little(runs: js.Runs) -> None:
    frame = runs.frame.assign(sd=0.0)
    frame.loc[24, "loss"] *= 1.1
    plain = js.forecast(frame)
    frame.loc[24, "sd"] = 0.2
    known = js.forecast(frame, known_error="sd")
    assert known.settings["known_error"] == "sd"
    at = {"N": 1e9, "D": 1e11}
    curves = [float(f.predict(at).frame["curve"][0]) for f in (plain, known)]
    truth = float(js.laws.get("chinchilla")(**at, **CHINCHILLA))
    assert abs(curves[1] / truth - 1) < abs(curves[0] / truth - 1) + 1e-3
    assert abs(known.influence(at)["derivative"].iloc[24]) < 0.01


def test_the_noise_is_what_known_errors_leave() -> None:
    table = falling(80, 1)
    curve = js.laws.get("chinchilla")(N=table["N"], D=table["D"], **CHINCHILLA)
    rng = np.random.default_rng(0)
    sd = rng.choice([0.005, 0.03], 80)
    table["loss"] = curve * np.exp(sd * rng.normal(size=80) + 0.004 * rng.normal(size=80))
    made = js.forecast(table.assign(sd=sd), known_error="sd")
    assert made.experts[0].scale < 0.5 * js.forecast(table).experts[0].scale


def test_known_errors_of_scores_are_taken_to_their_odds(scores: js.Forecast) -> None:
    frame = scores.runs.frame.assign(sd=0.01)
    made = js.forecast(frame, output="score", known_error="sd")
    y = frame["score"].to_numpy()
    np.testing.assert_allclose(made.laws[0].observations.known, 0.01 / (1 - y), rtol=1e-4)


@pytest.mark.parametrize(
    ("column", "values", "match"),
    [
        ("sds", None, r"known_error='sds' is not a column of the runs.* 'sd'"),
        (0.1, None, "known_error=0.1 is not a column"),
        ("sd", [-1.0], "column 'sd' must have standard deviations, zero or more, but"),
        ("sd", ["a"], "column 'sd' must have standard deviations, zero or more, but"),
    ],
)
def test_what_are_no_known_errors(
    runs: js.Runs, column: object, values: list | None, match: str
) -> None:
    frame = runs.frame.assign(sd=0.1).astype({"sd": object})
    if values is not None:
        frame.loc[3, "sd"] = values[0]
    with pytest.raises(js.DataError, match=match):
        js.forecast(frame, known_error=column)  # type: ignore[arg-type]


def test_without_a_column_nothing_is_known(runs: js.Runs) -> None:
    assert known_errors(runs, None) is None
