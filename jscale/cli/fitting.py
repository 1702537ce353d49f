"""The work of ``jscale fit``, ``show`` and ``predict``: a fit made or loaded, and printed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import jscale as js
from jscale.arguments import check_level
from jscale.cli.notes import as_documents, print_notes
from jscale.cli.progress import working
from jscale.cli.requests import Intervals, Output, RunTable
from jscale.cli.tables import load_fit, read_split
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
)
from jscale.fitting.notes import Note
from jscale.io.fits import as_document
from jscale.plots.fits import overview
from jscale.prediction.one_law import OneLaw
from jscale.prediction.predictor import Predictor
from jscale.reporting import console
from jscale.reporting.alongside import Alongside, alongside
from jscale.reporting.held_out import missed


def fit_and_report(
    law: str,
    table: RunTable,
    choices: Mapping[str, Any],
    intervals: Intervals,
    output: Output,
    plot: Path,
) -> None:
    """Fit the runs, predict those marked as held out, print, and write both files."""
    check_level(intervals.level)
    assert output.path is not None
    _check_outputs(output.path, plot, output.force)
    runs = read_split(table, law)
    js.enable_compilation_cache()
    with working(f"Fitting {law} from many starts …", output):
        fit = quiet_fit(law, runs.fitted, choices)
    with working("Resampling the runs for intervals …", output):
        draws = js.draws(
            fit,
            resamples=intervals.resamples,
            seed=intervals.seed,
            progress=not output.as_json,
        )
    with working("Forecasting with the chance that laws bend …", output):
        source = alongside(draws, intervals.seed)
        checked = _check(source, fit, runs.held_out, intervals.level)
        alone = _check(draws, fit, runs.held_out, intervals.level)
        js.save(fit, output.path, overwrite=output.force)
        _draw(fit, source, checked, plot, intervals.level, output.force)
    if output.as_json:
        console.print_json(
            {
                "fit": as_document(fit),
                "held_out": [] if checked is None else console.records(checked.to_frame()),
                "within_law": isinstance(source, OneLaw),
                "law_alone": [] if alone is None else console.records(alone.to_frame()),
                "notes": as_documents(_remarks(source)),
                "files": {"fit": str(output.path), "plot": str(plot)},
            }
        )
        return
    out = console.screen()
    out.print(f"Runs: {runs.source}", markup=False)
    # Doubts about the table were already printed as warnings when it was read.
    console.print_fit(out, fit, skip=[doubt.code for doubt in fit.runs.doubts])
    print_notes(out, _remarks(source))
    if checked is not None and alone is not None and runs.held_out is not None:
        _print_check(out, checked, alone, runs.held_out, fit)
    out.print(f"\nWrote {output.path} and {plot}", markup=False)


def _remarks(source: Predictor) -> tuple[Note, ...]:
    """Return the notes on a forecast, or on why there is none."""
    if isinstance(source, Alongside):
        return source.forecast.notes
    return source.remarks if isinstance(source, OneLaw) else ()


def _check_outputs(output: Path, plot: Path, force: bool) -> None:
    """Raise FileError for outputs that cannot be written, before any work is done."""
    from matplotlib.backend_bases import FigureCanvasBase

    for path in (output, plot):
        check_free(path, force)
    if output.absolute() == plot.absolute():
        raise FileError(
            f"The fit and the plot both go to {str(output)!r}; name another file by --plot."
        )
    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    if plot.suffix[1:].lower() not in kinds:
        raise FileError(
            f"{str(plot)!r} has an unknown type {plot.suffix!r}; give --plot a name that ends in "
            f"one of {listing(kinds, 20)}."
        )


def quiet_fit(law: str, runs: Runs, choices: Mapping[str, Any]) -> js.Fit:
    """Fit without Python warnings: the notes, printed afterwards, repeat them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        warnings.simplefilter("ignore", DataWarning)
        return js.fit(law, runs, **choices)


