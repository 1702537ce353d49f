"""The work of ``jscale crossover``, and its output."""

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
from jscale.cli import planning_values as values
from jscale.cli.progress import working
from jscale.cli.requests import Intervals, Output, Span
from jscale.cli.run_planning import DRAWING, interval
from jscale.cli.tables import load_fit
from jscale.errors import FitWarning
from jscale.fitting.result import Fit
from jscale.planning.crossover import Crossover
from jscale.reporting import console

# How many of the computed places are printed.
_PLACES = 9
# Attributes of a crossover that its JSON document holds.
_SHOWN = (
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


def crossover(
    files: tuple[Path, Path],
    span: Span,
    given: Mapping[str, str],
    intervals: Intervals,
    output: Output,
) -> None:
    """Compare two saved fits along an input, and print where one overtakes the other."""
    check_level(intervals.level)
    ends = None if span.over is None else values.span(span.over, "--over ")
    fits = [load_fit(file) for file in files]
    choices: dict[str, Any] = {
        "along": span.along,
        "over": ends,
        "level": intervals.level,
        "method": intervals.method,
        "seed": intervals.seed,
        **values.others_along(fits, span.along, given),
    }
    js.enable_compilation_cache()
    with working(DRAWING, output):
        crossing = js.crossover(*fits, **choices)
        worth = _equivalent(fits, choices) if span.equivalent else None
    recipes = dict(zip("ab", zip(files, fits, strict=True), strict=True))
    if output.as_json:
        console.print_json(
            {
                **{
                    k: {"file": str(path), "law": fit.law.name}
                    for k, (path, fit) in recipes.items()
                },
                "output": fits[0].law.output,
                "seed": intervals.seed,
                "paired": crossing.paired,
                **{name: console.plain(getattr(crossing, name)) for name in _SHOWN},
                "summary": crossing.summary(),
                "places": console.records(crossing.frame),
                "equivalent": None if worth is None else console.records(worth),
            }
        )
        return
    out = console.screen()
    for name, (path, fit) in recipes.items():
        out.print(f"{name}: {path} ({fit.law.name})", markup=False)
    _print_crossover(out, crossing, fits[0].law.output, worth)


def _equivalent(fits: Sequence[Fit], choices: Mapping[str, Any]) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the crossover warned already
        return js.equivalent(*fits, **choices)


def _print_crossover(
    out: Console, crossing: Crossover, output: str, worth: pd.DataFrame | None
) -> None:
    paired = ", paired" if crossing.paired else ""
    out.print(f"{output} along {crossing.along}, by {crossing.method}{paired}\n", markup=False)
    out.print(crossing.summary() + "\n", markup=False)
    title = f"{100 * crossing.level:g}% interval"
    shown = _thinned(crossing.frame, title).rename(columns={"difference": "a − b"})
    shown["P(a better)"] = [f"{share:.2f}" for share in shown.pop("a_better")]
    out.print(console.table_of(shown))
    if worth is not None:
        shown = _thinned(worth, title).rename(columns={"needs": "b needs"})
        shown["reached"] = [f"{100 * share:.3g}%" for share in shown.pop("exists")]
        out.print(
            f"\nThe {crossing.along} that b needs to match a, as a multiple of a's, and the "
            "probability that b can",
            markup=False,
        )
        out.print(console.table_of(shown))


def _thinned(frame: pd.DataFrame, title: str) -> pd.DataFrame:
    """Return some evenly spaced rows, with the interval in one column named ``title``."""
    rows = np.unique(np.linspace(0, len(frame) - 1, _PLACES).round().astype(int))
    table = frame.iloc[rows].copy()
    spans = [interval(*ends) for ends in table[["low", "high"]].to_numpy()]
    place = table.columns.get_loc("low")
    table = table.drop(columns=["low", "high"])
    table.insert(int(place), title, spans)  # type: ignore[arg-type]
    return table
