"""Surfaces: the optimum of a fitted law of N and D at each compute, without parabolas.

A parabola is exact only for a slice that is symmetric in ln N. On a fitted surface without noise,
at exactly the points of the runs, its bias is isolated (arXiv:2603.22339).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.errors import JscaleError, LawError, listing
from jscale.fitting.fit import fit
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.components import curves

_DEFAULT = "chinchilla"
_POINTS = 101
_ROUNDS = 3
_BEYOND = 100.0


def check_surface(law: Any) -> None:
    """Raise unless ``law`` is a Fit of a law of N and D, the same for all runs (or None)."""
    if law is None:
        return
    if not isinstance(law, Fit):
        raise JscaleError(
            f"law must be a Fit of a law of N and D, not {type(law).__name__}: "
            f'law=js.fit("{_DEFAULT}", runs), or leave it out to have that one.'
        )
    if set(law.law.inputs) != {"N", "D"} or law.settings.per:
        raise LawError(
            f"The surface must be a law of N and D, the same for all runs; {law.law.name} is of "
            f"{listing((*law.law.inputs, *law.settings.per.values()))}: "
            f'law=js.fit("{_DEFAULT}", runs).'
        )


def default_surface(runs: Runs) -> tuple[Fit | None, Note]:
    """Fit the default law to all runs; return the fit (None if that fails) and a note on it."""
    frame = runs.frame.copy()
    if "D" not in runs.inputs:
        frame["D"] = runs["C"] / (6 * runs["N"])
    # Chinchilla predicts a column named "loss", whatever the output is called here.
    frame["loss"] = runs[runs.output]
    inputs = ("N", "D", *(x for x in runs.inputs if x not in ("N", "D")))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the note lists the same findings
            surface = fit(_DEFAULT, replace(runs, frame=frame, inputs=inputs, output="loss"))
    except JscaleError as error:
        return None, Note(
            "no-surface",
            "caution",
            f"{_DEFAULT} cannot be fitted to these runs: {error}",
            "The bias of the parabolas is unknown.",
            "Give a fitted surface: law=….",
        )
    codes = [note.code for note in surface.notes]
    return surface, Note(
        "surface-fitted",
        "info",
        f"The surface is {_DEFAULT} fitted to all {len(runs)} rows; its notes: "
        f"{listing(codes, 20) or 'none'}.",
        "The bias of the parabolas is what it would be if that law were right.",
        "",
    )


def on_slice(surface: Fit, N: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Return the surface's loss at sizes N (m,) trained with compute C = 6·N·D (m,)."""
    table = pd.DataFrame({"N": N, "D": C / (6 * N)})
    return curves(surface, table, surface.params.to_numpy()[None])[0]


def optimum(surface: Fit, C: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the N of lowest loss at each compute C (k,), and that loss (k,).

    Searches ln N from a hundredth of ``low`` to a hundred times ``high`` on three successively
    finer grids, then takes the vertex of the parabola through the last three points. NaN where the
    lowest loss lies at an end of that range.
    """
    ends = np.repeat(np.log([[low / _BEYOND, high * _BEYOND]]), len(C), axis=0)
    x, loss, inside = _around_lowest(surface, C, ends)
    for _ in range(_ROUNDS - 1):
        x, loss, _ = _around_lowest(surface, C, x[:, [0, 2]])
    before, middle, after = loss.T
    with np.errstate(all="ignore"):
        step = (before - after) / (2 * (before - 2 * middle + after))
        N = np.exp(x[:, 1] + step * (x[:, 2] - x[:, 0]) / 2)
    return np.where(inside, N, np.nan), np.where(inside, middle, np.nan)


def _around_lowest(
    surface: Fit, C: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search a grid of ln N between ``ends`` (k, 2) for the lowest loss.

    Returns the three ln N around it (k, 3), their losses (k, 3), and whether it lies inside (k,).
    """
    x = np.linspace(ends[:, 0], ends[:, 1], _POINTS, axis=1)
    loss = on_slice(surface, np.exp(x).ravel(), np.repeat(C, _POINTS)).reshape(x.shape)
    # A law may be undefined at extreme sizes: such points are never the lowest.
    lowest = np.where(np.isfinite(loss), loss, np.inf).argmin(axis=1)
    inside = (lowest > 0) & (lowest < _POINTS - 1)
    three = np.clip(lowest, 1, _POINTS - 2)[:, None] + [-1, 0, 1]
    return np.take_along_axis(x, three, 1), np.take_along_axis(loss, three, 1), inside
