"""Values and tables as JSON, every number exact.

JSON has no NaN and no infinity: they are written as ``{"float": "nan"}``. Dates and other objects
become text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def encode(value: Any) -> Any:
    """Return a tree of NumPy and Python values as one that JSON can hold."""
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [encode(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or value is pd.NA:
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def decode(value: Any) -> Any:
    """Return the values that :func:`encode` wrote; sequences stay lists, mappings dicts."""
    if isinstance(value, dict):
        if set(value) == {"float"} and isinstance(value["float"], str):
            return float(value["float"])
        return {k: decode(v) for k, v in value.items()}
    return [decode(v) for v in value] if isinstance(value, list) else value


def table_document(table: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of a table, their types and the row labels."""
    return {
        "columns": {str(name): table[name].tolist() for name in table},
        "types": {str(name): str(table[name].dtype) for name in table},
        "index": table.index.tolist(),
        "index_names": list(table.index.names),
        "index_type": str(table.index.dtype),
    }


def table_from(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table that :func:`table_document` described."""
    labels, names = document["index"], document["index_names"]
    if len(names) > 1:
        index = pd.MultiIndex.from_tuples([tuple(label) for label in labels], names=names)
    else:
        index = pd.Index(_column(labels, document["index_type"]), name=names[0])
    columns = {
        name: _column(values, document["types"][name]).set_axis(index)
        for name, values in document["columns"].items()
    }
    return pd.DataFrame(columns, index=index)


def _column(values: list[Any], kind: str) -> pd.Series:
    """Return a column of the saved type, unless it is one that became text, such as dates."""
    exact = kind.lower().startswith(("int", "uint", "float", "bool", "object", "category"))
    if exact or not values:
        return pd.Series(values, dtype=object).astype(kind)
    return pd.Series(values)
