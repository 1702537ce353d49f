"""Plots of frontiers and isoFLOP parabolas show the numbers of their results."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale import plots
from jscale.plots import drawing
from jscale.simulation.worlds import CHINCHILLA, grid
from tests.plots.reading import as_png, labels, legend

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


def test_a_frontier_is_drawn_over_all_runs():
    result = js.frontier(js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005), resamples=5)
    ax = plots.frontier(result)
    assert labels(ax) == ("C (FLOPs)", "loss (nats)")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert len(ax.collections[0].get_offsets()) == len(SURFACE)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), result.table[["C", "loss"]])
    assert ax.lines[0].get_color() == drawing.BLUE
    assert legend(ax) == ["all runs", "frontier"]
    _, (left, right) = plt.subplots(1, 2)
    assert plots.frontier(result, ax=right) is right
    assert not left.has_data()


def test_a_frontier_of_negative_losses_has_no_log_axis():
    frame = pd.DataFrame({"C": [1e18, 1e19], "score": [0.5, -0.5]})
    runs = js.Runs.from_frame(frame, output="score", loss_unit="other")
    ax = plots.frontier(js.frontier(runs, resamples=5))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


def isoflop(count=4, first=9):
    """An isoFLOP table of ``count`` budgets, of the first one the ``first`` largest sizes alone."""
    design = js.designs.isoflop(np.geomspace(1e18, 1e21, count), np.geomspace(3e7, 3e10, 9))
    runs = js.simulate("chinchilla", CHINCHILLA, design.iloc[9 - first :], noise=0.001)
    return js.isoflop(runs, resamples=20)


def test_isoflop_shows_points_parabolas_minima_and_the_surfaces_optima():
    result = isoflop()
    ax = plots.isoflop(result)
    assert labels(ax) == ("N", "loss (nats)")
    assert ax.get_xscale() == "log"
    assert sum(len(dots.get_offsets()) for dots in ax.collections) == len(result.points)
    marks = {
        m: [
            line.get_xydata()[0]
            for line in ax.lines
            if line.get_marker() == m and len(line.get_xdata())
        ]
        for m in "Dx"
    }
    np.testing.assert_array_equal(marks["D"], result.table[["N", "loss"]])
    np.testing.assert_array_equal(marks["x"], result.table[["surface_N", "surface_loss"]])
    curves = [line for line in ax.lines if len(line.get_xdata()) > 1]
    for curve, row in zip(curves, result.table.itertuples(), strict=True):
        assert curve.get_ydata().min() == pytest.approx(row.loss, rel=1e-3)
        assert curve.get_ydata().min() >= row.loss - 1e-12
    assert legend(ax)[-2:] == ["minimum", "optimum of chinchilla"]
    assert legend(ax)[0] == "C = 1e+18"
    _, (left, right) = plt.subplots(1, 2)
    assert plots.isoflop(result, ax=right) is right
    assert not left.has_data()


def test_isoflop_at_an_edge_is_dashed_and_has_no_diamond():
    result = isoflop(first=4)
    assert result.table["at_edge"].tolist() == [True, False, False, False]
    ax = plots.isoflop(result)
    curves = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert [line.get_linestyle() for line in curves] == ["--", "-", "-", "-"]
    diamonds = [x for x in ax.lines if x.get_marker() == "D" and len(x.get_xdata())]
    assert len(diamonds) == 3


@pytest.mark.full
def test_isoflop_of_many_budgets_names_some():
    ax = plots.isoflop(isoflop(count=21))
    names = [text for text in legend(ax) if text.startswith("C = ")]
    assert names == ["C = 1e+18", *names[1:]]
    assert len(names) == 7
    assert as_png(ax).startswith(b"\x89PNG")
