"""Validation: one pass over a table, from raw columns to numbers that a law can be fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jscale.arguments import check_choice
from jscale.data import doubts
from jscale.data.checks import MISSING, check_weights, fault_of_values, raise_fault, to_numbers
from jscale.data.columns import GLOSSARY, find_column, missing_column
from jscale.data.doubts import Doubt
from jscale.data.flops import training_flops
from jscale.data.units import LOSS_UNITS, to_unit
from jscale.errors import DataError, listing

_STANDARD_INPUTS = ("N", "D", "C", "U")
_OPTIONAL = ("C", "U")
_COUNTS = ("total", "non_embedding", None)


@dataclass(frozen=True)
class Reading:
    """How a table is to be read: what the caller of ``Runs.from_frame`` chose.

    ``marks`` maps "run", "group" and "weight" to their columns, ``named`` maps inputs and output
    to the columns that the caller named.
    """

    output: str
    loss_unit: str
    count: str | None
    invalid: str
    marks: Mapping[str, str | None]
    named: Mapping[str, str]


class ValidTable(NamedTuple):
    """A table whose inputs and output are finite float64 numbers, with what was left out."""

    frame: pd.DataFrame
    inputs: tuple[str, ...]
    loss_unit: str
    dropped: pd.DataFrame
    doubts: tuple[Doubt, ...]


def validate(frame: pd.DataFrame, reading: Reading) -> ValidTable:
    """Return the valid rows of a table under standard names.

    Raises DataError for settings, columns and values that cannot be used.
    """
    _check_table(frame, reading)
    columns = _columns_by_name(frame, reading)
    required = _required(columns, reading)
    values = {name: to_numbers(frame, column) for name, column in required.items()}
    keep, reasons = _usable_rows(frame, required, values, reading)
    # Only in the rows kept: faults in rows left out anyway are no reason to ignore a column.
    optional, suspicious = _optional_values(frame.loc[keep], columns, required)
    values = {name: numbers[keep] for name, numbers in values.items()} | optional
    columns = {name: column for name, column in columns.items() if name in values}
    values = {name: values[name] for name in columns}
    suspicious += _doubts_about_columns(frame, columns, values[reading.output], keep, reading)
    loss_unit = reading.loss_unit
    if loss_unit == "perplexity":
        # Laws describe log losses per token; the logarithm of a perplexity is one.
        values[reading.output] = to_unit(values[reading.output], "perplexity", "nats")
        loss_unit = "nats"
    inputs = tuple(name for name in values if name != reading.output)
    if "C" not in values and {"N", "D"} <= set(values):
        values["C"] = training_flops(values["N"], values["D"])
        inputs = (*inputs, "C")
    clean = _under_standard_names(frame.loc[keep], columns, values, reading.marks)
    weight = reading.marks["weight"]
    if weight is not None:
        check_weights(to_numbers(clean, weight), clean, f"column {weight!r}")
    suspicious += doubts.about_rows(clean, inputs, reading.output, columns.get("C", "C"))
    dropped = frame[~keep].assign(reason=reasons[~keep])
    return ValidTable(clean, inputs, loss_unit, dropped, tuple(suspicious))


def _check_table(frame: Any, reading: Reading) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"Runs are made from a pandas DataFrame, not from {type(frame).__name__}; "
            "try pandas.DataFrame({'N': …, 'D': …, 'loss': …})."
        )
    if len(frame) == 0:
        raise DataError("The table has no rows. A scaling law needs at least a handful of runs.")
    repeated = frame.columns[frame.columns.duplicated()].tolist()
    if repeated:
        raise DataError(
            f"Several columns have the same name: {listing(repeated)}. Keep one of each: "
            "df.loc[:, ~df.columns.duplicated()]."
        )
    check_choice("loss_unit", reading.loss_unit, (*LOSS_UNITS, "perplexity"), error=DataError)
    check_choice("count", reading.count, _COUNTS, error=DataError)
    check_choice("invalid", reading.invalid, ("raise", "drop"), error=DataError)
    marked = {mark: column for mark, column in reading.marks.items() if column is not None}
    for name, column in (*reading.named.items(), *marked.items()):
        _check_named(frame, name, column)


def _check_named(frame: pd.DataFrame, name: str, column: Any) -> None:
    if not isinstance(column, str):
        raise DataError(
            f"{name} must be the name of a column, not {type(column).__name__}. Add it to the "
            f"table, df[{name!r}] = …, and name it: Runs.from_frame(df, {name}={name!r})."
        )
    if column not in frame.columns:
        raise missing_column(name, column, frame.columns)


def _columns_by_name(frame: pd.DataFrame, reading: Reading) -> dict[str, str]:
    """Map standard names to the table's columns: first N, D, C, U, last the output."""
    columns = dict(reading.named)
    for name in _STANDARD_INPUTS:
        column = find_column(name, frame.columns) if name not in columns else None
        # A column that the caller named for another input is not taken twice.
        if column is not None and column not in columns.values():
            columns[name] = column
    output = reading.output
    if output not in columns:
        column = find_column(output, frame.columns)
        if column is None:
            raise missing_column(output, None, frame.columns)
        columns[output] = column
    order = [name for name in _STANDARD_INPUTS if name in columns]
    order += [name for name in columns if name not in order and name != output]
    return {name: columns[name] for name in (*order, output)}


