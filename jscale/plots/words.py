"""Numbers and tables as text, the way a page and its plots show them.

The text is plain: the page's template escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.data.runs import Runs

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Numbers from the first up to the second are written without a power of ten.
_PLAIN = (1e-3, 1e5)


@dataclass(frozen=True)
class Sheet:
    """A table as text.

    Attributes
    ----------
    headings : tuple of str
        One heading per column.
    rows : tuple of tuple of str
        The cells of each row.
    numeric : tuple of bool
        Which columns hold numbers.
    left_out : int
        How many more rows the table has.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    left_out: int = 0


def number(value: float, digits: int = 4) -> str:
    """Return a number to a few significant digits, as in print: 1.69, 3×10⁹, ∞.

    >>> number(0.34567, 3), number(1058.2, 3), number(2.5e9), number(float("nan"))
    ('0.346', '1060', '2.5×10⁹', 'n/a')
    """
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.{digits}g}") + 0.0  # -0.0 + 0.0 is 0.0
    if rounded == 0 or _PLAIN[0] <= abs(rounded) < _PLAIN[1]:
        return np.format_float_positional(rounded, trim="-").replace("-", "−")
    mantissa, _, exponent = f"{value:.{max(digits, 1) - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    times = {"1": "", "-1": "−"}.get(mantissa, f"{mantissa}×".replace("-", "−"))
    return f"{times}10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def span(value: float, low: float, high: float) -> tuple[str, str, str]:
    """Return a number and its interval with enough digits to show the interval's width.

    >>> span(2.00013, 2.00011, 2.00016)
    ('2.00013', '2.00011', '2.00016')
    """
    width, size = abs(high - low), max(abs(low), abs(high), abs(value))
    digits = 3
    if 0 < width < math.inf and size < math.inf:
        digits = min(max(3, math.ceil(math.log10(size / width)) + 2), 12)
    return number(value, digits), number(low, digits), number(high, digits)


def percent(level: float) -> str:
    """Return a share as a percentage.

    >>> percent(0.9)
    '90%'
    """
    return f"{100 * level:g}%"


def with_unit(output: str, runs: Runs) -> str:
    """Return the name of an output, with the unit if it is a loss of a known unit."""
    known = runs.loss_unit != "other" and "loss" in output
    return f"{output} ({runs.loss_unit})" if known else output


def amount(output: str, runs: Runs, value: str) -> str:
    """Return an output's value as part of a sentence: a loss of 2.1 nats, score = 0.4."""
    known = runs.loss_unit != "other" and "loss" in output
    return f"a {output} of {value} {runs.loss_unit}" if known else f"{output} = {value}"


def joined(parts: Sequence[str]) -> str:
    """Join words with commas and "and": a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def point(inputs: Mapping[str, Any]) -> str:
    """Return inputs as part of a sentence: N = 7×10⁹ and D = 1.4×10¹¹."""
    return joined([f"{name} = {_cell(value)}" for name, value in inputs.items()])


def unit_of(name: str) -> str:
    """Return the unit of an input, empty for one that is not in the glossary."""
    return GLOSSARY[name].unit if name in GLOSSARY else ""


def sheet(frame: pd.DataFrame, *, index: str | None = None, most: int = 100) -> Sheet:
    """Return the first ``most`` rows of a table as text.

    Row labels are shown as a first column only if ``index`` gives its heading.
    """
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
