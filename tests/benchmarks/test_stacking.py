"""Stacking: weights by how laws predicted beyond what they had seen, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.forecast_parts.stacking import WIDENINGS, Evidence, weigh
from jscale.prediction.predictive import Samples


def evidence(
    interval_score, *, log_score=None, error=None, origin=None, parameters=None, beyond=True
) -> Evidence:  # fmt: skip
    """Laws a, b, … of 2, 3, … parameters, alike in what is not given; widening changes nothing."""
    score = np.atleast_2d(np.asarray(interval_score, dtype=float))
    K, P = score.shape
    logs = np.zeros((K, P)) if log_score is None else np.asarray(log_score, dtype=float)
    if logs.ndim == 2:
        logs = np.repeat(logs[:, None], len(WIDENINGS), axis=1)
    return Evidence(
        laws=tuple("abcdef"[:K]),
        parameters=np.arange(2, 2 + K) if parameters is None else np.array(parameters),
        origin=np.arange(P) if origin is None else np.array(origin),
        log_score=logs,
        interval_score=score,
        error=score if error is None else np.asarray(error, dtype=float),
        beyond=beyond,
    )


# ── From origin to origin ────────────────────────────────────────────────────────────────────


def test_later_origins_count_by_the_cube_and_rows_of_one_share_it() -> None:
    origin = [7, 7, 7, 2, 9]  # the numbers of origins, the earliest first: 2, 7, 9
    score = np.array([[0.3, 0.6, 0.9, 0.1, 0.2]])
    found = weigh(evidence(score, origin=origin, error=2 * score))
    expected = (1 * 0.1 + 8 * 0.6 + 27 * 0.2) / 36
    assert found.loc["a", "score"] == pytest.approx(expected)
    assert found.loc["a", "error"] == pytest.approx(2 * expected)
    assert found.loc["a", ["parameters", "widening", "weight", "why"]].tolist() == [2, 1.0, 1.0, ""]


def test_a_law_that_at_no_origin_beats_a_simpler_one_is_not_used() -> None:
    """However well it scores otherwise; a law with more parameters may fail to beat it."""
    score = [[0.2, 0.2, 0.2], [0.3, 0.2, 0.4], [0.3, 0.3, 0.19]]
    logs = [[0.0] * 3, [5.0] * 3, [0.0] * 3]
    found = weigh(evidence(score, log_score=logs))
    assert found.loc["b", "weight"] == 0.0
    assert found.loc["b", "why"] == "never beat a"
    assert found.loc[["a", "c"], "why"].tolist() == ["", ""]
    assert (found.loc[["a", "c"], "weight"] > 0).all()
    assert found["weight"].sum() == pytest.approx(1.0)


def test_the_mean_over_an_origins_rows_decides_whether_it_was_beaten() -> None:
    # Better in one row of two, worse on average.
    found = weigh(evidence([[0.2, 0.2], [0.1, 0.4]], origin=[0, 0]))
    assert found.loc["b", "why"] == "never beat a"


def test_laws_of_as_many_parameters_need_not_beat_each_other() -> None:
    found = weigh(evidence([[0.2, 0.2], [0.3, 0.3]], parameters=[3, 3]))
    assert found["why"].tolist() == ["", ""]


def test_where_log_scores_are_alike_weights_go_by_the_score_to_the_minus_four() -> None:
    found = weigh(evidence([[0.2, 0.2], [0.1, 0.1]]))
    np.testing.assert_allclose(found["weight"], [1 / 17, 16 / 17], rtol=1e-6)


def test_log_scores_of_many_rows_outweigh_the_prior() -> None:
    """The better mixture by log score, although the prior favours the other law."""
    score = [[0.1] * 40, [0.2] * 39 + [0.05]]
    logs = [[0.0] * 40, [4.0] * 40]
    found = weigh(evidence(score, log_score=logs))
    assert found.loc["b", "weight"] > 0.85


def test_less_than_a_hundredth_is_nothing_and_is_said() -> None:
    found = weigh(evidence([[0.4] * 4, [0.1] * 4], log_score=[[0.0] * 4, [9.0] * 4]))
    assert found.loc["a", ["weight", "why"]].tolist() == [0.0, "less than 0.01 of the weight"]
    assert found.loc["b", "weight"] == 1.0


def test_a_law_that_says_nothing_is_worst_and_spoils_no_number() -> None:
    score = [[0.2, 0.2], [np.nan, 0.1], [np.inf, 0.1]]
    logs = [[0.0, 0.0], [np.nan, 0.0], [-np.inf, 0.0]]
    found = weigh(evidence(score, log_score=logs, error=score))
    for name in "bc":
        assert found.loc[name, "score"] == pytest.approx((1e3 + 8 * 0.1) / 9)
        assert found.loc[name, "error"] == pytest.approx((1e3 + 8 * 0.1) / 9)
    assert found["weight"].sum() == pytest.approx(1.0)
    assert found.loc["a", "weight"] > 0.99


# ── How much wider ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("narrow", "low", "high"), [(1.0, 1.0, 1.0), (3.0, 2.5, 3.2), (20.0, 8.0, 8.0)]
)
def test_intervals_too_narrow_are_found_by_the_log_score(
    narrow: float, low: float, high: float
) -> None:
    """Samples 1, 3 and 20 times too narrow; 20 is more than they can be widened."""
    points, rng = 400, np.random.default_rng(3)
    measured = np.exp(0.03 * rng.standard_normal(points))
    new = 0.03 / narrow * rng.standard_normal((300, points))
    samples = Samples(np.zeros(points), np.zeros((300, points)), new, "log")
    logs = np.stack([samples.widened(w).log_score(measured) for w in WIDENINGS])[None]
    found = weigh(evidence(np.full((1, points), 0.1), log_score=logs))
    assert low <= found.loc["a", "widening"] <= high


def test_a_law_is_weighed_with_its_intervals_so_widened() -> None:
    """Two laws, the second much better than the first once it is twice as wide."""
    logs = np.zeros((2, len(WIDENINGS), 6))
    logs[1] = -9.0
    logs[1, WIDENINGS.index(2.0)] = 6.0
    found = weigh(evidence([[0.2] * 6, [0.19] * 6], log_score=logs))
    assert found["widening"].tolist() == [1.0, 2.0]
    assert found.loc["b", "weight"] > 0.9


# ── Each run left out in turn ────────────────────────────────────────────────────────────────


def test_without_origins_weights_go_by_the_error_to_the_minus_four() -> None:
    error = [[0.1, 0.3], [0.4, 0.4], [0.1, 0.1]]
    found = weigh(evidence([[0.5, 0.7]] * 3, error=error, beyond=False))
    np.testing.assert_allclose(found["error"], [0.2, 0.4, 0.1])
    np.testing.assert_allclose(found["score"], 0.6)
    # Of (1/2)⁴ : (1/4)⁴ : 1 the second is 1/273, less than a hundredth; the others share it.
    np.testing.assert_allclose(found["weight"], [1 / 17, 0.0, 16 / 17], rtol=1e-9)
    assert found["why"].tolist() == ["", "less than 0.01 of the weight", ""]
    assert found["widening"].tolist() == [1.0] * 3


def test_a_law_without_error_has_all_the_weight() -> None:
    found = weigh(
        evidence([[0.1, 0.1], [0.1, 0.1]], error=[[0.0, 0.0], [0.1, np.nan]], beyond=False)
    )
    assert found["weight"].tolist() == [1.0, 0.0]
