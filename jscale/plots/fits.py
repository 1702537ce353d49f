"""Plots. Every function takes a matplotlib Axes (or makes one) and returns it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from jscale.comparison.comparison import Comparison
from jscale.curves.frontier import Frontier
from jscale.curves.isoflop import IsoFlop
from jscale.data.runs import Runs
from jscale.errors import ExtrapolationWarning, PredictionError, listing
from jscale.fitting.result import Fit
from jscale.prediction.predict import Prediction, curves, predict
from jscale.uncertainty.draws import Draws

_BLUE, _ORANGE, _GREY = "#1f5fa8", "#d9730d", "#777777"
# Told apart by people of any colour vision (Okabe and Ito).
_COLORS = (_BLUE, _ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", _GREY)
_NEAR = 1.3
_MOST_NAMED = 10


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, 4.0), layout="constrained")[1]


def new_figure(width: float, height: float) -> Any:
    """Make a figure of several plots, for ``plt.show()`` in a script.

    A notebook would show it twice, as a figure of pyplot's and as what the cell returns; there it
    is the latter alone.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    if "inline" in plt.get_backend():
        plt.close(figure)
    return figure


def _label(fit: Fit) -> str:
    return _with_unit(fit.law.output, fit.runs)


def _with_unit(output: str, runs: Runs) -> str:
    unit = runs.loss_unit
    return output if unit == "other" or "loss" not in output else f"{output} ({unit})"


def _log_if_positive(ax: Any, values: Any) -> None:
    if (np.asarray(values) > 0).all():
        ax.set_xscale("log")


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
    """Plot residuals against an input (C if there is one), in percent for a log space.

    Raises PredictionError if ``against`` is not an input of the runs.
    """
    ax = _axes(ax)
    name = against or ("C" if "C" in fit.runs.inputs else fit.law.inputs[0])
    if name not in fit.runs.inputs:
        raise PredictionError(f"No input {name!r}; plot against one of {listing(fit.runs.inputs)}.")
    log = fit.settings.objective.space == "log"
    ax.axhline(0.0, color=_GREY, lw=0.8)
    values = 100 * np.expm1(-fit.residuals) if log else -fit.residuals
    ax.scatter(fit.runs[name], values, s=16, color=_BLUE, alpha=0.7, lw=0)
    _log_if_positive(ax, fit.runs[name])
    what = "observed over fitted − 1 (%)" if log else f"residual ({fit.settings.objective.space})"
    ax.set(xlabel=name, ylabel=what)
    return ax


def isoflop_slices(fit: Fit, *, budgets: Sequence[float] | None = None, ax: Any = None) -> Any:
    """Plot fitted loss against N at constant compute C = 6·N·D, with the runs near each budget.

    ``budgets`` are in FLOPs (default: four across the fitted range). A cross marks each
    slice's minimum. Raises PredictionError for a law that is not of N and D.
    """
    if set(fit.law.inputs) != {"N", "D"} or fit.settings.per:
        raise PredictionError(
            f"isoFLOP slices need a law of N and D, the same for all runs; {fit.law.name} is of "
            f"{listing((*fit.law.inputs, *fit.settings.per.values()))}. Use bands(prediction, …)."
        )
    ax = _axes(ax)
    C, N, observed = fit.runs["C"], fit.runs["N"], fit.runs[fit.law.output]
    chosen = np.geomspace(np.quantile(C, 0.15), C.max(), 4) if budgets is None else budgets
    sizes = np.geomspace(N.min(), N.max(), 120)
    import matplotlib as mpl

    colors = mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(chosen)))
    for budget, color in zip(chosen, colors, strict=True):
        table = pd.DataFrame({"N": sizes, "D": budget / (6 * sizes)})
        low, high = fit.runs["D"].min() / 2, fit.runs["D"].max() * 2
        table = table.loc[table["D"].between(low, high)]
        if table.empty:
            continue
        line = curves(fit, table, fit.params.to_numpy()[None])[0]
        at = table["N"].to_numpy()
        ax.plot(at, line, color=color, label=f"C = {budget:.1e}")
        lowest = int(np.argmin(line))
        if 0 < lowest < len(line) - 1:
            ax.plot(at[lowest], line[lowest], "x", color=color)
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
            raise PredictionError(
                f"No column {along!r} to plot along; there are {listing(list(table), 20)}."
            )
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
            observed[along], observed[prediction.output], s=18, color=_GREY, alpha=0.7, lw=0,
            zorder=3, label="runs",
        )  # fmt: skip
    _log_if_positive(ax, frame[along])
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


def comparison(found: Comparison, *, ax: Any = None) -> Any:
    """Plot each law's error against how far past the fitted compute a run lies.

    A point is a predicted run; lines join the medians of its law's absolute errors in bins of
    even width; errors above 300 % are drawn there. Raises PredictionError where no split had
    runs with compute.
    """
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    ax = _axes(ax)
    rows = found.rows[np.isfinite(found.rows["extrapolation"])]
    if not len(rows):
        raise PredictionError("These runs have no compute C to say how far past it they lie.")
    edges = np.geomspace(rows["extrapolation"].min(), rows["extrapolation"].max() * 1.001, 6)
    place = np.clip(np.digitize(rows["extrapolation"], edges), 1, len(edges) - 1)
    # By the order in which laws were given, so that a law keeps its colour from picture to picture.
    colors = dict(zip(dict.fromkeys(found.rows["law"]), cycle(_COLORS), strict=False))
    for name in found.table.index:
        color = colors[name]
        own = (rows["law"] == name).to_numpy()
        x, error = rows["extrapolation"][own], 100 * np.minimum(rows["absolute_error"][own], 3.0)
        ax.scatter(x, error, s=12, color=color, alpha=0.35, lw=0)
        middle = pd.DataFrame({"x": x, "error": error}).groupby(place[own]).median()
        ax.plot(middle["x"], middle["error"], color=color, lw=1.8, label=name)
    ax.set(xscale="log", yscale="log", xlabel="compute over the largest fitted",
           ylabel="absolute error (%)")  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if axis is ax.xaxis else (1.0,)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False)
    return ax


