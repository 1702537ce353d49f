"""Rules that give training compute from parameters and tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def training_flops(N: ArrayLike, D: ArrayLike) -> np.ndarray:
    """Return training compute by the rule C = 6·N·D, in FLOPs (float64).

    N parameters, D tokens; shapes broadcast. Inputs are cast to float64 first: the same
    product of int64 numbers silently overflows past 2⁶³. Source: arXiv:2001.08361, §2.1.

    >>> float(training_flops(70_000_000_000, 1_400_000_000_000))
    5.88e+23
    """
    return 6.0 * np.asarray(N, dtype=np.float64) * np.asarray(D, dtype=np.float64)
