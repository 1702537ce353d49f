"""Prediction: the table of a predictor's intervals, what it says of itself, and its pieces."""

from __future__ import annotations

import pandas as pd

import jscale as js
from jscale.prediction.newruns import NewRun
from jscale.prediction.one_law import OneLaw
from jscale.prediction.prediction import predicted
from tests.prediction.near import NEAR


def test_it_is_what_predict_returns(draws: js.Draws) -> None:
    new_run = NewRun.asked("run", None, None)
    found = predicted(OneLaw(draws), None, NEAR, level=0.8, new_run=new_run, seed=2)
    expected = js.predict(draws, **NEAR, level=0.8, seed=2)
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_exact=True)
    assert found.settings == expected.settings


def test_it_says_whether_its_intervals_are_within_the_law(surface: js.Fit) -> None:
    within, forecast = (js.predict(surface, **NEAR, discrepancy=d) for d in (False, True))
    assert "90% intervals by bootstrap (bayesian), within the law\n" in repr(within)
    assert "90% intervals by chinchilla with its discrepancy\n" in repr(forecast)


def test_to_frame_is_a_copy(surface: js.Fit) -> None:
    prediction = js.predict(surface, **NEAR)
    prediction.to_frame().drop(columns="curve", inplace=True)
    assert (prediction.frame["curve"] > 0).all()
    assert len(prediction) == 1
