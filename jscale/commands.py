"""What the commands do: the work behind the command line, one function per command."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale.cli import console, print_json
from jscale.data.files import check_free, read_table, write_whole
from jscale.data.runs import Runs
from jscale.errors import DataError, ExtrapolationWarning, FitWarning
from jscale.io import as_document
from jscale.report import console as show_in
from jscale.report.plots import overview

_HOLDOUT = "holdout"


@contextmanager
def _working(what: str, shown: bool) -> Iterator[None]:
    """Show a spinner on standard error while something takes long, if it is a terminal."""
    screen = console(stderr=True)
    if shown and screen.is_terminal:
        with screen.status(what):
            yield
    else:
        yield


def fit_and_report(
    *,
    file: Path | None,
    law: str,
    columns: Mapping[str, Any],
    loss_unit: str,
    choices: Mapping[str, Any],
    resamples: int,
    level: float,
    invalid: str,
    output: Path,
    plot: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Fit the runs, predict those marked ``split == "holdout"``, print, and write both files."""
    for path in (output, plot):
        check_free(path, force)
    fitted, held_out, source = _read(file, law, columns, loss_unit, invalid)
    js.enable_compilation_cache()
    with _working(f"Fitting {law} from many starts …", not as_json):
        result = _quiet_fit(law, fitted, choices)
    with _working("Resampling the runs for intervals …", not as_json):
        draws = js.bootstrap(result, resamples, seed=int(choices["seed"]), progress=not as_json)
    checked = _check(draws, held_out, result, level)
    _write(result, draws, checked, output, plot, force, level)
    if as_json:
        print_json({
            "fit": as_document(result),
            "held_out": [] if checked is None else show_in.records(checked.to_frame()),
            "files": {"fit": str(output), "plot": str(plot)},
        })  # fmt: skip
        return
    screen = console()
    screen.print(f"Runs: {source}", markup=False)
    show_in.print_fit(screen, result)
    _print_check(screen, checked, held_out, result, level)
    screen.print(f"\nWrote {output} and {plot}", markup=False)


def _quiet_fit(law: str, runs: Runs, choices: Mapping[str, Any]) -> js.Fit:
    """Fit without Python warnings: the notes, printed after, say the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return js.fit(law, runs, **choices)


def _read(
    file: Path | None, law: str, columns: Mapping[str, Any], loss_unit: str, invalid: str
) -> tuple[Runs, Runs | None, str]:
    """Return the runs to fit, the held-out ones (or None), and where they are from."""
    found = js.laws.get(law)
    named = {k: v for k, v in columns.items() if v is not None}
    count = None
    if file is None:
        table, source, count = js.datasets.load("stdlib_lm"), "stdlib_lm (embedded)", "total"
    else:
        table, source = read_table(file), str(file)
    for name in found.inputs:
        if name not in named and name in table.columns:
            named[name] = name
    runs = Runs.from_frame(
        table, output=found.output, loss_unit=loss_unit, count=count, invalid=invalid,
        source=source, **named,
    )  # fmt: skip
    if "split" not in runs.frame.columns:
        return runs, None, source
    held = (runs.frame["split"] == _HOLDOUT).to_numpy()
    if held.all():
        raise DataError(f"All {len(runs)} rows of {source} are held out (split == 'holdout').")
    return runs.where(~held), runs.where(held) if held.any() else None, source


def _check(
    draws: js.Draws, held_out: Runs | None, fit: js.Fit, level: float
) -> js.Prediction | None:
    """Predict the held-out runs and put the measured output beside."""
    if held_out is None:
        return None
    wanted = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), "C")))
    table = held_out.frame[[c for c in wanted if c in held_out.frame.columns]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        prediction = js.predict(draws, table, level=level)
    prediction.frame["measured"] = held_out[fit.law.output]
    return prediction


def _print_check(
    screen: Any, checked: js.Prediction | None, held_out: Runs | None, fit: js.Fit, level: float
) -> None:
    if checked is None or held_out is None:
        return
    measured = held_out[fit.law.output]
    table = show_in.held_out_table(checked, measured)
    furthest = checked.frame["extrapolation"].max()
    error = 100 * float(np.mean(np.abs(checked.frame["curve"] / measured - 1)))
    inside = int((table[""] == "inside").sum())
    screen.print(
        f"\nHeld-out runs, which the fit did not see (up to {furthest:.3g} times its compute)"
    )
    screen.print(show_in.table_of(table))
    screen.print(
        f"mean absolute error {error:.2f}%; {inside} of {len(table)} inside the "
        f"{100 * level:g}% prediction interval",
        markup=False,
    )


def _write(
    fit: js.Fit,
    draws: js.Draws,
    checked: js.Prediction | None,
    output: Path,
    plot: Path,
    force: bool,
    level: float,
) -> None:
    held_out = None
    if checked is not None:
        held_out = checked.to_frame().rename(columns={"measured": "observed"})
        if "C" not in held_out:
            held_out["C"] = held_out["extrapolation"] * (fit.largest or np.nan)
    figure = overview(fit, draws, held_out=held_out, level=level)
    kind = plot.suffix[1:] or "png"
    write_whole(plot, lambda f: figure.savefig(f, format=kind, dpi=130), overwrite=force)
    js.save(fit, output, overwrite=force)


def show(file: Path, *, as_json: bool) -> None:
    """Print a saved fit."""
    fit = js.load(file)
    if as_json:
        print_json(as_document(fit))
    else:
        show_in.print_fit(console(), fit)


def predict_from(
    file: Path,
    points: list[dict[str, Any]],
    table: Path | None,
    *,
    method: str | None,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Predict at points or a table's rows from a saved fit, and print."""
    fit = js.load(file)
    if bool(points) == (table is not None):
        example = ",".join(f"{x}=…" for x in fit.law.inputs)
        raise DataError(f"Say where to predict, by --at {example} or by --table FILE.")
    where = read_table(table) if table is not None else pd.DataFrame(points)
    js.enable_compilation_cache()
    with _working("Resampling the runs for intervals …", not as_json):
        prediction = js.predict(fit, where, method=method, level=level, seed=seed)
    if as_json:
        print_json({
            "output": prediction.output, "level": level, "method": prediction.method,
            "seed": seed, "predictions": show_in.records(prediction.frame),
        })  # fmt: skip
        return
    screen = console()
    screen.print(f"{fit.law.name}: {prediction.output}, by {prediction.method}", markup=False)
    screen.print(show_in.table_of(show_in.prediction_table(prediction)))


