"""Plots of draws show the draws, and labels are shown literally."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale import plots
from jscale.simulation.worlds import CHINCHILLA, grid
from tests.plots.reading import NASTY, as_svg, legend

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="module")
def draws() -> js.Draws:
    """Four chains of 200 draws."""
    fit = js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.02, seed=3))
    draws = js.laplace(fit, 800)
    return replace(draws, values=draws.flat.reshape(4, 200, -1))


@pytest.fixture(scope="module")
def families() -> js.Draws:
    """One E for each of three families, one of them with a nasty name."""
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3).frame
    label = np.array(["gpt", "llama", NASTY])[np.arange(len(runs)) % 3]
    fit = js.fit("chinchilla", runs.assign(family=label), per={"E": "family"})
    return js.laplace(fit, 400)


# ── Pairs and trace ──────────────────────────────────────────────────────────────────────────


def test_pairs_shows_the_draws_below_the_diagonal(draws):
    figure = plots.pairs(draws, ["E", "alpha", "A"])
    axes = np.array(figure.axes).reshape(3, 3)
    assert [[ax.get_visible() for ax in row] for row in axes] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    points = axes[1, 0].collections[0].get_offsets()
    np.testing.assert_array_equal(points, draws.to_frame()[["E", "alpha"]])
    (cross,) = axes[1, 0].lines
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (
        draws.fit.params["E"],
        draws.fit.params["alpha"],
    )
    assert [axes[2, j].get_xlabel() for j in range(3)] == ["E", "alpha", "A"]
    assert [axes[i, 0].get_ylabel() for i in range(3)] == ["", "alpha", "A"]
    assert sum(bar.get_height() for bar in axes[0, 0].patches) == 800


def test_amplitudes_that_spread_have_log_axes(draws):
    figure = plots.pairs(draws, ["E", "A"])
    axes = np.array(figure.axes).reshape(2, 2)
    assert [axes[1, 0].get_xscale(), axes[1, 0].get_yscale()] == ["linear", "log"]
    assert axes[1, 1].get_xscale() == "log"
    narrow = replace(draws, values=draws.values * 0.001 + draws.flat.mean(axis=0))
    figure = plots.pairs(narrow, ["E", "A"])
    assert figure.axes[2].get_yscale() == "linear"


def test_pairs_leaves_out_what_does_not_vary(draws):
    values = draws.values.copy()
    values[:, :, draws.names.index("B")] = 410.7
    figure = plots.pairs(replace(draws, values=values))
    assert len(figure.axes) == 16
    assert "B" not in {ax.get_xlabel() for ax in figure.axes}
    with pytest.raises(js.JscaleError, match="None of B varies among the draws"):
        plots.pairs(replace(draws, values=values), ["B"])


def test_many_draws_are_thinned(draws):
    many = replace(draws, values=np.tile(draws.values, (1, 20, 1)))
    figure = plots.pairs(many, ["E", "A"])
    assert len(figure.axes[2].collections[0].get_offsets()) == 2000


def test_trace_has_a_line_per_chain(draws):
    figure = plots.trace(draws, ["alpha", "E"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["alpha", "E"]
    for chain, line in enumerate(figure.axes[1].lines):
        np.testing.assert_array_equal(line.get_ydata(), draws.values[chain, :, 0])
    assert len(figure.axes[1].lines) == 4
    assert figure.axes[-1].get_xlabel() == "draw"


@pytest.mark.parametrize("plot", [plots.pairs, plots.trace])
def test_unknown_parameters(draws, plot):
    with pytest.raises(js.JscaleError, match=r"No parameter 'alfa'\. Did you mean 'alpha'"):
        plot(draws, ["alfa"])


@pytest.mark.full
@pytest.mark.parametrize("plot", [plots.pairs, plots.trace])
def test_names_are_plain_words(families, plot):
    names = [name for name in families.names if name.startswith("E")]
    svg = as_svg(plot(families, names))
    assert "E[&lt;b&gt;$\\frac12$ _$]" in svg
    assert "<b>" not in svg


def test_a_name_too_long_for_a_panel_is_cut(draws):
    long = replace(draws, names=("E[a family of a long name]", *draws.names[1:]))
    fit = replace(draws.fit, params=draws.fit.params.set_axis(list(long.names)))
    figure = plots.pairs(replace(long, fit=fit), [long.names[0], "alpha"])
    assert figure.axes[2].get_xlabel() == "E[a family of a l…"


# ── Shrinkage ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_shrinkage_shows_both_estimates_of_each_group(families):
    labels = [name[2:-1] for name in families.names if name.startswith("E[")]
    alone = pd.DataFrame({"estimate": [1.6, 1.7, 1.8], "low": 1.5, "high": 1.9}, labels)
    ax = plots.shrinkage(families, alone=alone.iloc[::-1])
    pooled, single = (container.lines[0] for container in ax.containers)
    values = families.to_frame()[[f"E[{g}]" for g in labels]]
    np.testing.assert_allclose(pooled.get_xdata(), values.median())
    np.testing.assert_array_equal(single.get_xdata(), [1.6, 1.7, 1.8])
    segments = np.array(ax.containers[0].lines[2][0].get_segments())[:, :, 0]
    np.testing.assert_allclose(segments, values.quantile([0.05, 0.95]).T, rtol=1e-9)
    segments = np.array(ax.containers[1].lines[2][0].get_segments())[:, :, 0]
    np.testing.assert_allclose(segments, [[1.5, 1.9]] * 3)
    assert [text.get_text() for text in ax.get_yticklabels()] == labels
    assert (np.diff(pooled.get_ydata()) < 0).all()  # the first group on top
    assert legend(ax) == ["pooled", "fitted alone"]
    assert "&lt;b&gt;$\\frac12$ _$" in as_svg(ax)


def test_shrinkage_draws_on_the_axes_given(families):
    _, (left, right) = plt.subplots(1, 2)
    assert plots.shrinkage(families, "E", ax=right, level=0.5) is right
    assert right.get_xlabel() == "E, 50% intervals"
    assert not left.has_data()


def test_shrinkage_without_groups(draws, families):
    with pytest.raises(
        js.JscaleError, match=r"No parameter has groups\. Draw them with posterior\(fit, pool="
    ):
        plots.shrinkage(draws)
    with pytest.raises(
        js.JscaleError,
        match=r"No parameter 'A' with an estimate per group\. Those with "
        "groups are E",
    ):
        plots.shrinkage(families, "A")
    names = [n.replace("A", "A[gpt]") for n in families.names]
    with pytest.raises(
        js.JscaleError, match=r"Several parameters have groups. Those .* are E, A\."
    ):
        plots.shrinkage(replace(families, names=tuple(names)))
    with pytest.raises(js.JscaleError, match="alone has no row for <b>"):
        plots.shrinkage(families, alone=pd.DataFrame({"estimate": []}, index=[]))
    labels = [name[2:-1] for name in families.names if name.startswith("E[")]
    with pytest.raises(
        js.JscaleError, match="alone has no column 'estimate'; it needs a row per group"
    ):
        plots.shrinkage(families, alone=pd.DataFrame({"low": [1.0, 1.0, 1.0]}, labels))
