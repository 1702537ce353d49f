"""Numeric answers that closed forms of laws are checked against."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from inspect import getdoc
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
    minimum: Any = minimize_scalar(
        lambda u: float(function(np.exp(u))),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.exp(minimum.x)), float(minimum.fun)


def check_draws_by_inputs(
    function: Callable[..., Any], draws: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> None:
    """A quantity takes draws (3, 1) and two inputs as it takes each alone, and without warnings.

    It exists at the first inputs, for every draw.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = np.asarray(function(draws, **inputs))
    columns = 2 if inputs else 1
    assert values.shape == (3, columns)
    for i in range(3):
        one = {n: float(v[i, 0]) for n, v in draws.items()}
        for j in range(columns):
            alone = function(one, **{x: float(v[j]) for x, v in inputs.items()})
            np.testing.assert_allclose(values[i, j], alone, rtol=1e-12)
    assert np.isfinite(values[:, 0]).all()
    assert getdoc(function)
