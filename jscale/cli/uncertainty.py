"""What ``jscale bootstrap`` and ``jscale posterior`` do: draws from a saved fit, printed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from rich.table import Table

import jscale as js
from jscale.arguments import check_level
from jscale.cli import fitting as commands
from jscale.data.files import check_free
from jscale.errors import DataError, FitWarning, nearest
from jscale.fitting.result import Fit
from jscale.reporting import console as show_in
from jscale.uncertainty.draws import Draws


def bootstrap(
    file: Path,
    *,
    resamples: int,
    kind: str,
    cluster: str | None,
    level: float,
    seed: int,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Resample the runs of a saved fit, refit, and print the spread of its parameters."""
    _check(level, output, force)
    fit = js.load(file)
    _check_column(fit, "--cluster", cluster)
    said = f"Refitting {resamples} resamples …"
    draws = _drawn(said, as_json, lambda: js.bootstrap(
        fit, resamples, kind=kind, cluster=cluster, seed=seed, progress=not as_json
    ))  # fmt: skip
    _tell(fit, draws, level, output, as_json)


def posterior(
    file: Path,
    *,
    likelihood: str,
    method: str,
    pool: Mapping[str, str],
    trials: str | None,
    draws: int,
    warmup: int,
    chains: int,
    level: float,
    seed: int,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Draw from the posterior of a saved fit, and print it with the verdict on the draws."""
    from jscale.uncertainty.bayes.posterior import posterior as draw

    _check(level, output, force)
    fit = js.load(file)
    for name, column in pool.items():
        _check_column(fit, f"--pool {name}", column)
    found = _drawn("Drawing from the posterior …", as_json, lambda: draw(
        fit, likelihood=likelihood, method=method, pool=pool or None, trials=trials, draws=draws,
        warmup=warmup, chains=chains, seed=seed, progress=not as_json,
    ))  # fmt: skip
    _tell(fit, found, level, output, as_json)


def _check(level: float, output: Path | None, force: bool) -> None:
    """Refuse what cannot be done before any work."""
    check_level(level)
    if output is not None:
        check_free(output, force)


def _check_column(fit: Fit, option: str, column: str | None) -> None:
    if column is not None and column not in fit.runs.frame.columns:
        known = [str(name) for name in fit.runs.frame.columns]
        raise DataError(
            f"{option}={column}: the saved runs have no column {column!r}.{nearest(column, known)} "
            f"They have {', '.join(known)}."
        )


def _drawn(said: str, as_json: bool, draw: Callable[[], Draws]) -> Draws:
    js.enable_compilation_cache()
    with commands.working(said, not as_json), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the notes, printed after, say the same
        return draw()


def _tell(fit: Fit, draws: Draws, level: float, output: Path | None, as_json: bool) -> None:
    """Write the draws where asked, and print them with their notes, the most severe first."""
    if output is not None:
        _write(draws, output)
    table = draws.summary(level)
    ranks = {"warning": 0, "caution": 1, "info": 2}
    notes = sorted(draws.notes, key=lambda note: ranks[note.severity])
    if as_json:
        show_in.print_json({
            "law": fit.law.name, "method": draws.method, "level": level, "draws": len(draws),
            "settings": show_in.plain(dict(draws.settings)),
            "failed": draws.failed, "unsettled": draws.unsettled, "switched": draws.switched,
            "summary": show_in.records(table.reset_index()),
            "checks": show_in.plain(dict(getattr(draws, "checks", {}))),
            "notes": [show_in.plain(vars(note)) for note in notes],
            "files": {} if output is None else {"draws": str(output)},
        })  # fmt: skip
        return
    out = show_in.screen()
    out.print(f"{fit.law.name}: {draws.method}, {len(draws)} draws{_trouble(draws)}", markup=False)
    if any(note.severity == "warning" for note in notes):
        out.print("These draws failed their checks: see the warnings below.", style="red")
    if "why" in draws.settings:
        out.print(_sampler(draws), markup=False)
    out.print(_shown(table))
    for note in notes:
        text = " ".join(t for t in (note.seen, note.means, note.do) if t)
        color = {"warning": "red", "caution": "yellow", "info": "cyan"}[note.severity]
        out.print(f"\n{note.severity}: {note.code}. {show_in.in_cli_words(text)}", style=color,
                  markup=False)  # fmt: skip
    if output is not None:
        out.print(f"\nWrote {output}", markup=False)


def _sampler(draws: Draws) -> str:
    """Say in a line which sampler ran, why, and how well its draws count."""
    how, checks = draws.settings, getattr(draws, "checks", {})
    said = f"Sampled by {how['method']}: {how['why']}"
    if "max_rhat" in checks:
        said += f"; R-hat {checks['max_rhat']:.3f}, {checks['min_ess']:.0f} effective draws"
    return said


def _shown(summary: pd.DataFrame) -> Table:
    """Return a summary as a table, with "-" where the fit has no estimate."""
    if "fit" in summary:
        summary = summary.assign(
            fit=summary["fit"].astype(object).where(summary["fit"].notna(), "-")
        )
    table = show_in.table_of(summary, index="parameter")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    return table


def _write(draws: Draws, output: Path) -> None:
    """Write draws whole beside the file, then put them in its place."""
    from jscale.uncertainty.arviz import save_netcdf

    with TemporaryDirectory(dir=output.absolute().parent, prefix=".jscale.") as folder:
        os.replace(save_netcdf(draws, Path(folder) / "draws.nc"), output)


def _trouble(draws: Draws) -> str:
    said = [(draws.failed, "failed"), (draws.unsettled, "not converged"),
            (draws.switched, "in another basin")]  # fmt: skip
    return "".join(f", {count} {what}" for count, what in said if count)
