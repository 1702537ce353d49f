"""Plots of plans: optimal inputs over budgets, how flat an optimum is, where one recipe overtakes
another, and what a target takes. Every function takes Matplotlib Axes (or makes them) and returns
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.errors import PredictionError, listing
from jscale.planning.crossover import Crossover
from jscale.planning.optimum import bounds_program, objective_program
from jscale.planning.plan import Plan
from jscale.planning.required import Required
from jscale.plots import drawing as draw
from jscale.plots.words import unit_of, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BUDGETS = 4
# A valley is drawn as far as its output is within 5% of the optimum.
_SHOWN = 0.05
_POINTS = 201
# Shaded ranges extend by this factor beyond the first and last budget.
_MARGIN = 1.1
# How the legend calls optima that lie at a bound of the search.
_AT_BOUND = "optimum at a bound"


def allocation(
    plan: Plan, *, show: str | Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the optimal inputs over the budget with confidence bands.

    Budgets are shaded where they are smaller than the cheapest fitted run, or where the optimum
    takes more compute than any fitted run. Hollow points are budgets at which most draws have
    their optimum at a bound.

    Parameters
    ----------
    plan : Plan
        The result of :func:`jscale.allocate`.
    show : str or sequence of str, optional
        Columns of the plan: its inputs (the default), ``"D/N"`` or the output.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If ``plan`` is not a Plan, or has no such column.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> plan = js.allocate(js.laplace(fit, 100), [1e10, 1e11, 1e12])
    >>> js.plots.allocation(plan).get_xlabel()
    'C = 6·N·D (FLOPs)'
    """
    draw.check_result(plan, Plan, "allocation", "js.allocate(draws, C=…)")
    names = _columns(plan, show)
    ax, frame = draw.axes_or_new(ax), plan.frame.sort_values("C")
    _shade(ax, _outside(plan))
    band_label: str | None = f"{100 * plan.level:g}% confidence interval{'s' * (len(names) > 1)}"
    for name, color in zip(names, cycle(draw.COLORS), strict=False):
        band = [frame[f"{name}{end}"] for end in ("", "_low", "_high")]
        draw.plot_with_band(ax, frame["C"], band, color, _label(plan, name), band_label)
        # One entry in the legend stands for the bands of all inputs.
        band_label = None
        _mark_bounds(ax, frame, name, color)
    ax.set_xscale("log")
    if names != [plan.output]:
        ax.set_yscale("log")
    ax.set_xlabel(_budget(plan), parse_math=False)
    ax.set_ylabel(", ".join(_label(plan, name) for name in names), parse_math=False)
    return draw.add_legend(ax)


def _columns(plan: Plan, show: str | Sequence[str] | None) -> list[str]:
    """Return the columns to show; raises PredictionError for unknown ones, or if there are none."""
    known = [name for name in plan.frame if f"{name}_low" in plan.frame]
    inputs = list(plan.planner.choice.variables)
    chosen = inputs if show is None else [show] if isinstance(show, str) else list(show)
    wrong = [name for name in chosen if name not in known]
    if wrong or not chosen:
        raise PredictionError(
            f"The plan has no column {listing(wrong) or 'to show'}; show some of "
            f"{listing(known, 12)}."
        )
    return chosen


def _starred(name: str) -> str:
    """Write N* for N, and D*/N* for D/N: a star marks the optimum."""
    return "/".join(f"{part}*" for part in name.split("/"))


def _label(plan: Plan, name: str) -> str:
    """Return the label of a column of a plan, with its unit."""
    if name == plan.output:
        extreme = "lowest" if plan.planner.choice.falling else "highest"
        return f"{extreme} {with_unit(name, plan.planner.fit.runs)}"
    # The glossary has tokens per parameter under M.
    unit = unit_of("M" if name == "D/N" else name)
    return f"{_starred(name)} ({unit})" if unit else _starred(name)


def _budget(plan: Plan) -> str:
    return f"C = {plan.cost.name} ({plan.cost.unit})"