def frontier(found: Frontier, *, ax: Any = None) -> Any:
    """Plot the loss of all runs over compute, those of the frontier in blue, on log axes."""
    from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

    ax = _axes(ax)
    runs, output = found.all_runs, found.all_runs.output
    ax.scatter(runs["C"], runs[output], s=12, color=_GREY, alpha=0.4, lw=0, label="all runs")
    best = found.table
    ax.plot(best["C"], best[output], "o-", color=_BLUE, ms=4, lw=1.2, label="frontier")
    ax.set(xscale="log", xlabel="C (FLOPs)", ylabel=_with_unit(output, runs))
    if (runs[output] > 0).all():
        ax.set_yscale("log")  # losses rarely span a decade: plain numbers at even steps
        ax.yaxis.set_major_locator(MaxNLocator(7))
        ax.yaxis.set_major_formatter(ScalarFormatter())
        ax.yaxis.set_minor_locator(NullLocator())
    ax.legend(frameon=False)
    return ax


def isoflop(found: IsoFlop, *, ax: Any = None) -> Any:
    """Plot each budget's runs and parabola over N; a diamond marks the parabola's minimum.

    A cross marks the optimum of the fitted surface. Parabolas of budgets at an edge are dashed
    and have no diamond.
    """
    import matplotlib as mpl

    ax = _axes(ax)
    output, table = found.runs.output, found.table
    colors = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, len(table)))
    named = table.index[:: -(-len(table) // _MOST_NAMED)]
    for budget, color in zip(table.index, colors, strict=True):
        own = found.points[found.points["budget"] == budget]
        row, shape = table.loc[budget], found.parabolas.loc[budget]
        x = np.linspace(np.log(own["N"].min()), np.log(own["N"].max()), 120)
        line = np.polyval(shape[["curvature", "slope", "level"]], x - shape["centre"])
        ax.scatter(own["N"], own[output], s=14, color=color, alpha=0.7, lw=0)
        style = "--" if row["at_edge"] else "-"
        label = f"C = {row['C']:.2g}" if budget in named else None
        ax.plot(np.exp(x), line, style, color=color, lw=1.2, label=label)
        if not row["at_edge"]:
            ax.plot(row["N"], row[output], "D", color=color, mec="black", ms=6)
        ax.plot(row["surface_N"], row["surface_loss"], "x", color="black", mew=1.5)
    ax.plot([], [], "D", color="white", mec="black", label="minimum")
    if found.surface is not None:
        ax.plot([], [], "x", color="black", label=f"optimum of {found.surface.law.name}")
    ax.set(xscale="log", xlabel="N", ylabel=_with_unit(output, found.runs))
    ax.legend(frameon=False, fontsize="small", ncols=1 if len(named) <= 5 else 2)
    return ax


def overview(
    fit: Fit, draws: Draws, *, held_out: pd.DataFrame | None = None, level: float = 0.9
) -> Any:
    """Make a figure of up to four plots that show a fit at a glance, a matplotlib Figure.

    Observed against fitted, residuals, isoFLOP slices, and the loss along the compute-optimal
    path with its bands (the last two only for laws of N and D, or of C, with no parameter per
    group). A notebook shows the figure where it is what a cell returns; elsewhere in a cell,
    ``display(figure)`` shows it.
    """
    surface = set(fit.law.inputs) == {"N", "D"} and not fit.settings.per
    along_compute = surface or (fit.law.inputs == ("C",) and not fit.settings.per)
    rows = 2 if along_compute else 1
    figure = new_figure(11.0, 4.0 * rows)
    axes = list(figure.subplots(rows, 2).flat)
    observed_and_fitted(fit, ax=axes[0], held_out=held_out)
    residuals(fit, ax=axes[1])
    if surface:
        isoflop_slices(fit, ax=axes[2])
    if along_compute:
        _along_compute(fit, draws, held_out, level, axes[3 if surface else 2])
    for ax in axes:
        ax.set_visible(ax.has_data())
    figure.suptitle(f"{fit.law.name}: {fit.law.output} = {fit.law.formula or '(custom)'}")
    return figure


def _along_compute(
    fit: Fit, draws: Draws, held_out: pd.DataFrame | None, level: float, ax: Any
) -> None:
    """Plot the lowest loss at each compute, to ten times the fitted one or the last run."""
    furthest = fit.runs["C"].max() * 10
    if held_out is not None and len(held_out) and "C" in held_out:
        furthest = max(furthest, held_out["C"].max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        path = predict(draws, _optimal_path(fit, furthest), level=level)
    bands(path, along="C", ax=ax, observed=fit.runs.frame)
    optimal = "" if fit.law.inputs == ("C",) else ", along the compute-optimal path"
    ax.set(xlabel=f"C (FLOPs{optimal})", ylabel=_label(fit))
