"""The work of ``jscale report``: fit, resample, check on held-out runs, and write the page."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jscale as js
from jscale.arguments import check_level
from jscale.cli.fitting import quiet_fit, read_points
from jscale.cli.progress import working
from jscale.cli.requests import Intervals, Output, Page, RunTable
from jscale.cli.tables import read_split
from jscale.data.files import check_free
from jscale.errors import DataWarning, FitWarning
from jscale.reporting import console
from jscale.reporting.alongside import alongside
from jscale.reporting.checklist import check_about
from jscale.reporting.page import Report, report
from jscale.uncertainty import automatic


def write_report(
    law: str,
    table: RunTable,
    choices: Mapping[str, Any],
    page: Page,
    intervals: Intervals,
    output: Output,
) -> None:
    """Fit the runs, predict at the points, write the page, and print its first lines."""
    check_level(intervals.level)
    check_about(page.about)
    assert output.path is not None
    check_free(output.path, output.force)
    runs = read_split(table, law)
    js.enable_compilation_cache()
    with working(f"Fitting {law} from many starts …", output):
        fit = quiet_fit(law, runs.fitted, choices)
    at = read_points(fit, list(page.points)) if page.points else None
    with (
        working("Resampling the runs and drawing the page …", output),
        warnings.catch_warnings(),
    ):
        # The notes on the page repeat these warnings.
        warnings.simplefilter("ignore", FitWarning)
        warnings.simplefilter("ignore", DataWarning)
        draws = automatic.draws(
            fit,
            resamples=intervals.resamples,
            seed=intervals.seed,
            progress=not output.as_json,
        )
        made = report(
            fit,
            alongside(draws, intervals.seed),
            path=output.path,
            held_out=runs.held_out,
            at=at,
            level=intervals.level,
            title=page.title,
            about=page.about,
            again=page.command,
            overwrite=output.force,
        )
    if output.as_json:
        files = {"report": str(output.path)}
        console.print_json({**console.plain(made.content), "files": files})
        return
    _print(made, runs.source, output.path)


def _print(page: Report, source: str, output: Path) -> None:
    out = console.screen()
    out.print(f"Runs: {source}\n", markup=False)
    for sentence in page.content["answer"]:
        out.print(sentence, markup=False)
    for note in page.content["warnings"]:
        text = console.in_cli_words(f"{note['seen']} {note['means']}")
        out.print(f"\nwarning: {note['code']}. {text}", style="red", markup=False)
    if page.content["held_out"]:
        out.print(f"\n{page.content['held_out']}", markup=False)
    out.print(f"\nWrote {output}", markup=False)
