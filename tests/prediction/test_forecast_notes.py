"""Notes on a forecast: the coverage measured at a distance, and what decides it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.discrepancy.prior import ForecastPrior
from jscale.prediction.forecast_notes import measured_coverage, notes_on

BANDS = [
    {"from": 10.0, "to": 30.0, "rows": 40, "data_sets": 4, "80": 0.82, "95": 0.951},
    {"from": 30.0, "to": None, "rows": 7, "data_sets": 2, "80": 0.714, "95": 0.86},
]


@pytest.fixture(scope="module")
def measured(forecast: js.Forecast) -> js.Forecast:
    """A forecast whose prior says what was measured in two bands."""
    assert forecast.prior is not None
    prior = ForecastPrior(forecast.prior.families, {"coverage": {"loss_surface": BANDS}})
    return replace(forecast, prior=prior)


@pytest.mark.parametrize(
    ("past", "says"),
    [
        ([1.0, 12.0], "Of 40 real runs 10 to 30 times past the fitted ones, in 4 data sets that"),
        ([30.0], "80% prediction intervals covered 82% and 95% ones 95%."),
        ([12.0, 31.0, np.nan], "Of 7 real runs over 30 times past the fitted ones, in 2 data sets"),
        ([1000.0], "covered 71% and 95% ones 86%."),
        ([1001.0], "runs more than 1000 times past the fitted ones is unknown: no corpus"),
        ([5.0], "was not measured for such outcomes. Hold out your largest runs"),
    ],
)
def test_the_furthest_point_decides_which_coverage_is_quoted(
    measured: js.Forecast, past: list[float], says: str
) -> None:
    assert says in measured_coverage(measured, np.array(past))


def test_under_the_weak_prior_nothing_was_measured(scores: js.Forecast) -> None:
    assert "was not measured" in measured_coverage(scores, np.array([12.0]))


def codes(forecast: js.Forecast) -> list[str]:
    return [note.code for note in notes_on(forecast)]


def test_weight_on_short_kernels_is_said(forecast: js.Forecast) -> None:
    (solved,) = forecast.experts
    short = np.array([min(c.length for c in k) <= 3.0 for k in solved.member.prior.kernels])
    assert short.any()
    assert not short.all()
    evidence = solved.lanes.evidence + np.where(short, 1e3, 0.0)[:, None, None]
    rough = solved._replace(lanes=solved.lanes._replace(evidence=evidence))
    assert "rough-residuals" in codes(replace(forecast, experts=(rough,)))
    assert "rough-residuals" not in codes(forecast)


def test_few_runs_leave_parameters_to_the_prior(runs: js.Runs) -> None:
    few = runs.where(np.isin(np.arange(len(runs)), [0, 12, 24]))
    (note,) = (n for n in notes_on(js.forecast(few)) if n.code == "prior-decides")
    assert note.severity == "caution"
    assert "of chinchilla: the runs contract the prior by less than 15%" in note.seen


def test_laws_that_no_corpus_tells_of_are_said(forecast: js.Forecast) -> None:
    unknown = replace(forecast, laws=(replace(forecast.laws[0], learnt=False),))
    (note,) = (n for n in notes_on(unknown) if n.code == "weak-prior")
    assert "there is no training corpus for these laws" in note.seen
    assert "weak-prior" not in codes(forecast)


def test_other_outcomes_have_the_weak_prior(scores: js.Forecast) -> None:
    (note,) = (note for note in scores.notes if note.code == "weak-prior")
    assert "the outcome is 'score'" in note.seen
    assert scores.prior is None


def test_the_warning_quotes_the_coverage_measured_at_that_distance(forecast: js.Forecast) -> None:
    with pytest.warns(
        js.ExtrapolationWarning, match=r"real runs 10 to 30 times past .* intervals covered \d+%"
    ):
        forecast.predict(N=3e9, D=6e11)


def test_far_beyond_all_corpora_the_calibration_is_unknown(forecast: js.Forecast) -> None:
    with pytest.warns(js.ExtrapolationWarning, match="is unknown: no corpus holds such runs"):
        forecast.predict(N=1e12, D=1e14)


def test_rows_that_were_left_out_are_said(forecast: js.Forecast) -> None:
    frame = forecast.runs.frame
    more = pd.concat([frame, frame.assign(loss=1.001 * frame["loss"])], ignore_index=True)
    twice = js.Runs.from_frame(more)
    (note,) = (n for n in notes_on(replace(forecast, runs=twice)) if n.code == "thinned")
    assert "25 of 50 rows were used" in note.seen
    assert "at most 1.4 times as wide" in note.means
    assert "thinned" not in codes(forecast)
