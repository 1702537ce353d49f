"""Plots of plans: what to train for a budget, how flat its optimum is, what a target takes, and
where one recipe overtakes another. Every function takes a matplotlib Axes (or makes one) and
returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

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

_MOST_BUDGETS = 4
# A valley is drawn as far as its output is within 5 % of the best.
_SHOWN = 0.05
_POINTS = 201
# Shades reach so far past the budgets at the ends.
_MARGIN = 1.1


def allocation(plan: Plan, *, show: str | Sequence[str] | None = None, ax: Any = None) -> Any:
    """Plot the best inputs over the budget, with confidence bands; shaded where no runs are.

    ``show`` names columns of the plan: its inputs (the default), D/N, or the output. Shaded are
    budgets below the cheapest fitted run, and those whose optimum takes more compute than any.
    Hollow points are budgets at which most draws' optima lie at a bound. Raises PredictionError
    for anything but a Plan, and for columns that it does not have.

    >>> import jscale as js
    >>> from jscale import plots
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> plan = js.allocate(js.laplace(fit, 100), [1e10, 1e11, 1e12])
    >>> plots.allocation(plan).get_xlabel()
    'C = 6·N·D (FLOPs)'
    """
    draw.check(plan, Plan, "allocation", "js.allocate(draws, C=…)")
    names = _columns(plan, show)
    ax, frame = draw.axes(ax), plan.frame.sort_values("C")
    _shade(ax, _outside(plan))
    sure: str | None = f"{100 * plan.level:g}% confidence interval{'s' * (len(names) > 1)}"
    for name, color in zip(names, cycle(draw.COLORS), strict=False):
        band = [frame[f"{name}{end}"] for end in ("", "_low", "_high")]
        draw.with_band(ax, frame["C"], band, color, _named(plan, name), sure)
        sure = None
        _at_bound(ax, frame, name, color)
    ax.set_xscale("log")
    if names != [plan.output]:
        ax.set_yscale("log")
    ax.set_xlabel(_budget(plan), parse_math=False)
    ax.set_ylabel(", ".join(_named(plan, name) for name in names), parse_math=False)
    return draw.with_legend(ax)


def _columns(plan: Plan, show: str | Sequence[str] | None) -> list[str]:
    """Return the columns to show; raises PredictionError for those that are none."""
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
    """Write N* for N, and D*/N* for D/N: the best, not any."""
    return "/".join(f"{part}*" for part in name.split("/"))


def _named(plan: Plan, name: str) -> str:
    """Name a column of a plan with its unit."""
    if name == plan.output:
        most = "lowest" if plan.planner.choice.falling else "highest"
        return f"{most} {with_unit(name, plan.planner.fit.runs)}"
    unit = unit_of("M" if name == "D/N" else name)
    return f"{_starred(name)} ({unit})" if unit else _starred(name)


def _budget(plan: Plan) -> str:
    return f"C = {plan.cost.name} ({plan.cost.unit})"


def _outside(plan: Plan) -> list[tuple[float, float]]:
    """Return the ranges of budgets where the plan goes beyond the fitted runs."""
    frame = plan.frame.sort_values("C")
    C, past = frame["C"].to_numpy(), frame["extrapolation"].to_numpy()
    margin = _MARGIN if len(C) > 1 else 10.0
    low, high = C[0] / margin, C[-1] * margin
    first, last = plan.planner.spent
    known = (np.isfinite(past) & (past > 0)).all()
    rising = np.log(np.maximum.accumulate(past if known else C / last))
    last = np.exp(np.interp(0.0, rising, np.log(C), left=np.log(low), right=np.inf))
    first = min(first, high) if first > C[0] else low
    ranges = [(low, first), (last, high)] if first < last else [(low, high)]
    return [ends for ends in ranges if ends[0] < ends[1]]


def _shade(ax: Any, ranges: list[tuple[float, float]]) -> None:
    for place, (low, high) in enumerate(ranges):
        label = "outside the fitted runs" if place == 0 else None
        ax.axvspan(low, high, color=draw.GREY, alpha=0.13, lw=0, zorder=0, label=label)


def _at_bound(ax: Any, frame: pd.DataFrame, name: str, color: str) -> None:
    held = frame[frame["at_bound"] > 0.5]
    if len(held):
        labels = ax.get_legend_handles_labels()[1]
        label = None if "best at a bound" in labels else "best at a bound"
        ax.plot(held["C"], held[name], "o", color=color, mfc="white", ms=6, label=label)


def valley(plan: Plan, *, budgets: Any = None, within: float = 0.001, ax: Any = None) -> Any:
    """Plot the output over the first input at a few budgets, the other following from each.

    Curves are the estimate's, as far as they are within 5 % of the best. The thick part is within
    0.1 % of it (``within``; :meth:`Plan.near_optimal`), a diamond is the best, and a bar the
    confidence interval of where the best lies. ``budgets`` are some of the plan's (four of them
    by default). Raises PredictionError for anything but a Plan of two inputs, a budget that is not
    the plan's, or a share that is not positive.
    """
    import matplotlib as mpl

    draw.check(plan, Plan, "valley", "js.allocate(draws, C=…)")
    some = replace(plan, frame=_budgets(plan, budgets))
    near, wide = some.near_optimal(within), some.near_optimal(max(_SHOWN, 2 * within))
    ax, name = draw.axes(ax), plan.planner.choice.variables[0]
    colors = mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(some.frame)))
    for place, (color, row) in enumerate(zip(colors, some.frame.to_dict("records"), strict=True)):
        low, high = wide.iloc[place][[f"{name}_from", f"{name}_to"]]
        low, high = min(low, row[f"{name}_low"]), max(high, row[f"{name}_high"])
        whole = _curve(plan, row["C"], low, high)
        ax.plot(*whole, color=color, lw=1.3, label=f"C = {row['C']:.3g}")
        inner = _curve(plan, row["C"], *near.iloc[place][[f"{name}_from", f"{name}_to"]])
        ax.plot(*inner, color=color, lw=7, alpha=0.35, solid_capstyle="butt")
        _optimum(ax, row, name, plan.output, color)
    _explained(ax, name, within, plan.level)
    ax.set_xscale("log")
    ax.set_xlabel(f"{draw.with_own_unit(name)}, at {_budget(plan)}", parse_math=False)
    ax.set_ylabel(with_unit(plan.output, plan.planner.fit.runs), parse_math=False)
    return draw.with_legend(ax)


def _budgets(plan: Plan, budgets: Any) -> pd.DataFrame:
    """Return the rows of the budgets asked for; raises PredictionError for one that has none."""
    frame = plan.frame.sort_values("C")
    if budgets is None:
        count = min(len(frame), _MOST_BUDGETS)
        return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, count).round().astype(int))]
    asked = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    same = np.isclose(frame["C"].to_numpy()[:, None], asked, rtol=1e-6, atol=0.0)
    if not asked.size or not same.any(axis=0).all():
        wrong = listing([f"{c:.4g}" for c in asked[~same.any(axis=0)]])
        known = listing([f"{c:.4g}" for c in frame["C"]], 12)
        raise PredictionError(
            f"The plan has no budget {wrong or 'to show'}; it has {known}. Plan for it: "
            "js.allocate(draws, C=[…])."
        )
    return frame.loc[same.any(axis=1)]


def _curve(plan: Plan, C: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values of the first input within a plan's bounds, and the estimate's output there."""
    choice, point = plan.planner.choice, plan.planner.fit.params.to_numpy()[None]
    with float64_scope():
        place = plan.planner.place(point, np.log([C]))
        least, most = (np.exp(np.asarray(end)[0, 0]) for end in bounds_program(choice)(place))
        x = np.geomspace(np.clip(low, least, most), np.clip(high, least, most), _POINTS)
        found = np.asarray(objective_program(choice)(np.log(x)[None, :, None], place))[0]
    return x, found if choice.falling else -found


