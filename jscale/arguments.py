"""Checks of arguments that many functions take: levels, counts, seeds."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from jscale.errors import JscaleError


def check_level(level: float) -> float:
    """Return a level as a float; raises JscaleError unless it lies strictly in (0, 1)."""
    if not (isinstance(level, Real) and 0.0 < level < 1.0):
        raise JscaleError(f"level={level!r} must lie strictly between 0 and 1, such as 0.9.")
    return float(level)


def check_count(name: str, value: Any, example: str) -> int:
    """Return a number of draws; raises JscaleError unless it is whole, and 2 or more."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 2:
        raise JscaleError(f"{name}={value!r} must be a whole number, at least 2: {example}.")
    return int(value)


def check_seed(seed: Any) -> int:
    """Return a seed; raises JscaleError unless it is a whole number, 0 or more."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise JscaleError(f"seed={seed!r} must be a whole number, 0 or more, such as 0.")
    return int(seed)
