"""What the commands do: the work behind the command line, one function per command."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale.arguments import check_level
from jscale.comparison.law_weights import axis_of
from jscale.data.columns import GLOSSARY, find_column
from jscale.data.files import check_free, read_table, write_whole
from jscale.data.runs import Runs
from jscale.data.units import parse_number
from jscale.errors import (
    DataError,
    DataWarning,
    ExtrapolationWarning,
    FileError,
    FitWarning,
    listing,
    nearest,
)
from jscale.io.fits import as_document
from jscale.plots.fits import overview
from jscale.reporting import console as show_in
from jscale.reporting.held_out import missed

_HELD_OUT = ("holdout", "held-out", "held_out")
_MARKS = ("run", "group", "weight")


@contextmanager
def working(what: str, shown: bool) -> Iterator[None]:
    """Show a spinner on standard error while something takes long, if it is a terminal."""
    out = show_in.screen(stderr=True)
    if shown and out.is_terminal:
        with out.status(what):
            yield
    else:
        yield


def fit_and_report(
    *,
    file: Path | None,
    law: str,
    columns: Mapping[str, Any],
    loss_unit: str | None,
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
    check_level(level)
    _check_outputs(output, plot, force)
    fitted, held_out, source = read(file, law, columns, loss_unit, invalid)
    js.enable_compilation_cache()
    with working(f"Fitting {law} from many starts …", not as_json):
        result = quiet_fit(law, fitted, choices)
    with working("Resampling the runs for intervals …", not as_json):
        draws = js.draws(
            result, resamples=resamples, seed=int(choices["seed"]), progress=not as_json
        )
    checked = _check(draws, held_out, result, level)
    _write(result, draws, checked, output, plot, force, level)
    if as_json:
        show_in.print_json({
            "fit": as_document(result),
            "held_out": [] if checked is None else show_in.records(checked.to_frame()),
            "files": {"fit": str(output), "plot": str(plot)},
        })  # fmt: skip
        return
    out = show_in.screen()
    out.print(f"Runs: {source}", markup=False)
    # Doubts about the table were told as warnings when it was read.
    show_in.print_fit(out, result, told=[doubt.code for doubt in result.runs.doubts])
    _print_check(out, checked, held_out, result, level)
    out.print(f"\nWrote {output} and {plot}", markup=False)


def _check_outputs(output: Path, plot: Path, force: bool) -> None:
    """Refuse what cannot be written before any work is done."""
    from matplotlib.backend_bases import FigureCanvasBase

    for path in (output, plot):
        check_free(path, force)
    if output.absolute() == plot.absolute():
        raise FileError(f"The fit and the picture both go to {str(output)!r}; name one by --plot.")
    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    if plot.suffix[1:].lower() not in kinds:
        raise FileError(
            f"{str(plot)!r} has an unknown type {plot.suffix!r}; give --plot a name that ends in "
            f"one of {listing(kinds, 20)}."
        )


def quiet_fit(law: str, runs: Runs, choices: Mapping[str, Any]) -> js.Fit:
    """Fit without Python warnings: the notes, printed after, say the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        warnings.simplefilter("ignore", DataWarning)
        return js.fit(law, runs, **choices)


def read(
    file: Path | None, law: str, columns: Mapping[str, Any], loss_unit: str | None, invalid: str
) -> tuple[Runs, Runs | None, str]:
    """Return the runs to fit, the held-out ones (or None), and where they are from."""
    runs = _read_whole(file, [law], columns, loss_unit, invalid)
    source = runs.source
    if "split" not in runs.frame.columns:
        return runs, None, source
    held = _held_out(runs.frame.loc[:, "split"])
    if held.all():
        raise DataError(
            f"All {len(runs)} rows of {source} are held out by their column 'split'; give those to "
            "fit another value, such as 'fit'."
        )
    return runs.where(~held), runs.where(held) if held.any() else None, source


