"""Plots of comparisons and of coverage show the numbers of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale import plots
from tests.plots.reading import NASTY, as_png, as_svg, labels, legend

# ── Comparison ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_comparison_shows_every_law_against_the_extrapolation():
    table = js.datasets.load("stdlib_lm")
    result = js.rollout(["chinchilla", "power_const"], table, count=3, resamples=40)
    ax = plots.comparison(result)
    assert legend(ax) == list(result.table.index)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert sum(len(dots.get_offsets()) for dots in ax.collections) == len(result.rows)
    assert result.rows["extrapolation"].min() > 1
    assert as_png(ax).startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_comparison_without_compute_says_so():
    sizes = np.geomspace(1e3, 1e7, 20)
    table = pd.DataFrame({"N": sizes, "U": 1e9, "loss": 1.7 + 50.0 * sizes**-0.3})
    result = js.compare(["power_const:N"], table, holdout=js.largest("N", 0.2), resamples=40)
    with pytest.raises(js.PredictionError, match="have no compute C"):
        plots.comparison(result)


# ── Coverage ─────────────────────────────────────────────────────────────────────────────────

TABLE = pd.DataFrame(
    {
        "level": [0.5, 0.8, 0.95] * 2,
        "measured": [0.45, 0.77, 0.94, 0.5, 0.8, 0.95],
        "method": ["bootstrap"] * 3 + [NASTY] * 3,
        "count": 400,
    }
)


def test_coverage_has_a_line_per_method_with_monte_carlo_bars():
    ax = plots.coverage(TABLE)
    assert len(ax.containers) == 2
    first = ax.containers[0]
    np.testing.assert_array_equal(first.lines[0].get_ydata(), [0.45, 0.77, 0.94])
    np.testing.assert_allclose(
        first.lines[0].get_xdata().astype(float), [0.5, 0.8, 0.95], atol=0.01
    )
    ends = np.array(first.lines[2][0].get_segments())[:, :, 1]
    expected = 2 * np.sqrt(np.array([0.45, 0.77, 0.94]) * (1 - np.array([0.45, 0.77, 0.94])) / 400)
    np.testing.assert_allclose(np.diff(ends, axis=1)[:, 0] / 2, expected)
    assert legend(ax) == ["bootstrap", NASTY]
    assert "&lt;b&gt;$\\frac12$ _$" in as_svg(ax)


def test_coverage_takes_errors_as_given_and_lines_by_a_column():
    table = TABLE.assign(error=0.02, runs=[20, 20, 20, 60, 60, 60])
    ax = plots.coverage(table, by="runs")
    assert legend(ax) == ["20", "60"]
    ends = np.array(ax.containers[0].lines[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(np.diff(ends, axis=1)[:, 0], 0.08)
    alone = plots.coverage(TABLE[["level", "measured"]].iloc[:3])
    assert alone.get_legend() is None
    assert labels(alone) == ("nominal coverage", "measured coverage")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop(columns="level"), "The table has no column level; it needs level, measured"),
        (TABLE.assign(measured=94.0), "measured must be between 0 and 1; it is not in row 0, 1"),
    ],
)
def test_a_table_that_is_not_one_of_coverage(table, message):
    with pytest.raises(js.JscaleError, match=message):
        plots.coverage(table)
    with pytest.raises(js.JscaleError, match="no column size"):
        plots.coverage(TABLE, by="size")
