"""What ``jscale report`` does: fit, resample, check on held-out runs, and write the page."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jscale as js
from jscale.arguments import check_level
from jscale.cli import fitting as commands
from jscale.data.files import check_free
from jscale.errors import DataWarning, FitWarning
from jscale.reporting import console as show_in
from jscale.reporting.checklist import check_about
from jscale.reporting.page import Report, report
from jscale.uncertainty import automatic


def write_report(
    *,
    file: Path | None,
    law: str,
    columns: Mapping[str, Any],
    loss_unit: str | None,
    choices: Mapping[str, Any],
    points: Sequence[dict[str, str]],
    about: Mapping[str, str],
    title: str | None,
    resamples: int,
    level: float,
    invalid: str,
    output: Path,
    force: bool,
    again: str,
    as_json: bool,
) -> None:
    """Fit the runs, answer at the points, and write the page; print what it says first."""
    check_level(level)
    check_about(about)
    check_free(output, force)
    fitted, held_out, source = commands.read(file, law, columns, loss_unit, invalid)
    js.enable_compilation_cache()
    with commands.working(f"Fitting {law} from many starts …", not as_json):
        fit = commands.quiet_fit(law, fitted, choices)
    at = commands.read_points(fit, list(points)) if points else None
    with (
        commands.working("Resampling the runs and drawing the page …", not as_json),
        warnings.catch_warnings(),
    ):
        # The page's notes say the same.
        warnings.simplefilter("ignore", FitWarning)
        warnings.simplefilter("ignore", DataWarning)
        seed = int(choices["seed"])
        draws = automatic.draws(fit, resamples=resamples, seed=seed, progress=not as_json)
        page = report(
            fit, draws, path=output, held_out=held_out, at=at, level=level, title=title,
            about=about, again=again, overwrite=force,
        )  # fmt: skip
    if as_json:
        show_in.print_json({**show_in.plain(page.content), "files": {"report": str(output)}})
        return
    _print(page, source, output)


def _print(page: Report, source: str, output: Path) -> None:
    out = show_in.screen()
    out.print(f"Runs: {source}\n", markup=False)
    for sentence in page.content["answer"]:
        out.print(sentence, markup=False)
    for note in page.content["warnings"]:
        text = show_in.in_cli_words(f"{note['seen']} {note['means']}")
        out.print(f"\nwarning: {note['code']}. {text}", style="red", markup=False)
    if page.content["held_out"]:
        out.print(f"\n{page.content['held_out']}", markup=False)
    out.print(f"\nWrote {output}", markup=False)