def list_laws(name: str | None, *, as_json: bool) -> None:
    """Print the catalogue of laws, or one law's page."""
    if name is not None:
        _print_law(js.laws.get(name), as_json)
        return
    rows = []
    for each in js.laws.names():
        found = js.laws.get(each)
        rows.append(
            {
                "law": each,
                "inputs": ", ".join(found.inputs),
                "output": found.output,
                "formula": found.formula,
                "source": found.reference,
            }
        )
    if as_json:
        print_json(rows)
        return
    console().print(show_in.table_of(pd.DataFrame(rows)))
    console().print("\nA page on one: jscale laws NAME. Structure: broken:2; axis: power_const:N.")


def _print_law(law: js.Law, as_json: bool) -> None:
    parameters = {p.name: f"{p.role.name}: {p.role.meaning}" for p in law.parameters}
    if as_json:
        print_json({
            "law": law.name, "inputs": law.inputs, "output": law.output, "unit": law.unit,
            "formula": law.formula, "source": law.reference, "parameters": parameters,
            "published": {k: dict(v) for k, v in law.published.items()}, "doc": law.doc,
        })  # fmt: skip
        return
    screen = console()
    screen.print(f"{law.name}: {law.output} = {law.formula}\n", style="bold", markup=False)
    screen.print(law.doc, markup=False)
    screen.print("\nParameters", style="bold")
    for name, text in parameters.items():
        screen.print(f"  {name:8} {text}", markup=False)
    for source, values in law.published.items():
        screen.print(f"\nPublished, {source}", style="bold", markup=False)
        screen.print("  " + ", ".join(f"{k} = {v:g}" for k, v in values.items()), markup=False)


def list_data(name: str | None, *, as_json: bool) -> None:
    """Print the list of data sets, or one card."""
    if name is not None:
        card = {k: v for k, v in vars(js.datasets.card(name)).items() if v not in ("", None)}
        if as_json:
            print_json(show_in.plain(card))
            return
        for key, value in card.items():
            text = "\n  " + "\n  ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(
                value, Mapping) else (f"{len(value)}" if isinstance(value, tuple) else value)
            console().print(f"{key}: {text}", markup=False)
        return
    table = js.datasets.table()
    if as_json:
        print_json(show_in.records(table))
        return
    console().print(show_in.table_of(table[["name", "rows", "usable_for", "where"]]))
    console().print("\nA card, with licence and source: jscale data NAME.")
