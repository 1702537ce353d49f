"""What ``jscale plan`` and ``jscale required`` do, and how they print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

import jscale as js
from jscale.arguments import check_level
from jscale.cli import fitting as commands
from jscale.cli import planning_values as said
from jscale.errors import PredictionError, listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.planning.costs import Cost
from jscale.planning.plan import Plan
from jscale.planning.required import Required
from jscale.reporting import console as show_in
from jscale.reporting.console import number

_RANKS = {"warning": 0, "caution": 1, "info": 2}
_COLORS = {"warning": "red", "caution": "yellow", "info": "cyan"}
DRAWING = "Resampling the runs for intervals …"


def plan(
    file: Path,
    *,
    flops: Sequence[str],
    dollars: Sequence[str],
    cost: str,
    bounds: Mapping[str, str],
    given: Mapping[str, str],
    choices: Sequence[Mapping[str, str]],
    method: str,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Plan for budgets from a saved fit, and print the plan and what other choices cost."""
    check_level(level)
    priced = said.cost_of(cost)
    budgets = said.budgets(flops, dollars, priced)
    fit = js.load(file)
    _check_chosen(fit)
    limits, others = said.bounds(fit, bounds), said.others([fit], ("N", "D"), given)
    sizes = _sizes(choices)
    js.enable_compilation_cache()
    with commands.working(DRAWING, not as_json):
        found = js.allocate(
            fit, budgets, cost=priced, bounds=limits, level=level, method=method, seed=seed,
            **others,
        )  # fmt: skip
        other = [found.excess(N=size) for size in sizes]
        near = found.near_optimal()
    if as_json:
        show_in.print_json({"seed": seed, **_document(found, near, other)})
    else:
        _print_plan(show_in.screen(), found, near, other)


def _document(found: Plan, near: pd.DataFrame, other: Sequence[pd.DataFrame]) -> dict[str, Any]:
    return {
        "law": found.planner.fit.law.name, "output": found.output, "cost": found.cost.name,
        "unit": found.cost.unit, "level": found.level, "method": found.method,
        "plan": show_in.records(found.frame), "exponents": show_in.records(found.exponents),
        "near_optimal": show_in.records(near),
        "choices": [row for table in other for row in show_in.records(table)],
        "notes": _notes(found.notes),
    }  # fmt: skip


def _check_chosen(fit: Fit) -> None:
    if not {"N", "D"} <= set(fit.law.inputs):
        raise PredictionError(
            f"`jscale plan` chooses N and D, but {fit.law.name} is of {listing(fit.law.inputs, 12)}"
            ". In Python js.allocate takes other inputs, with variables=… and a cost of them."
        )


def _sizes(choices: Sequence[Mapping[str, str]]) -> list[float]:
    wrong = [name for choice in choices for name in choice if name != "N"]
    if wrong:
        raise PredictionError(f"--choose {wrong[0]}=…: say the size, --choose N=7B.")
    return said.positive([choice["N"] for choice in choices], "--choose N=")


def _print_plan(
    out: Console, found: Plan, near: pd.DataFrame, other: Sequence[pd.DataFrame]
) -> None:
    law, unit, output = found.planner.fit.law, found.cost.unit, found.output
    out.print(f"{law.name}: the best N and D for a budget", style="bold", markup=False)
    out.print(f"cost: {found.cost.name}; draws: {found.method}\n", markup=False)
    out.print(show_in.table_of(_plan_table(found)))
    last = found.exponents.loc[found.exponents["C"] == found.exponents["C"].max()]
    out.print(f"\nAt {number(last['C'].iloc[0])} {unit} {_growth(last)}.", markup=False)
    spans = [
        f"{number(x['N_from'])} to {number(x['N_to'])} at {number(x['C'])} {unit}"
        for x in near.to_dict("records")
    ]
    out.print(f"Within 0.1% of the best {output} lies N from {'; '.join(spans)}.", markup=False)
    if other:
        _print_choices(out, pd.concat(other), output, unit)
    _print_notes(out, found.notes)


def _growth(exponents: pd.DataFrame) -> str:
    """Return in words how the best choice grows with the budget."""
    said = []
    for row in exponents.to_dict("records"):
        best, low, high = (f"{round(row[x], 3) + 0.0:.3f}" for x in ("exponent", "low", "high"))
        said.append(f"{row['input']} to the power {best} ({low} to {high})")
    return f"the best choice grows with the budget: {', '.join(said)}"


