"""Plots of a fit: observed against fitted values, residuals, isoFLOP slices, and prediction bands.

Functions that draw one panel take Matplotlib Axes (or make them) and return them;
:func:`overview` draws several panels and returns a Figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale.errors import ExtrapolationWarning, PredictionError, listing
from jscale.fitting.result import Fit
from jscale.planning.path import optimal_path
from jscale.plots import drawing as draw
from jscale.plots.words import with_unit
from jscale.prediction.components import curves
from jscale.prediction.predict import predict
from jscale.prediction.prediction import Prediction
from jscale.prediction.predictor import Predictor, is_within_law
from jscale.prediction.sources import predictor_of
from jscale.uncertainty.draws import Draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Runs within this factor of a budget are shown with its slice.
_NEAR = 1.3
_PATH_BUDGETS = 60


def _output_label(fit: Fit) -> str:
    return with_unit(fit.law.output, fit.runs)


def observed_and_fitted(
    fit: Fit, *, ax: Axes | None = None, held_out: pd.DataFrame | None = None
) -> Axes:
    """Plot observed against fitted output; on the diagonal, the fit is exact.

    Parameters
    ----------
    fit : Fit
        The fit whose runs are shown.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.
    held_out : pandas.DataFrame, optional
        Runs that were not fitted, one per row: the columns ``curve`` (predicted) and ``observed``,
        and optionally ``prediction_low`` and ``prediction_high`` (drawn as horizontal bars).

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> ax = js.plots.observed_and_fitted(fit)
    >>> ax.get_xlabel()
    'fitted loss (nats)'
    """
    ax = draw.axes_or_new(ax)
    observed = fit.runs[fit.law.output]
    ax.scatter(fit.fitted, observed, s=16, color=draw.BLUE, alpha=0.7, lw=0, label="fitted runs")
    low, high = min(fit.fitted.min(), observed.min()), max(fit.fitted.max(), observed.max())
    if held_out is not None and len(held_out):
        _held_out_points(ax, held_out)
        low = min(low, held_out["curve"].min(), held_out["observed"].min())
        high = max(high, held_out["curve"].max(), held_out["observed"].max())
    ax.axline((low, low), (high, high), color=draw.GREY, lw=0.8, zorder=0)
    ax.set(xlabel=f"fitted {_output_label(fit)}", ylabel=f"observed {_output_label(fit)}")
    ax.legend(frameon=False)
    return ax


def _held_out_points(ax: Axes, held_out: pd.DataFrame) -> None:
    curve, observed = held_out["curve"], held_out["observed"]
    style: dict[str, Any] = {"s": 26, "color": draw.ORANGE, "marker": "D", "lw": 0, "zorder": 3}
    ax.scatter(curve, observed, label="held-out runs", **style)
    if "prediction_low" in held_out:
        bars = [curve - held_out["prediction_low"], held_out["prediction_high"] - curve]
        bars = np.maximum(bars, 0.0)
        ax.errorbar(curve, observed, xerr=bars, fmt="none", color=draw.ORANGE, lw=1)


def residuals(fit: Fit, *, against: str | None = None, ax: Axes | None = None) -> Axes:
    """Plot residuals against an input.

    Residuals are observed minus fitted. Those of logarithms are shown as
    100·(observed/fitted − 1), in percent.

    Parameters
    ----------
    fit : Fit
        The fit whose residuals are shown.
    against : str, optional
        The input on the x-axis; by default ``"C"`` if the runs have compute, else the law's first
        input.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If ``against`` is not an input of the runs.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> ax = js.plots.residuals(fit, against="N")
    >>> ax.get_ylabel()
    'observed / fitted − 1 (%)'
    """
    ax = draw.axes_or_new(ax)
    name = against or ("C" if "C" in fit.runs.inputs else fit.law.inputs[0])
    if name not in fit.runs.inputs:
        raise PredictionError(f"No input {name!r}; plot against one of {listing(fit.runs.inputs)}.")
    log = fit.settings.objective.space == "log"
    # Fit.residuals are fitted minus observed, in the objective's space.
    values = 100 * np.expm1(-fit.residuals) if log else -fit.residuals
    ax.axhline(0.0, color=draw.GREY, lw=0.8)
    ax.scatter(fit.runs[name], values, s=16, color=draw.BLUE, alpha=0.7, lw=0)
    draw.log_x_if_positive(ax, fit.runs[name])
    relative, absolute = "observed / fitted − 1 (%)", f"residual ({fit.settings.objective.space})"
    ax.set(xlabel=name, ylabel=relative if log else absolute)
    return ax


def isoflop_slices(
    fit: Fit, *, budgets: Sequence[float] | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the fitted output over N at constant compute C = 6·N·D, with the runs near each budget.

    A cross marks each slice's minimum. Runs within a factor of 1.3 of a budget have its colour.
    Slices are drawn where D is at most twice beyond the fitted range.

    Parameters
    ----------
    fit : Fit
        A fit of a law of N and D, with the same parameters for all runs.
    budgets : sequence of float, optional
        Compute of each slice, in FLOPs; by default four across the fitted range.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If the law has other inputs than N and D, or parameters per group.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> ax = js.plots.isoflop_slices(fit, budgets=[1e10, 1e11])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['C = 1.0e+10', 'C = 1.0e+11']
    """
    if set(fit.law.inputs) != {"N", "D"} or fit.settings.per:
        raise PredictionError(
            "isoFLOP slices need a law of N and D with the same parameters for all runs; "
            f"{fit.law.name} is a law of {listing((*fit.law.inputs, *fit.settings.per.values()))}. "
            "Use bands(prediction, …)."
        )
    ax = draw.axes_or_new(ax)
    C, N, observed = fit.runs["C"], fit.runs["N"], fit.runs[fit.law.output]
    chosen = np.geomspace(np.quantile(C, 0.15), C.max(), 4) if budgets is None else budgets
    for budget, color in zip(chosen, draw.sequential(len(chosen)), strict=True):
        table = _slice(fit, budget)
        if table.empty:
            continue
        x, line = table["N"].to_numpy(), curves(fit, table, fit.params.to_numpy()[None])[0]
        ax.plot(x, line, color=color, label=f"C = {budget:.1e}")
        lowest = int(np.argmin(line))
        # At an end of the slice the lowest point is not a minimum over N.
        if 0 < lowest < len(line) - 1:
            ax.plot(x[lowest], line[lowest], "x", color=color)
        near = (budget / _NEAR < C) & (budget * _NEAR > C)
        ax.scatter(N[near], observed[near], s=16, color=color, lw=0)
    ax.set_xscale("log")
    ax.set(xlabel="N", ylabel=_output_label(fit))
    ax.legend(frameon=False, fontsize="small")
    return ax


