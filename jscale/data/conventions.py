"""Conventions that the rows of a table share: the unit of loss, how parameters are counted."""

from __future__ import annotations

import pandas as pd

from jscale.data.units import LOSS_UNITS
from jscale.errors import DataError, listing

# What a column says of its rows, and the texts that say it.
_CONVENTIONS = {
    "loss_unit": ("the unit of the loss", (*LOSS_UNITS, "perplexity")),
    "count": ("how parameters are counted", ("total", "non_embedding")),
}


def refuse_mixed_conventions(frame: pd.DataFrame) -> None:
    """Raise DataError where a column ``loss_unit`` or ``count`` says that rows differ in it."""
    for column, (what, known) in _CONVENTIONS.items():
        values = list(dict.fromkeys(frame[column])) if column in frame else []
        # A column of that name with other values, such as numbers, means something else.
        if len(values) > 1 and set(values) <= set(known):
            raise DataError(
                f"The column {column!r} says that rows differ in {what}: {listing(values)}. Errors "
                "in one cannot be compared with errors in another: convert them first, or take "
                "each on its own."
            )
