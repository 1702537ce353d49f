"""The domain of a chosen input under its law, given the other inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jscale.fitting.result import Fit
from jscale.model.law import Law

_LARGE = 1e9


def stand_ins(fit: Fit, names: Sequence[str]) -> dict[str, float]:
    """Return values within the domain for inputs yet to be chosen, to check the others with."""
    values = {}
    for name in names:
        _, high = fit.law.limits.get(name, (0.0, np.inf))
        values[name] = float(high if np.isfinite(high) else fit.runs[name].max() * _LARGE)
    return values


def domain_of(law: Law, name: str, others: Mapping[str, Any]) -> tuple[float, float]:
    """Return the least and the greatest value of an input, given the others (numbers or arrays)."""
    low, high = law.limits.get(name, (0.0, np.inf))
    for least, most in law.ordered:
        if most == name and least in others:
            low = max(low, float(np.max(others[least])))
        if least == name and most in others:
            high = min(high, float(np.min(others[most])))
    return low, high
