"""Fits without this library: SciPy's curve_fit of a law, and a line in logarithms."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

import jscale as js

# Where curve_fit starts: published constants, in the units of parameters and tokens.
HOFFMANN = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}
_MOST = 20_000
_BRUTE = 6


def fitted_curve(name: str, small: pd.DataFrame, large: pd.DataFrame) -> np.ndarray | None:
    """Return a law's predictions of the large runs, fitted by curve_fit in logarithms, or None.

    The fit starts from one published or guessed point, as common scripts do; positive parameters
    are fitted as logarithms.
    """
    law = js.laws.get(name)
    start = _start(law, small)
    if start is None or len(small) < len(start):
        return None
    positive = np.array([law.role(n).support == "positive" for n in law.names])

    def logs(x: np.ndarray, *theta: float) -> np.ndarray:
        values = np.where(positive, np.exp(np.clip(theta, -200, 200)), theta)
        with np.errstate(all="ignore"):
            out = np.log(np.asarray(law(*x, **dict(zip(law.names, values, strict=True)))))
        return np.nan_to_num(out, nan=50.0, posinf=50.0, neginf=-50.0)

    x = small[list(law.inputs)].to_numpy().T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theta, _ = optimize.curve_fit(logs, x, np.log(small["loss"]), p0=start, maxfev=_MOST)
        except (RuntimeError, optimize.OptimizeWarning):
            return None
    return np.exp(logs(large[list(law.inputs)].to_numpy().T, *theta))


def _start(law: js.Law, small: pd.DataFrame) -> list[float] | None:
    axis = law.inputs[0]
    slope, intercept = np.polyfit(np.log(small[axis]), np.log(small["loss"]), 1)
    floor = 0.7 * small["loss"].min()
    rate, scale = np.log(max(-slope, 1e-3)), intercept
    known = {
        "power": [scale, rate],
        "power_const": [np.log(floor), scale, rate],
        "chinchilla": [np.log(HOFFMANN[n]) for n in ("E", "A", "alpha", "B", "beta")],
        "chinchilla_tied": [np.log(HOFFMANN[n]) for n in ("E", "A", "B", "alpha")],
        "farseer": list(next(iter(js.laws.get("farseer").published.values())).values()),
    }
    return known.get(law.name.partition(":")[0])


def frontier_line(small: pd.DataFrame, large: pd.DataFrame) -> np.ndarray:
    """Return a power law of C through the compute frontier, at the large runs."""
    best = js.frontier(js.Runs.from_frame(small)).table
    line = np.polyfit(np.log(best["C"]), np.log(best["loss"]), 1)
    return np.exp(np.polyval(line, np.log(large["C"])))


def one_break(x: np.ndarray, a: float, b: float, c0: float, c1: float, d: float, f: float) -> Any:
    """Return the logarithm of the law with one break; a, b, f and the break are logarithms."""
    logs, smooth = np.log(x), np.exp(f)
    with np.errstate(all="ignore"):
        past = np.logaddexp(0.0, (logs - d) / smooth)
        return np.log(np.exp(a) + np.exp(b - c0 * logs - c1 * smooth * past))


def broken_by_scipy(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit one break as its authors do: a grid over all six parameters, then curve_fit.

    Returns the parameters of :func:`one_break` and the mean squared error of ln y.
    """
    logs, target = np.log(x), np.log(y)

    def loss(theta: np.ndarray) -> float:
        value = float(np.mean((one_break(x, *theta) - target) ** 2))
        return value if np.isfinite(value) else 1e9

    box = (
        (target.min() - 4, target.min()),
        (target[0] - 1, target[0] + 1 + 0.5 * logs[0]),
        (0, 0.6),
        (0, 0.8),
        (logs.min(), logs.max()),
        (-2.5, 1.0),
    )
    best = optimize.brute(loss, box, Ns=_BRUTE, finish=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            better, _ = optimize.curve_fit(one_break, x, target, p0=best, maxfev=10 * _MOST)
        except RuntimeError:
            better = best
    return better, loss(better)
