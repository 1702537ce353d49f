"""What ``jscale crossover`` does, and how it prints it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

import jscale as js
from jscale.arguments import check_level
from jscale.cli import fitting as commands
from jscale.cli import planning_values as said
from jscale.cli.run_planning import DRAWING, interval
from jscale.errors import FitWarning
from jscale.fitting.result import Fit
from jscale.planning.crossover import Crossover
from jscale.reporting import console as show_in

# Places that are printed, of the many that are computed.
_PLACES = 9


def crossover(
    a: Path,
    b: Path,
    *,
    along: str,
    over: str | None,
    equivalent: bool,
    given: Mapping[str, str],
    method: str,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Compare two saved fits along an input, and print where one overtakes the other."""
    check_level(level)
    ends = None if over is None else said.span(over, "--over ")
    fits = [js.load(a), js.load(b)]
    choices: dict[str, Any] = {
        "along": along, "over": ends, "level": level, "method": method, "seed": seed,
        **said.others_along(fits, along, given),
    }  # fmt: skip
    js.enable_compilation_cache()
    with commands.working(DRAWING, not as_json):
        found = js.crossover(*fits, **choices)
        worth = _equivalent(fits, choices) if equivalent else None
    recipes = {"a": (a, fits[0]), "b": (b, fits[1])}
    if as_json:
        names = (
            "along",
            "at",
            "at_low",
            "at_high",
            "crosses",
            "after",
            "again",
            "level",
            "method",
            "left_out",
        )
        show_in.print_json({
            **{k: {"file": str(path), "law": fit.law.name} for k, (path, fit) in recipes.items()},
            "output": fits[0].law.output, "seed": seed, "paired": found.paired,
            **{name: show_in.plain(getattr(found, name)) for name in names},
            "summary": found.summary(), "places": show_in.records(found.frame),
            "equivalent": None if worth is None else show_in.records(worth),
        })  # fmt: skip
        return
    out = show_in.screen()
    for name, (path, fit) in recipes.items():
        out.print(f"{name}: {path} ({fit.law.name})", markup=False)
    _print_crossover(out, found, fits[0].law.output, worth)


def _equivalent(fits: Sequence[Fit], choices: Mapping[str, Any]) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # told of the same draws by the crossover
        return js.equivalent(*fits, **choices)


def _print_crossover(
    out: Console, found: Crossover, output: str, worth: pd.DataFrame | None
) -> None:
    paired = ", paired" if found.paired else ""
    out.print(f"{output} along {found.along}, by {found.method}{paired}\n", markup=False)
    out.print(found.summary() + "\n", markup=False)
    title = f"{100 * found.level:g}% interval"
    shown = _thinned(found.frame, title).rename(columns={"difference": "a − b"})
    shown["P(a better)"] = [f"{share:.2f}" for share in shown.pop("a_better")]
    out.print(show_in.table_of(shown))
    if worth is not None:
        shown = _thinned(worth, title).rename(columns={"needs": "b needs"})
        shown["reached"] = [f"{100 * share:.3g}%" for share in shown.pop("exists")]
        out.print(
            f"\nHow much {found.along} b needs to do as well as a, how many times a's that is, "
            "and the probability that it gets there",
            markup=False,
        )
        out.print(show_in.table_of(shown))


def _thinned(frame: pd.DataFrame, title: str) -> pd.DataFrame:
    """Return some rows evenly spread, with the interval in one column of the title."""
    rows = np.unique(np.linspace(0, len(frame) - 1, _PLACES).round().astype(int))
    table = frame.iloc[rows].copy()
    spans = [interval(*ends) for ends in table[["low", "high"]].to_numpy()]
    place = table.columns.get_loc("low")
    table = table.drop(columns=["low", "high"])
    table.insert(int(place), title, spans)  # type: ignore[arg-type]
    return table
