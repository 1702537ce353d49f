"""Optima that have no closed form: where a slope changes from negative to positive."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

# They reduce an interval to rounding error.
_HALVINGS = 60


def first_minimum(slope: Callable[[Any], Any], low: float, high: float, cells: int = 96) -> Any:
    """Return the least x at which a slope rises through zero.

    Parameters
    ----------
    slope : callable
        An elementwise function of arrays, which may broadcast x with parameters that it closes
        over.
    low, high : float
        The interval to search.
    cells : int, optional
        Number of steps in which the interval is scanned. Two roots within one step are missed.

    Returns
    -------
    ndarray
        The root for each element; NaN where the slope does not rise through zero.

    Notes
    -----
    The first step over which the sign changes is halved until it is as small as rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from jscale.laws.bisection import first_minimum
    >>> first_minimum(lambda x: x**2 - np.array([4.0, 200.0]), 0.0, 10.0).round(9).tolist()
    [2.0, nan]
    """
    edges = np.linspace(low, high, cells + 1)
    before = np.asarray(slope(edges[0]))
    left = np.full(before.shape, np.nan)
    for start, end in pairwise(edges):
        after = np.asarray(slope(end))
        # Only the first change of sign counts, so a place that is taken is kept.
        left = np.where(np.isnan(left) & (before <= 0) & (after > 0), start, left)
        before = after
    right = left + (edges[1] - edges[0])
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        rising = slope(middle) > 0
        left, right = np.where(rising, left, middle), np.where(rising, middle, right)
    return 0.5 * (left + right)
