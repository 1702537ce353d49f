"""Sources: a Fit becomes a forecast of its law by default, and draws where that is not possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.forecast import Forecast
from jscale.prediction.one_law import OneLaw
from jscale.prediction.predictor import is_within_law, label
from jscale.prediction.sources import predictor_of


def test_a_fit_becomes_a_forecast_of_its_law(surface: js.Fit) -> None:
    made = predictor_of(surface, caller="plan", discrepancy=True)
    assert isinstance(made, Forecast)
    assert made.reference is surface
    assert (label(made), is_within_law(made)) == ("chinchilla with its discrepancy", False)


@pytest.mark.parametrize(("method", "discrepancy"), [("laplace", True), ("laplace", False)])
def test_a_method_that_is_named_leaves_the_discrepancy_out(
    surface: js.Fit, method: str, discrepancy: bool
) -> None:
    made = predictor_of(surface, method, caller="plan", discrepancy=discrepancy)
    assert isinstance(made, OneLaw)
    assert (label(made), is_within_law(made)) == ("laplace, within the law", True)


def test_where_there_is_no_discrepancy_draws_take_its_place_with_a_note() -> None:
    """Changes of either sign have no logarithm, so that the size of departures is unknown."""
    T = np.linspace(1.0, 8.0, 9)
    table = pd.DataFrame({"T": T, "change": 0.5 - 0.2 * np.exp(0.3 * np.log(T))})
    fit = js.fit("continual_change", table, objective=js.huber(space="linear"))
    prediction = js.predict(fit, T=[9.0])
    assert prediction.within_law
    (note,) = [note for note in prediction.notes if note.code == "within-the-law"]
    assert "neither positive nor between 0 and 1" in note.seen


def test_an_unknown_method_is_refused_whatever_the_discrepancy(surface: js.Fit) -> None:
    with pytest.raises(js.PredictionError, match=r"method='guess' is not known"):
        predictor_of(surface, "guess", caller="plan", discrepancy=True)
