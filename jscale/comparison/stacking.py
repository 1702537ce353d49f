"""Stacking: weights that give a mixture of laws the best log score on measured runs."""

from __future__ import annotations

import numpy as np

_ITERATIONS = 300


def stacking_weights(
    log_scores: np.ndarray, counts: np.ndarray | None = None, prior: np.ndarray | None = None
) -> np.ndarray:
    """Return weights (K,) that give the mixture of K laws the best log score on rows (n, K).

    They maximise Σ c·ln Σ w_k·exp(score_k) + Σ prior_k·ln w_k with w ≥ 0 and Σ w = 1, by
    expectation–maximisation, which cannot leave that set (Yao et al. 2018,
    doi:10.1214/17-BA1091). ``counts`` c (n,) are equal by default and taken as shares of
    their sum, ``prior`` (K,) is zero.

    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.1]])).round(3)
    array([1., 0.])
    """
    n, K = log_scores.shape
    share_of = np.full(n, 1.0 / n) if counts is None else counts / counts.sum()
    extra = np.zeros(K) if prior is None else prior
    density = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    weights = np.full(K, 1.0 / K)
    for _ in range(_ITERATIONS):
        share = density * weights
        weights = share_of @ (share / share.sum(axis=1, keepdims=True)) + extra
        weights = weights / weights.sum()
    return weights
