"""Plots. Every function takes a matplotlib Axes (or makes one) and returns it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.prediction.predict import Prediction, curves, predict
from jscale.uncertainty.draws import Draws

_BLUE, _ORANGE, _GREY = "#1f5fa8", "#d9730d", "#777777"
_NEAR = 1.3


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, 4.0), layout="constrained")[1]


def _label(fit: Fit) -> str:
    unit = fit.runs.loss_unit
    return fit.law.output if unit == "other" else f"{fit.law.output} ({unit})"


def observed_and_fitted(fit: Fit, *, ax: Any = None, held_out: pd.DataFrame | None = None) -> Any:
    """Plot observed against fitted output; the diagonal is a perfect fit.

    ``held_out`` adds runs that the fit did not see: a table with columns ``curve``,
    ``observed``, and optionally ``prediction_low`` and ``prediction_high``.
    """
    ax = _axes(ax)
    observed = fit.runs[fit.law.output]
    ax.scatter(fit.fitted, observed, s=16, color=_BLUE, alpha=0.7, lw=0, label="fitted runs")
    low, high = min(fit.fitted.min(), observed.min()), max(fit.fitted.max(), observed.max())
    if held_out is not None and len(held_out):
        _held_out_points(ax, held_out)
        low = min(low, held_out["curve"].min(), held_out["observed"].min())
        high = max(high, held_out["curve"].max(), held_out["observed"].max())
    ax.axline((low, low), (high, high), color=_GREY, lw=0.8, zorder=0)
    ax.set(xlabel=f"fitted {_label(fit)}", ylabel=f"observed {_label(fit)}")
    ax.legend(frameon=False)
    return ax


def _held_out_points(ax: Any, held_out: pd.DataFrame) -> None:
    ax.scatter(
        held_out["curve"], held_out["observed"], s=26, color=_ORANGE, marker="D", lw=0,
        label="held-out runs", zorder=3,
    )  # fmt: skip
    if "prediction_low" in held_out:
        curve = held_out["curve"]
        bars = [curve - held_out["prediction_low"], held_out["prediction_high"] - curve]
        ax.errorbar(
            curve, held_out["observed"], xerr=np.maximum(bars, 0.0), fmt="none", color=_ORANGE,
            lw=1,
        )  # fmt: skip


def residuals(fit: Fit, *, against: str | None = None, ax: Any = None) -> Any:
    """Plot residuals in the objective's space against an input (C if there is one).

    Raises PredictionError if ``against`` is not an input of the runs.
    """
    ax = _axes(ax)
    name = against or ("C" if "C" in fit.runs.inputs else fit.law.inputs[0])
    if name not in fit.runs.inputs:
        raise PredictionError(f"No input {name!r}; plot against one of {listing(fit.runs.inputs)}.")
    log = fit.settings.objective.space == "log"
    ax.axhline(0.0, color=_GREY, lw=0.8)
    values = -fit.residuals * (100 if log else 1)
    ax.scatter(fit.runs[name], values, s=16, color=_BLUE, alpha=0.7, lw=0)
    ax.set_xscale("log")
    what = "observed over fitted − 1 (%)" if log else f"residual ({fit.settings.objective.space})"
    ax.set(xlabel=name, ylabel=what)
    return ax


def isoflop_slices(fit: Fit, *, budgets: Sequence[float] | None = None, ax: Any = None) -> Any:
    """Plot fitted loss against N at constant compute C = 6·N·D, with the runs near each budget.

    ``budgets`` are in FLOPs (default: four across the fitted range). A cross marks each
    slice's minimum. Raises PredictionError for a law that is not of N and D.
    """
    if set(fit.law.inputs) != {"N", "D"} or fit.settings.per:
        raise PredictionError(f"isoFLOP slices need a law of N and D; {fit.law.name} is not one.")
    ax = _axes(ax)
    C, N, observed = fit.runs["C"], fit.runs["N"], fit.runs[fit.law.output]
    chosen = np.geomspace(np.quantile(C, 0.15), C.max(), 4) if budgets is None else budgets
    sizes = np.geomspace(N.min(), N.max(), 120)
    import matplotlib as mpl

    colors = mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(chosen)))
    for budget, color in zip(chosen, colors, strict=True):
        table = pd.DataFrame({"N": sizes, "D": budget / (6 * sizes)})
        table = table[table["D"].between(fit.runs["D"].min() / 2, fit.runs["D"].max() * 2)]
        if table.empty:
            continue
        line = curves(fit, table, fit.params.to_numpy()[None])[0]
        ax.plot(table["N"], line, color=color, label=f"C = {budget:.1e}")
        lowest = int(np.argmin(line))
        if 0 < lowest < len(line) - 1:
            ax.plot(table["N"].iloc[lowest], line[lowest], "x", color=color)
        near = (budget / _NEAR < C) & (budget * _NEAR > C)
        ax.scatter(N[near], observed[near], s=16, color=color, lw=0)
    ax.set_xscale("log")
    ax.set(xlabel="N", ylabel=_label(fit))
    ax.legend(frameon=False, fontsize="small")
    return ax


def bands(
    prediction: Prediction, *, along: str, ax: Any = None, observed: pd.DataFrame | None = None
) -> Any:
    """Plot a prediction's curve, confidence band and prediction band along one of its columns.

    ``observed`` adds points: a table with the column ``along`` and the predicted output.
    Raises PredictionError if a table lacks the column.
    """
    for table in (prediction.frame, observed):
        if table is not None and along not in table:
            raise PredictionError(f"No column {along!r}; there are {listing(list(table))}.")
    ax = _axes(ax)
    frame = prediction.frame.sort_values(along)
    percent = f"{100 * prediction.level:g}%"
    if "prediction_low" in frame:
        ax.fill_between(
            frame[along], frame["prediction_low"], frame["prediction_high"],
            color=_BLUE, alpha=0.15, lw=0, label=f"{percent} of new runs",
        )  # fmt: skip
        ax.fill_between(
            frame[along], frame["confidence_low"], frame["confidence_high"],
            color=_BLUE, alpha=0.35, lw=0, label=f"{percent} confidence in the curve",
        )  # fmt: skip
    ax.plot(frame[along], frame["curve"], color=_BLUE, lw=1.5, label="curve")
    if observed is not None:
        ax.scatter(
            observed[along], observed[prediction.output], s=18, color=_ORANGE, lw=0, zorder=3
        )
    ax.set_xscale("log")
    ax.set(xlabel=along, ylabel=prediction.output)
    ax.legend(frameon=False, fontsize="small")
    return ax


def _optimal_path(fit: Fit, furthest: float) -> pd.DataFrame:
    """Inputs of lowest fitted loss for each compute: by search over N, for a law of N and D."""
    budgets = np.geomspace(fit.runs["C"].min(), furthest, 60)
    if fit.law.inputs == ("C",):
        return pd.DataFrame({"C": budgets})
    sizes = np.geomspace(fit.runs["N"].min() / 30, fit.runs["N"].max() * 30, 400)
    grid = pd.DataFrame({"N": np.tile(sizes, 60), "C": np.repeat(budgets, 400)})
    grid["D"] = grid["C"] / (6 * grid["N"])
    output = curves(fit, grid, fit.params.to_numpy()[None])[0]
    best = output.reshape(60, 400).argmin(axis=1) + 400 * np.arange(60)
    return grid.iloc[best].reset_index(drop=True)


def overview(
    fit: Fit, draws: Draws, *, held_out: pd.DataFrame | None = None, level: float = 0.9
) -> Any:
    """Make a figure of four plots that show a fit at a glance; returns the matplotlib Figure.

    Observed against fitted, residuals, isoFLOP slices, and the loss along the compute-optimal
    path with its bands (the last two only for laws of N and D, or of C).
    """
    import warnings

    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplots(2, 2)
    observed_and_fitted(fit, ax=axes[0, 0], held_out=held_out)
    residuals(fit, ax=axes[0, 1])
    surface = set(fit.law.inputs) == {"N", "D"} and not fit.settings.per
    if surface:
        isoflop_slices(fit, ax=axes[1, 0])
    if surface or fit.law.inputs == ("C",):
        furthest = fit.runs["C"].max() * 10
        if held_out is not None and len(held_out):
            furthest = max(furthest, held_out["C"].max())
        points = fit.runs.frame[["C", fit.law.output]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = predict(draws, _optimal_path(fit, furthest), level=level)
        bands(path, along="C", ax=axes[1, 1], observed=points)
        axes[1, 1].set_xlabel("C (FLOPs, along the compute-optimal path)")
    for ax in axes.flat:
        if not ax.has_data():
            ax.set_visible(False)
    figure.suptitle(f"{fit.law.name}: {fit.law.output} = {fit.law.formula or '(custom)'}")
    return figure
