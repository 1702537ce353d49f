"""Designs shared by several planted worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd


def grid(N: np.ndarray, D: np.ndarray) -> pd.DataFrame:
    """Cross sizes N and numbers of tokens D."""
    return pd.DataFrame([(n, d) for n in N for d in D], columns=["N", "D"])


def compute(low: float, high: float, rows: int) -> pd.DataFrame:
    """Return values of compute C, evenly spaced in the logarithm."""
    return pd.DataFrame({"C": np.geomspace(low, high, rows)})


SURFACE = grid(np.geomspace(1e8, 1e10, 9), np.geomspace(2e9, 2e11, 10))
