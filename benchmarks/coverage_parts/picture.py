"""The plot of coverage: measured against nominal, for the default method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.coverage_parts.measure import LEVELS

_QUANTITIES = ("curve 1x", "curve 10x", "new run 1x", "new run 10x")
_COLORS = {20: "#d9730d", 60: "#1f5fa8", 240: "#009e73"}


def draw(found: pd.DataFrame, method: str, path: Path) -> None:
    """Plot the coverage of one method: one line per scenario, wrong laws dashed in grey."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    own = found[found["method"] == method]
    for ax, quantity in zip(figure.subplots(2, 2).flat, _QUANTITIES, strict=True):
        ax.plot([0, 100], [0, 100], color="black", lw=0.8)
        for _, row in own[own["quantity"] == quantity].iterrows():
            y = [row[f"{100 * level:g}%"] for level in LEVELS]
            style = (
                {"color": _COLORS[row["runs"]], "ls": "-"}
                if row["right"]
                else {"color": "#777777", "ls": "--"}
            )
            ax.plot(100 * np.array(LEVELS), y, marker="o", ms=3, lw=1, alpha=0.7, **style)
        ax.set(
            title=quantity,
            xlabel="nominal coverage (%)",
            ylabel="measured coverage (%)",
            xlim=(40, 100),
            ylim=(0, 102),
        )
    for count, color in _COLORS.items():
        figure.axes[0].plot([], [], color=color, label=f"{count} runs")
    figure.axes[0].plot([], [], "--", color="#777777", label="a wrong law")
    figure.axes[0].legend(frameon=False)
    figure.suptitle(f"Coverage of {method} intervals, one line per scenario")
    figure.savefig(path, dpi=110)
