"""Answers: the rows of laws by forecasts, in chunks of splits, and what is said of far ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison import answers as module
from jscale.comparison.answers import Answers, coverage_in_words
from jscale.comparison.splits import Split


@pytest.fixture(scope="module")
def answers(straight: js.Runs) -> Answers:
    every = np.arange(len(straight))
    splits = [Split(n, every[:n], every[n : n + 3]) for n in (8, 10, 12)]
    return Answers(straight, splits, 0.8, None)


def test_what_is_asked(answers: Answers, straight: js.Runs) -> None:
    assert answers.head["split"].tolist() == [8] * 3 + [10] * 3 + [12] * 3
    assert answers.head["place"].tolist() == [8, 9, 10, 10, 11, 12, 12, 13, 14]
    np.testing.assert_array_equal(answers.measured, straight["loss"][answers.head["place"]])
    np.testing.assert_allclose(answers.past[:3], straight["C"][8:11] / straight["C"][7])


@pytest.mark.full
def test_chunks_of_splits_change_nothing(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = answers.by_forecast("mine", ["power_const"], "default")
    assert whole["law"].unique().tolist() == ["mine"]
    monkeypatch.setattr(module, "_FORECASTS_AT_ONCE", 2)
    parts, _ = answers.by_forecast("mine", ["power_const"], "default")
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-9, atol=0.0)


@pytest.mark.full
def test_how_often_the_furthest_are_covered(straight: js.Runs) -> None:
    every = np.arange(len(straight))
    near, far = Split("near", every[:12], every[12:13]), Split("far", every[:8], every[14:])
    answers = Answers(straight, [near, far, near], 0.8, None)
    assert answers.past.max() > 10
    words = answers.by_forecast("power", ["power"], "default")[1]
    assert words.startswith("How often intervals cover runs so far past the fitted ones was not")
    assert Answers(straight, [near], 0.8, None).by_forecast("power", ["power"], "default")[1] == ""


def test_laws_of_the_same_coverage_share_its_words() -> None:
    assert coverage_in_words({"a": "Covered.", "b": "Covered."}) == "Covered."
    assert coverage_in_words({"a": "X.", "b": "Y.", "c": "X."}) == "a, c: X. b: Y."


def test_a_split_that_cannot_be_forecast_is_named(straight: js.Runs) -> None:
    every = np.arange(len(straight))
    answers = Answers(straight, [Split("small", every[:2], every[2:])], 0.8, None)
    with pytest.raises(
        js.DataError, match=r"mine cannot be forecast from the split 'small': A forecast needs at"
    ):
        answers.by_forecast("mine", ["power"], "default")