def _optimum(ax: Any, row: dict[Any, Any], name: str, output: str, color: Any) -> None:
    best = row[name]
    bars = np.maximum([[best - row[f"{name}_low"]], [row[f"{name}_high"] - best]], 0.0)
    ax.errorbar(best, row[output], xerr=bars, fmt="D", color=color, mec="black", ms=6, lw=1.4,
                ecolor="black", capsize=3, zorder=3)  # fmt: skip


def _explained(ax: Any, name: str, within: float, level: float) -> None:
    """Name in the legend what all budgets share."""
    ax.plot([], [], color=draw.GREY, lw=7, alpha=0.5, label=f"within {100 * within:g}% of the best")
    ax.errorbar([], [], xerr=[], fmt="D", color="white", mec="black", ecolor="black", capsize=3,
                label=f"best, {100 * level:g}% confidence interval of {name}*")  # fmt: skip


def crossing(found: Crossover, *, names: tuple[str, str] = ("a", "b"), ax: Any = None) -> Any:
    """Plot how much the outputs of two recipes differ over scale, and how likely a is better.

    The difference a − b has its confidence band; a panel above has the share of draws in which a
    is better. A dotted line is the crossing; shaded is its confidence interval, to the end of the
    range where that is open. ``names`` are those of a and b. Raises PredictionError for anything
    but a Crossover.
    """
    draw.check(found, Crossover, "crossing", "js.crossover(a, b)")
    ax, frame, (a, b) = draw.axes(ax), found.frame, names
    x, sure = frame[found.along], f"{100 * found.level:g}% confidence interval"
    ax.axhline(0.0, color=draw.GREY, lw=0.8, zorder=1)
    band = [frame[c] for c in ("difference", "low", "high")]
    draw.with_band(ax, x, band, draw.BLUE, f"{a} − {b}", sure)
    if np.isfinite(found.at_low):
        share = f" ({100 * found.crosses:.0f}% of draws cross)" if found.crosses < 1 else ""
        ax.axvspan(found.at_low, min(found.at_high, x.max()), color=draw.GREY, alpha=0.2, lw=0,
                   zorder=0, label=f"{sure} of the crossing{share}")  # fmt: skip
    if np.isfinite(found.at):
        ax.axvline(found.at, color="black", lw=1.0, ls=":")
    ax.set_xscale("log")
    ax.set_xlabel(draw.with_own_unit(found.along), parse_math=False)
    ax.set_ylabel(f"{a} − {b}", parse_math=False)
    draw.panel(ax, [(x, frame["a_better"], draw.BLUE)], f"P({a}\nbetter)")
    return draw.with_legend(ax)


