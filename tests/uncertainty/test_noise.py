"""noise: residuals made comparable, drawn from, and enough to cover new runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.uncertainty.noise import draw_noise, studentised_residuals
from tests.conformance.worlds import compute

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


def test_noise_is_drawn_from_the_residuals_and_repeats(fit):
    noise = draw_noise(fit, (50, 4), seed=1)
    assert np.isin(noise, studentised_residuals(fit)).all()
    np.testing.assert_array_equal(noise, draw_noise(fit, (50, 4), seed=1))
    assert (noise != draw_noise(fit, (50, 4), seed=2)).any()


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


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["confidence", "prediction"])
def test_intervals_cover_as_often_as_they_say(hits, kind, level):
    """Within 3.5 standard errors of a count of 60."""
    slack = 3.5 * np.sqrt(WORLDS * level * (1 - level))
    assert abs(hits[kind, level] - WORLDS * level) <= slack