def _check(source: Any, fit: js.Fit, held_out: Runs | None, level: float) -> js.Prediction | None:
    """Predict the held-out runs, with their measured output in a column ``measured``."""
    if held_out is None:
        return None
    wanted = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), "C")))
    table = held_out.frame.loc[:, [c for c in wanted if c in held_out.frame.columns]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        prediction = js.predict(source, table, level=level)
    prediction.frame["measured"] = held_out[fit.law.output]
    return prediction


def _print_check(
    out: Any, checked: js.Prediction, alone: js.Prediction, held_out: Runs, fit: js.Fit
) -> None:
    """Print the held-out runs as they were predicted and measured, and the law alone."""
    furthest = checked.frame["extrapolation"].max()
    of = "compute" if fit.largest is not None else "largest input"
    runs = None if held_out.run is None else held_out.frame[held_out.run].to_numpy()
    out.print(
        f"\nHeld-out runs, not used in the fit (up to {furthest:.3g} times its {of})",
        markup=False,
    )
    law = None if checked.within_law else alone
    table = console.held_out_table(checked, law)
    out.print(console.table_of(table))
    inside = table["inside"].to_numpy() == "yes"
    if law is None:
        out.print(_score(checked, f"{fit.law.name}, within the law"), markup=False)
    else:
        out.print(_score(checked, "forecast"), markup=False)
        out.print(_score(law, f"{fit.law.name} alone"), markup=False)
        out.print(
            "The forecast allows for the chance that no law is exactly right; intervals of a law "
            "alone only cover uncertainty within it.",
            markup=False,
        )
    console.print_missed(out, fit.law, missed(inside, runs, checked.level), checked.within_law)


def _score(checked: js.Prediction, name: str) -> str:
    """Describe the error of predictions, and how many runs lie inside the interval."""
    frame, measured = checked.frame, checked.frame["measured"]
    error = 100 * float(np.mean(np.abs(frame["curve"] / measured - 1)))
    inside = np.asarray(frame["prediction_low"] <= measured) & np.asarray(
        measured <= frame["prediction_high"]
    )
    return (
        f"{name}: mean absolute error {error:.2f}%; {np.count_nonzero(inside)} of {len(frame)} "
        f"inside the {100 * checked.level:g}% prediction interval"
    )


def _draw(
    fit: js.Fit,
    source: Predictor,
    checked: js.Prediction | None,
    plot: Path,
    level: float,
    force: bool,
) -> None:
    """Write the plot of a fit, with the held-out runs if there are any."""
    held_out = None
    if checked is not None:
        held_out = checked.to_frame().rename(columns={"measured": "observed"})
        if "C" not in held_out:
            held_out["C"] = held_out["extrapolation"] * (fit.largest or np.nan)
    figure = overview(fit, source, held_out=held_out, level=level)
    kind = plot.suffix[1:].lower()
    write_whole(plot, lambda f: figure.savefig(f, format=kind, dpi=130), overwrite=force)


def show(file: Path, *, as_json: bool) -> None:
    """Print a saved fit."""
    fit = load_fit(file)
    if as_json:
        console.print_json(as_document(fit))
    else:
        console.print_fit(console.screen(), fit)


def predict_from(
    file: Path,
    points: list[dict[str, str]],
    table: Path | None,
    intervals: Intervals,
    output: Output,
) -> None:
    """Predict from a saved fit at points or at the rows of a table, and print."""
    fit = load_fit(file)
    if bool(points) == (table is not None):
        example = ",".join(f"{x}=…" for x in fit.law.inputs)
        raise DataError(f"Give the inputs to predict at by --at {example} or by --table FILE.")
    where = read_table(table) if table is not None else read_points(fit, points)
    js.enable_compilation_cache()
    method = None if intervals.method == "none" else intervals.method
    with working("Predicting …", output):
        prediction = js.predict(
            fit, where, method=method, level=intervals.level, seed=intervals.seed
        )
    if output.as_json:
        console.print_json(
            {
                "output": prediction.output,
                "level": intervals.level,
                "method": prediction.method,
                "seed": intervals.seed,
                "predictions": console.records(prediction.frame),
            }
        )
        return
    out = console.screen()
    out.print(f"{fit.law.name}: {prediction.output}, by {prediction.method}", markup=False)
    out.print(console.table_of(console.prediction_table(prediction)))


def read_points(fit: js.Fit, points: list[dict[str, str]]) -> dict[str, list[Any]]:
    """Return the values of the points by name: numbers of inputs, text of labels of groups."""
    names = list(points[0])
    numbers = {*fit.law.inputs, *fit.runs.inputs}
    for point in points:
        if set(point) != set(names):
            raise DataError(
                f"One --at names {listing(names)}, another {listing(list(point))}; name the same."
            )
    return {n: [_value(n, p[n], n in numbers) for p in points] for n in names}


def _value(name: str, text: str, is_number: bool) -> float | str:
    if not is_number:
        return text
    try:
        return parse_number(text)
    except DataError as error:
        raise DataError(f"--at {name}={text}: {error}") from error
