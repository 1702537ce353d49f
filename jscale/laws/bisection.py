"""The optimum of a quantity that has no closed form: where a slope turns from falling to rising."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

_HALVINGS = 60


def first_minimum(slope: Callable[[Any], Any], low: float, high: float, cells: int = 96) -> Any:
    """Return the least x in [low, high] where a slope rises through zero, and NaN if none does.

    ``slope`` is an elementwise function of arrays; it may broadcast x with parameters of its own.
    The interval is walked in ``cells`` steps, so that two roots closer than a step are missed,
    and the first step over which the sign changes is halved until it is as small as rounding.

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
        left = np.where(np.isnan(left) & (before <= 0) & (after > 0), start, left)
        before = after
    right = left + (edges[1] - edges[0])
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        rising = slope(middle) > 0
        left, right = np.where(rising, left, middle), np.where(rising, middle, right)
    return 0.5 * (left + right)
