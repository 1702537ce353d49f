"""Numbers and tables in words: how a page writes them, as plain text that a template escapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.data.runs import Runs

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (1e-3, 1e5)


@dataclass(frozen=True)
class Sheet:
    """A table as text: headings, rows of cells, and which columns hold numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    left_out: int = 0


def number(value: float, digits: int = 4) -> str:
    """Write a number to some significant digits, as people do: 1.69, 3×10⁹, ∞.

    >>> number(0.34567, 3), number(1058.2, 3), number(2.5e9), number(float("nan"))
    ('0.346', '1060', '2.5×10⁹', 'not known')
    """
    if math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.{digits}g}") + 0.0  # -0.0 + 0.0 is 0.0
    if rounded == 0 or _PLAIN[0] <= abs(rounded) < _PLAIN[1]:
        return np.format_float_positional(rounded, trim="-").replace("-", "−")
    mantissa, _, exponent = f"{value:.{max(digits, 1) - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    times = {"1": "", "-1": "−"}.get(mantissa, f"{mantissa}×".replace("-", "−"))
    return f"{times}10{str(int(exponent)).translate(_RAISED)}"


def span(value: float, low: float, high: float) -> tuple[str, str, str]:
    """Write a number and its interval with digits enough to show the interval's width.

    >>> span(2.00013, 2.00011, 2.00016)
    ('2.00013', '2.00011', '2.00016')
    """
    width, size = abs(high - low), max(abs(low), abs(high), abs(value))
    digits = 3
    if 0 < width < math.inf and size < math.inf:
        digits = min(max(3, math.ceil(math.log10(size / width)) + 2), 12)
    return number(value, digits), number(low, digits), number(high, digits)


def percent(level: float) -> str:
    """Write a level as people do: 90 %."""
    return f"{100 * level:g} %"


def with_unit(output: str, runs: Runs) -> str:
    """Name an output with its unit, where it is a loss of a known unit."""
    known = runs.loss_unit != "other" and "loss" in output
    return f"{output} ({runs.loss_unit})" if known else output


def amount(output: str, runs: Runs, value: str) -> str:
    """Write an output's value as a sentence does: a loss of 2.1 nats, score = 0.4."""
    known = runs.loss_unit != "other" and "loss" in output
    return f"a {output} of {value} {runs.loss_unit}" if known else f"{output} = {value}"


def joined(parts: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def point(inputs: Mapping[str, Any]) -> str:
    """Write inputs as a sentence does: N = 7×10⁹ and D = 1.4×10¹¹."""
    return joined([f"{name} = {_cell(value)}" for name, value in inputs.items()])


def unit_of(name: str) -> str:
    """Return the unit of an input, an empty text for one that the glossary does not know."""
    return GLOSSARY[name].unit if name in GLOSSARY else ""


def sheet(frame: pd.DataFrame, *, index: str | None = None, most: int = 100) -> Sheet:
    """Write a DataFrame as text, at most so many rows; ``index`` heads the row labels."""
    shown = frame.iloc[:most]
    columns = [_column(shown.iloc[:, place]) for place in range(frame.shape[1])]
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    headings = [str(name) for name in frame.columns]
    if index is not None:
        columns.insert(0, [str(label) for label in shown.index])
        headings.insert(0, index)
        numeric.insert(0, False)
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    return Sheet(tuple(headings), rows, tuple(numeric), len(frame) - len(shown))


def _column(values: pd.Series) -> list[str]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.number)):
        return number(float(value))
    return str(value)
