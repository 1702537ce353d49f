"""The work of ``jscale compare``: laws compared on held-out runs, and printed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import jscale as js
from jscale.arguments import check_level
from jscale.cli.progress import working
from jscale.cli.requests import HoldOut, Intervals, Output, RunTable
from jscale.cli.tables import held_out_rows, read_runs
from jscale.comparison.contenders import axis_of
from jscale.data.runs import Runs
from jscale.errors import FitWarning
from jscale.reporting import console


def compare_laws(
    laws: Sequence[str], table: RunTable, hold_out: HoldOut, intervals: Intervals, output: Output
) -> None:
    """Compare laws on runs held out by origins, by their column ``split``, or by compute."""
    check_level(intervals.level)
    runs = read_runs(table, laws)
    chosen = "auto" if list(laws) == ["auto"] else list(laws)
    scheme = _scheme(runs, hold_out)
    js.enable_compilation_cache()
    with working("Fitting every law to every split …", output), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        comparison = js.compare(
            chosen,
            runs,
            holdout=scheme,
            level=intervals.level,
            resamples=intervals.resamples or None,
            seed=intervals.seed,
        )
    if output.as_json:
        console.print_json(_document(comparison, intervals.level))
    else:
        _print(comparison, runs, intervals.level)


def _scheme(runs: Runs, hold_out: HoldOut) -> Any:
    """Return what ``js.compare`` takes as ``holdout``: a scheme of splits, or a mask of rows."""
    held = held_out_rows(runs)
    axis = axis_of(runs) or "C"
    if hold_out.origins is not None:
        return js.splits.origins(axis, hold_out.origins, hold_out.factor)
    # A share given by option takes precedence over the marks in the table.
    if hold_out.share is None and held is not None and held.any():
        return held
    return js.largest(axis, 0.2 if hold_out.share is None else hold_out.share)


def _document(comparison: js.Comparison, level: float) -> dict[str, Any]:
    return {
        "table": console.records(comparison.table.reset_index()),
        "discrepancy": comparison.settings["discrepancy"],
        "holdout": str(comparison.scheme),
        "level": level,
        "notes": list(comparison.notes),
    }


def _print(comparison: js.Comparison, runs: Runs, level: float) -> None:
    out = console.screen()
    splits = len(set(comparison.rows["split"]))
    rows = len(comparison.rows) // len(comparison.table)
    predictions = f"{rows} predictions" + (f" in {splits} splits" if splits > 1 else "")
    out.print(f"Runs: {runs.source}; held out: {comparison.scheme}, {predictions}", markup=False)
    out.print(console.table_of(console.scores_table(comparison.table, level), index="law"))
    out.print(
        "\nerror and score are relative to the measured loss; ± is a standard error over splits, "
        "or over runs if there is one split. The score is the interval score: lower is better.",
        markup=False,
    )
    for note in comparison.notes:
        out.print(note, markup=False)
