"""Plots of what is read off raw runs: the compute frontier and isoFLOP parabolas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale.curves.frontier import Frontier
from jscale.curves.isoflop import IsoFlop
from jscale.plots import drawing as draw
from jscale.plots.words import with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMED = 10


def frontier(result: Frontier, *, ax: Axes | None = None) -> Axes:
    """Plot the output of all runs over compute, with the frontier's runs in blue.

    Both axes are logarithmic if the outputs allow it.

    Parameters
    ----------
    result : Frontier
        The result of :func:`jscale.frontier`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Examples
    --------
    >>> import jscale as js
    >>> result = js.frontier(js.datasets.load("stdlib_lm"), resamples=20)
    >>> ax = js.plots.frontier(result)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('C (FLOPs)', 'loss (nats)')
    """
    ax = draw.axes_or_new(ax)
    runs, best, output = result.all_runs, result.table, result.all_runs.output
    ax.scatter(runs["C"], runs[output], s=12, color=draw.GREY, alpha=0.4, lw=0, label="all runs")
    ax.plot(best["C"], best[output], "o-", color=draw.BLUE, ms=4, lw=1.2, label="frontier")
    ax.set(xscale="log", xlabel="C (FLOPs)", ylabel=with_unit(output, runs))
    if (runs[output] > 0).all():
        _log_y_of_losses(ax)
    ax.legend(frameon=False)
    return ax


def _log_y_of_losses(ax: Axes) -> None:
    """Use a logarithmic y-axis with plain numbers at even steps: losses rarely span a decade."""
    from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(MaxNLocator(7))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())


def isoflop(result: IsoFlop, *, ax: Axes | None = None) -> Axes:
    """Plot each budget's runs over N with their parabola.

    A diamond marks the minimum of a parabola, a cross the optimum of the fitted surface at that
    budget. The parabola of a budget whose minimum lies outside its runs is dashed and has no
    diamond.

    Parameters
    ----------
    result : IsoFlop
        The result of :func:`jscale.isoflop`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> result = js.isoflop(table[table["part"] == "isoflop"], resamples=20)
    >>> ax = js.plots.isoflop(result)
    >>> [text.get_text() for text in ax.get_legend().get_texts()][-1]
    'optimum of chinchilla'
    """
    ax = draw.axes_or_new(ax)
    table = result.table
    # A legend of at most ten budgets, evenly spaced.
    named = table.index[:: -(-len(table) // _MOST_NAMED)]
    for budget, color in zip(table.index, draw.sequential(len(table), 0.0), strict=True):
        row, shape = table.loc[budget].to_dict(), result.parabolas.loc[budget].to_dict()
        points = result.points.loc[result.points["budget"] == budget]
        label = f"C = {row['C']:.2g}" if budget in named else None
        _parabola(ax, result, row, shape, points, color, label)
    ax.plot([], [], "D", color="white", mec="black", label="minimum")
    if result.surface is not None:
        ax.plot([], [], "x", color="black", label=f"optimum of {result.surface.law.name}")
    ax.set(xscale="log", xlabel="N", ylabel=with_unit(result.runs.output, result.runs))
    ax.legend(frameon=False, fontsize="small", ncols=1 if len(named) <= 5 else 2)
    return ax


def _parabola(
    ax: Axes,
    result: IsoFlop,
    row: dict[str, Any],
    shape: dict[str, Any],
    points: pd.DataFrame,
    color: Any,
    label: str | None,
) -> None:
    """Plot one budget: ``row`` and ``shape`` are its rows of the table and of the parabolas."""
    output = result.runs.output
    x = np.linspace(np.log(points["N"].min()), np.log(points["N"].max()), 120)
    line = np.polyval([shape[c] for c in ("curvature", "slope", "level")], x - shape["centre"])
    ax.scatter(points["N"], points[output], s=14, color=color, alpha=0.7, lw=0)
    ax.plot(np.exp(x), line, "--" if row["at_edge"] else "-", color=color, lw=1.2, label=label)
    if not row["at_edge"]:
        ax.plot(row["N"], row[output], "D", color=color, mec="black", ms=6)
    ax.plot(row["surface_N"], row["surface_loss"], "x", color="black", mew=1.5)
