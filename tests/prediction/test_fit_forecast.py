"""The forecast of a fit: it keeps the fit's choices, and is made once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.fit_forecast import default_forecast, forecast_fit
from tests.prediction.near import NEAR


def test_it_is_that_of_the_same_law_and_runs(surface: js.Fit) -> None:
    first, second = forecast_fit(surface), js.forecast(surface.runs, "chinchilla")
    pd.testing.assert_frame_equal(first.predict(**NEAR).frame, second.predict(**NEAR).frame)


@pytest.mark.full
def test_it_is_made_once_for_any_seed(surface: js.Fit) -> None:
    assert forecast_fit(surface) is forecast_fit(surface)
    other = forecast_fit(surface, seed=3)
    assert other.experts is forecast_fit(surface).experts
    assert other.settings["seed"] == 3


@pytest.mark.full
def test_a_fixed_parameter_stays_fixed(surface: js.Fit) -> None:
    """With the floor fixed above the losses to come, the law cannot go below it."""
    high = 0.95 * float(surface.runs["loss"].min())
    fixed = js.fit("chinchilla", surface.runs, fixed={"E": high}, starts=8)
    made = forecast_fit(fixed)
    assert "E" not in made.laws[0].problem.layout.labels
    np.testing.assert_allclose(made.laws[0].member.fixed["E"], high)
    assert made.predict(**NEAR).frame["curve"].iloc[0] > 0


@pytest.mark.full
def test_parameters_by_group_stay_apart(families: js.Fit) -> None:
    frame = js.predict(families, **NEAR, family=["gpt", "llama"]).frame
    alone = js.predict(families, **NEAR, family=["gpt", "llama"], method=None).frame
    # The two families differ by 7%.
    np.testing.assert_allclose(frame["curve"], alone["curve"], rtol=0.005)


def test_the_default_is_auto_where_it_takes_the_inputs_of_the_law(surface: js.Fit) -> None:
    made = default_forecast(surface)
    assert made.reference is surface
    assert made.settings["asked"] == "auto"


def test_choices_of_the_fit_hold_in_the_default_too(surface: js.Fit) -> None:
    """What is fixed, and weights of the fit itself, are not part of the runs."""
    fixed = js.fit("chinchilla", surface.runs, fixed={"E": 1.5}, starts=8)
    weights = np.where(np.arange(len(surface.runs)) < 30, 1.0, 0.0)
    weighted = js.fit("chinchilla", surface.runs, weights=weights, starts=8)
    for fit in (fixed, weighted):
        pd.testing.assert_frame_equal(
            default_forecast(fit).predict(**NEAR).frame, js.predict(fit, **NEAR).frame
        )
    assert default_forecast(weighted).runs.n_independent == 30


@pytest.mark.full
def test_the_default_of_groups_is_their_law(families: js.Fit) -> None:
    assert default_forecast(families).settings["asked"] == ["chinchilla"]


@pytest.mark.full
def test_too_few_runs() -> None:
    table = pd.DataFrame({"C": [1e17, 1e18], "loss": [3.0, 2.5]})
    fit = js.fit("power", table, fixed={"alpha": 0.08}, starts=4)
    with pytest.raises(js.DataError, match=r"2 independent runs are too few for a discrepancy"):
        forecast_fit(fit)
