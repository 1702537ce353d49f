"""Tables of runs as commands read them: with named columns, and rows that are held out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import jscale as js
from jscale.cli.requests import RunTable
from jscale.data.columns import GLOSSARY, find_column
from jscale.data.files import read_table
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, FileError, listing, nearest

_HELD_OUT = ("holdout", "held-out", "held_out")
_MARKS = ("run", "group", "weight")


@dataclass(frozen=True, eq=False)
class SplitRuns:
    """The runs to fit, those held out (or None), and their source."""

    fitted: Runs
    held_out: Runs | None
    source: str


def read_split(table: RunTable, law: str) -> SplitRuns:
    """Read a table for a law, holding out the rows marked in its column ``split``."""
    runs = read_runs(table, [law])
    held = held_out_rows(runs)
    if held is None:
        return SplitRuns(runs, None, runs.source)
    if held.all():
        raise DataError(
            f"All {len(runs)} rows of {runs.source} are held out by their column 'split'; give "
            "the rows to fit another value, such as 'fit'."
        )
    held_out = runs.where(held) if held.any() else None
    return SplitRuns(runs.where(~held), held_out, runs.source)


def read_runs(table: RunTable, laws: Sequence[str]) -> Runs:
    """Return all runs of a table (by default jscale's own), with the inputs of the laws."""
    # "auto" stands for laws that are chosen later, by the columns of the table.
    known = [js.laws.get(law) for law in laws if law != "auto"]
    count = None
    if table.file is None:
        frame, source, count = js.datasets.load("stdlib_lm"), "stdlib_lm (embedded)", "total"
    else:
        frame, source = read_table(table.file), str(table.file)
    inputs = {name for law in known for name in law.inputs}
    named = {} if known else dict(table.columns)
    for law in known:
        columns = {k: v for k, v in table.columns.items() if k in law.inputs or k not in inputs}
        named |= _named(law, columns, frame)
    return Runs.from_frame(
        frame,
        output=known[0].output if known else "loss",
        loss_unit=table.loss_unit,
        count=count,
        invalid=table.invalid,
        source=source,
        **named,
    )


def held_out_rows(runs: Runs) -> np.ndarray | None:
    """Return which rows are marked as held out (n,), or None without a column ``split``.

    Warns with DataWarning if that column has several values, but marks no row.
    """
    if "split" not in runs.frame.columns:
        return None
    split: pd.Series = runs.frame.loc[:, "split"]
    # Tables write the mark in many ways: "Holdout", " held-out".
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
    """Return the columns given by name, and those of the law's inputs found in the table."""
    known = list(dict.fromkeys((*law.inputs, law.output, *GLOSSARY, *_MARKS)))
    for name, column in columns.items():
        if name not in known:
            raise DataError(
                f"--column {name}={column}: {law.name} has no {name!r}.{nearest(name, known)} "
                f"Name one of {listing(known, 20)}."
            )
    named = dict(columns)
    for name in law.inputs:
        column = find_column(name, table.columns) if name not in named else None
        if column is not None:
            named[name] = column
    return named


def load_fit(file: Path) -> js.Fit:
    """Read a saved fit; raises FileError for a saved forecast, which commands do not take."""
    saved = js.load(file)
    if not isinstance(saved, js.Fit):
        raise FileError(
            f"{str(file)!r} holds a forecast; this command takes a fit that jscale fit or "
            "js.save(fit, path) wrote. In Python: js.predict(js.load(path), …)."
        )
    return saved
