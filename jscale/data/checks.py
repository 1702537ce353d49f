"""Checks of a table's values: each names the column, the row labels and the values at fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.errors import DataError, listing

MISSING = "missing (NaN)"
NOT_POSITIVE = "zero or negative"
TOO_LOW_FOR_PERPLEXITY = "at or below 1, the lowest perplexity"

_INT64_LIMIT = 2.0**63


def rows_at(frame: pd.DataFrame, bad: np.ndarray, values: Any) -> str:
    """Describe offending rows as "row 3 (value -1.0), row 7 (…)"."""
    labels = frame.index[bad].tolist()
    shown = pd.Series(values).to_numpy()[bad].tolist()
    return listing([f"row {a!r} ({b!r})" for a, b in zip(labels, shown, strict=True)])


def to_numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as float64, text that is no number becoming NaN."""
    raw = frame[column]
    if raw.dtype.kind in "mMc":  # dates, durations and complex numbers
        return np.full(len(raw), np.nan)
    numbers = pd.Series(pd.to_numeric(raw, errors="coerce"))
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def fault_of_values(
    frame: pd.DataFrame, column: str, values: np.ndarray, *, above: float | None
) -> dict[str, np.ndarray]:
    """Map each reason ("not a number", "missing", …) to a mask of the rows it applies to.

    ``above`` is what every value must exceed (0, or 1 for a perplexity), or None.
    """
    raw = frame[column]
    missing = raw.isna().to_numpy()
    text = np.isnan(values) & ~missing
    faults = {
        "not a number": text,
        MISSING: missing,
        "infinite": np.isinf(values),
    }
    if above is not None:
        reason = NOT_POSITIVE if above == 0 else TOO_LOW_FOR_PERPLEXITY
        faults[reason] = np.isfinite(values) & (values <= above)
    return {reason: mask for reason, mask in faults.items() if mask.any()}


def raise_fault(frame: pd.DataFrame, name: str, column: str, reason: str, bad: np.ndarray) -> None:
    """Raise the DataError for the rows of one column that are ``bad`` for one reason."""
    called = name if name == column else f"{name} (column {column!r})"
    raise DataError(
        f"{called}: {int(bad.sum())} of {len(frame)} values {reason}: "
        f"{rows_at(frame, bad, frame[column])}.{_hint(frame, name, column, reason)} "
        'Mend the table, or leave these rows out with Runs.from_frame(..., invalid="drop").'
    )


def ignored_column(
    frame: pd.DataFrame, name: str, column: str, reason: str, bad: np.ndarray
) -> tuple[str, str]:
    """Say what is wrong with a column that is left out because nobody named it, and what to do."""
    seen = (
        f"The column {column!r} looks like {name}, but {int(bad.sum())} of {len(frame)} values are "
        f"{reason}: {rows_at(frame, bad, frame[column])}.{_hint(frame, name, column, reason)} "
        "It is ignored."
    )
    return seen, (
        "Mend those values; to make them an error, name the column: "
        f"Runs.from_frame(df, {name}={column!r})."
    )


def _hint(frame: pd.DataFrame, name: str, column: str, reason: str) -> str:
    """Say what would be right where a column's values are at fault."""
    if reason == "not a number":
        return " Numbers are needed, such as 7e9 and not '7B'."
    if reason == TOO_LOW_FOR_PERPLEXITY:
        return ' If it is a loss in nats, say loss_unit="nats".'
    if reason != NOT_POSITIVE:
        return ""
    hint = " A scaling law takes its logarithm, so it must be positive."
    if name == "loss" or name not in GLOSSARY:
        hint += ' If it is a score and no loss, say loss_unit="other".'
    if name == "C" and np.issubdtype(np.asarray(frame[column]).dtype, np.integer):
        hint += (
            " Its type is an integer: a product such as 6*N*D beyond 2**63 wraps around to"
            " negative numbers; compute it from df.astype(float)."
        )
    return hint


def overflow_doubt(frame: pd.DataFrame, n_column: str, d_column: str) -> str | None:
    """Say which rows have int64 N and D whose product 6·N·D passes 2⁶³, or return None."""
    kinds = [np.asarray(frame[c]).dtype for c in (n_column, d_column)]
    if not all(np.issubdtype(kind, np.integer) for kind in kinds):
        return None
    compute = 6.0 * to_numbers(frame, n_column) * to_numbers(frame, d_column)
    bad = compute >= _INT64_LIMIT
    if not bad.any():
        return None
    return (
        f"{n_column!r} and {d_column!r} are int64 and 6*N*D passes 2**63 in "
        f"{rows_at(frame, bad, compute)}. jscale computes it in float64; "
        "the same product in int64 wraps around silently: use df.astype(float) in your own code."
    )


def check_weights(weights: np.ndarray, frame: pd.DataFrame, called: str) -> None:
    """Raise DataError unless the weights are finite, not negative, and not all zero."""
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        raise DataError(
            f"{called}: weights must be finite and not negative, but "
            f"{rows_at(frame, bad, weights)}. Use 0 to leave a row out of the fit."
        )
    if not (weights > 0).any():
        raise DataError(f"{called}: all {len(weights)} weights are zero; give some row a weight.")
