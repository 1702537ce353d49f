"""Stacking weights maximise the log score of the mixture, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.comparison.stacking import stacking_weights


def test_counts_are_rows_repeated() -> None:
    rng = np.random.default_rng(0)
    scores, counts = rng.standard_normal((12, 3)), rng.integers(1, 6, 12)
    repeated = np.repeat(scores, counts, axis=0)
    prior = np.array([0.05, 0.02, 0.03])
    for extra in (None, prior):
        found = stacking_weights(scores, counts.astype(float), extra)
        np.testing.assert_allclose(found, stacking_weights(repeated, prior=extra), rtol=1e-9)
    assert not np.allclose(found, stacking_weights(scores, prior=prior), rtol=1e-2)


def test_they_maximise_the_score_with_counts_and_prior() -> None:
    rng = np.random.default_rng(1)
    scores, counts = rng.standard_normal((30, 3)), rng.random(30)
    prior = np.array([0.2, 0.01, 0.1])
    found = stacking_weights(scores, counts, prior)

    def total(w: np.ndarray) -> float:
        return float(counts / counts.sum() @ np.log(np.exp(scores) @ w) + prior @ np.log(w))

    assert found.sum() == pytest.approx(1.0)
    others = np.vstack([rng.dirichlet(np.ones(3), 200), found + 1e-3 * (np.eye(3) - 1 / 3)])
    assert all(total(found) >= total(other) - 1e-9 for other in others)


def test_where_all_rows_say_the_same_of_all_laws_the_prior_decides() -> None:
    found = stacking_weights(np.zeros((5, 2)), prior=np.array([0.03, 0.01]))
    np.testing.assert_allclose(found, [0.75, 0.25], rtol=1e-4)
    np.testing.assert_allclose(stacking_weights(np.zeros((5, 4))), np.full(4, 0.25))


def test_scores_far_below_zero_do_not_underflow() -> None:
    scores = np.random.default_rng(2).standard_normal((20, 3))
    lower = stacking_weights(scores - 5000.0)
    np.testing.assert_allclose(lower, stacking_weights(scores), rtol=1e-9)


def test_stacking_weights_maximise_the_log_score_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((40, 3))
    weights = stacking_weights(scores)

    def total(w: np.ndarray) -> float:
        return float(np.sum(np.log(np.exp(scores) @ w)))

    for _ in range(200):
        other = rng.dirichlet(np.ones(3))
        assert total(weights) >= total(other) - 1e-6