def _required(columns: dict[str, str], reading: Reading) -> dict[str, str]:
    """Return the columns whose values must be valid: all but a C or U that nobody named.

    Where there is no other input, these are required too.
    """
    required = {
        name: column
        for name, column in columns.items()
        if name in reading.named or name not in _OPTIONAL
    }
    return required if set(required) - {reading.output} else columns


def _usable_rows(
    frame: pd.DataFrame,
    required: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    reading: Reading,
) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows (n,) are valid, and why the others are not.

    Raises DataError for the first fault unless invalid rows are to be dropped.
    """
    keep = np.ones(len(frame), dtype=bool)
    reasons = np.full(len(frame), "", dtype=object)
    for name, column, reason, bad in _faults(frame, required, values, reading):
        if reading.invalid == "raise":
            raise_fault(frame, name, column, reason, bad)
        keep &= ~bad
        # A row is listed with the first of its faults.
        reasons[bad & (reasons == "")] = f"{column}: {reason}"
    if not keep.any():
        raise DataError(f"No row is left: {listing(sorted(set(reasons)))}.")
    return keep, reasons


def _faults(
    frame: pd.DataFrame,
    required: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    reading: Reading,
) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Yield (name, column, reason, rows) for every fault of the columns that are used."""
    for name, column in required.items():
        above = _lower_limit(name, reading)
        for reason, bad in fault_of_values(frame, column, values[name], above=above).items():
            yield name, column, reason, bad
    for mark, column in reading.marks.items():
        # A faulty weight is always an error (check_weights): a weight of 0 leaves a row out.
        if column is None or mark == "weight":
            continue
        missing = frame[column].isna().to_numpy()
        if missing.any():
            yield mark, column, MISSING, missing


def _lower_limit(name: str, reading: Reading) -> float | None:
    """Return what a column's values must exceed, or None where any number is valid."""
    if name == reading.output:
        return {"other": None, "perplexity": 1.0}.get(reading.loss_unit, 0.0)
    known = GLOSSARY.get(name)
    return 0.0 if known is not None and known.positive else None


def _optional_values(
    rows: pd.DataFrame, columns: Mapping[str, str], required: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], list[Doubt]]:
    """Return the values of the optional columns that are valid, and doubts about the others."""
    values, ignored = {}, []
    for name, column in columns.items():
        if name in required:
            continue
        numbers = to_numbers(rows, column)
        faults = fault_of_values(rows, column, numbers, above=0.0)
        # Nobody asked for this column, so its faults must not stop a fit.
        if not faults:
            values[name] = numbers
            continue
        computed = name == "C" and {"N", "D"} <= set(columns)
        first = next(iter(faults.items()))
        ignored.append(doubts.about_ignored_column(rows, name, column, first, computed))
    return values, ignored


def _doubts_about_columns(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    losses: np.ndarray,
    keep: np.ndarray,
    reading: Reading,
) -> list[Doubt]:
    """Return the doubts about dropped rows, the unit of the loss, and integer overflow."""
    suspected = [
        doubts.about_dropped_rows(keep),
        doubts.about_unit(losses, columns[reading.output], reading.loss_unit),
    ]
    if {"N", "D"} <= set(columns):
        suspected.append(doubts.about_overflow(frame, columns["N"], columns["D"]))
    return [doubt for doubt in suspected if doubt is not None]


def _under_standard_names(
    rows: pd.DataFrame,
    columns: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    marks: Mapping[str, str | None],
) -> pd.DataFrame:
    """Return a table of the numbers, followed by the source's other columns untouched."""
    # A column that also marks runs or groups keeps its own name alongside the standard one.
    renamed = set(columns.values()) - {column for column in marks.values() if column}
    others = [name for name in rows.columns if name not in values and name not in renamed]
    numbers = pd.DataFrame(values, index=rows.index)
    return pd.concat([numbers, rows.loc[:, others]], axis=1)