def _outside(plan: Plan) -> list[tuple[float, float]]:
    """Return the ranges of budgets where the plan lies beyond the fitted runs."""
    frame = plan.frame.sort_values("C")
    C, times = frame["C"].to_numpy(), frame["extrapolation"].to_numpy()
    margin = _MARGIN if len(C) > 1 else 10.0
    low, high = C[0] / margin, C[-1] * margin
    first, last = plan.planner.spent
    # A budget may be spent on more than training, so the budget at which the optimum's compute
    # passes that of the runs is interpolated; without compute, costs are compared.
    known = (np.isfinite(times) & (times > 0)).all()
    rising = np.log(np.maximum.accumulate(times if known else C / last))
    last = np.exp(np.interp(0.0, rising, np.log(C), left=np.log(low), right=np.inf))
    first = min(first, high) if first > C[0] else low
    ranges = [(low, first), (last, high)] if first < last else [(low, high)]
    return [ends for ends in ranges if ends[0] < ends[1]]


def _shade(ax: Axes, ranges: list[tuple[float, float]]) -> None:
    for place, (low, high) in enumerate(ranges):
        label = "outside the fitted runs" if place == 0 else None
        ax.axvspan(low, high, color=draw.GREY, alpha=0.13, lw=0, zorder=0, label=label)


def _mark_bounds(ax: Axes, frame: pd.DataFrame, name: str, color: str) -> None:
    """Mark budgets at which most draws have their optimum at a bound."""
    bounded = frame[frame["at_bound"] > 0.5]
    if len(bounded):
        labels = ax.get_legend_handles_labels()[1]
        label = None if _AT_BOUND in labels else _AT_BOUND
        ax.plot(bounded["C"], bounded[name], "o", color=color, mfc="white", ms=6, label=label)


def valley(
    plan: Plan, *, budgets: Any = None, within: float = 0.001, ax: Axes | None = None
) -> Axes:
    """Plot the output over the first input at a few budgets, the other input following from each.

    Curves are those of the estimate, as far as they are within 5% of the optimum. The thick part
    is within 0.1% of it (``within``), as in :meth:`Plan.near_optimal`. A diamond marks the
    optimum, with the confidence interval of its position as a bar.

    Parameters
    ----------
    plan : Plan
        The result of :func:`jscale.allocate`, for two inputs.
    budgets : float or array_like of float, optional
        Which of the plan's budgets to show, in the unit of its cost; by default four.
    within : float, default 0.001
        How far from the optimum an output counts as near-optimal, as a share of it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If ``plan`` is not a Plan of two inputs, if it has no such budget, or if ``within`` is not
        positive.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> plan = js.allocate(js.laplace(fit, 100), [1e10, 1e11, 1e12])
    >>> js.plots.valley(plan, budgets=1e11).get_xlabel()
    'N (parameters), at C = 6·N·D (FLOPs)'
    """
    draw.check_result(plan, Plan, "valley", "js.allocate(draws, C=…)")
    some = replace(plan, frame=_budgets(plan, budgets))
    near, wide = some.near_optimal(within), some.near_optimal(max(_SHOWN, 2 * within))
    ax, name = draw.axes_or_new(ax), plan.planner.choice.variables[0]
    colors = draw.sequential(len(some.frame))
    for place, (color, row) in enumerate(zip(colors, some.frame.to_dict("records"), strict=True)):
        low, high = wide.iloc[place][[f"{name}_from", f"{name}_to"]]
        low, high = min(low, row[f"{name}_low"]), max(high, row[f"{name}_high"])
        whole = _curve(plan, row["C"], low, high)
        ax.plot(*whole, color=color, lw=1.3, label=f"C = {row['C']:.3g}")
        inner = _curve(plan, row["C"], *near.iloc[place][[f"{name}_from", f"{name}_to"]])
        ax.plot(*inner, color=color, lw=7, alpha=0.35, solid_capstyle="butt")
        _optimum(ax, row, name, plan.output, color)
    _label_common_marks(ax, name, within, plan.level)
    ax.set_xscale("log")
    ax.set_xlabel(f"{draw.input_with_unit(name)}, at {_budget(plan)}", parse_math=False)
    ax.set_ylabel(with_unit(plan.output, plan.planner.fit.runs), parse_math=False)
    return draw.add_legend(ax)


def _budgets(plan: Plan, budgets: Any) -> pd.DataFrame:
    """Return the plan's rows for the given budgets; raises PredictionError for unknown ones."""
    frame = plan.frame.sort_values("C")
    if budgets is None:
        count = min(len(frame), _MOST_BUDGETS)
        return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, count).round().astype(int))]
    wanted = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    same = np.isclose(frame["C"].to_numpy()[:, None], wanted, rtol=1e-6, atol=0.0)
    if not wanted.size or not same.any(axis=0).all():
        wrong = listing([f"{c:.4g}" for c in wanted[~same.any(axis=0)]])
        known = listing([f"{c:.4g}" for c in frame["C"]], 12)
        raise PredictionError(
            f"The plan has no budget {wrong or 'to show'}; it has {known}. Plan for it: "
            "js.allocate(draws, C=[…])."
        )
    return frame.loc[same.any(axis=1)]


