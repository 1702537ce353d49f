"""Pictures of the tables: `python -m benchmarks.sweep.picture stdlib_lm surface.png`.

The main table as a surface in N, D and C with its cuts at equal compute, the pilot by learning
rate, the curves by step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from . import tables
from .tables import CURVES, MAIN, PILOT

LOSS = "held-out loss, nats per byte"
CELL = ["width", "D", "batch"]


def draw_lines(axes: Axes, table: pd.DataFrame, x: str, by: str) -> None:
    """Loss against `x`, one line for every value of `by`; held-out runs are open circles."""
    values = sorted(table[by].unique())
    for colour, value in zip(shades(len(values)), values, strict=True):
        line = table[table[by] == value].sort_values(x)
        axes.plot(line[x], line["loss"], "-", color=colour, lw=1, label=f"{by} = {value:.3g}")
        for held_out, face in ((False, colour), (True, "white")):
            points = line[(line["split"] == "holdout") == held_out]
            axes.plot(points[x], points["loss"], "o", color=colour, mfc=face, ms=5)
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=LOSS)
    finish(axes)


def shades(count: int) -> list[tuple[float, ...]]:
    """Colours in order, from dark to bright."""
    return [plt.get_cmap("viridis")(index / max(1, count - 1)) for index in range(count)]


def finish(axes: Axes) -> None:
    """Legend, grid, and losses as plain numbers."""
    axes.yaxis.set_major_formatter("{x:.3g}")
    axes.yaxis.set_minor_formatter("{x:.3g}")
    axes.legend(fontsize=7)
    axes.grid(which="both", alpha=0.2)


def draw_surface(table: pd.DataFrame) -> plt.Figure:
    """Loss against D and against C per N, against N per D, and the cuts at equal compute."""
    figure, panels = plt.subplots(2, 2, figsize=(15, 11), layout="constrained")
    grid = table[table["part"] == "grid"]
    cuts = table[table["part"].isin(["isoflop", "holdout"])]
    # The runs of a cut differ by the rounding of their steps.
    cuts = cuts.assign(C=cuts["C"].map(lambda flops: float(f"{flops:.1e}")))
    draw_lines(panels[0, 0], table, "D", "N")
    draw_lines(panels[0, 1], grid, "N", "D")
    draw_lines(panels[1, 0], table, "C", "N")
    draw_lines(panels[1, 1], cuts, "N", "C")
    return figure


def draw_learning_rates(table: pd.DataFrame) -> plt.Figure:
    """Loss against the peak learning rate for every cell of the pilot with several rates."""
    figure, axes = plt.subplots(figsize=(9, 8), layout="constrained")
    cells = [(cell, line) for cell, line in table.groupby(CELL) if len(line) > 1]
    for colour, ((width, target, batch), line) in zip(shades(len(cells)), cells, strict=True):
        line = line.sort_values("peak_lr")
        label = f"width {width}, D {target:.2g}, batch {batch}"
        axes.plot(line["peak_lr"], line["loss"], "o-", color=colour, label=label)
    axes.set(xscale="log", xlabel="peak learning rate", ylabel=LOSS)
    finish(axes)
    return figure


def draw_curves(table: pd.DataFrame) -> plt.Figure:
    """Loss along the runs, a panel for every size and length, a line for every schedule."""
    figure, panels = plt.subplots(2, 2, figsize=(12, 9), layout="constrained")
    for axes, ((size, steps), runs) in zip(
        panels.flat, table.groupby(["N", "steps"]), strict=False
    ):
        for schedule, line in runs.groupby("schedule"):
            axes.plot(line["step"], line["loss"], lw=1, label=schedule)
        axes.set(xscale="log", yscale="log", xlabel="step", ylabel=LOSS)
        axes.set_title(f"N = {size}, {steps} steps")
        finish(axes)
    return figure


DRAW = {MAIN: draw_surface, PILOT: draw_learning_rates, CURVES: draw_curves}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep.picture", description=__doc__)
    parser.add_argument("table", choices=DRAW)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    table = pd.read_csv(tables.FOLDER / f"{arguments.table}.csv")
    figure = DRAW[arguments.table](table)
    try:
        figure.savefig(arguments.picture, dpi=110)
    except OSError as error:
        raise SystemExit(f"cannot write {arguments.picture}: {error}") from error


if __name__ == "__main__":
    main()
