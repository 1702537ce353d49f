"""required: against closed forms, limits that cannot be reached, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def test_tokens_and_sizes_have_closed_forms(chinchilla: js.Draws) -> None:
    """Draws that never get there are infinite in both."""
    for variable, name, other in (("D", "tokens_for_loss", "N"), ("N", "size_for_loss", "D")):
        at = {"loss": [1.9, 1.7, 1.45], other: {"N": 3e4, "D": 5e6}[other]}
        found = js.required(chinchilla, variable, **at)
        exact = js.derive(chinchilla, name, **at)
        np.testing.assert_allclose(found.samples, exact.samples, rtol=1e-9)
        np.testing.assert_allclose(found.frame["estimate"], exact.frame["estimate"], rtol=1e-9)
        np.testing.assert_allclose(found.frame["reached"], exact.frame["exists"])


def test_the_loss_is_met(chinchilla: js.Draws) -> None:
    found = js.required(chinchilla, "D", loss=1.8, N=[3e4, 1e5]).frame
    assert found["estimate"].is_monotonic_decreasing
    again = js.predict(chinchilla, N=found["N"], D=found["estimate"], method=None)
    np.testing.assert_allclose(again.frame["curve"], 1.8, rtol=1e-12)


def test_below_the_floor_there_is_no_amount(chinchilla: js.Draws) -> None:
    found = js.required(chinchilla, "D", loss=0.05, N=1e5)
    assert found.frame["estimate"].item() == np.inf
    assert found.frame["reached"].item() < 0.2
    assert [note.code for note in found.notes] == ["out-of-reach"]
    assert "No D reaches a loss of 0.05" in repr(found)
    assert "<table" in found._repr_html_()


def test_a_target_that_some_draws_miss(chinchilla: js.Draws) -> None:
    """At the loss that half the draws' limits lie below, half reach it."""
    limits = js.derive(chinchilla, "minimum_loss", N=1e5).samples[:, 0]
    found = js.required(chinchilla, "D", loss=float(np.median(limits)), N=1e5)
    assert found.frame["reached"].item() == pytest.approx(0.5, abs=0.01)
    assert found.frame["high"].item() == np.inf
    assert {"may-be-out-of-reach", "out-of-reach"} & {note.code for note in found.notes}


def test_no_target_at_all(chinchilla: js.Draws) -> None:
    found = js.required(chinchilla, "D", loss=1e6, N=1e5)
    assert [note.code for note in found.notes] == ["reached-already"]


@pytest.mark.full
def test_a_score_is_reached_from_below() -> None:
    @js.law(rising=("C",), output="score")
    def score(C: Any, *, top: js.Floor, A: js.Scale) -> Any:
        return top - A * C**-0.3

    truth, C = {"top": 0.9, "A": 2.0}, np.geomspace(1e2, 1e6, 20)
    fit = js.fit(score, js.simulate(score, truth, pd.DataFrame({"C": C}), noise=1e-6))
    found = js.required(js.laplace(fit, 50), "C", score=0.8)
    assert found.frame["estimate"].item() == pytest.approx(20 ** (1 / 0.3), rel=1e-3)


def test_far_answers_are_warned_of(chinchilla: js.Draws) -> None:
    with pytest.warns(js.ExtrapolationWarning, match="1 of 1 answers lie more than 10 times past"):
        js.required(chinchilla, "D", loss=1.2, N=1e8)


@pytest.mark.parametrize(
    ("variable", "given", "message"),
    [
        ("U", {"loss": 2.0, "N": 1e5}, r"'U' is not an input of chinchilla"),
        ("D", {"N": 1e5}, r"the target is missing: required\(draws, 'D', loss=…, N=…\)"),
        ("D", {"loss": 2.0, "N": 1e5, "D": 1e6}, r"D is what is asked for"),
        ("D", {"loss": 2.0}, r"N is missing"),
        ("C", {}, r"the target is missing: required\(draws, 'C', loss=…\)"),
        ("C", {"loss": [[2.0]]}, r"loss must be one target or a list of targets"),
        ("D", {"loss": 2.0, "N": 1e5, "cost": 1}, r"A cost is of compute"),
        ("D", {"loss": np.nan, "N": 1e5}, r"loss=nan must be finite"),
        ("D", {"loss": 2.0, "N": -1.0}, r"N must be a positive, finite number"),
        ("D", {"loss": 2.0, "N": 1e5, "level": 0.0}, r"level"),
    ],
)
def test_bad_input(
    chinchilla: js.Draws, variable: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(js.JscaleError, match=message):
        js.required(chinchilla, variable, **given)


def test_no_fit() -> None:
    with pytest.raises(
        js.PredictionError, match=r"required takes a Fit, Draws, or .* a Forecast, not dict"
    ):
        js.required({}, "D", loss=2.0)  # type: ignore[arg-type]
