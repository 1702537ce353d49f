"""The answer of a report: one prediction with its intervals, or the exponents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.plots import words
from jscale.reporting.answer import answer, has_path, is_surface
from jscale.reporting.page import report
from jscale.simulation.worlds import WORLDS
from tests.reporting.pages import Page


@pytest.mark.full
def test_the_answer_is_the_prediction_at_ten_times_the_compute(fit, draws, page):
    C = fit.largest * 10
    a, b = fit.params["alpha"], fit.params["beta"]
    G = (a * fit.params["A"] / (b * fit.params["B"])) ** (1 / (a + b))
    N = G * (C / 6) ** (b / (a + b))
    expected = js.predict(draws, N=N, D=C / 6 / N).frame.iloc[0]
    (row,) = page.content["prediction"]["rows"]
    assert [row["N"], row["D"]] == pytest.approx([N, C / 6 / N], rel=1e-3)
    columns = ["curve", "confidence_low", "confidence_high", "prediction_low", "prediction_high"]
    assert [row[name] for name in columns] == pytest.approx(expected[columns].tolist(), rel=1e-3)
    assert row["extrapolation"] == pytest.approx(10)
    assert page.content["prediction"]["output"] == "loss"
    assert page.content["prediction"]["level"] == 0.9


def test_the_answer_states_the_prediction_in_words(page):
    sentence, intervals, extrapolation = page.content["answer"]
    (row,) = page.content["prediction"]["rows"]
    low, high = row["confidence_low"], row["confidence_high"]
    curve, low, high = words.span(row["curve"], low, high)
    place = words.point({name: row[name] for name in "ND"})
    assert sentence == (
        f"At C = {words.number(row['C'])} FLOPs, spent compute-optimally ({place}), the fitted law "
        f"chinchilla predicts a loss of {curve} nats."
    )
    assert f"The 90% confidence interval of the curve is {low} to {high}; " in intervals
    _, low, high = words.span(row["curve"], row["prediction_low"], row["prediction_high"])
    assert intervals.endswith(
        f"the 90% prediction interval of a single new run is {low} to {high}."
    )
    assert extrapolation.startswith("This is 10 times the largest fitted compute.")
    assert all(s in Page(page.html).of("answer") for s in page.content["answer"])


@pytest.mark.full
def test_at_inputs_and_at_a_compute(fit, draws):
    at = report(fit, draws, at={"N": 1e9, "D": 2e10}, level=0.5)
    assert at.content["answer"][0].startswith("At N = 10⁹ and D = 2×10¹⁰ the fitted law chinchilla")
    assert "50% prediction interval" in at.content["answer"][1]
    assert at.content["answer"][2] == "This lies within the fitted range of compute."
    assert at.content["answers"] is None
    several = report(fit, draws, at={"C": [1e21, 1e22]})
    assert several.content["answer"][0].startswith("At C = 10²¹ FLOPs, spent compute-optimally")
    assert len(several.content["answers"]["rows"]) == 2


def test_a_law_without_compute_answers_with_its_exponents():
    planted, design = WORLDS["power_const"]
    table = js.simulate("power_const", planted, design, noise=0.01).frame.rename(columns={"C": "N"})
    fit = js.fit("power_const:N", table[["N", "loss"]])
    (sentence,) = report(fit, js.laplace(fit, 100)).content["answer"]
    assert sentence.startswith("For loss (nats), the fitted law power_const:N has the exponents ")
    draws = js.laplace(fit, 100)
    value = words.span(fit.params["alpha"], *draws.interval(0.9).loc["alpha"])
    assert "alpha = {} ({} to {})".format(*value) in sentence


def of_compute() -> js.Fit:
    C = np.geomspace(1e17, 1e20, 12)
    frame = pd.DataFrame({"C": C, "loss": 1.5 + 90 * C**-0.1 * (1 + 0.001 * np.sin(C))})
    return js.fit("power_const", frame, starts=8)


def test_which_fits_have_a_path_along_compute(fit) -> None:
    assert is_surface(fit)
    assert has_path(fit)
    line = of_compute()
    assert not is_surface(line)
    assert has_path(line)


def test_a_compute_past_any_sensible_size_is_refused(draws) -> None:
    with pytest.raises(
        js.PredictionError, match=r"no compute-optimal N at C=1e\+32: .*at=\{'N': …"
    ):
        answer(draws, {"C": 1e32}, 0.9)


@pytest.mark.parametrize("C", [-1, "much", [], [1e21, np.nan]])
def test_computes_that_cannot_be(draws, C) -> None:
    with pytest.raises(js.PredictionError, match=r"C=.* must be positive numbers of FLOPs"):
        answer(draws, {"C": C}, 0.9)


def test_a_point_at_the_edge_of_the_fitted_compute_lies_within_it(fit, draws) -> None:
    """Up to five per cent past the largest compute nothing counts as extrapolation."""
    N, edge = 1e9, fit.largest / 6 / 1e9
    within = answer(draws, {"N": N, "D": 1.04 * edge}, 0.9).sentences
    assert within[-1] == "This lies within the fitted range of compute."
    past = answer(draws, {"N": N, "D": 2 * edge}, 0.9).sentences
    assert past[-1].startswith("This is 2 times the largest fitted compute.")
