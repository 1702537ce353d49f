"""Responses: the transform of an outcome that a law models, so that intervals stay in range.

A loss is modelled unchanged, on a logarithmic scale. An outcome between 0 and 1 is modelled by its
odds, or by the odds of its complement if it rises with scale: the logarithm of the odds is the
logit, and no interval leaves the range.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PLAIN, ODDS, FAILURE_ODDS = "plain", "odds", "odds of failure"
RESPONSES = (PLAIN, ODDS, FAILURE_ODDS)


def to_response(values: Any, response: str) -> Any:
    """Map outcomes to the response that the law models.

    >>> to_response(np.array([0.8]), "odds of failure").round(3)
    array([0.25])
    """
    if response == PLAIN:
        return values
    odds = values / (1.0 - values)
    return odds if response == ODDS else 1.0 / odds


def from_response(values: Any, response: str) -> Any:
    """Map responses back to outcomes: the inverse of :func:`to_response`."""
    if response == PLAIN:
        return values
    return values / (1.0 + values) if response == ODDS else 1.0 / (1.0 + values)


def falls(response: str) -> bool:
    """Whether the outcome falls where the response rises, so that interval ends swap."""
    return response == FAILURE_ODDS


def response_of(y: np.ndarray, output: str, size: np.ndarray) -> str:
    """Return the response that suits outcomes (n,) at sizes (n,): plain for a loss.

    An outcome that is not called a loss and lies strictly between 0 and 1 is modelled by its odds:
    those of failure where it rises with size (Spearman's rank correlation above zero).
    """
    if output == "loss" or not ((y > 0) & (y < 1)).all():
        return PLAIN
    return FAILURE_ODDS if _rank_correlation(size, y) > 0 else ODDS


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    # A double argsort gives ranks without importing scipy.stats.
    ranks = [np.argsort(np.argsort(v, kind="stable"), kind="stable") for v in (x, y)]
    matrix = np.asarray(np.corrcoef(np.stack(ranks)))
    return float(matrix[0, 1])
