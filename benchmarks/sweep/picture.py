"""Pictures to look at: `python -m benchmarks.sweep.picture TABLE.csv PICTURE.png [--by-lr]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes


def draw_lines(axes: Axes, table: pd.DataFrame, x: str, by: str) -> None:
    """Loss against `x`, one line for every value of `by`; held-out runs are open circles."""
    values = sorted(table[by].unique())
    for index, value in enumerate(values):
        line = table[table[by] == value].sort_values(x)
        colour = plt.get_cmap("viridis")(index / max(1, len(values) - 1))
        axes.plot(line[x], line["loss"], "-", color=colour, lw=1, label=f"{by} = {value:.3g}")
        for split, face in (("fit", colour), ("holdout", "white"), ("pilot", colour)):
            points = line[line["split"] == split]
            axes.plot(points[x], points["loss"], "o", color=colour, mfc=face, ms=5)
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel="held-out loss, nats per byte")
    axes.legend(fontsize=7)
    axes.grid(which="both", alpha=0.2)


def draw_surface(table: pd.DataFrame) -> plt.Figure:
    """Loss against D per N, against N per D, and against C per N."""
    figure, panels = plt.subplots(1, 3, figsize=(17, 6), layout="constrained")
    for axes, (x, by) in zip(panels, (("D", "N"), ("N", "D"), ("C", "N")), strict=True):
        draw_lines(axes, table, x, by)
    return figure


def draw_learning_rates(table: pd.DataFrame) -> plt.Figure:
    """Loss against the peak learning rate for every cell of the pilot."""
    figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
    cell = "width " + table["width"].astype(str) + ", D " + table["D"].map("{:.2g}".format)
    cell += ", batch " + table["batch"].astype(str)
    for name, line in table.assign(cell=cell).groupby("cell"):
        line = line.sort_values("peak_lr")
        axes.plot(line["peak_lr"], line["loss"], "o-", label=name)
    axes.set(xscale="log", xlabel="peak learning rate", ylabel="held-out loss, nats per byte")
    axes.legend(fontsize=7)
    axes.grid(which="both", alpha=0.2)
    return figure


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep.picture", description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--by-lr", action="store_true", help="the pilot: loss by learning rate")
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.table)
    draw = draw_learning_rates if arguments.by_lr else draw_surface
    draw(table).savefig(arguments.picture, dpi=110)


if __name__ == "__main__":
    main()
