"""Checks of the values of a column: each error names the column, the row labels and the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.errors import DataError, listing

MISSING = "missing (NaN)"
NOT_POSITIVE = "zero or negative"
TOO_LOW_FOR_PERPLEXITY = "at or below 1, the lowest perplexity"


def rows_at(frame: pd.DataFrame, bad: np.ndarray, values: Any) -> str:
    """Describe the rows at fault as "row 3 (-1.0), row 7 (…)", by their labels in the table."""
    labels = frame.index[bad].tolist()
    shown = pd.Series(values).to_numpy()[bad].tolist()
    return listing(
        [f"row {label!r} ({value!r})" for label, value in zip(labels, shown, strict=True)]
    )


def to_numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as float64 (n,), with NaN where the text is not a number."""
    raw = frame[column]
    if raw.dtype.kind in "mMc":
        # pandas would turn dates, durations and complex numbers into numbers without complaint.
        return np.full(len(raw), np.nan)
    numbers = pd.Series(pd.to_numeric(raw, errors="coerce"))
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def fault_of_values(
    frame: pd.DataFrame, column: str, values: np.ndarray, *, above: float | None
) -> dict[str, np.ndarray]:
    """Map each reason ("not a number", "infinite", …) to a mask (n,) of the rows it applies to.

    ``above`` is what every value must exceed (0, or 1 for a perplexity), or None.
    """
    missing = frame[column].isna().to_numpy()
    faults = {
        "not a number": np.isnan(values) & ~missing,
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
        f"{rows_at(frame, bad, frame[column])}.{advice(frame, name, column, reason)} "
        'Correct the table, or leave these rows out with Runs.from_frame(..., invalid="drop").'
    )


def advice(frame: pd.DataFrame, name: str, column: str, reason: str) -> str:
    """Return a sentence on what would be right where a column's values are at fault."""
    if reason == "not a number":
        return " Numbers are needed, such as 7e9 and not '7B'."
    if reason == TOO_LOW_FOR_PERPLEXITY:
        return ' If it is a loss in nats, pass loss_unit="nats".'
    if reason != NOT_POSITIVE:
        return ""
    hint = " A scaling law takes its logarithm, so it must be positive."
    if name == "loss" or name not in GLOSSARY:
        hint += ' If it is a score and not a loss, pass loss_unit="other".'
    if name == "C" and np.issubdtype(np.asarray(frame[column]).dtype, np.integer):
        hint += (
            " Its type is an integer: a product such as 6*N*D beyond 2**63 wraps around to"
            " negative numbers; compute it from df.astype(float)."
        )
    return hint


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
