"""The compute-optimal path: the inputs of lowest output at each compute, at the point estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.data.flops import training_flops
from jscale.fitting.result import Fit
from jscale.prediction.components import Component, estimate
from jscale.prediction.predictor import Predictor

# How far past the fitted sizes the optimum is looked for, and on how many sizes.
_BEYOND = 100.0
_SIZES = 300
_FINER = 21
# Rows evaluated together.
_ROWS = 8192


def optimal_path(predictor: Predictor, budgets: Any) -> pd.DataFrame:
    """Return N, D and C of the lowest output at each compute C = 6·N·D, one row each.

    Without draws, this costs a small part of what :func:`jscale.allocate` does. A compute whose
    optimum lies beyond a hundred times the fitted sizes has no row. A law of the compute alone has
    C itself as its path.

    Parameters
    ----------
    predictor : Predictor
        What predicts from N and D, or from C.
    budgets : array_like, shape (b,)
        The compute, in FLOPs.

    Returns
    -------
    DataFrame
        At most b rows.
    """
    fit = predictor.reference
    C = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if fit.law.inputs == ("C",):
        return pd.DataFrame({"C": C})
    low, high = np.log([fit.runs["N"].min() / _BEYOND, fit.runs["N"].max() * _BEYOND])
    logs = np.tile(np.linspace(low, high, _SIZES), (len(C), 1))
    component = estimate(predictor.components)
    lowest = _lowest(fit, component, logs, C)
    inside = (lowest > 0) & (lowest < _SIZES - 1)
    C, middle = C[inside], logs[np.arange(len(C)), lowest][inside]
    if len(C):
        # A second, finer grid; the bottom of a parabola is then exact to about 1e-7.
        step = (high - low) / (_SIZES - 1)
        logs = middle[:, None] + step * np.linspace(-1.0, 1.0, _FINER)
        middle = _refined(logs, _outputs(fit, component, logs, C))
    N = np.exp(middle)
    return pd.DataFrame({"N": N, "D": C / training_flops(N, 1.0), "C": C})


def _lowest(fit: Fit, component: Component, logs: np.ndarray, C: np.ndarray) -> np.ndarray:
    return np.argmin(_outputs(fit, component, logs, C), axis=1)


def _outputs(fit: Fit, component: Component, logs: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Return the estimate's output (b, sizes), to be minimised; infinite where there is none."""
    grid = pd.DataFrame({"N": np.exp(logs).ravel(), "C": np.repeat(C, logs.shape[1])})
    grid["D"] = grid["C"] / training_flops(grid["N"], 1.0)
    parts = [
        component.at(grid.iloc[first : first + _ROWS], component.point[None])[0]
        for first in range(0, len(grid), _ROWS)
    ]
    output = np.concatenate(parts).reshape(logs.shape)
    sign = -1.0 if {"N", "D"} & set(fit.law.rising) else 1.0
    return np.where(np.isfinite(output), sign * output, np.inf)


def _refined(logs: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the bottom of the parabola through each row's lowest point and its neighbours."""
    rows = np.arange(len(logs))
    lowest = np.clip(np.argmin(output, axis=1), 1, logs.shape[1] - 2)
    before, at, after = (output[rows, lowest + k] for k in (-1, 0, 1))
    bend = before - 2.0 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend > 0, 0.5 * (before - after) / bend, 0.0)
    step = logs[:, 1] - logs[:, 0]
    return logs[rows, lowest] + step * np.clip(np.nan_to_num(shift), -1.0, 1.0)
