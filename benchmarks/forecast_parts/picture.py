"""The picture of calibration: coverage against level by distance, and the PIT of larger runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_parts.scores import NAMES, band_of

_COLORS = ("#1b6ca8", "#3a9d6e", "#c9a227", "#d1662b", "#8d3b72")


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw coverage against level, a line for each band of distance, and a histogram of PIT."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    levels = np.linspace(0.02, 0.98, 49)
    left.plot([0, 1], [0, 1], color="0.6", lw=1, ls="--", label="as promised")
    bands = band_of(rows["distance"])
    for name, color in zip(NAMES, _COLORS, strict=True):
        part = rows[bands == name]
        if len(part):
            off = np.abs(part["pit"] - 0.5).to_numpy()
            weight = (part["weight"] / part["weight"].sum()).to_numpy()
            inside = [float(weight @ (off <= level / 2)) for level in levels]
            left.plot(levels, inside, color=color, lw=1.8, label=f"{name} ({len(part)} runs)")
    left.set(xlabel="level of the prediction interval", ylabel="share of larger runs inside",
             xlim=(0, 1), ylim=(0, 1))  # fmt: skip
    left.legend(frameon=False, fontsize=8, title="times past the fitted compute", title_fontsize=8)
    weight = rows["weight"] / rows["weight"].sum() * 20
    right.hist(rows["pit"], bins=np.linspace(0, 1, 21), weights=weight, color="#1b6ca8", alpha=0.75)
    right.axhline(1, color="0.6", lw=1, ls="--")
    right.set(xlabel="forecast probability of a run at or below the measured one",
              ylabel="density", xlim=(0, 1))  # fmt: skip
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Forecasts of data sets that their prior was not learnt from", fontsize=11)
    figure.savefig(path, dpi=130)
    plt.close(figure)
