"""Quantiles of samples by column, fast also where some samples are NaN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def quantiles(
    samples: np.ndarray, at: Sequence[float], weights: np.ndarray | None = None
) -> np.ndarray:
    """Return quantiles of each column of samples (R, m), NaN left out: (len(at), m).

    Linear between samples, as NumPy's. With ``weights`` (R, m) a sample lies at the middle of
    its share of the total. NaN where a column has no sample.

    >>> quantiles(np.array([[1.0], [2.0], [3.0], [np.nan]]), (0.5,))
    array([[2.]])
    """
    order = np.argsort(samples, axis=0)  # NaN last
    ordered = np.take_along_axis(samples, order, axis=0)
    usable = ~np.isnan(ordered)
    if weights is None:
        return _of_equal(ordered, usable.sum(axis=0), at)
    share = np.where(usable, np.take_along_axis(weights, order, axis=0), 0.0)
    total = share.sum(axis=0)
    with np.errstate(invalid="ignore"):
        middle = (np.cumsum(share, axis=0) - 0.5 * share) / total
    ends = np.full((len(at), samples.shape[1]), np.nan)
    for j in np.flatnonzero(total > 0):
        some = share[:, j] > 0
        ends[:, j] = np.interp(at, middle[some, j], ordered[some, j])
    return ends


def _of_equal(ordered: np.ndarray, count: np.ndarray, at: Sequence[float]) -> np.ndarray:
    last = np.maximum(count - 1, 0)
    ends = np.empty((len(at), ordered.shape[1]))
    for k, q in enumerate(at):
        place = q * last
        below = place.astype(int)
        above = np.minimum(below + 1, last)
        low = np.take_along_axis(ordered, below[None], axis=0)[0]
        high = np.take_along_axis(ordered, above[None], axis=0)[0]
        with np.errstate(invalid="ignore"):  # infinite neighbours
            between = low + (place - below) * (high - low)
        ends[k] = np.where((low == high) | (place == below) | np.isneginf(low), low, between)
    return ends
