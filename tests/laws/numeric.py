"""Numeric answers that closed forms of laws are checked against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar


def solve(function: Callable[[float], float], low: float, high: float) -> float:
    """Return x in [low, high], both positive, with function(x) = 0; searched in log x."""
    from_log: Any = brentq(lambda u: function(np.exp(u)), np.log(low), np.log(high), xtol=1e-14)
    return float(np.exp(from_log))


def lowest(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return where a function of a positive number is lowest, and its value there."""
    bounds = (np.log(low), np.log(high))
    found: Any = minimize_scalar(
        lambda u: float(function(np.exp(u))), bounds=bounds, method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return float(np.exp(found.x)), float(found.fun)
