"""What to train for a budget: the section of a page that plans, for laws of N and D."""

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
from jscale.prediction.extrapolation import FAR, is_far
from jscale.reporting.answer import is_surface
from jscale.reporting.explorer import FLOPS, PRICE, PRICES, SERVED, UTILISATION, Explorer, explorer
from jscale.uncertainty.draws import Draws

# Budgets a decade; the table shows the whole decades.
_STEPS = 4
_DECADES = 4
# Tokens served in the table, over those that training alone takes.
_SHOWN = (1.0, 10.0, 100.0)
_MARK = "†"


@dataclass(frozen=True, eq=False)
class Allocation:
    """What a page says of budgets: its ``content``, and the plan behind it, None without one."""

    content: dict[str, Any]
    plan: Plan | None


def allocation(draws: Draws, level: float) -> Allocation | None:
    """Plan budgets from a tenth of the largest fitted compute to a thousand times it, or so.

    They are powers of ten, and quarters of decades between them, each spent on 6·N·D. None for
    laws that are not of N and D alone, alike for all runs, and where neither the law nor the name
    of its output says whether less is better.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> found = allocation(js.laplace(fit, 50), 0.9)
    >>> [row[0] for row in found.content["table"].rows]
    ['10¹¹', '10¹²', '10¹³ †', '10¹⁴ †', '10¹⁵ †']
    """
    law, largest = draws.fit.law, draws.fit.largest
    aimed = "loss" in law.output or law.falling or law.rising
    if not (is_surface(draws.fit) and aimed and largest is not None):
        return None
    try:
        with warnings.catch_warnings():
            # How far a budget lies is said in its row.
            warnings.simplefilter("ignore", ExtrapolationWarning)
            plan = allocate(draws, _budgets(largest), level=level)
    except PredictionError as error:
        return Allocation({**_EMPTY, "sentences": [f"There is no plan: {error}"]}, None)
    # An optimum at a bound is no answer of the law, and nothing to explore.
    inside = all(note.code != "no-interior-optimum" for note in plan.notes)
    return Allocation(_content(plan, explorer(plan) if inside else None), plan)


_EMPTY: dict[str, Any] = {
    "sentences": [], "notes": [], "table": None, "output": "", "served": None, "about": "",
    "explorer": None,
}  # fmt: skip


def _budgets(largest: float) -> np.ndarray:
    first = round(np.log10(largest)) - 1
    return np.array([10.0 ** (first + i / _STEPS) for i in range(_DECADES * _STEPS + 1)])


def _content(plan: Plan, found: Explorer | None) -> dict[str, Any]:
    return {
        "sentences": list(_sentences(plan, found)),
        "notes": list(plan.notes),
        "table": words.sheet(_table(plan)),
        "output": words.with_unit(plan.output, plan.planner.fit.runs),
        "served": None if found is None else words.sheet(_served(plan, found)),
        "about": "" if found is None else _about(found, plan.level),
        "explorer": None if found is None else _explored(plan, found),
    }


def _sentences(plan: Plan, found: Explorer | None) -> Iterator[str]:
    level, runs = words.percent(plan.level), plan.planner.fit.runs
    best = "lowest" if plan.planner.choice.falling else "highest"
    yield (
        f"N* parameters trained on D* tokens give the {best} predicted "
        f"{words.with_unit(plan.output, runs)} that a budget C = 6·N·D buys. In brackets: {level} "
        f"confidence intervals, the optimum found anew for each of {len(plan.samples)} draws."
    )
    last = plan.exponents.iloc[-2:].to_dict("records")
    said = []
    for row in last:
        value, low, high = words.span(row["exponent"], row["low"], row["high"])
        said.append(f"{row['input']}* as C^{value} ({low} to {high})")
    yield f"Around C = {words.number(last[0]['C'])} FLOPs the best grow so: {words.joined(said)}."
    yield (
        f"Rows marked {_MARK} are extrapolation, more than {FAR:g} times past the largest compute "
        "fitted. The intervals cover uncertainty within the law, not the chance that the law "
        "ceases to hold on the way."
    )
    if found is None:
        yield "There is no budget explorer, for the fitted law has no optimum at some budgets."


