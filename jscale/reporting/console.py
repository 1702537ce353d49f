"""The tables and lines that the command line prints, readable at 80 columns."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.prediction import Prediction
from jscale.reporting.held_out import Missed

_NUMBER = re.compile(r"[+-]?\d")
# An argument list with at most one level of parentheses inside.
_IN_BRACKETS = r"\((?:[^()]|\([^()]*\))*\)"
# Python calls in messages, and what does the same on the command line.
_CLI_EQUIVALENTS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r'Runs\.from_frame\(\.\.\., invalid="drop"\)', "--drop-invalid"),
    (r"Runs\.from_frame\(df, (\w+)=[\"'](.+?)[\"']\)", r"--column \1=\2"),
    (r"Call predict\(fit, (.+?)\)", lambda m: "Say --at " + m[1].replace(", ", ",")),
    (r"jscale\.datasets\.table\(\) says", "`jscale data` says"),
    (r"js\.bootstrap\(fit\)", "those of `jscale predict --method bootstrap`"),
    (r"js\.save\(fit, path\)", "`jscale fit`"),
    (r"\bfixed=\{[\"'](\w+)[\"']: (.+?)\}", r"--fix \1=\2"),
    (r"\bper=\{[\"'](\w+)[\"']: [\"'](.+?)[\"']\}", r"--per \1=\2"),
    (r"\btie=\(…\)", "--tie …"),
    (r"\btie=\(([^)=]+)\)", lambda m: "--tie " + re.sub(r"[\"' ]", "", m[1]).rstrip(",")),
    (r"\bstarts=(\d+)\b", r"--starts \1"),
    (r'\bloss_unit="(\w+)"', r"--loss-unit \1"),
    (r'\b(run|group)="<column>"', r"--\1 <column>"),
    (rf"\bout(?:: | with )runs\.where{_IN_BRACKETS}", "out of the table"),
    (rf"\bruns\.where{_IN_BRACKETS}", "delete their rows from the table"),
    (r"\bruns\.dropped\b", "the saved fit"),
    (r"\buse df\.drop_duplicates\(\)", "delete all but one"),
    (r'\bdf\.drop\(columns="(.+?)"\)', r"delete the column \1"),
    (r"\bdf\.astype\(float\)", "floating-point numbers"),
    (r"\bplots\.residuals\b", "the residuals in the picture"),
)
_COLORS = {"info": "cyan", "caution": "yellow", "warning": "red"}


def screen(*, stderr: bool = False) -> Console:
    """Return a rich console on standard output or standard error."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False, emoji=False)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")


def number(value: float) -> str:
    """Return a number to four significant digits."""
    return f"{value:.4g}"


def table_of(frame: pd.DataFrame, *, index: str | None = None) -> Table:
    """Return a rich table of a DataFrame, with short numbers aligned to the right.

    Numbers are never broken across lines, also within text ("1.2 to 1.3"). Row labels are shown
    only if ``index`` gives their heading.
    """
    table = Table(header_style="bold", box=None)
    if index is not None:
        longest = max((len(str(label)) for label in frame.index), default=1)
        table.add_column(index, overflow="fold", min_width=min(longest, 20))
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(
            Text(str(name)),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric,
            min_width=_longest_number(frame.loc[:, name]),
        )
    for label, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        # As Text, because rich would read a label such as "E[gpt]" as markup.
        first = [Text(str(label))] if index is not None else []
        table.add_row(*first, *(_cell(v) for v in row))
    return table


def _longest_number(column: pd.Series) -> int | None:
    """Return the length of the longest word in a column of numbers, None for a column of text."""
    cells = [_cell(value).plain for value in column]
    if not cells or not all(_NUMBER.match(cell) for cell in cells):
        return None
    return max(len(word) for cell in cells for word in cell.split())


def _cell(value: Any) -> Text:
    is_number = isinstance(value, (float, int, np.number)) and not isinstance(value, bool)
    return Text(number(float(value)) if is_number else str(value))


def print_fit(console: Console, fit: Fit, skip: Collection[str] = ()) -> None:
    """Print a fit: law, data, estimates, combinations, and the notes that are not in ``skip``."""
    agree, count = fit.agree
    runs = fit.runs
    formula = fit.law.formula or "(custom)"
    console.print(Text(f"{fit.law.name}: {fit.law.output} = {formula}", "bold"))
    console.print(Text(f"{len(runs)} rows, {runs.n_independent} independent runs: {_spans(fit)}"))
    left_out = f"; {len(runs.dropped)} rows left out" if len(runs.dropped) else ""
    console.print(Text(f"{fit.settings.solved} = {fit.objective:.6g}{left_out}"))
    console.print(Text(f"{agree} of {count} starts agree on the optimum\n"))
    console.print(table_of(fit.to_frame(), index="parameter"))
    if len(fit.derived):
        console.print()
        console.print(table_of(fit.derived, index="well-determined combination"))
    print_notes(console, fit, skip)


