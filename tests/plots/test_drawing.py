"""What the plots share: bands, probabilities, legends, scales and colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from jscale.errors import PredictionError
from jscale.plots.drawing import (
    COLORS,
    add_legend,
    add_probabilities,
    axes_or_new,
    check_result,
    colors,
    input_with_unit,
    log_x_if_positive,
    new_figure,
    plot_with_band,
    sequential,
)
from tests.plots.reading import NASTY, as_svg, legend


def test_axes_that_are_given_are_used_and_others_made() -> None:
    ax = plt.figure().add_subplot()
    assert axes_or_new(ax) is ax
    assert len(plt.get_fignums()) == 1
    made = axes_or_new(None, height=3.0)
    assert made.figure.get_size_inches().tolist() == [5.5, 3.0]
    assert len(plt.get_fignums()) == 2


def test_figures_of_a_notebook_are_closed_so_that_they_show_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert new_figure(4, 3).number in plt.get_fignums()
    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    before = plt.get_fignums()
    inline = new_figure(4, 3)
    assert plt.get_fignums() == before
    assert inline.get_size_inches().tolist() == [4, 3]


def test_colors_repeat_after_the_palette() -> None:
    many = colors(len(COLORS) + 2)
    assert many[: len(COLORS)] == list(COLORS)
    assert many[-2:] == list(COLORS[:2])
    assert colors(0) == []
    scale = sequential(4)
    assert scale.shape == (4, 4)
    assert len(np.unique(scale, axis=0)) == 4


@pytest.mark.parametrize(
    ("values", "scale"), [([1e-9, 2.0], "log"), ([0.0, 2.0], "linear"), ([np.nan, 2.0], "linear")]
)
def test_log_axes_need_positive_values(values: list[float], scale: str) -> None:
    ax = axes_or_new(None)
    log_x_if_positive(ax, values)
    assert ax.get_xscale() == scale


def test_a_line_in_its_band() -> None:
    ax = axes_or_new(None)
    plot_with_band(ax, [1, 2, 3], ([5, 6, 7], [4, 5, 6], [6, 8, 9]), "red", "loss", "90%")
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), [[1, 5], [2, 6], [3, 7]])
    (band,) = ax.collections
    corners = band.get_paths()[0].get_extents()
    assert (corners.y0, corners.y1) == (4.0, 9.0)
    add_legend(ax)
    assert sorted(legend(ax)) == ["90%", "loss"]


def test_a_single_point_has_a_bar_and_an_open_end_has_none() -> None:
    ax = axes_or_new(None)
    plot_with_band(ax, [1.0], ([5.0], [4.5], [np.inf]), "red", "amount", None)
    ((segment,),) = [bars.get_segments() for bars in ax.collections]
    assert segment[:, 1].tolist() == [4.5, 5.0]
    assert "path" in as_svg(ax)


def test_lines_of_few_points_show_them() -> None:
    ax = axes_or_new(None)
    for count in (19, 20):
        x = np.arange(count)
        plot_with_band(ax, x, (x, x - 1, x + 1), "red", f"{count}", None)
    assert [line.get_markersize() > 0 for line in ax.lines] == [True, False]


def test_probabilities_have_a_panel_on_the_same_axis() -> None:
    ax = axes_or_new(None)
    ax.plot([1, 10], [3, 4])
    add_probabilities(ax, [([1, 10], [0.2, 1.0], "red")], NASTY)
    (above,) = ax.child_axes
    assert above.get_ylim()[0] < 0
    assert above.get_ylim()[1] > 1
    np.testing.assert_array_equal(above.lines[0].get_ydata(), [0.2, 1.0])
    assert above.get_shared_x_axes().joined(above, ax)
    assert "frac12" in as_svg(ax)


def test_names_of_a_legend_are_no_formulas() -> None:
    ax = axes_or_new(None)
    ax.plot([1, 2], [3, 4], label=NASTY)
    assert add_legend(ax, loc="upper left") is ax
    assert legend(ax) == [NASTY]
    assert "frac12" in as_svg(ax)


def test_inputs_have_the_unit_of_the_glossary() -> None:
    assert input_with_unit("C") == "C (FLOPs)"
    assert input_with_unit("epochs") == "epochs"


def test_another_result_is_refused_by_its_type() -> None:
    check_result(1.0, float, "valley", "allocate")
    with pytest.raises(PredictionError, match="valley takes the result of allocate, not list"):
        check_result([1.0], float, "valley", "allocate")
