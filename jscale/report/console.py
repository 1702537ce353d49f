"""Tables and lines that the command line prints, readable at 80 columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jscale.fitting.result import Fit
from jscale.prediction.predict import Prediction

_COLORS = {"info": "cyan", "caution": "yellow", "warning": "red"}


def number(value: float) -> str:
    """Write a number in at most nine characters."""
    return f"{value:.4g}"


def table_of(frame: pd.DataFrame, *, title: str = "", index: str | None = None) -> Table:
    """Make a rich table of a DataFrame, numbers short and to the right."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    if index is not None:
        table.add_column(index)
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(str(name), justify="right" if numeric else "left", overflow="fold")
    for label, row in frame.iterrows():
        cells = [_cell(v) for v in row]
        table.add_row(*([str(label)] if index is not None else []), *cells)
    return table


def _cell(value: Any) -> Text:
    is_number = isinstance(value, (float, int, np.number)) and not isinstance(value, bool)
    return Text(number(float(value)) if is_number else str(value))


def print_fit(console: Console, fit: Fit) -> None:
    """Print a fit: the law, the data, estimates, combinations and notes."""
    agree, count = fit.agree
    runs = fit.runs
    console.print(Text(f"{fit.law.name}: {fit.law.output} = {fit.law.formula or '(custom)'}", "bold"))
    console.print(Text(f"{len(runs)} rows, {runs.n_independent} independent runs: {_spans(fit)}"))
    left_out = f"; {len(runs.dropped)} rows left out" if len(runs.dropped) else ""
    console.print(Text(f"{fit.settings.objective} = {fit.objective:.6g}{left_out}"))
    console.print(Text(f"{agree} of {count} starts agree on the optimum\n"))
    console.print(table_of(fit.to_frame(), index="parameter"))
    if len(fit.derived):
        console.print()
        console.print(table_of(fit.derived, index="well-determined combination"))
    print_notes(console, fit)


def _spans(fit: Fit) -> str:
    return ", ".join(
        f"{x} {number(fit.runs[x].min())} to {number(fit.runs[x].max())}" for x in fit.runs.inputs
    )


def print_notes(console: Console, fit: Fit) -> None:
    """Print a fit's notes, the most severe first."""
    for note in fit.notes:
        head = Text(f"\n{note.severity}: {note.code}. ", _COLORS[note.severity])
        console.print(head + Text(" ".join(t for t in (note.seen, note.means, note.do) if t)))


def prediction_table(prediction: Prediction) -> pd.DataFrame:
    """Return a prediction's columns with both intervals written as "low to high"."""
    frame = prediction.to_frame()
    percent = f"{100 * prediction.level:g}%"
    for name, title in (("confidence", "curve"), ("prediction", "new run")):
        if f"{name}_low" in frame:
            low, high = frame.pop(f"{name}_low"), frame.pop(f"{name}_high")
            frame[f"{percent} {title}"] = [
                f"{number(a)} to {number(b)}" for a, b in zip(low, high, strict=True)
            ]
    past = frame.pop("extrapolation")
    frame["C/max C"] = [f"{v:.2g}×" for v in past]
    return frame


def held_out_table(prediction: Prediction, observed: np.ndarray) -> pd.DataFrame:
    """Return predicted beside measured outputs of runs that the fit did not see."""
    frame = prediction.frame
    inside = (observed >= frame["prediction_low"]) & (observed <= frame["prediction_high"])
    columns = {name: frame[name].to_numpy() for name in ("N", "D", "C") if name in frame}
    return pd.DataFrame(
        {
            **columns,
            "measured": observed,
            "predicted": frame["curve"].to_numpy(),
            "error": [f"{100 * (p / m - 1):+.2f}%" for p, m in zip(frame["curve"], observed)],
            f"{100 * prediction.level:g}% of new runs": [
                f"{number(a)} to {number(b)}"
                for a, b in zip(frame["prediction_low"], frame["prediction_high"], strict=True)
            ],
            "": ["inside" if x else "outside" for x in inside],
        }
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as plain records, ready for JSON (numbers that are not finite as null)."""
    return json.loads(frame.to_json(orient="records", double_precision=15))


def plain(value: Any) -> Any:
    """Return a tree of mappings, sequences and plain values as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return vars(value) if hasattr(value, "__dict__") else value
