"""What the plots share: Axes and figures, colours, bands, legends and checks of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from jscale.errors import PredictionError
from jscale.plots.words import unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"
# The palette of Okabe and Ito: distinguishable with any kind of colour vision.
COLORS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", GREY)
# Lines through fewer points than this show the points.
_FEW_POINTS = 20


def axes_or_new(ax: Axes | None, height: float = 4.0) -> Axes:
    """Return the given Axes, or those of a new figure."""
    if ax is not None:
        return ax
    # Matplotlib is imported when the first plot is drawn, so that ``import jscale`` stays fast.
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, height), layout="constrained")[1]


def new_figure(width: float, height: float) -> Figure:
    """Return a new figure for several panels, registered with pyplot for ``plt.show()``.

    The inline backend of notebooks shows every open figure of pyplot at the end of a cell, and the
    cell also shows the figure that it returns. There the figure is closed in pyplot, so that it
    appears once.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    if "inline" in plt.get_backend():
        plt.close(figure)
    return figure


def sequential(count: int, first: float = 0.1) -> Any:
    """Return ``count`` colours of an ordered scale, as rows of RGBA values (count, 4)."""
    import matplotlib as mpl

    return mpl.colormaps["viridis"](np.linspace(first, 0.85, count))


def colors(count: int) -> list[str]:
    """Return ``count`` colours of the palette, repeated where there are more than it has."""
    return list(islice(cycle(COLORS), count))


def log_x_if_positive(ax: Axes, values: Any) -> None:
    """Use a logarithmic x-axis if all values allow it."""
    if (np.asarray(values) > 0).all():
        ax.set_xscale("log")


def plot_with_band(
    ax: Axes, x: Any, band: Sequence[Any], color: str, label: str, band_label: str | None
) -> None:
    """Plot a line and its interval: a band, or an error bar if there is only one point.

    ``band`` holds the line and the lower and upper ends of the interval, each (points,).
    """
    x, middle, low, high = (np.asarray(v, dtype=np.float64) for v in (x, *band))
    if len(x) == 1:
        # Matplotlib refuses infinite bars; an open end is drawn without a bar.
        bars = np.nan_to_num(np.maximum([middle - low, high - middle], 0.0), posinf=0.0)
        ax.errorbar(
            x, middle, yerr=bars, fmt="none", color=color, lw=1.6, capsize=3, label=band_label
        )
    else:
        ax.fill_between(x, low, high, color=color, alpha=0.25, lw=0, label=band_label)
    ax.plot(x, middle, "o-", ms=_marker_size(x), color=color, lw=1.5, label=label)


def _marker_size(x: np.ndarray) -> float:
    return 3.0 if len(x) < _FEW_POINTS else 0.0


def add_probabilities(ax: Axes, lines: list[tuple[Any, Any, str]], label: str) -> None:
    """Add a panel of probabilities above the Axes, on the same x-axis."""
    above = ax.inset_axes((0.0, 1.05, 1.0, 0.25), sharex=ax)
    for x, probability, color in lines:
        above.plot(x, probability, "o-", ms=_marker_size(x), color=color, lw=1.3)
    above.set(ylim=(-0.06, 1.06), yticks=[0.0, 0.5, 1.0])
    above.set_ylabel(label, parse_math=False, fontsize="small")
    above.tick_params(labelbottom=False)


def input_with_unit(name: str) -> str:
    """Return the name of an input with its unit, if the glossary knows it."""
    return f"{name} ({unit_of(name)})" if unit_of(name) else name


def add_legend(ax: Axes, **options: Any) -> Axes:
    """Add a legend whose labels are shown literally, and return the Axes.

    Labels hold names from the user's table: a ``$`` in them must not start a formula.
    """
    legend = ax.legend(frameon=False, fontsize="small", **options)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return ax


def check_result(result: Any, wanted: type, plot: str, call: str) -> None:
    """Raise PredictionError unless ``result`` is of the type that a plot shows."""
    if not isinstance(result, wanted):
        raise PredictionError(f"{plot} takes the result of {call}, not {type(result).__name__}.")
