"""What plots of plans share: bands, a panel of probabilities, legends of plain words, checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jscale.errors import PredictionError
from jscale.plots.words import unit_of

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"
# Told apart by people of any colour vision (Okabe and Ito).
COLORS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", GREY)
# Points are drawn where there are fewer.
_FEW = 20


def with_band(
    ax: Any, x: Any, band: Sequence[Any], color: str, label: str, sure: str | None
) -> None:
    """Draw a line in its band; a bar for a single place, where a band would not be seen."""
    x, middle, low, high = (np.asarray(v, dtype=np.float64) for v in (x, *band))
    if len(x) == 1:
        bars = np.nan_to_num(np.maximum([middle - low, high - middle], 0.0), posinf=0.0)
        ax.errorbar(x, middle, yerr=bars, fmt="none", color=color, lw=1.6, capsize=3, label=sure)
    else:
        ax.fill_between(x, low, high, color=color, alpha=0.25, lw=0, label=sure)
    ax.plot(x, middle, "o-", ms=3 if len(x) < _FEW else 0, color=color, lw=1.5, label=label)


def panel(ax: Any, lines: list[tuple[Any, Any, str]], label: str) -> None:
    """Draw probabilities over the same places in a panel above."""
    above = ax.inset_axes((0.0, 1.05, 1.0, 0.25), sharex=ax)
    for x, share, color in lines:
        above.plot(x, share, "o-", ms=3 if len(x) < _FEW else 0, color=color, lw=1.3)
    above.set(ylim=(-0.06, 1.06), yticks=[0.0, 0.5, 1.0])
    above.set_ylabel(label, parse_math=False, fontsize="small")
    above.tick_params(labelbottom=False)


def with_own_unit(name: str) -> str:
    """Name an input with its unit, where the glossary knows it."""
    return f"{name} ({unit_of(name)})" if unit_of(name) else name


def with_legend(ax: Any) -> Any:
    """Give Axes a legend of plain words."""
    legend = ax.legend(frameon=False, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return ax


def check(found: Any, wanted: type, plot: str, call: str) -> None:
    """Raise PredictionError for what is not the result that a plot shows."""
    if not isinstance(found, wanted):
        raise PredictionError(f"{plot} takes the result of {call}, not {type(found).__name__}.")


def axes(ax: Any) -> Any:
    """Return the Axes given, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, 4.0), layout="constrained")[1]