def required(found: Required, *, along: str | None = None, ax: Any = None) -> Any:
    """Plot how much a target takes, with its confidence band, and whether it can be reached.

    ``along`` is the column to plot over: the target, or what varies if it does not. Other columns
    that vary make a line each. Where some draws never reach a target the band is open to the top,
    and a panel above has the share that do; a triangle is a target that the estimate never
    reaches. Raises PredictionError for anything but a result of js.required, and for a column that
    it does not have.
    """
    draw.check(found, Required, "required", 'js.required(draws, "D", loss=…)')
    over, others = _over(found, along)
    ax, chances, top = draw.axes(ax), [], _top(found.frame)
    sure: str | None = f"{100 * found.level:g}% confidence interval{'s' * bool(others)}"
    parts = _lines(found.frame, over, others)
    for (label, rows), color in zip(parts, cycle(draw.COLORS), strict=False):
        x, reached = rows[over], np.isfinite(rows["estimate"])
        ends = (rows[c].clip(upper=top) for c in ("low", "high"))
        band = [rows["estimate"].where(reached), *ends]
        draw.with_band(ax, x, band, color, label, sure)
        ax.plot(x[~reached], np.full(int((~reached).sum()), 0.97), "^", color=color,
                transform=ax.get_xaxis_transform())  # fmt: skip
        chances, sure = [*chances, (x, rows["reached"], color)], None
    ax.set_yscale("log")
    if np.isinf(found.frame["high"].to_numpy()).any():
        ax.set_ylim(top=top)
    target = found.frame.columns[0]
    if over != target:
        ax.set_xscale("log")
    ax.set_xlabel(target if over == target else draw.with_own_unit(over), parse_math=False)
    # A budget is in the unit of its cost, which the result does not say.
    bought = found.frame.columns[-1] != "reached"
    amount = found.variable if bought else draw.with_own_unit(found.variable)
    ax.set_ylabel(f"{amount} that the target takes", parse_math=False)
    if (found.frame["reached"].to_numpy() < 1).any():
        draw.panel(ax, chances, "P(reached)")
    return draw.with_legend(ax)


def _over(found: Required, along: str | None) -> tuple[str, list[str]]:
    """Return the column to plot over and the others that vary."""
    # What follows the estimate is what it buys, not what was asked for.
    known = list(found.frame.columns[: found.frame.columns.get_loc("estimate")])
    if along is not None and along not in known:
        raise PredictionError(f"No column {along!r} to plot over; there are {listing(known, 12)}.")
    varying = [c for c in known if len(set(found.frame[c])) > 1]
    over = along or next(iter(varying), known[0])
    return over, [c for c in varying if c != over]


def _lines(frame: pd.DataFrame, over: str, others: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """Return what sets each line apart, and its rows."""
    if not others:
        return [("estimate", frame.sort_values(over))]
    groups: Any = frame.groupby(others, sort=False)
    return [
        (", ".join(f"{name} = {_short(v)}" for name, v in zip(others, key, strict=True)),
         rows.sort_values(over))
        for key, rows in groups
    ]  # fmt: skip


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def _top(frame: pd.DataFrame) -> float:
    """Return where an axis of amounts ends that has to show infinite ones."""
    amounts = frame[["estimate", "low", "high"]].to_numpy()
    finite = amounts[np.isfinite(amounts)]
    return 10.0 * float(finite.max()) if finite.size else 1.0
