"""Plots of plans show the numbers of their results, and labels are shown literally."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import jscale as js
from jscale import plots
from tests.plots.reading import NASTY, as_svg, labels, legend

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture(scope="module")
def drawn() -> js.Draws:
    table = js.datasets.load("stdlib_lm")
    return js.laplace(js.fit("chinchilla", table.loc[table["split"] == "fit"]), 200)


@pytest.fixture(scope="module")
def plan(drawn: js.Draws) -> js.Plan:
    """Budgets out of order, from below the smallest run to a hundred times the largest."""
    return js.allocate(drawn, [1e12, 1e9, 1e10, 1e14, 1e11, 1e13], level=0.8)


@pytest.fixture(scope="module")
def bounded(drawn: js.Draws) -> js.Plan:
    """With the data that there are: at the larger two budgets the best lies at the bound."""
    return js.allocate(drawn, [1e11, 1e13, 1e14], bounds={"D": (1e5, 1e7)})


@pytest.fixture(scope="module")
def pair() -> tuple[js.Draws, js.Draws]:
    """Two laws of compute that cross at 1e10, ten times past their runs."""
    C = pd.DataFrame({"C": np.geomspace(1e6, 1e9, 30)})
    made = [{"E": 1.5, "A": 20.0, "alpha": 0.1}, {"E": 1.5, "A": 200.0, "alpha": 0.2}]
    fits = [js.fit("power_const", js.simulate("power_const", p, C, noise=0.001)) for p in made]
    return js.laplace(fits[0], 200, seed=0), js.laplace(fits[1], 200, seed=1)


@pytest.fixture(scope="module")
def crossed(pair: tuple[js.Draws, js.Draws]) -> js.Crossover:
    return js.crossover(*pair, over=(1e7, 1e13))


@pytest.fixture(scope="module")
def needed(drawn: js.Draws) -> js.Required:
    """Targets that all, some and no draws reach, of which the estimate misses the last two."""
    return js.required(drawn, "D", loss=[1.8, 1.0, 1.5, 0.05, 0.7], N=3e5)


def line(ax: Axes, label: str) -> np.ndarray:
    """The points of a line by its label, (n, 2)."""
    (labelled,) = [drawn for drawn in ax.lines if drawn.get_label() == label]
    return np.asarray(labelled.get_xydata())


def band(ax: Axes, place: int = 0) -> np.ndarray:
    """The band at a place: x, low and high of each of its points, in order (n, 3)."""
    (path,) = ax.collections[place].get_paths()
    x, y = path.vertices.T
    table = pd.DataFrame({"x": x, "y": y}).groupby("x")["y"].agg(["min", "max"])
    return table.reset_index().to_numpy()


def spans(ax: Axes) -> list[tuple[float, float]]:
    """Where the shaded ranges begin and end."""
    return [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]  # type: ignore[attr-defined]


# ── Allocation ───────────────────────────────────────────────────────────────────────────────


def test_allocation_shows_the_plans_own_numbers(plan: js.Plan) -> None:
    ax = plots.allocation(plan)
    frame = plan.frame.sort_values("C")
    for i, (name, label) in enumerate([("N", "N* (parameters)"), ("D", "D* (tokens)")]):
        np.testing.assert_array_equal(line(ax, label), frame[["C", name]])
        np.testing.assert_array_equal(band(ax, i), frame[["C", f"{name}_low", f"{name}_high"]])
    assert labels(ax) == ("C = 6·N·D (FLOPs)", "N* (parameters), D* (tokens)")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert legend(ax) == [
        "outside the fitted runs",
        "80% confidence intervals",
        "N* (parameters)",
        "D* (tokens)",
    ]


def test_what_lies_outside_the_fitted_runs_is_shaded(plan: js.Plan) -> None:
    C = plan.planner.fit.runs["C"]
    below, beyond = spans(plots.allocation(plan))
    np.testing.assert_allclose(below, (1e9 / 1.1, C.min()))
    np.testing.assert_allclose(beyond, (C.max(), 1e14 * 1.1))
    within = replace(plan, frame=plan.frame[plan.frame["C"].between(1e10, 1e11)])
    assert spans(plots.allocation(within)) == []
    below = replace(plan, frame=plan.frame[plan.frame["C"] < 2e9])
    assert spans(plots.allocation(below)) == [(1e8, C.min())]
    beyond = replace(plan, frame=plan.frame[plan.frame["C"] > 2e12])
    np.testing.assert_allclose(spans(plots.allocation(beyond)), [(1e13 / 1.1, 1e14 * 1.1)])


def test_compute_counts_where_the_cost_is_another(plan: js.Plan) -> None:
    """Where serving takes nine tenths of every budget, the range moves to ten times larger ones."""
    frame = plan.frame.assign(extrapolation=plan.frame["extrapolation"] / 10)
    ax = plots.allocation(replace(plan, frame=frame, cost=js.costs.lifetime(1e8)))
    assert spans(ax)[-1][0] == pytest.approx(10 * plan.planner.fit.runs["C"].max())
    assert ax.get_xlabel() == "C = 6·N·D + 2·N·1e+08 (FLOPs)"


def test_without_compute_the_cost_of_the_runs_counts(plan: js.Plan) -> None:
    unknown = replace(plan, frame=plan.frame.assign(extrapolation=np.nan))
    np.testing.assert_allclose(spans(plots.allocation(unknown)), spans(plots.allocation(plan)))


@pytest.mark.parametrize(
    ("show", "label", "scale"),
    [("D/N", "D*/N* (tokens per parameter)", "log"), ("loss", "lowest loss (nats)", "linear")],
)
def test_other_columns(plan: js.Plan, show: str, label: str, scale: str) -> None:
    ax = plots.allocation(plan, show=show)
    frame = plan.frame.sort_values("C")
    np.testing.assert_array_equal(line(ax, label), frame[["C", show]])
    np.testing.assert_array_equal(band(ax), frame[["C", f"{show}_low", f"{show}_high"]])
    assert (ax.get_ylabel(), ax.get_yscale()) == (label, scale)
    assert "80% confidence interval" in legend(ax)


def test_one_budget_has_bars(plan: js.Plan) -> None:
    one = replace(plan, frame=plan.frame.iloc[[4]])
    ax = plots.allocation(one, show=["N"])
    (segment,) = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 1], one.frame[["N_low", "N_high"]].iloc[0])
    as_svg(ax)


def test_optima_at_a_bound_are_hollow(bounded: js.Plan) -> None:
    ax = plots.allocation(bounded)
    np.testing.assert_array_equal(
        line(ax, "optimum at a bound"), bounded.frame[["C", "N"]].iloc[1:]
    )
    assert legend(ax).count("optimum at a bound") == 1


@pytest.mark.full
def test_missing_numbers_leave_gaps(plan: js.Plan) -> None:
    frame = plan.frame.copy()
    frame.loc[[1, 3], ["N_low", "N_high", "D"]] = np.nan
    frame.loc[4, "D_high"] = np.inf
    as_svg(plots.allocation(replace(plan, frame=frame)))


# ── Valley ───────────────────────────────────────────────────────────────────────────────────


def test_valley_has_its_lowest_point_at_the_plans_optimum(plan: js.Plan) -> None:
    ax = plots.valley(plan, budgets=[1e13, 1e11])
    law, params = plan.planner.fit.law, plan.planner.fit.params
    near = plan.near_optimal().set_index("C")
    curves = [drawn for drawn in ax.lines if len(drawn.get_xdata()) == 201]
    assert legend(ax)[:2] == ["C = 1e+11", "C = 1e+13"]
    for C, curve, thick in zip((1e11, 1e13), curves[::2], curves[1::2], strict=True):
        row = plan.frame.set_index("C").loc[C]
        x, y = curve.get_xdata(), curve.get_ydata()
        np.testing.assert_allclose(y, law(x, C / 6 / x, **params), rtol=1e-12)
        assert y.min() == pytest.approx(row["loss"], rel=1e-5)
        assert y.min() >= row["loss"] * (1 - 1e-12)
        np.testing.assert_allclose(thick.get_xdata()[[0, -1]], near.loc[C], rtol=1e-9)
        np.testing.assert_allclose(thick.get_ydata()[[0, -1]] / row["loss"], 1.001, rtol=1e-6)
        np.testing.assert_allclose(y[[0, -1]] / row["loss"], 1.05, rtol=1e-6)


def test_valley_marks_the_best_and_its_interval(plan: js.Plan) -> None:
    ax = plots.valley(plan, budgets=1e11)
    row = plan.frame.set_index("C").loc[1e11]
    best = ax.containers[0]
    np.testing.assert_array_equal(best.lines[0].get_xydata(), [row[["N", "loss"]]])
    (segment,) = best.lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 0], row[["N_low", "N_high"]])
    assert legend(ax)[1:] == [
        "within 0.1% of the optimum",
        "optimum, 80% confidence interval of N*",
    ]
    assert labels(ax) == ("N (parameters), at C = 6·N·D (FLOPs)", "loss (nats)")
    assert "within 1% of the optimum" in legend(plots.valley(plan, budgets=1e11, within=0.01))


def test_valley_of_many_budgets_shows_four(plan: js.Plan) -> None:
    names = [text for text in legend(plots.valley(plan)) if text.startswith("C = ")]
    assert names == ["C = 1e+09", "C = 1e+11", "C = 1e+12", "C = 1e+14"]


def test_valley_ends_at_a_plans_bounds(bounded: js.Plan) -> None:
    ax = plots.valley(bounded, budgets=1e13)
    curve = line(ax, "C = 1e+13")
    assert curve[0, 0] == pytest.approx(1e13 / 6 / 1e7)
    assert np.argmin(curve[:, 1]) == 0
    as_svg(ax)


@pytest.fixture(scope="module")
def scores() -> js.Plan:
    """A plan for a score, which is the better the higher."""

    @js.law(rising=("N", "D"), output="score")
    def score(N: Any, D: Any, *, top: js.Floor, A: js.Scale) -> Any:
        return top - A * N**-0.3 - A * D**-0.3

    design = pd.DataFrame({"N": np.tile([1e6, 1e7, 1e8], 3), "D": np.repeat([1e8, 1e9, 1e10], 3)})
    runs = js.simulate(score, {"top": 0.9, "A": 5.0}, design, noise=1e-4)
    return js.allocate(js.laplace(js.fit(score, runs), 30), [1e16, 1e17])


@pytest.mark.full
def test_a_score_has_a_hill(scores: js.Plan) -> None:
    ax = plots.valley(scores, budgets=1e17)
    y = line(ax, "C = 1e+17")[:, 1]
    assert y.max() == pytest.approx(scores.frame["score"].iloc[1], rel=1e-4)
    assert (y[0] < y.max(), y[-1] < y.max(), ax.get_ylabel()) == (True, True, "score")
    assert plots.allocation(scores, show="score").get_ylabel() == "highest score"


# ── Crossing ─────────────────────────────────────────────────────────────────────────────────


def test_crossing_shows_the_difference_and_who_is_better(crossed: js.Crossover) -> None:
    ax = plots.crossing(crossed)
    np.testing.assert_array_equal(line(ax, "a − b"), crossed.frame[["C", "difference"]])
    np.testing.assert_array_equal(band(ax), crossed.frame[["C", "low", "high"]])
    (above,) = ax.child_axes
    np.testing.assert_array_equal(above.lines[0].get_xydata(), crossed.frame[["C", "a_better"]])
    assert above.get_ylabel() == "P(a\nbetter)"
    assert labels(ax) == ("C (FLOPs)", "a − b")
    assert crossed.at in [drawn.get_xdata()[0] for drawn in ax.lines]


def test_the_crossings_interval_is_shaded(crossed: js.Crossover) -> None:
    ax = plots.crossing(crossed)
    np.testing.assert_allclose(spans(ax), [(crossed.at_low, crossed.at_high)])
    assert legend(ax)[1:] == ["a − b", "90% confidence interval of the crossing"]


def test_an_open_interval_ends_with_the_range(crossed: js.Crossover) -> None:
    ax = plots.crossing(replace(crossed, at_high=np.inf, crosses=0.9))
    np.testing.assert_allclose(spans(ax), [(crossed.at_low, 1e13)])
    assert legend(ax)[-1] == "90% confidence interval of the crossing (90% of draws cross)"
    as_svg(ax)


def test_no_crossing_has_no_mark(pair: tuple[js.Draws, js.Draws]) -> None:
    result = js.crossover(*pair, over=(1e6, 1e8))
    ax = plots.crossing(result)
    assert spans(ax) == []
    assert np.isnan(result.at)
    assert len(ax.lines) == 2  # the difference and the zero line
    as_svg(ax)


def test_names_of_recipes_are_plain_words(crossed: js.Crossover) -> None:
    svg = as_svg(plots.crossing(crossed, names=(NASTY, "b")))
    assert "&lt;b&gt;$\\frac12$ _$ − b" in svg
    assert "<b>" not in svg


# ── Required ─────────────────────────────────────────────────────────────────────────────────


def test_required_shows_the_amounts(needed: js.Required) -> None:
    ax = plots.required(needed)
    frame = needed.frame.sort_values("loss")
    reached = np.isfinite(frame["estimate"].to_numpy())
    assert reached.tolist() == [False, False, True, True, True]
    drawn = line(ax, "estimate")
    np.testing.assert_array_equal(drawn[reached], frame.loc[reached, ["loss", "estimate"]])
    assert np.isnan(drawn[~reached, 1]).all()
    top = ax.get_ylim()[1]
    ends = frame[["loss", "low", "high"]].clip(upper=top)
    np.testing.assert_allclose(band(ax), ends)
    assert labels(ax) == ("loss", "required D (tokens)")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")


def test_what_is_out_of_reach_is_said(needed: js.Required) -> None:
    ax = plots.required(needed)
    (triangles,) = [drawn for drawn in ax.lines if drawn.get_marker() == "^"]
    assert sorted(triangles.get_xdata()) == [0.05, 0.7]
    (above,) = ax.child_axes
    frame = needed.frame.sort_values("loss")
    np.testing.assert_array_equal(above.lines[0].get_xydata(), frame[["loss", "reached"]])
    assert above.get_ylabel() == "P(reached)"
    as_svg(ax)


def test_what_is_certain_needs_no_probability(needed: js.Required) -> None:
    sure = replace(needed, frame=needed.frame.iloc[[0, 2]].assign(reached=1.0))
    assert plots.required(sure).child_axes == []
    never = replace(needed, frame=needed.frame.iloc[[3]].assign(low=np.inf, reached=0.0))
    as_svg(plots.required(never))


def test_required_has_a_line_for_each_of_the_others(drawn: js.Draws) -> None:
    result = js.required(drawn, "D", loss=[[1.8], [1.6]], N=[1e5, 3e5])
    ax = plots.required(result)
    assert legend(ax) == ["90% confidence intervals", "N = 1e+05", "N = 3e+05"]
    rows = result.frame[result.frame["N"] == 3e5].sort_values("loss")
    np.testing.assert_array_equal(line(ax, "N = 3e+05"), rows[["loss", "estimate"]])
    ax = plots.required(result, along="N")
    assert labels(ax) == ("N (parameters)", "required D (tokens)")
    assert legend(ax)[1:] == ["loss = 1.8", "loss = 1.6"]
    assert ax.get_xscale() == "log"
    (row,) = plots.required(replace(result, frame=result.frame.iloc[[0]])).lines[-2:-1]
    np.testing.assert_array_equal(row.get_ydata(), result.frame["estimate"].iloc[:1])


def test_a_budget_is_one_line_over_its_targets(drawn: js.Draws) -> None:
    """What it buys varies too, and makes no lines."""
    result = js.required(drawn, "C", loss=[1.8, 1.6])
    assert {"N", "D"} <= set(result.frame)
    ax = plots.required(result)
    assert legend(ax) == ["90% confidence interval", "estimate"]
    rows = result.frame.sort_values("loss")[["loss", "estimate"]]
    np.testing.assert_array_equal(line(ax, "estimate"), rows)
    assert labels(ax) == ("loss", "required C")


# ── All ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["allocation", "valley", "crossing", "required"])
def test_draws_on_the_axes_given(name, plan, crossed, needed) -> None:
    _, (left, right) = plt.subplots(1, 2)
    result = {"crossing": crossed, "required": needed}.get(name, plan)
    assert getattr(plots, name)(result, ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    assert all(labels(right))
    assert any("% confidence interval" in text for text in legend(right))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("allocation", r"js.allocate\(draws, C=…\)"),
        ("valley", r"js.allocate\(draws, C=…\)"),
        ("crossing", r"js.crossover\(a, b\)"),
        ("required", r'js.required\(draws, "D", loss=…\)'),
    ],
)
def test_another_result(drawn, name, call) -> None:
    wrong = f"{name} takes the result of {call}, not Draws"
    with pytest.raises(js.PredictionError, match=wrong):
        getattr(plots, name)(drawn)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("allocation", {"show": "M"}, r"no column M; show some of N, D, D/N, loss\."),
        ("allocation", {"show": []}, r"no column to show; show some of N"),
        ("valley", {"budgets": [1e11, 3e12]}, r"no budget 3e\+12; it has 1e\+09, .* Plan for it"),
        ("valley", {"budgets": []}, r"no budget to show; it has"),
        ("valley", {"within": 0.0}, r"within=0.0 must be a positive share"),
        ("required", {"along": "M"}, r"No column 'M' to plot over; there are loss, N"),
    ],
)
def test_bad_input(plan, needed, name, given, message) -> None:
    with pytest.raises(js.PredictionError, match=message):
        getattr(plots, name)(needed if name == "required" else plan, **given)


def test_a_valley_needs_two_inputs(plan: js.Plan) -> None:
    choice = plan.planner.choice._replace(variables=("N", "V", "D"))
    three = replace(plan, planner=replace(plan.planner, choice=choice))
    with pytest.raises(js.PredictionError, match="near-optimal range exists only for plans of two"):
        plots.valley(three)