def _curve(plan: Plan, C: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values of the first input within the plan's bounds, and the estimated output there."""
    choice, point = plan.planner.choice, plan.planner.point[None]
    with float64_scope():
        place = plan.planner.place(point, np.log([C]))
        least, most = (np.exp(np.asarray(end)[0, 0]) for end in bounds_program(choice)(place))
        x = np.geomspace(np.clip(low, least, most), np.clip(high, least, most), _POINTS)
        objective = np.asarray(objective_program(choice)(np.log(x)[None, :, None], place))[0]
    # The search minimises; an output to be maximised enters it with the opposite sign.
    return x, objective if choice.falling else -objective


def _optimum(ax: Axes, row: dict[Any, Any], name: str, output: str, color: Any) -> None:
    best = row[name]
    bars = np.maximum([[best - row[f"{name}_low"]], [row[f"{name}_high"] - best]], 0.0)
    style = _optimum_style(color)
    ax.errorbar(best, row[output], xerr=bars, ms=6, lw=1.4, zorder=3, **style)


def _optimum_style(color: Any) -> dict[str, Any]:
    return {"fmt": "D", "color": color, "mec": "black", "ecolor": "black", "capsize": 3}


def _label_common_marks(ax: Axes, name: str, within: float, level: float) -> None:
    """Explain in the legend the marks that all budgets have."""
    near = f"within {100 * within:g}% of the optimum"
    ax.plot([], [], color=draw.GREY, lw=7, alpha=0.5, label=near)
    label = f"optimum, {100 * level:g}% confidence interval of {name}*"
    ax.errorbar([], [], xerr=[], label=label, **_optimum_style("white"))


def crossing(
    crossover: Crossover, *, names: tuple[str, str] = ("a", "b"), ax: Axes | None = None
) -> Axes:
    """Plot the difference between the outputs of two recipes over scale, and which is better.

    The difference a − b has its confidence band. A panel above shows the share of draws in which
    a is better. A dotted line marks the crossing. Its confidence interval is shaded, up to the end
    of the range if the interval is open.

    Parameters
    ----------
    crossover : Crossover
        The result of :func:`jscale.crossover`.
    names : tuple of str, default ("a", "b")
        Names of the two recipes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If ``crossover`` is not a Crossover.

    Examples
    --------
    >>> import jscale as js
    >>> design = {"C": [1e16, 1e17, 1e18, 1e19, 1e20]}
    >>> old, new = (
    ...     js.fit("power_const", js.simulate("power_const", truth, design))
    ...     for truth in (dict(E=1.5, A=20.0, alpha=0.05), dict(E=1.5, A=120.0, alpha=0.1))
    ... )
    >>> result = js.crossover(js.laplace(old, 100), js.laplace(new, 100), over=(1e14, 1e18))
    >>> ax = js.plots.crossing(result, names=("old", "new"))
    >>> ax.get_ylabel()
    'old − new'
    """
    draw.check_result(crossover, Crossover, "crossing", "js.crossover(a, b)")
    ax, frame, (a, b) = draw.axes_or_new(ax), crossover.frame, names
    x, interval = frame[crossover.along], f"{100 * crossover.level:g}% confidence interval"
    ax.axhline(0.0, color=draw.GREY, lw=0.8, zorder=1)
    band = [frame[c] for c in ("difference", "low", "high")]
    draw.plot_with_band(ax, x, band, draw.BLUE, f"{a} − {b}", interval)
    _mark_crossing(ax, crossover, interval)
    ax.set_xscale("log")
    ax.set_xlabel(draw.input_with_unit(crossover.along), parse_math=False)
    ax.set_ylabel(f"{a} − {b}", parse_math=False)
    draw.add_probabilities(ax, [(x, frame["a_better"], draw.BLUE)], f"P({a}\nbetter)")
    return draw.add_legend(ax)


def _mark_crossing(ax: Axes, crossover: Crossover, interval: str) -> None:
    """Mark the crossing and shade its interval, both as far as they lie within the range."""
    if np.isfinite(crossover.at_low):
        some = f" ({100 * crossover.crosses:.0f}% of draws cross)"
        label = f"{interval} of the crossing{some * (crossover.crosses < 1)}"
        style: dict[str, Any] = {"color": draw.GREY, "alpha": 0.2, "lw": 0, "zorder": 0}
        end = min(crossover.at_high, float(np.max(crossover.frame[crossover.along].to_numpy())))
        ax.axvspan(crossover.at_low, end, label=label, **style)
    if np.isfinite(crossover.at):
        ax.axvline(crossover.at, color="black", lw=1.0, ls=":")


def required(result: Required, *, along: str | None = None, ax: Axes | None = None) -> Axes:
    """Plot how much of an input a target takes, and whether the target can be reached.

    The amount has its confidence band. If some draws never reach a target, the band is open at the
    top, and a panel above shows the share of draws that reach it. A triangle marks a target that
    the estimate never reaches.

    Parameters
    ----------
    result : Required
        The result of :func:`jscale.required`.
    along : str, optional
        The column on the x-axis; by default the target, or an input that varies if the target
        does not. Other columns that vary make one line for each of their values.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    PredictionError
        If ``result`` is not a Required, or has no column ``along``.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> result = js.required(js.laplace(fit, 100), "D", loss=[1.8, 1.6], N=3e5)
    >>> js.plots.required(result).get_ylabel()
    'required D (tokens)'
    """
    draw.check_result(result, Required, "required", 'js.required(draws, "D", loss=…)')
    over, others = _over(result, along)
    ax, probabilities, top = draw.axes_or_new(ax), [], _top(result.frame)
    band_label: str | None = f"{100 * result.level:g}% confidence interval{'s' * bool(others)}"
    for (label, rows), color in zip(
        _lines(result.frame, over, others), cycle(draw.COLORS), strict=False
    ):
        x, reached = rows[over], np.isfinite(rows["estimate"])
        ends = (rows[c].clip(upper=top) for c in ("low", "high"))
        band = [rows["estimate"].where(reached), *ends]
        draw.plot_with_band(ax, x, band, color, label, band_label)
        # Just below the upper edge, whatever the scale of the y-axis.
        missed = x[~reached]
        edge = ax.get_xaxis_transform()
        ax.plot(missed, np.full(len(missed), 0.97), "^", color=color, transform=edge)
        probabilities.append((x, rows["reached"], color))
        band_label = None
    ax.set_yscale("log")
    if np.isinf(result.frame["high"].to_numpy()).any():
        ax.set_ylim(top=top)
    _label_required(ax, result, over)
    if (result.frame["reached"].to_numpy() < 1).any():
        draw.add_probabilities(ax, probabilities, "P(reached)")
    return draw.add_legend(ax)


def _label_required(ax: Axes, result: Required, over: str) -> None:
    """Label the axes; the x-axis is logarithmic unless it holds the target."""
    target = result.frame.columns[0]
    if over != target:
        ax.set_xscale("log")
    ax.set_xlabel(target if over == target else draw.input_with_unit(over), parse_math=False)
    # A budget is in the unit of its cost, which the result does not hold.
    bought = result.frame.columns[-1] != "reached"
    amount = result.variable if bought else draw.input_with_unit(result.variable)
    ax.set_ylabel(f"required {amount}", parse_math=False)


def _over(result: Required, along: str | None) -> tuple[str, list[str]]:
    """Return the column on the x-axis, and the other columns that vary."""
    # Columns after the estimate are what a budget buys, not what was given.
    known = list(result.frame.columns[: result.frame.columns.get_loc("estimate")])
    if along is not None and along not in known:
        raise PredictionError(f"No column {along!r} to plot over; there are {listing(known, 12)}.")
    varying = [c for c in known if len(set(result.frame[c])) > 1]
    over = along or next(iter(varying), known[0])
    return over, [c for c in varying if c != over]


def _lines(frame: pd.DataFrame, over: str, others: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """Return the label and the rows of each line."""
    if not others:
        return [("estimate", frame.sort_values(over))]
    lines = []
    groups: Any = frame.groupby(others, sort=False)
    for values, rows in groups:
        named = zip(others, values, strict=True)
        label = ", ".join(f"{name} = {_short(value)}" for name, value in named)
        lines.append((label, rows.sort_values(over)))
    return lines


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def _top(frame: pd.DataFrame) -> float:
    """Return the upper end of an axis of amounts, some of which may be infinite."""
    amounts = frame[["estimate", "low", "high"]].to_numpy()
    finite = amounts[np.isfinite(amounts)]
    return 10.0 * float(finite.max()) if finite.size else 1.0
