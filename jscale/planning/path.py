"""The compute-optimal path: the inputs of lowest output at each compute, at the point estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.data.flops import training_flops
from jscale.prediction.components import Component, estimate
from jscale.prediction.predictor import Predictor

# How far past the fitted sizes the optimum is looked for, and on how many sizes.
_BEYOND = 100.0
_SIZES = 300
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
    logs = np.linspace(low, high, _SIZES)
    sign = -1.0 if {"N", "D"} & set(fit.law.rising) else 1.0
    output = sign * _outputs(estimate(predictor.components), np.exp(logs), C)
    lowest = np.argmin(np.where(np.isfinite(output), output, np.inf), axis=1)
    inside = (lowest > 0) & (lowest < _SIZES - 1)
    N = np.exp(_refined(logs, output[inside], lowest[inside]))
    C = C[inside]
    return pd.DataFrame({"N": N, "D": C / training_flops(N, 1.0), "C": C})


def _outputs(component: Component, sizes: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Return the estimate's output at each compute and size (b, sizes)."""
    grid = pd.DataFrame({"N": np.tile(sizes, len(C)), "C": np.repeat(C, len(sizes))})
    grid["D"] = grid["C"] / training_flops(grid["N"], 1.0)
    parts = [
        component.at(grid.iloc[first : first + _ROWS], component.point[None])[0]
        for first in range(0, len(grid), _ROWS)
    ]
    return np.concatenate(parts).reshape(len(C), len(sizes))


def _refined(logs: np.ndarray, output: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """Return the bottom of the parabola through each lowest point and its neighbours."""
    rows = np.arange(len(lowest))
    before, at, after = (output[rows, lowest + k] for k in (-1, 0, 1))
    bend = before - 2.0 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend > 0, 0.5 * (before - after) / bend, 0.0)
    step = logs[1] - logs[0]
    return logs[lowest] + step * np.clip(np.nan_to_num(shift), -1.0, 1.0)