def _slice(fit: Fit, budget: float) -> pd.DataFrame:
    """Return N and D across the fitted sizes at constant compute, where D is near the fitted D."""
    N, D = fit.runs["N"], fit.runs["D"]
    sizes = np.geomspace(N.min(), N.max(), 120)
    table = pd.DataFrame({"N": sizes, "D": budget / (6 * sizes)})
    return table.loc[table["D"].between(D.min() / 2, D.max() * 2)]


def bands(
    prediction: Prediction,
    *,
    along: str,
    ax: Axes | None = None,
    observed: pd.DataFrame | None = None,
) -> Axes:
    """Plot a prediction's curve with its confidence and prediction bands along one column.

    Parameters
    ----------
    prediction : Prediction
        The result of :func:`jscale.predict`; without intervals, only the curve is drawn.
    along : str
        The column of the prediction on the x-axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.
    observed : pandas.DataFrame, optional
        Runs to add as points: a table with the columns ``along`` and the predicted output.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If the prediction or ``observed`` has no column ``along``.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> prediction = js.predict(js.laplace(fit, 100), N=[1e4, 1e5, 3e5], D=5e6)
    >>> ax = js.plots.bands(prediction, along="N")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['90% prediction interval', '90% confidence interval', 'curve']
    """
    for table in (prediction.frame, observed):
        if table is not None and along not in table:
            raise PredictionError(
                f"No column {along!r} to plot along; there are {listing(list(table), 20)}."
            )
    ax = draw.axes_or_new(ax)
    frame = prediction.frame.sort_values(along)
    if "prediction_low" in frame:
        for kind, alpha in (("prediction", 0.15), ("confidence", 0.35)):
            low, high = frame[f"{kind}_low"], frame[f"{kind}_high"]
            label = f"{100 * prediction.level:g}% {kind} interval"
            style: dict[str, Any] = {"color": draw.BLUE, "alpha": alpha, "lw": 0, "label": label}
            ax.fill_between(frame[along], low, high, **style)
    ax.plot(frame[along], frame["curve"], color=draw.BLUE, lw=1.5, label="curve")
    if observed is not None:
        style = {"s": 18, "color": draw.GREY, "alpha": 0.7, "lw": 0, "zorder": 3}
        ax.scatter(observed[along], observed[prediction.output], label="runs", **style)
    draw.log_x_if_positive(ax, frame[along])
    ax.set(xlabel=along, ylabel=prediction.output)
    ax.legend(frameon=False, fontsize="small")
    return ax