def _read_whole(
    file: Path | None,
    laws: Sequence[str],
    columns: Mapping[str, Any],
    loss_unit: str | None,
    invalid: str,
) -> Runs:
    """Return all runs of a table (default: our own), with the inputs of the laws."""
    found = [js.laws.get(law) for law in laws if law != "auto"]
    count = None
    if file is None:
        table, source, count = js.datasets.load("stdlib_lm"), "stdlib_lm (embedded)", "total"
    else:
        table, source = read_table(file), str(file)
    inputs = {name for law in found for name in law.inputs}
    named = {} if found else dict(columns)
    for law in found:
        own = {k: v for k, v in columns.items() if k in law.inputs or k not in inputs}
        named |= _named(law, own, table)
    output = found[0].output if found else "loss"
    return Runs.from_frame(
        table, output=output, loss_unit=loss_unit, count=count, invalid=invalid,
        source=source, **named,
    )  # fmt: skip


def _held_out(split: pd.Series) -> np.ndarray:
    """Return which rows a table marks as held out; warns if it tells rows apart otherwise."""
    held = split.astype(str).str.strip().str.casefold().isin(_HELD_OUT).to_numpy()
    values = [repr(value) for value in split.unique()]
    if len(values) > 1 and not held.any():
        warnings.warn(
            f"The column 'split' has the values {listing(values)}, but none of them marks rows as "
            "held out: all rows are fitted. Write 'holdout' in the rows to hold out.",
            DataWarning,
            stacklevel=2,
        )
    return held


def _named(law: js.Law, columns: Mapping[str, str], table: pd.DataFrame) -> dict[str, str]:
    """Return the columns given by name, and those of the law's own inputs that are found."""
    known = list(dict.fromkeys((*law.inputs, law.output, *GLOSSARY, *_MARKS)))
    for name, column in columns.items():
        if name not in known:
            raise DataError(
                f"--column {name}={column}: {law.name} has no {name!r}.{nearest(name, known)} "
                f"Name one of {listing(known, 20)}."
            )
    named = dict(columns)
    for name in law.inputs:
        own = find_column(name, table.columns) if name not in named else None
        if own is not None:
            named[name] = own
    return named


