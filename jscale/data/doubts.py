"""Doubts about a table: what is usable but suspicious, and what to do about it.

Each doubt is issued once as a DataWarning when the table becomes Runs, and again as a note of
every fit to these Runs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from jscale.data.checks import advice, rows_at, to_numbers
from jscale.data.flops import training_flops
from jscale.data.units import suspected_unit

# C/(6·N·D) within these bounds is ordinary: conventions differ in whether embeddings count.
_FLOPS_RATIO = (0.8, 1.25)
_INT64_LIMIT = 2.0**63


class Doubt(NamedTuple):
    """Something suspicious about a table: the code of its note, what was seen, what to do."""

    code: str
    seen: str
    remedy: str


def about_dropped_rows(keep: np.ndarray) -> Doubt | None:
    """Count the rows left out, where there are any."""
    if keep.all():
        return None
    return Doubt(
        "rows-dropped",
        f"{int((~keep).sum())} of {len(keep)} rows were left out.",
        "They are listed with reasons in runs.dropped.",
    )


def about_ignored_column(
    frame: pd.DataFrame, name: str, column: str, fault: tuple[str, np.ndarray], computed: bool
) -> Doubt:
    """Describe the ``fault`` (reason, rows) of a column that is ignored because nobody named it.

    ``computed`` says that C takes the value 6·N·D in its place.
    """
    reason, bad = fault
    seen = (
        f"The column {column!r} looks like {name}, but {int(bad.sum())} of {len(frame)} values are "
        f"{reason}: {rows_at(frame, bad, frame[column])}.{advice(frame, name, column, reason)} "
        f"It is ignored.{' C is computed as 6*N*D.' if computed else ''}"
    )
    remedy = (
        "Correct those values; to make them an error, name the column: "
        f"Runs.from_frame(df, {name}={column!r})."
    )
    return Doubt("column-ignored", seen, remedy)


def about_unit(losses: np.ndarray, column: str, unit: str) -> Doubt | None:
    """Say why losses said to be in ``unit`` look like losses in another one."""
    why = suspected_unit(losses, column, unit)
    if why is None:
        return None
    return Doubt(
        "loss-unit",
        f"The loss is assumed to be in nats, but {why}.",
        'State its unit: loss_unit="perplexity" (or "bits"), or "other".',
    )


def about_overflow(frame: pd.DataFrame, n_column: str, d_column: str) -> Doubt | None:
    """Name the rows with int64 N and D whose product 6·N·D exceeds 2⁶³."""
    kinds = [np.asarray(frame[column]).dtype for column in (n_column, d_column)]
    if not all(np.issubdtype(kind, np.integer) for kind in kinds):
        return None
    compute = training_flops(to_numbers(frame, n_column), to_numbers(frame, d_column))
    bad = compute >= _INT64_LIMIT
    if not bad.any():
        return None
    seen = (
        f"{n_column!r} and {d_column!r} are int64 and 6*N*D exceeds 2**63 in "
        f"{rows_at(frame, bad, compute)}. jscale computes it in float64; "
        "the same product in int64 wraps around silently: use df.astype(float) in your own code."
    )
    return Doubt("int64-overflow", seen, "")


def about_rows(
    frame: pd.DataFrame, inputs: tuple[str, ...], output: str, compute: str
) -> list[Doubt]:
    """Return the doubts about rows; ``compute`` is the name of the source's column of C."""
    remedies = {
        "duplicate-runs": "If they are one run logged twice, use df.drop_duplicates(); "
        'if rows belong to one run, name it: run="<column>".',
        "flops-mismatch": "Check units, and whether N counts embeddings in the same way as C; "
        f'to use 6*N*D instead, df.drop(columns="{compute}").',
    }
    seen = seen_in_rows(frame, inputs, output)
    return [Doubt(code, seen[code], remedy) for code, remedy in remedies.items() if seen[code]]


def seen_in_rows(frame: pd.DataFrame, inputs: tuple[str, ...], output: str) -> dict[str, str]:
    """Map each code of a doubt about rows to what was seen, an empty text for nothing."""
    seen = {"duplicate-runs": "", "flops-mismatch": ""}
    repeated = frame.duplicated([*inputs, output], keep="first").to_numpy()
    if repeated.any():
        seen["duplicate-runs"] = (
            f"{int(repeated.sum())} rows repeat another one in every number: "
            f"{rows_at(frame, repeated, frame[output])}."
        )
    if {"N", "D", "C"} <= set(inputs):
        ratio = frame["C"].to_numpy() / training_flops(frame["N"], frame["D"])
        off = (ratio < _FLOPS_RATIO[0]) | (ratio > _FLOPS_RATIO[1])
        if off.any():
            seen["flops-mismatch"] = (
                f"C is not near 6*N*D in {int(off.sum())} of {len(frame)} rows; "
                f"C/(6*N*D) is {rows_at(frame, off, np.round(ratio, 3))}."
            )
    return seen