def law_alone(fit: Fit, table: pd.DataFrame, *, along: str, ax: Axes) -> Axes:
    """Add the curve of the fitted law alone, dashed, to a plot of a forecast's bands.

    Parameters
    ----------
    fit : Fit
        The fit.
    table : pandas.DataFrame
        Inputs, one row per point.
    along : str
        The column of the table on the x-axis.
    ax : matplotlib.axes.Axes
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> prediction = js.predict(fit, N=[1e4, 1e5, 3e5], D=5e6)
    >>> ax = js.plots.bands(prediction, along="N")
    >>> ax = js.plots.law_alone(fit, prediction.frame, along="N", ax=ax)
    >>> ax.get_legend().get_texts()[-1].get_text()
    'chinchilla alone'
    """
    frame = table.sort_values(along)
    line = curves(fit, frame, fit.params.to_numpy()[None])[0]
    ax.plot(frame[along], line, color=draw.GREY, lw=1.2, ls="--", label=f"{fit.law.name} alone")
    ax.legend(frameon=False, fontsize="small")
    return ax


def overview(
    fit: Fit,
    source: Draws | Predictor,
    *,
    held_out: pd.DataFrame | None = None,
    level: float = 0.9,
) -> Figure:
    """Plot a fit at a glance, in a figure of two to four panels.

    The panels are :func:`observed_and_fitted`, :func:`residuals`, :func:`isoflop_slices` (for laws
    of N and D) and the output along the compute-optimal path with its :func:`bands` (for laws of
    N and D, or of C). The last two need the same parameters for all runs.

    Parameters
    ----------
    fit : Fit
        The fit to show.
    source : Draws or Predictor
        What the bands are of: draws of the fit, or a forecast, beside which the law alone is
        dashed.
    held_out : pandas.DataFrame, optional
        Runs that were not fitted, as in :func:`observed_and_fitted`; with a column ``C``, the path
        extends to the largest of them, and shows them.
    level : float, default 0.9
        Level of the equal-tailed bands, between 0 and 1.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. A notebook shows it if it is the value of a cell; elsewhere in a cell, call
        ``display(figure)``.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> figure = js.plots.overview(fit, js.laplace(fit, 100))
    >>> len(figure.axes)
    4
    """
    predictor = predictor_of(source, caller="overview")
    surface = set(fit.law.inputs) == {"N", "D"} and not fit.settings.per
    along_compute = surface or (fit.law.inputs == ("C",) and not fit.settings.per)
    rows = 2 if along_compute else 1
    figure = draw.new_figure(11.0, 4.0 * rows)
    axes = list(figure.subplots(rows, 2).flat)
    observed_and_fitted(fit, ax=axes[0], held_out=held_out)
    residuals(fit, ax=axes[1])
    if surface:
        isoflop_slices(fit, ax=axes[2])
    if along_compute:
        _along_compute(fit, predictor, held_out, level, axes[3 if surface else 2])
    for ax in axes:
        ax.set_visible(ax.has_data())
    figure.suptitle(f"{fit.law.name}: {fit.law.output} = {fit.law.formula or '(custom)'}")
    return figure


def _along_compute(
    fit: Fit, predictor: Predictor, held_out: pd.DataFrame | None, level: float, ax: Axes
) -> None:
    """Plot the optimal output over compute, to ten times the fitted range or the last run."""
    furthest = fit.runs["C"].max() * 10
    held = held_out if held_out is not None and len(held_out) and "C" in held_out else None
    if held is not None:
        furthest = max(furthest, 1.2 * held["C"].max())
    path = optimal_path(predictor, np.geomspace(fit.runs["C"].min(), furthest, _PATH_BUDGETS))
    if len(path) < 2:
        return
    with warnings.catch_warnings():
        # The plot extends beyond the fitted range on purpose.
        warnings.simplefilter("ignore", ExtrapolationWarning)
        prediction = predict(predictor, path, level=level)
    bands(prediction, along="C", ax=ax, observed=fit.runs.frame)
    if not is_within_law(predictor):
        law_alone(fit, path, along="C", ax=ax)
    if held is not None:
        style: dict[str, Any] = {"s": 24, "color": draw.ORANGE, "marker": "D", "lw": 0, "zorder": 4}
        ax.scatter(held["C"], held["observed"], label="held-out runs", **style)
        ax.legend(frameon=False, fontsize="small")
    optimal = "" if fit.law.inputs == ("C",) else ", along the compute-optimal path"
    ax.set(xlabel=f"C (FLOPs{optimal})", ylabel=_output_label(fit))
