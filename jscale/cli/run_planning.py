"""The work of ``jscale plan`` and ``jscale required``, and their output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

import jscale as js
from jscale.arguments import check_level
from jscale.cli import planning_values as values
from jscale.cli.notes import as_documents, print_notes
from jscale.cli.progress import working
from jscale.cli.requests import Budgets, Intervals, Output, Target
from jscale.cli.tables import load_fit
from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.planning.costs import Cost
from jscale.planning.plan import Plan
from jscale.planning.required import Required
from jscale.reporting import console
from jscale.reporting.console import number

DRAWING = "Resampling the runs for intervals …"


def plan(
    file: Path, budgets: Budgets, given: Mapping[str, str], intervals: Intervals, output: Output
) -> None:
    """Plan for budgets from a saved fit, and print the plan and what other choices cost."""
    check_level(intervals.level)
    cost = values.cost_of(budgets.cost)
    amounts = values.budgets(budgets.flops, budgets.dollars, cost)
    fit = load_fit(file)
    _check_chosen(fit)
    limits = values.bounds(fit, budgets.bounds)
    others = values.others([fit], ("N", "D"), given)
    sizes = _sizes(budgets.choices)
    js.enable_compilation_cache()
    with working(DRAWING, output):
        allocation = js.allocate(
            fit,
            amounts,
            cost=cost,
            bounds=limits,
            level=intervals.level,
            method=intervals.method,
            seed=intervals.seed,
            **others,
        )
        other = [allocation.excess(N=size) for size in sizes]
        near = allocation.near_optimal()
    if output.as_json:
        console.print_json({"seed": intervals.seed, **_document(allocation, near, other)})
    else:
        _print_plan(console.screen(), allocation, near, other)


def _document(plan: Plan, near: pd.DataFrame, other: Sequence[pd.DataFrame]) -> dict[str, Any]:
    return {
        "law": plan.planner.fit.law.name,
        "output": plan.output,
        "cost": plan.cost.name,
        "unit": plan.cost.unit,
        "level": plan.level,
        "method": plan.method,
        "plan": console.records(plan.frame),
        "exponents": console.records(plan.exponents),
        "near_optimal": console.records(near),
        "choices": [row for table in other for row in console.records(table)],
        "notes": as_documents(plan.notes),
    }


def _check_chosen(fit: Fit) -> None:
    if not {"N", "D"} <= set(fit.law.inputs):
        raise PredictionError(
            f"`jscale plan` chooses N and D, but {fit.law.name} is of {listing(fit.law.inputs, 12)}"
            ". In Python, js.allocate takes other inputs, with variables=… and a cost of them."
        )


def _sizes(choices: Sequence[Mapping[str, str]]) -> list[float]:
    wrong = [name for choice in choices for name in choice if name != "N"]
    if wrong:
        raise PredictionError(f"--choose {wrong[0]}=…: choose a size, --choose N=7B.")
    return values.positive([choice["N"] for choice in choices], "--choose N=")


def _print_plan(
    out: Console, plan: Plan, near: pd.DataFrame, other: Sequence[pd.DataFrame]
) -> None:
    law, unit, output = plan.planner.fit.law, plan.cost.unit, plan.output
    out.print(f"{law.name}: the best N and D for a budget", style="bold", markup=False)
    out.print(f"cost: {plan.cost.name}; draws: {plan.method}\n", markup=False)
    out.print(console.table_of(_plan_table(plan)))
    last = plan.exponents.loc[plan.exponents["C"] == plan.exponents["C"].max()]
    out.print(f"\nAt {number(last['C'].iloc[0])} {unit} {_growth(last)}.", markup=False)
    spans = [
        f"{number(x['N_from'])} to {number(x['N_to'])} at {number(x['C'])} {unit}"
        for x in near.to_dict("records")
    ]
    out.print(f"Within 0.1% of the best {output} lies N from {'; '.join(spans)}.", markup=False)
    if other:
        _print_choices(out, pd.concat(other), output, unit)
    print_notes(out, plan.notes)


def _growth(exponents: pd.DataFrame) -> str:
    """Describe how the best choice grows with the budget."""
    powers = []
    for row in exponents.to_dict("records"):
        # Adding 0.0 turns -0.0 into 0.0, which prints without a sign.
        best, low, high = (f"{round(row[x], 3) + 0.0:.3f}" for x in ("exponent", "low", "high"))
        powers.append(f"{row['input']} to the power {best} ({low} to {high})")
    return f"the best choice grows with the budget: {', '.join(powers)}"


def _plan_table(plan: Plan) -> pd.DataFrame:
    """Return a plan with one line per quantity, so that intervals fit into 80 columns."""
    lines = []
    for row in plan.frame.to_dict("records"):
        for i, name in enumerate(("N", "D", "D/N", plan.output)):
            ends = row[f"{name}_low"], row[f"{name}_high"]
            lines.append(
                {
                    plan.cost.unit: number(row["C"]) if i == 0 else "",
                    "C/max C": f"{row['extrapolation']:.2g}×" if i == 0 else "",
                    "": name,
                    "best": number(row[name]),
                    f"{100 * plan.level:g}% interval": interval(*ends),
                }
            )
    return pd.DataFrame(lines)


def interval(low: float, high: float) -> str:
    """Return an interval as text."""
    return f"{number(low)} to {number(high)}"


def _print_choices(out: Console, table: pd.DataFrame, output: str, unit: str) -> None:
    out.print(
        f"\nOther choices: their {output}, and the share of the budget that would suffice if it "
        "were spent compute-optimally",
        markup=False,
    )
    worth = [_worth(*row) for row in table[[output, "worth"]].to_numpy()]
    shown = table.assign(worth=worth).rename(columns={"C": unit, "excess": "over the best"})
    out.print(console.table_of(shown))


def _worth(output: float, worth: float) -> str:
    if not np.isfinite(output):
        return "not affordable"
    return "less than a millionth" if np.isnan(worth) else f"{100 * worth:.3g}%"


def required(
    file: Path, target: Target, given: Mapping[str, str], intervals: Intervals, output: Output
) -> None:
    """Find what targets require under a saved fit, and print it with the chance to reach them."""
    check_level(intervals.level)
    wanted = [values.number_of(text, f"--loss {text}") for text in target.values]
    fit = load_fit(file)
    if not wanted:
        raise PredictionError(f"Give the {fit.law.output} to reach, such as --loss 2.0.")
    variable = target.variable
    cost = _cost_of_compute(fit, variable, target.cost)
    free = (variable,) if cost is None else cost.inputs
    # js.required itself raises the error for an unknown variable.
    known = variable in fit.law.inputs or cost is not None
    others = values.others([fit], free, given) if known else {}
    js.enable_compilation_cache()
    with working(DRAWING, output):
        needs = js.required(
            fit,
            variable,
            cost=cost,
            level=intervals.level,
            method=intervals.method,
            seed=intervals.seed,
            **{fit.law.output: wanted},
            **others,
        )
    if output.as_json:
        console.print_json(
            {
                "law": fit.law.name,
                "variable": variable,
                "output": fit.law.output,
                "cost": cost and cost.name,
                "unit": cost and cost.unit,
                "level": intervals.level,
                "method": needs.method,
                "seed": intervals.seed,
                "required": console.records(needs.frame),
                "notes": as_documents(needs.notes),
            }
        )
    else:
        _print_required(console.screen(), needs, fit.law.output, cost)


def _cost_of_compute(fit: Fit, variable: str, cost: str | None) -> Cost | None:
    """Return the cost that compute is spent on, or None for another variable."""
    if variable == "C" and {"N", "D"} <= set(fit.law.inputs) and "C" not in fit.law.inputs:
        return values.cost_of(cost or "6ND")
    if cost is not None:
        raise PredictionError(
            f"--cost {cost}: only C has a cost, `jscale required FILE C --cost …`, for a law of N "
            "and D."
        )
    if variable == "C" and "C" not in fit.law.inputs:
        raise PredictionError(
            f"C pays for N and D, but {fit.law.name} is of {listing(fit.law.inputs, 12)}. Name one "
            "of these."
        )
    return None


def _print_required(out: Console, needs: Required, output: str, cost: Cost | None) -> None:
    frame = needs.to_frame()
    spans = [interval(*ends) for ends in frame[["low", "high"]].to_numpy()]
    place = int(frame.columns.get_indexer(["low"])[0])
    frame = frame.drop(columns=["low", "high"])
    frame.insert(place, f"{100 * needs.level:g}% interval", spans)
    frame["reached"] = [f"{100 * share:.3g}%" for share in frame["reached"]]
    amount = needs.variable if cost is None else cost.unit
    spent = "" if cost is None else f", spent compute-optimally at a cost of {cost.name}"
    out.print(
        f"{needs.law}: the least {needs.variable} for a {output}{spent}, by {needs.method}; "
        "reached is the probability that any amount is enough\n",
        markup=False,
    )
    out.print(console.table_of(frame.rename(columns={"estimate": amount})))
    print_notes(out, needs.notes)
