"""Paths of optima: N* = coefficient·C^exponent by least squares of logarithms, with intervals.

A resample is a row of weights, so that all resamples are computed together.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from jscale.uncertainty.draws import tails

_SAME = 1e-12  # points whose log compute differs by less than a millionth count as equal


def log_lines(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return intercepts and slopes (R, 2) of weighted least-squares lines y = a + b·x.

    ``weights`` (R, n) is zero where a point takes no part, ``x`` is (n,), ``y`` (n,) or (R, n).
    NaN where fewer than two different x take part.
    """
    # 0·NaN is NaN: a point that takes no part must not spoil the sums.
    y = np.where(weights > 0, y, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        middle = weights @ x[:, None] / total
        height = (weights * y).sum(axis=1, keepdims=True) / total
        # Centred, so that the sums of squares do not cancel.
        away = weights * (x - middle)
        spread = (away * (x - middle)).sum(axis=1)
        slope = (away * (y - height)).sum(axis=1) / spread
        lines = np.stack([height[:, 0] - slope * middle[:, 0], slope], axis=1)
    lines[~(spread > _SAME * total[:, 0])] = np.nan
    return lines


def bounds(samples: np.ndarray, level: float) -> np.ndarray:
    """Return equal-tailed bounds (2, …) of samples (R, …), ignoring NaN; NaN where all are NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "All-NaN slice": the answer is NaN
        return np.nanquantile(samples, tails(level), axis=0)


def path_table(lines: Mapping[str, np.ndarray], level: float) -> pd.DataFrame:
    """Return a row per input: coefficient and exponent of its path, each with its bounds.

    ``lines`` (1 + R, 2) hold log coefficient and exponent of the estimate, then of the resamples.
    """
    rows = {}
    for name, values in lines.items():
        low, high = bounds(values[1:], level)
        rows[name] = [*np.exp([values[0, 0], low[0], high[0]]), values[0, 1], low[1], high[1]]
    columns = [
        f"{name}{end}" for name in ("coefficient", "exponent") for end in ("", "_low", "_high")
    ]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("input")