def _check(
    draws: js.Draws, held_out: Runs | None, fit: js.Fit, level: float
) -> js.Prediction | None:
    """Predict the held-out runs and put the measured output beside."""
    if held_out is None:
        return None
    wanted = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), "C")))
    table = held_out.frame.loc[:, [c for c in wanted if c in held_out.frame.columns]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        prediction = js.predict(draws, table, level=level)
    prediction.frame["measured"] = held_out[fit.law.output]
    return prediction


def _print_check(
    out: Any, checked: js.Prediction | None, held_out: Runs | None, fit: js.Fit, level: float
) -> None:
    if checked is None or held_out is None:
        return
    measured = held_out[fit.law.output]
    table = show_in.held_out_table(checked)
    furthest = checked.frame["extrapolation"].max()
    of = "compute" if fit.largest is not None else "largest input"
    error = 100 * float(np.mean(np.abs(checked.frame["curve"] / measured - 1)))
    inside = table[""].to_numpy() == "inside"
    runs = None if held_out.run is None else held_out.frame[held_out.run].to_numpy()
    out.print(
        f"\nHeld-out runs, which the fit did not see (up to {furthest:.3g} times its {of})",
        markup=False,
    )
    out.print(show_in.table_of(table))
    out.print(
        f"mean absolute error {error:.2f}%; {int(inside.sum())} of {len(table)} inside the "
        f"{100 * level:g}% prediction interval",
        markup=False,
    )
    show_in.print_missed(out, fit.law, missed(inside, runs, level))


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
    js.save(fit, output, overwrite=force)
    figure = overview(fit, draws, held_out=held_out, level=level)
    kind = plot.suffix[1:].lower()
    write_whole(plot, lambda f: figure.savefig(f, format=kind, dpi=130), overwrite=force)


def show(file: Path, *, as_json: bool) -> None:
    """Print a saved fit."""
    fit = js.load(file)
    if as_json:
        show_in.print_json(as_document(fit))
    else:
        show_in.print_fit(show_in.screen(), fit)


def predict_from(
    file: Path,
    points: list[dict[str, str]],
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
    where = read_table(table) if table is not None else read_points(fit, points)
    js.enable_compilation_cache()
    with working("Resampling the runs for intervals …", not as_json):
        prediction = js.predict(fit, where, method=method, level=level, seed=seed)
    if as_json:
        show_in.print_json({
            "output": prediction.output, "level": level, "method": prediction.method,
            "seed": seed, "predictions": show_in.records(prediction.frame),
        })  # fmt: skip
        return
    out = show_in.screen()
    out.print(f"{fit.law.name}: {prediction.output}, by {prediction.method}", markup=False)
    out.print(show_in.table_of(show_in.prediction_table(prediction)))


def read_points(fit: js.Fit, points: list[dict[str, str]]) -> dict[str, list[Any]]:
    """Return the points' values by name: numbers for inputs, text for a group's label."""
    names = list(points[0])
    numbers = {*fit.law.inputs, *fit.runs.inputs}
    for point in points:
        if set(point) != set(names):
            raise DataError(f"--at names {listing(names)} once and {listing(list(point))} later.")
    return {n: [_value(n, p[n], n in numbers) for p in points] for n in names}


def _value(name: str, text: str, is_number: bool) -> float | str:
    if not is_number:
        return text
    try:
        return parse_number(text)
    except DataError as error:
        raise DataError(f"--at {name}={text}: {error}") from error


def compare_laws(
    *,
    file: Path | None,
    laws: Sequence[str],
    columns: Mapping[str, Any],
    loss_unit: str | None,
    share: float | None,
    origins: int | None,
    factor: float,
    resamples: int,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Compare laws on runs held out by origins, by their column ``split``, or the largest ones."""
    check_level(level)
    runs = _read_whole(file, laws, columns, loss_unit, "raise")
    chosen = "auto" if list(laws) == ["auto"] else list(laws)
    held = _held_out(runs.frame.loc[:, "split"]) if "split" in runs.frame.columns else None
    axis = axis_of(runs) or "C"
    holdout: Any = js.largest(axis, 0.2 if share is None else share)
    if origins is not None:
        holdout = js.splits.origins(axis, origins, factor)
    elif share is None and held is not None and held.any():
        holdout = held
    js.enable_compilation_cache()
    with working("Fitting every law to every split …", not as_json), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        found = js.compare(
            chosen, runs, holdout=holdout, level=level, resamples=resamples, seed=seed
        )
    if as_json:
        show_in.print_json({
            "table": show_in.records(found.table.reset_index()),
            "auto": None if found.ensembles is None else show_in.records(found.ensembles),
            "holdout": str(found.scheme), "level": level, "notes": list(found.notes),
        })  # fmt: skip
        return
    out = show_in.screen()
    splits, rows = len(set(found.rows["split"])), len(found.rows) // len(found.table)
    asked = f"{rows} predictions" + (f" in {splits} splits" if splits > 1 else "")
    out.print(f"Runs: {runs.source}; held out: {found.scheme}, {asked}", markup=False)
    out.print(show_in.table_of(show_in.scores_table(found.table, level), index="law"))
    out.print(
        "\nerror and score are relative to the measured loss; ± is a standard error over splits, "
        "or over runs where there is one split. The score is the interval score: lower is better.",
        markup=False,
    )
    if found.ensembles is not None:
        means = found.ensembles.pivot_table("weight", "law")["weight"].to_dict()
        ranked = sorted(means.items(), key=lambda item: -item[1])
        said = ", ".join(f"{name} {w:.2f}" for name, w in ranked if w >= 0.005)
        out.print(
            f"auto mixes the laws by how they extrapolated within the fitted runs: {said}",
            markup=False,
        )
    for note in found.notes:
        out.print(note, markup=False)


def list_data(name: str | None, *, as_json: bool) -> None:
    """Print the list of data sets, or one card."""
    if name is not None:
        _print_card(js.datasets.card(name), as_json)
        return
    table = js.datasets.table()
    if as_json:
        show_in.print_json(show_in.records(table))
        return
    show_in.screen().print(show_in.table_of(table.loc[:, ["name", "rows", "usable_for", "where"]]))
    show_in.screen().print("\nA card, with licence and source: jscale data NAME.")


def _print_card(card: Any, as_json: bool) -> None:
    """Print what is known of a data set, leaving out what is not."""
    known = {k: v for k, v in vars(card).items() if v not in ("", None, (), {})}
    if as_json:
        show_in.print_json(show_in.plain(known))
        return
    out = show_in.screen()
    for key, value in known.items():
        if isinstance(value, Mapping):
            out.print(f"{key}:", markup=False)
            for name, text in value.items():
                out.print(f"  {name}: {text}", markup=False)
        elif isinstance(value, tuple):
            out.print(f"{key}: {len(value)}", markup=False)
        else:
            out.print(f"{key}: {value}", markup=False)
