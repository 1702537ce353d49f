"""The work of ``jscale bootstrap`` and ``jscale posterior``: draws from a saved fit, printed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from rich.table import Table

import jscale as js
from jscale.arguments import check_level
from jscale.cli.notes import as_documents, print_notes
from jscale.cli.progress import working
from jscale.cli.requests import Intervals, Output, Sampling
from jscale.cli.tables import load_fit
from jscale.data.files import check_free
from jscale.errors import DataError, FitWarning, nearest
from jscale.fitting.result import Fit
from jscale.reporting import console
from jscale.uncertainty.draws import Draws


def bootstrap(
    file: Path, kind: str, cluster: str | None, intervals: Intervals, output: Output
) -> None:
    """Refit a saved fit to resampled runs, and print the spread of its parameters."""
    _check(intervals, output)
    fit = load_fit(file)
    _check_column(fit, "--cluster", cluster)

    def draw() -> Draws:
        return js.bootstrap(
            fit,
            intervals.resamples,
            kind=kind,
            cluster=cluster,
            seed=intervals.seed,
            progress=not output.as_json,
        )

    draws = _drawn(f"Refitting {intervals.resamples} resamples …", output, draw)
    _tell(draws, intervals.level, output)


def posterior(file: Path, sampling: Sampling, intervals: Intervals, output: Output) -> None:
    """Draw from the posterior of a saved fit, and print it with the checks of the draws."""
    _check(intervals, output)
    fit = load_fit(file)
    for name, column in sampling.pool.items():
        _check_column(fit, f"--pool {name}", column)
    choices = {**vars(sampling), "pool": sampling.pool or None}

    def draw() -> Draws:
        return js.posterior(fit, **choices, seed=intervals.seed, progress=not output.as_json)

    _tell(_drawn("Drawing from the posterior …", output, draw), intervals.level, output)


def _check(intervals: Intervals, output: Output) -> None:
    """Raise the errors of options before any work is done."""
    check_level(intervals.level)
    if output.path is not None:
        check_free(output.path, output.force)


def _check_column(fit: Fit, option: str, column: str | None) -> None:
    if column is not None and column not in fit.runs.frame.columns:
        known = [str(name) for name in fit.runs.frame.columns]
        raise DataError(
            f"{option}={column}: the saved runs have no column {column!r}.{nearest(column, known)} "
            f"They have {', '.join(known)}."
        )


def _drawn(what: str, output: Output, draw: Callable[[], Draws]) -> Draws:
    js.enable_compilation_cache()
    with working(what, output), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the notes, printed afterwards, repeat them
        return draw()


def _tell(draws: Draws, level: float, output: Output) -> None:
    """Write the draws to the file that was named, if any, and print them with their notes."""
    if output.path is not None:
        _write(draws, output.path)
    if output.as_json:
        console.print_json(_document(draws, level, output))
        return
    out, law = console.screen(), draws.fit.law.name
    out.print(f"{law}: {draws.method}, {len(draws)} draws{_trouble(draws)}", markup=False)
    if any(note.severity == "warning" for note in draws.notes):
        out.print("These draws failed their checks: see the warnings below.", style="red")
    if "why" in draws.settings:
        out.print(_sampler(draws), markup=False)
    out.print(_shown(draws.summary(level)))
    print_notes(out, draws.notes)
    if output.path is not None:
        out.print(f"\nWrote {output.path}", markup=False)


def _document(draws: Draws, level: float, output: Output) -> dict[str, Any]:
    return {
        "law": draws.fit.law.name,
        "method": draws.method,
        "level": level,
        "draws": len(draws),
        "settings": console.plain(dict(draws.settings)),
        "failed": draws.failed,
        "unsettled": draws.unsettled,
        "switched": draws.switched,
        "summary": console.records(draws.summary(level).reset_index()),
        "checks": console.plain(dict(getattr(draws, "checks", {}))),
        "notes": as_documents(draws.notes),
        "files": {} if output.path is None else {"draws": str(output.path)},
    }


def _sampler(draws: Draws) -> str:
    """Describe in one line which sampler ran, why, and how well it mixed."""
    settings, checks = draws.settings, getattr(draws, "checks", {})
    line = f"Sampled by {settings['method']}: {settings['why']}"
    if "max_rhat" in checks:
        line += f"; R-hat {checks['max_rhat']:.3f}, {checks['min_ess']:.0f} effective draws"
    return line


def _shown(summary: pd.DataFrame) -> Table:
    """Return a summary as a table, with "-" where the fit has no estimate."""
    if "fit" in summary:
        summary = summary.assign(
            fit=summary["fit"].astype(object).where(summary["fit"].notna(), "-")
        )
    table = console.table_of(summary, index="parameter")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    return table


def _write(draws: Draws, output: Path) -> None:
    """Write draws to a temporary file in the same folder, then put it in place."""
    from jscale.uncertainty.arviz import save_netcdf

    # In the same folder, so that the move cannot fail half-way between file systems.
    with TemporaryDirectory(dir=output.absolute().parent, prefix=".jscale.") as folder:
        os.replace(save_netcdf(draws, Path(folder) / "draws.nc"), output)


def _trouble(draws: Draws) -> str:
    counts = {
        "failed": draws.failed,
        "not converged": draws.unsettled,
        "in another basin": draws.switched,
    }
    return "".join(f", {count} {what}" for what, count in counts.items() if count)