def _plan_table(found: Plan) -> pd.DataFrame:
    """Return a plan with a line for each quantity, so that intervals fit in 80 columns."""
    lines = []
    for row in found.frame.to_dict("records"):
        for i, name in enumerate(("N", "D", "D/N", found.output)):
            lines.append({
                found.cost.unit: number(row["C"]) if i == 0 else "",
                "C/max C": f"{row['extrapolation']:.2g}×" if i == 0 else "",
                "": name,
                "best": number(row[name]),
                f"{100 * found.level:g}% interval": interval(row[f"{name}_low"],
                                                              row[f"{name}_high"]),
            })  # fmt: skip
    return pd.DataFrame(lines)


def interval(low: float, high: float) -> str:
    """Return an interval as text."""
    return f"{number(low)} to {number(high)}"


def _print_choices(out: Console, table: pd.DataFrame, output: str, unit: str) -> None:
    out.print(
        f"\nOther choices: their {output}, and the share of the budget that would do as well if "
        "it were spent best",
        markup=False,
    )
    said = [_worth(*row) for row in table[[output, "worth"]].to_numpy()]
    shown = table.assign(worth=said).rename(columns={"C": unit, "excess": "over the best"})
    out.print(show_in.table_of(shown))


def _worth(output: float, worth: float) -> str:
    if not np.isfinite(output):
        return "the budget does not buy it"
    return "less than a millionth" if np.isnan(worth) else f"{100 * worth:.3g}%"


def required(
    file: Path,
    variable: str,
    *,
    targets: Sequence[str],
    cost: str | None,
    given: Mapping[str, str],
    method: str,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Find what targets take from a saved fit, and print it with the chance to reach them."""
    check_level(level)
    wanted = [said.number_of(text, f"--loss {text}") for text in targets]
    fit = js.load(file)
    if not wanted:
        raise PredictionError(f"Say the {fit.law.output} to reach, such as --loss 2.0.")
    priced = _cost_of_compute(fit, variable, cost)
    free = (variable,) if priced is None else priced.inputs
    # A variable that is none is refused by js.required itself.
    known = variable in fit.law.inputs or priced is not None
    others = said.others([fit], free, given) if known else {}
    js.enable_compilation_cache()
    with commands.working(DRAWING, not as_json):
        found = js.required(
            fit, variable, cost=priced, level=level, method=method, seed=seed,
            **{fit.law.output: wanted}, **others,
        )  # fmt: skip
    if as_json:
        show_in.print_json({
            "law": fit.law.name, "variable": variable, "output": fit.law.output,
            "cost": priced and priced.name, "unit": priced and priced.unit,
            "level": level, "method": found.method, "seed": seed,
            "required": show_in.records(found.frame), "notes": _notes(found.notes),
        })  # fmt: skip
    else:
        _print_required(show_in.screen(), found, fit.law.output, priced)


def _cost_of_compute(fit: Fit, variable: str, cost: str | None) -> Cost | None:
    """Return the cost by which compute is spent best, None where something else is asked for."""
    if variable == "C" and {"N", "D"} <= set(fit.law.inputs) and "C" not in fit.law.inputs:
        return said.cost_of(cost or "6ND")
    if cost is not None:
        raise PredictionError(
            f"--cost {cost}: a cost is of what compute buys, `jscale required FILE C --cost …`, of "
            "a law of N and D."
        )
    if variable == "C" and "C" not in fit.law.inputs:
        raise PredictionError(
            f"C buys N and D, but {fit.law.name} is of {listing(fit.law.inputs, 12)}. Ask for one "
            "of these."
        )
    return None


def _print_required(out: Console, found: Required, output: str, cost: Cost | None) -> None:
    frame = found.to_frame()
    spans = [interval(*ends) for ends in frame[["low", "high"]].to_numpy()]
    place = int(frame.columns.get_indexer(["low"])[0])
    frame = frame.drop(columns=["low", "high"])
    frame.insert(place, f"{100 * found.level:g}% interval", spans)
    frame["reached"] = [f"{100 * share:.3g}%" for share in frame["reached"]]
    amount = found.variable if cost is None else cost.unit
    spent = "" if cost is None else f", spent best at a cost of {cost.name}"
    out.print(
        f"{found.law}: the least {found.variable} for a {output}{spent}, by {found.method}; "
        "reached is the probability that any amount is enough\n",
        markup=False,
    )
    out.print(show_in.table_of(frame.rename(columns={"estimate": amount})))
    _print_notes(out, found.notes)


def _by_severity(notes: Sequence[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: _RANKS[note.severity])


def _notes(notes: Sequence[Note]) -> list[dict[str, Any]]:
    return [show_in.plain(vars(note)) for note in _by_severity(notes)]


def _print_notes(out: Console, notes: Sequence[Note]) -> None:
    for note in _by_severity(notes):
        head = Text(f"\n{note.severity}: {note.code}. ", _COLORS[note.severity])
        words = " ".join(text for text in (note.seen, note.means, note.do) if text)
        out.print(head + Text(show_in.in_cli_words(words)))