def _table(plan: Plan) -> pd.DataFrame:
    """Return a row for each whole decade of budgets, with intervals in brackets."""
    frame, near = plan.frame.iloc[::_STEPS], plan.near_optimal().iloc[::_STEPS]
    first = plan.planner.choice.variables[0]
    ends = zip(near[f"{first}_from"], near[f"{first}_to"], strict=True)
    return pd.DataFrame({
        "C (FLOPs)": [
            words.number(c) + f" {_MARK}" * bool(far)
            for c, far in zip(frame["C"], is_far(frame["extrapolation"]), strict=True)
        ],
        "N*": _spans(frame, "N"),
        "D*": _spans(frame, "D"),
        "D*/N*": _spans(frame, "D/N"),
        words.with_unit(plan.output, plan.planner.fit.runs): _spans(frame, plan.output),
        f"{first} within 0.1 % of the best {plan.output}": [
            f"{words.number(low, 3)} to {words.number(high, 3)}" for low, high in ends
        ],
        "of the largest fitted": [f"{words.number(x, 3)}×" for x in frame["extrapolation"]],
    })  # fmt: skip


def _spans(frame: pd.DataFrame, name: str) -> list[str]:
    triples = frame[[name, f"{name}_low", f"{name}_high"]].to_numpy()
    return [_bracketed(*row) for row in triples]


def _bracketed(value: float, low: float, high: float) -> str:
    middle, lower, upper = words.span(value, low, high)
    return f"{middle} ({lower} to {upper})"


def _served(plan: Plan, found: Explorer) -> pd.DataFrame:
    """Return a row for each whole decade of budgets and three numbers of tokens served."""
    rows = []
    for i in range(0, len(found.budgets), _STEPS):
        for share in _SHOWN:
            j = SERVED.index(share)
            cells = {name: _bracketed(*(float(ends[end][i, j]) for end in ends))
                     for name, ends in found.values.items()}  # fmt: skip
            rows.append({
                "C (FLOPs)": words.number(found.budgets[i]),
                "tokens served": words.number(found.served[i, j], 3),
                "N*": cells["N"], "D*": cells["D"],
                words.with_unit(plan.output, plan.planner.fit.runs): cells["output"],
            })  # fmt: skip
    return pd.DataFrame(rows)


def _about(found: Explorer, level: float) -> str:
    """Say where the explorer's numbers come from, and what its price buys."""
    thinned = "" if found.draws == found.of_draws else f" of {found.of_draws}"
    loose = (
        f" In {words.number(100 * found.unsettled, 2)} % of the searches the optimum was not "
        "found to the last digit." if found.unsettled else ""
    )  # fmt: skip
    return (
        f"Under each number: its {words.percent(level)} confidence interval, from {found.draws}"
        f"{thinned} draws. Computed at {len(found.budgets)} budgets and {len(SERVED)} numbers of "
        f"tokens served each, interpolated between.{loose} An hour of a device is "
        f"{words.number(3600 * FLOPS * UTILISATION)} FLOPs: {words.number(FLOPS)} a second, of "
        f"which {words.percent(UTILISATION)} are used; for another device, scale the price."
    )


def _explored(plan: Plan, found: Explorer) -> dict[str, Any]:
    """Return what the explorer's script reads, and the words around it."""
    runs = plan.planner.fit.runs
    return {
        **found.content(),
        "output": plan.output,
        "unit": "" if runs.loss_unit == "other" or "loss" not in plan.output else runs.loss_unit,
        "level": words.percent(plan.level),
        "largest": plan.planner.fit.largest,
        "far": FAR,
        "start": _STEPS * 2,
        "sliders": _sliders(found),
    }


def _sliders(found: Explorer) -> dict[str, list[float]]:
    """Return the ends of each slider, in powers of ten, and where it starts.

    The least position of tokens served means none: a step below the fewest.
    """
    low, high = found.tokens.min() * SERVED[1], found.tokens.max() * SERVED[-1]
    ends = np.log10(found.budgets[[0, -1, _STEPS * 2]])
    prices = np.log10([*PRICES, PRICE])
    return {
        "C": [round(float(x), 9) for x in ends],
        "served": [float(np.floor(np.log10(low))) - 1.0, float(np.ceil(np.log10(high)))],
        "price": [round(float(x), 9) for x in prices],
    }
