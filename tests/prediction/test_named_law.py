"""Laws as members of forecasts: the space of the discrepancy, and priors centred on a fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.named_law import member_of_fit, space_of


def of_scores() -> js.Fit:
    loss = np.linspace(2.0, 4.0, 14)
    score = 0.25 + 0.7 / (1 + np.exp(3.0 * (loss - 3.0)))
    score = score * (1 + 0.01 * np.sin(40 * loss))
    return js.fit("sigmoid_link", pd.DataFrame({"loss": loss, "score": score}))


def test_losses_are_compared_by_their_logarithms(surface: js.Fit) -> None:
    assert space_of(surface) == "log"


def test_scores_between_0_and_1_stay_there() -> None:
    fit = of_scores()
    assert space_of(fit) == "logit"
    frame = js.predict(fit, loss=[0.5, 2.5, 9.0]).frame
    assert ((frame["prediction_low"] > 0) & (frame["prediction_high"] < 1)).all()
    assert frame["curve"].is_monotonic_decreasing


@pytest.mark.full
def test_an_outcome_of_either_sign_has_none() -> None:
    T = np.linspace(1.0, 8.0, 9)
    table = pd.DataFrame({"T": T, "change": 0.5 - 0.2 * np.exp(0.3 * np.log(T))})
    fit = js.fit("continual_change", table, objective=js.huber(space="linear"))
    with pytest.raises(js.DataError, match=r"'change' is neither positive nor between 0 and 1"):
        space_of(fit)


def test_a_location_has_its_prior_at_the_fit() -> None:
    """Where a role implies no usual value, the prior's mean is the estimate."""
    fit = of_scores()
    member = member_of_fit(fit, fit.runs, None, "log").member
    slot = member.layout.slot("k")
    assert slot is not None
    theta = np.asarray(member.mean)[0, slot.where]
    assert theta == pytest.approx(float(np.log(fit.params["k"])), abs=0.5)


def test_weights_are_relative_variances(surface: js.Fit) -> None:
    frame = surface.runs.frame.assign(w=np.where(np.arange(len(surface.runs)) % 2, 1.0, 4.0))
    fit = js.fit("chinchilla", js.Runs.from_frame(frame, weight="w"), starts=8)
    relative = member_of_fit(fit, fit.runs, None).observations.relative
    assert relative is not None
    assert relative[1] / relative[0] == pytest.approx(4.0)
