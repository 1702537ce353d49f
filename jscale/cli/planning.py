"""The commands of planning: plan, required, crossover."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jscale.cli.options import Json, Level, Method, Saved, Seed, Set, pairs, split_pairs
from jscale.cli.requests import Budgets, Intervals, Output, Span, Target

_COSTS = "Cost of a choice: 6ND, attention, embeddings, lifetime or dollars."


def plan(
    file: Saved,
    flops: Annotated[
        list[str] | None, typer.Option(help="Budget in FLOPs, such as 1e24; repeatable.")
    ] = None,
    dollars: Annotated[
        list[str] | None, typer.Option(help="Budget in dollars, with --cost dollars:…; repeatable.")
    ] = None,
    cost: Annotated[str, typer.Option(help=_COSTS)] = "6ND",
    bound: Annotated[
        list[str] | None,
        typer.Option(help="Limits of N or D: D=1e9..2e12, or D=..2e12; repeatable."),
    ] = None,
    set_: Set = None,
    choose: Annotated[
        list[str] | None,
        typer.Option(help="Report the cost of another size: N=7B; repeatable."),
    ] = None,
    method: Method = "auto",
    level: Level = 0.9,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Find the size and amount of data with the lowest loss for a budget, with intervals.

    jscale plan fit.json --flops 1e24 --flops 1e25

    Costs: 6ND, attention:context=2048, embeddings, lifetime:tokens=1e12
    (tokens that the model will serve), or dollars:price=2,flops=1e15 (price of
    a device per hour, and its FLOPs per second), optionally followed by
    utilisation=0.4 and, last, of=lifetime:tokens=1e12.
    """
    from jscale.cli import run_planning as commands_planning

    limits, given = split_pairs(bound, "--bound"), split_pairs(set_, "--set")
    choices = [pairs([text], "--choose") for text in choose or []]
    commands_planning.plan(
        file,
        Budgets(flops or [], dollars or [], cost, limits, choices),
        given,
        Intervals(level, seed, method),
        Output(json_),
    )


def required(
    file: Saved,
    variable: Annotated[
        str, typer.Argument(help="The input to solve for: D, N, C, or another one.")
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--loss", "--target", help="Loss (or score) to reach; repeatable."),
    ] = None,
    cost: Annotated[
        str | None, typer.Option(help="Cost behind C, as in `jscale plan` (default: 6ND).")
    ] = None,
    set_: Set = None,
    method: Method = "auto",
    level: Level = 0.9,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Find how much of an input a loss requires, and whether it can be reached at all.

    jscale required fit.json D --loss 2.0 --set N=7B

    jscale required fit.json C --loss 2.0: the budget, spent compute-optimally on N and D.
    """
    from jscale.cli import run_planning as commands_planning

    commands_planning.required(
        file,
        Target(variable, target or [], cost),
        split_pairs(set_, "--set"),
        Intervals(level, seed, method),
        Output(json_),
    )


def crossover(
    a: Annotated[Path, typer.Argument(help="A saved fit.")],
    b: Annotated[
        Path, typer.Argument(help="Another saved fit, of the same output in the same unit.")
    ],
    along: Annotated[
        str,
        typer.Option(help="Input of both laws; C of laws of N and D is spent compute-optimally."),
    ] = "C",
    over: Annotated[
        str | None,
        typer.Option(help="Range: 1e18..1e26 (default: up to 100 times beyond the runs)."),
    ] = None,
    equivalent: Annotated[
        bool, typer.Option("--equivalent", help="Also report what b needs to match a.")
    ] = False,
    set_: Set = None,
    method: Method = "auto",
    level: Level = 0.9,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Find where one fitted law overtakes another, and which one is better at each scale.

    jscale crossover ours.json theirs.json --over 1e18..1e26
    """
    from jscale.cli import run_crossover as commands_crossover

    commands_crossover.crossover(
        (a, b),
        Span(along, over, equivalent),
        split_pairs(set_, "--set"),
        Intervals(level, seed, method),
        Output(json_),
    )
