"""Criteria: closed forms, proper scores, and standard errors over clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import jscale as js
from jscale.comparison import criteria
from jscale.prediction.log_score import log_score


def test_rmsle_r2_and_relative_errors_are_their_definitions() -> None:
    predicted, measured = np.array([1.1, 2.0, 3.3]), np.array([1.0, 2.5, 3.0])
    logs = np.log(predicted) - np.log(measured)
    assert criteria.rmsle(predicted, measured) == pytest.approx(np.sqrt(np.mean(logs**2)))
    squares = np.sum((measured - predicted) ** 2) / np.sum((measured - measured.mean()) ** 2)
    assert criteria.r2(predicted, measured) == pytest.approx(1 - squares)
    np.testing.assert_allclose(criteria.relative_error(predicted, measured), [0.1, -0.2, 0.1])
    assert np.isnan(criteria.r2([1.0, 2.0], [3.0, 3.0]))


def test_the_interval_score_is_lowest_for_the_true_interval() -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(20_000)
    right = norm.ppf(0.95)

    def score(half: float) -> float:
        return float(
            criteria.interval_score(np.full_like(y, -half), np.full_like(y, half), y, 0.9).mean()
        )

    assert score(right) < min(score(0.8 * right), score(1.25 * right))
    np.testing.assert_allclose(criteria.interval_score([1.0], [2.0], [0.9], 0.9), [1 + 20 * 0.1])
    with pytest.raises(js.JscaleError, match="level=90 must lie strictly between 0 and 1"):
        criteria.interval_score([1.0], [2.0], [1.5], 90)


def test_clusters_count_as_one() -> None:
    rng = np.random.default_rng(2)
    own = rng.standard_normal(50)
    doubled = np.repeat(own, 4)
    clusters = np.repeat(np.arange(50), 4)
    plain = own.std(ddof=1) / np.sqrt(50)
    assert criteria.standard_error(own) == pytest.approx(plain)
    assert criteria.standard_error(doubled, clusters) == pytest.approx(plain)
    assert criteria.standard_error(doubled) < 0.6 * plain
    assert np.isnan(criteria.standard_error([1.0, 2.0], ["a", "a"]))


def test_rows_of_predictions() -> None:
    frame = pd.DataFrame(
        {"curve": [2.0, 3.0], "prediction_low": [1.9, 2.0], "prediction_high": [2.1, 2.9]}
    )
    rows = criteria.by_row(frame, [2.0, 3.0], 0.9)
    assert rows["coverage"].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(rows["interval_score"], [0.1, (0.9 + 20 * 0.1) / 3])
    alone = criteria.by_row(frame[["curve"]], [2.0, 3.0], 0.9)
    assert list(alone) == ["absolute_error", "bias"]


def test_what_does_not_fit_together_is_said() -> None:
    with pytest.raises(js.DataError, match=r"\(2,\) predictions and \(3,\) measured numbers"):
        criteria.relative_error([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(
        js.DataError, match="RMSLE needs positive numbers, but row 1 has -1 predicted"
    ):
        criteria.rmsle([1.0, -1.0], [1.0, 2.0])


def test_a_law_that_predicts_nothing_is_infinitely_wrong() -> None:
    rows = criteria.by_row(pd.DataFrame({"curve": [0.0, 2.0]}), [1.0, 2.0], 0.9)
    found = criteria.summarise(rows, [0.0, 2.0], [1.0, 2.0])
    assert found["rmsle"] == np.inf
    assert found["absolute_error"] == pytest.approx(0.5)
    samples = np.array([[2.0], [2.1], [1.9], [0.0]])
    with np.errstate(divide="ignore"):
        some = log_score(samples, [2.0])
    assert some[0] < log_score(samples[:3], [2.0])[0]


def test_errors_of_rmsle_and_r2_are_jackknifed_over_clusters() -> None:
    rng = np.random.default_rng(3)
    measured = np.exp(rng.normal(1.0, 0.3, 24))
    predicted = measured * np.exp(rng.normal(0.0, 0.1, 24))
    clusters = np.repeat(list("abcdefgh"), 3)
    rows = criteria.by_row(pd.DataFrame({"curve": predicted}), measured, 0.9)
    found = criteria.summarise(rows, predicted, measured, clusters)
    for name, function in (("rmsle", criteria.rmsle), ("r2", criteria.r2)):
        each = [function(predicted[clusters != c], measured[clusters != c]) for c in "abcdefgh"]
        spread = np.sqrt(7 / 8 * np.sum((each - np.mean(each)) ** 2))
        assert found[f"{name}_error"] == pytest.approx(spread, rel=1e-9)
        assert np.isnan(criteria.summarise(rows, predicted, measured, ["a"] * 24)[f"{name}_error"])
