"""Choices of a forecast: what is checked, which prior applies, and what is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.forecast_choices import Choices


def checked(laws="auto", prior="default", response="auto", draws=50, seed=3) -> Choices:
    return Choices.checked(laws, prior, response, draws, seed)


def of_compute(output: str = "loss") -> js.Runs:
    C = np.geomspace(1e18, 1e21, 8)
    frame = pd.DataFrame({"C": C, output: 0.4 + 100 * C**-0.15})
    return js.Runs.from_frame(frame, output=output)


@pytest.mark.full
def test_the_default_prior_is_for_losses_alone() -> None:
    assert checked().of(of_compute()).prior is not None
    assert checked().of(of_compute("error")).prior is None
    given = js.forecast(of_compute(), draws=2).prior
    assert checked(prior=given).of(of_compute("error")).prior is given


def test_settings_say_what_was_asked() -> None:
    settings = checked(["power_const"], prior=None).of(of_compute()).settings
    assert settings == {
        "asked": ["power_const"],
        "laws": ["power_const"],
        "prior": "weak",
        "response": "plain",
        "draws": 50,
        "seed": 3,
    }
    assert checked().of(of_compute()).settings["asked"] == "auto"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"response": "odd"}, r"response='odd'"),
        ({"draws": 0}, r"draws=0 must be a whole number"),
        ({"seed": -1}, r"seed=-1"),
        ({"laws": []}, r"laws=\[\] names no law"),
    ],
)
def test_arguments_that_are_not_usable(wrong, message) -> None:
    with pytest.raises(js.JscaleError, match=message):
        checked(**wrong)