def _spans(fit: Fit) -> str:
    names = dict.fromkeys((*fit.law.inputs, *(("C",) if fit.largest else ())))
    return ", ".join(
        f"{x} {number(fit.runs[x].min())} to {number(fit.runs[x].max())}" for x in names
    )


def print_notes(console: Console, fit: Fit, skip: Collection[str] = ()) -> None:
    """Print a fit's notes, the most severe first, without those whose codes are in ``skip``."""
    for note in fit.notes:
        if note.code in skip:
            continue
        head = Text(f"\n{note.severity}: {note.code}. ", _COLORS[note.severity])
        text = " ".join(t for t in (note.seen, note.means, note.do) if t)
        console.print(head + Text(in_cli_words(text)))


def in_cli_words(text: str) -> str:
    """Replace the Python calls in a message by the options of the command line."""
    for pattern, words in _CLI_EQUIVALENTS:
        text = re.sub(pattern, words, text)
    return text


def prediction_table(prediction: Prediction) -> pd.DataFrame:
    """Return a prediction's columns, with both intervals as text ("low to high")."""
    frame = prediction.to_frame()
    percent = f"{100 * prediction.level:g}%"
    for name, title in (("confidence", "curve"), ("prediction", "new run")):
        if f"{name}_low" in frame:
            low, high = frame.pop(f"{name}_low"), frame.pop(f"{name}_high")
            frame[f"{percent} {title}"] = [
                f"{number(a)} to {number(b)}" for a, b in zip(low, high, strict=True)
            ]
    times = frame.pop("extrapolation")
    by_compute = "C" in frame or {"N", "D"} <= set(frame)
    frame["C/max C" if by_compute else "of max"] = [f"{v:.2g}×" for v in times]
    return frame


def print_missed(console: Console, law: Law, miss: Missed | None, within_law: bool) -> None:
    """Print a caution if fewer held-out runs lie inside their intervals than chance allows."""
    if miss is None:
        return
    flexible = {"N", "D"} == set(law.inputs) and law.name != "farseer"
    advice = "a more flexible one: --law farseer" if flexible else "another law: jscale laws"
    why = (
        "The law does not hold that far out, and its intervals only cover uncertainty within the "
        f"law. Try {advice}."
        if within_law
        else "Something changed on the way that no past sweep has shown: look for what differs in "
        "these runs."
    )
    text = (
        f"With calibrated intervals, {miss.inside} or fewer of {miss.runs} runs inside would occur "
        f"with probability {miss.chance:.1g}. {why}"
    )
    head = Text("\ncaution: held-out-missed. ", _COLORS["caution"])
    console.print(head + Text(text))


def held_out_table(prediction: Prediction, alone: Prediction | None = None) -> pd.DataFrame:
    """Return the predicted and the ``measured`` outputs of held-out runs.

    With a prediction of the law alone, its errors are the last column.
    """
    frame = prediction.frame
    inputs = list(frame.columns[: frame.columns.get_loc("curve")])
    shown = [x for x in inputs if x != "C" or not {"N", "D"} <= set(inputs)]
    low, high = frame["prediction_low"], frame["prediction_high"]
    measured, predicted = frame["measured"], frame["curve"]
    columns: dict[str, Any] = {
        "measured": measured,
        "predicted": predicted,
        "error": _errors(predicted, measured),
        f"{100 * prediction.level:g}% interval": [
            f"{number(a)} to {number(b)}" for a, b in zip(low, high, strict=True)
        ],
        "inside": np.where((measured >= low) & (measured <= high), "yes", "no"),
    }
    if alone is not None:
        columns["law alone"] = _errors(alone.frame["curve"], measured)
    return frame[shown].assign(**columns)


def _errors(predicted: Any, measured: Any) -> list[str]:
    return [f"{100 * e:+.2f}%" for e in predicted / measured - 1]


def scores_table(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the table of a Comparison in percent, each value with its standard error."""

    def with_error(name: str, scale: float = 100.0, form: str = ".2g") -> pd.Series:
        cells = zip(table[name], table[f"{name}_error"], strict=True)
        digits = ".3g" if form == ".2g" else form
        return pd.Series(
            [f"{scale * v:{digits}}±{scale * e:{form}}" for v, e in cells], table.index
        )

    return pd.DataFrame(
        {
            "error %": with_error("absolute_error"),
            "bias %": with_error("bias"),
            f"in {100 * level:g}%": with_error("coverage", 1.0, ".2f"),
            "score %": with_error("interval_score"),
            "behind %": with_error("behind"),
            "weight": ["" if np.isnan(w) else f"{w:.2f}" for w in table["weight"]],
        }
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as records, ready for JSON (numbers that are not finite become None)."""
    return [plain({str(k): v for k, v in row.items()}) for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    """Return a tree of mappings, sequences and values as JSON can hold it, with None for NaN."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return vars(value) if hasattr(value, "__dict__") else value
