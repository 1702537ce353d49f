"""A forecast that predicts, with draws of the fitted law alongside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.one_law import OneLaw
from jscale.reporting.alongside import Alongside, alongside


@pytest.fixture(scope="module")
def made() -> Alongside:
    table = js.datasets.load("stdlib_lm")
    fit = js.fit("farseer", table[table["split"] == "fit"], starts=8)
    made = alongside(js.laplace(fit, 50), seed=2)
    assert isinstance(made, Alongside)
    return made


@pytest.mark.full
def test_it_predicts_as_the_forecast_and_refers_to_the_fit(made: Alongside) -> None:
    table = pd.DataFrame({"N": [1e5], "D": [1e7]})
    found, auto = js.predict(made, table), js.forecast(made.reference.runs).predict(table)
    pd.testing.assert_frame_equal(found.frame, auto.frame)
    assert not found.within_law
    assert made.reference is made.draws.fit
    assert (made.settings["seed"], made.resamples) == (2, None)
    assert set(made.draws.notes) <= set(made.notes)


def test_without_a_forecast_the_draws_predict() -> None:
    T = np.linspace(1.0, 8.0, 9)
    table = pd.DataFrame({"T": T, "change": 0.2 - 0.1 * T**0.7})
    fit = js.fit("continual_change", table, objective=js.huber(space="linear"))
    made = alongside(js.laplace(fit, 50))
    assert isinstance(made, OneLaw)
    assert [note.code for note in made.remarks] == ["within-the-law"]
