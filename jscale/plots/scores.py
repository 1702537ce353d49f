"""Plots of how well predictions did: errors of compared laws, and measured coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale.comparison.comparison import Comparison
from jscale.errors import JscaleError, PredictionError, listing
from jscale.plots import drawing as draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Larger absolute errors, relative to the measured output, are drawn at this one.
_LARGEST_ERROR = 3.0
_BINS = 5


def comparison(result: Comparison, *, ax: Axes | None = None) -> Axes:
    """Plot each law's error against how far a run lies beyond the fitted compute.

    A point is a predicted run. A line joins the medians of a law's absolute relative errors in
    five logarithmic bins. Errors above 300% are drawn at 300%.

    Parameters
    ----------
    result : Comparison
        The result of :func:`jscale.compare` or :func:`jscale.rollout`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If the runs of no split have compute.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> result = js.compare(["chinchilla"], small)
    >>> ax = js.plots.comparison(result)
    >>> ax.get_xlabel()
    'compute / largest fitted compute'
    """
    rows = result.rows[np.isfinite(result.rows["extrapolation"])]
    if not len(rows):
        raise PredictionError(
            "These runs have no compute C, so there is no extrapolation to plot the errors against."
        )
    ax = draw.axes_or_new(ax)
    edges = np.geomspace(
        rows["extrapolation"].min(), rows["extrapolation"].max() * 1.001, _BINS + 1
    )
    bins = np.clip(np.digitize(rows["extrapolation"], edges), 1, _BINS)
    # Colours follow the order in which the laws were given, not their rank, so that a law keeps
    # its colour from one plot to the next.
    given = list(dict.fromkeys(result.rows["law"]))
    color_of = dict(zip(given, draw.colors(len(given)), strict=True))
    for law in result.table.index:
        of_law = (rows["law"] == law).to_numpy()
        x = rows["extrapolation"][of_law]
        error = 100 * np.minimum(rows["absolute_error"][of_law], _LARGEST_ERROR)
        medians = pd.DataFrame({"x": x, "error": error}).groupby(bins[of_law]).median()
        ax.scatter(x, error, s=12, color=color_of[law], alpha=0.35, lw=0)
        ax.plot(medians["x"], medians["error"], color=color_of[law], lw=1.8, label=law)
    _log_axes_of_plain_numbers(ax)
    ax.set(xlabel="compute / largest fitted compute", ylabel="absolute error (%)")
    ax.legend(frameon=False)
    return ax


def _log_axes_of_plain_numbers(ax: Axes) -> None:
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    ax.set(xscale="log", yscale="log")
    for axis, ticks in ((ax.xaxis, (1.0, 2.0, 5.0)), (ax.yaxis, (1.0,))):
        axis.set_major_locator(LogLocator(subs=ticks))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())


def coverage(table: pd.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """Plot measured against nominal coverage; calibrated intervals lie on the diagonal.

    Error bars are two Monte-Carlo standard errors.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per point, with the columns ``level`` and ``measured`` (nominal and measured
        coverage, both between 0 and 1), and either ``error`` (Monte-Carlo standard error of
        ``measured``) or ``count`` (number of cases). Without either there are no error bars.
    by : str, optional
        The column that distinguishes the lines; by default the first other column of text.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    JscaleError
        If a column is missing, or a level or coverage lies outside 0 to 1.

    Examples
    --------
    >>> import jscale as js, pandas as pd
    >>> table = pd.DataFrame({"level": [0.5, 0.9], "measured": [0.47, 0.88], "count": 400})
    >>> ax = js.plots.coverage(table)
    >>> ax.get_ylabel()
    'measured coverage'
    """
    _check_coverage(table, by)
    by = by or _first_text_column(table)
    ax = draw.axes_or_new(ax, 4.2)
    ax.plot([0, 1], [0, 1], color=draw.GREY, lw=0.8, zorder=0)
    parts: list[Any] = [("", table)] if by is None else list(table.groupby(by, sort=False))
    for place, ((name, part), color) in enumerate(zip(parts, draw.colors(len(parts)), strict=True)):
        part = part.sort_values("level")
        # Lines are shifted a little, so that their error bars do not hide each other.
        level = part["level"] + 0.006 * (place - (len(parts) - 1) / 2)
        # Matplotlib leaves a label that begins with an underscore out of the legend.
        label = None if by is None else str(name).lstrip("_")
        bars = 2 * _standard_errors(part)
        style: dict[str, Any] = {"marker": "o", "ms": 4, "lw": 1.2, "elinewidth": 1.0}
        ax.errorbar(level, part["measured"], yerr=bars, color=color, label=label, **style)
    least = max(0.0, float(table[["level", "measured"]].to_numpy().min()) - 0.08)
    ax.set(xlim=(least, 1.01), ylim=(least, 1.01))
    ax.set(xlabel="nominal coverage", ylabel="measured coverage")
    return ax if by is None else draw.add_legend(ax, loc="lower right")


def _check_coverage(table: pd.DataFrame, by: str | None) -> None:
    """Raise JscaleError for missing columns, and for shares outside 0 to 1."""
    missing = [c for c in ("level", "measured", by) if c is not None and c not in table]
    if missing:
        raise JscaleError(
            f"The table has no column {listing(missing)}; it needs level, measured, and error or "
            f"count. Its columns are {listing(list(table), 20)}."
        )
    for name in ("level", "measured"):
        if not table[name].between(0, 1).all():
            outside = table.index[~table[name].between(0, 1)].tolist()
            raise JscaleError(
                f"{name} must be between 0 and 1; it is not in row {listing(outside)}."
            )


def _first_text_column(table: pd.DataFrame) -> str | None:
    others = [c for c in table if c not in ("level", "measured", "error", "count")]
    return next((c for c in others if not pd.api.types.is_numeric_dtype(table[c])), None)


def _standard_errors(table: pd.DataFrame) -> np.ndarray:
    """Return Monte-Carlo standard errors; zero if the number of cases is unknown."""
    if "error" in table:
        return table["error"].to_numpy(dtype=float)
    if "count" in table:
        share = table["measured"].to_numpy(dtype=float)
        return np.sqrt(share * (1 - share) / table["count"].to_numpy(dtype=float))
    return np.zeros(len(table))
