"""The section of a page that plans what to train for a budget, for laws of N and D."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import ExtrapolationWarning, PredictionError
from jscale.planning.allocate import allocate
from jscale.planning.plan import Plan
from jscale.plots import words
from jscale.prediction.extrapolation import CHECK_FAR, FAR, is_far
from jscale.prediction.predictor import Predictor, is_within_law
from jscale.prediction.sources import reference_of
from jscale.reporting.answer import WITHIN_THE_LAW, is_surface
from jscale.reporting.explorer import FLOPS, PRICE, PRICES, SERVED, UTILISATION, Explorer, explorer
from jscale.uncertainty.draws import Draws

# Budgets per decade; the table shows whole decades.
_STEPS = 4
_DECADES = 4
# Tokens served in the table, as multiples of the tokens that training alone would take.
_SERVED_SHOWN = (1.0, 10.0, 100.0)
_EXTRAPOLATED = "†"


@dataclass(frozen=True, eq=False)
class Allocation:
    """The section on budgets.

    Attributes
    ----------
    content : dict
        The sentences, tables and notes of the section.
    plan : Plan or None
        The plan that they show, None if there is none.
    """

    content: dict[str, Any]
    plan: Plan | None


def allocation(source: Draws | Predictor, level: float) -> Allocation | None:
    """Plan budgets from about a tenth of the largest fitted compute to a thousand times it.

    The budgets are powers of ten and quarters of decades between them, each spent on 6·N·D.
    Returns None for laws that are not laws of N and D with the same parameters for all runs, and
    if neither the law nor the name of its output tells whether less is better.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> section = allocation(js.laplace(fit, 50), 0.9)
    >>> [row[0] for row in section.content["table"].rows]
    ['10¹¹', '10¹²', '10¹³ †', '10¹⁴ †', '10¹⁵ †']
    """
    fit = reference_of(source, caller="report")
    law, largest = fit.law, fit.largest
    directed = "loss" in law.output or law.falling or law.rising
    if not (is_surface(fit) and directed and largest is not None):
        return None
    try:
        with warnings.catch_warnings():
            # The table says in each row how far its budget lies beyond the runs.
            warnings.simplefilter("ignore", ExtrapolationWarning)
            plan = allocate(source, _budgets(largest), level=level)
    except PredictionError as error:
        return Allocation({**_EMPTY, "sentences": [f"There is no plan: {error}"]}, None)
    # An optimum at a bound comes from the bound, not from the law: there is nothing to explore.
    interior = all(note.code != "no-interior-optimum" for note in plan.notes)
    return Allocation(_content(plan, explorer(plan) if interior else None), plan)


_EMPTY: dict[str, Any] = {
    "sentences": [],
    "notes": [],
    "table": None,
    "output": "",
    "served": None,
    "about": "",
    "explorer": None,
}


def _budgets(largest: float) -> np.ndarray:
    first = round(np.log10(largest)) - 1
    return np.array([10.0 ** (first + i / _STEPS) for i in range(_DECADES * _STEPS + 1)])


def _content(plan: Plan, grid: Explorer | None) -> dict[str, Any]:
    return {
        "sentences": list(_sentences(plan, grid)),
        "notes": list(plan.notes),
        "table": words.sheet(_table(plan)),
        "output": words.with_unit(plan.output, plan.planner.fit.runs),
        "served": None if grid is None else words.sheet(_served(plan, grid)),
        "about": "" if grid is None else _about(grid, plan.level),
        "explorer": None if grid is None else _explored(plan, grid),
    }


def _sentences(plan: Plan, grid: Explorer | None) -> Iterator[str]:
    level, runs = words.percent(plan.level), plan.planner.fit.runs
    extreme = "lowest" if plan.planner.choice.falling else "highest"
    yield (
        f"A budget C = 6·N·D buys the {extreme} predicted {words.with_unit(plan.output, runs)} "
        f"with N* parameters trained on D* tokens. In parentheses: {level} confidence intervals, "
        f"from the optimum of each of {len(plan.samples)} draws."
    )
    last = plan.exponents.iloc[-2:].to_dict("records")
    growth = []
    for row in last:
        value, low, high = words.span(row["exponent"], row["low"], row["high"])
        growth.append(f"{row['input']}* grows as C^{value} ({low} to {high})")
    yield f"Around C = {words.number(last[0]['C'])} FLOPs, {words.joined(growth)}."
    yield (
        f"Rows marked {_EXTRAPOLATED} are extrapolations to more than {FAR:g} times the largest "
        f"fitted compute. {WITHIN_THE_LAW if is_within_law(plan.predictor) else CHECK_FAR}"
    )
    if grid is None:
        yield "There is no budget explorer, because the fitted law has no optimum at some budgets."


def _table(plan: Plan) -> pd.DataFrame:
    """Return a row for each whole decade of budgets, with intervals in parentheses."""
    frame, near = plan.frame.iloc[::_STEPS], plan.near_optimal().iloc[::_STEPS]
    first = plan.planner.choice.variables[0]
    ends = zip(near[f"{first}_from"], near[f"{first}_to"], strict=True)
    budgets = zip(frame["C"], is_far(frame["extrapolation"]), strict=True)
    return pd.DataFrame(
        {
            "C (FLOPs)": [words.number(c) + f" {_EXTRAPOLATED}" * bool(far) for c, far in budgets],
            "N*": _spans(frame, "N"),
            "D*": _spans(frame, "D"),
            "D*/N*": _spans(frame, "D/N"),
            words.with_unit(plan.output, plan.planner.fit.runs): _spans(frame, plan.output),
            f"{first} within 0.1% of the optimal {plan.output}": [
                f"{words.number(low, 3)} to {words.number(high, 3)}" for low, high in ends
            ],
            "compute / largest fitted": [f"{words.number(x, 3)}×" for x in frame["extrapolation"]],
        }
    )


def _spans(frame: pd.DataFrame, name: str) -> list[str]:
    triples = frame[[name, f"{name}_low", f"{name}_high"]].to_numpy()
    return [_with_interval(*row) for row in triples]


def _with_interval(value: float, low: float, high: float) -> str:
    middle, lower, upper = words.span(value, low, high)
    return f"{middle} ({lower} to {upper})"


def _served(plan: Plan, grid: Explorer) -> pd.DataFrame:
    """Return a row for each whole decade of budgets and three numbers of tokens served."""
    output = words.with_unit(plan.output, plan.planner.fit.runs)
    rows = []
    for i in range(0, len(grid.budgets), _STEPS):
        for multiple in _SERVED_SHOWN:
            j = SERVED.index(multiple)
            cells = {
                name: _with_interval(*(float(grids[end][i, j]) for end in grids))
                for name, grids in grid.values.items()
            }
            rows.append(
                {
                    "C (FLOPs)": words.number(grid.budgets[i]),
                    "tokens served": words.number(grid.served[i, j], 3),
                    "N*": cells["N"],
                    "D*": cells["D"],
                    output: cells["output"],
                }
            )
    return pd.DataFrame(rows)


def _about(grid: Explorer, level: float) -> str:
    """Explain where the explorer's numbers come from, and what its price buys."""
    thinned = "" if grid.draws == grid.of_draws else f" of {grid.of_draws}"
    loose = f" In {words.number(100 * grid.unsettled, 2)}% of the searches the optimum was not "
    loose = f"{loose}found to full precision." if grid.unsettled else ""
    return (
        f"Below each number: its {words.percent(level)} confidence interval, from {grid.draws}"
        f"{thinned} draws. Values are computed at {len(grid.budgets)} budgets and {len(SERVED)} "
        f"numbers of tokens served for each, and interpolated between them.{loose} A device hour "
        f"is {words.number(3600 * FLOPS * UTILISATION)} FLOPs: {words.number(FLOPS)} per second "
        f"at {words.percent(UTILISATION)} utilisation; for another device, scale the price."
    )


def _explored(plan: Plan, grid: Explorer) -> dict[str, Any]:
    """Return the data that the explorer's script reads."""
    runs = plan.planner.fit.runs
    return {
        **grid.content(),
        "output": plan.output,
        "unit": "" if runs.loss_unit == "other" or "loss" not in plan.output else runs.loss_unit,
        "level": words.percent(plan.level),
        "largest": plan.planner.fit.largest,
        "far": FAR,
        "start": _STEPS * 2,
        "sliders": _sliders(grid),
    }


def _sliders(grid: Explorer) -> dict[str, list[float]]:
    """Return the ends of each slider and where it starts, as logarithms to base ten.

    The lowest position of the slider of tokens served, a step below the fewest, means none.
    """
    low, high = grid.tokens.min() * SERVED[1], grid.tokens.max() * SERVED[-1]
    ends = np.log10(grid.budgets[[0, -1, _STEPS * 2]])
    prices = np.log10([*PRICES, PRICE])
    return {
        "C": [round(float(x), 9) for x in ends],
        "served": [float(np.floor(np.log10(low))) - 1.0, float(np.ceil(np.log10(high)))],
        "price": [round(float(x), 9) for x in prices],
    }
