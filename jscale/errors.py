"""Every exception and warning that jscale raises, by name.

Messages follow one pattern: what is wrong, where (column, row labels, values),
what would be right, and the call that mends it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any


class JscaleError(Exception):
    """Base of all errors that jscale raises on purpose."""


class DataError(JscaleError, ValueError):
    """A table that cannot be used as it is: a missing column, text where numbers belong, …"""


class FileError(JscaleError, OSError):
    """A file that cannot be read or written: unknown type, empty, exists already, …"""


class DatasetError(JscaleError):
    """A public data set that cannot be had: unknown name, no network, wrong checksum."""


class LawError(JscaleError, ValueError):
    """A law that is not known, not well formed, or not usable with the data."""


class FitError(JscaleError, RuntimeError):
    """A fit that found no usable optimum."""


class NotDifferentiable(JscaleError, ArithmeticError):
    """An optimum at a kink of its objective, where the fit has no derivative."""


class PredictionError(JscaleError, ValueError):
    """A prediction that was asked for at inputs that the law cannot take."""


class JscaleWarning(UserWarning):
    """Base of all warnings that jscale gives."""


class DataWarning(JscaleWarning):
    """Data that are usable but doubtful: repeated rows, C far from 6·N·D, odd units, …"""


class FitWarning(JscaleWarning):
    """A fit that ended, but should not be trusted blindly: its notes say why."""


class ExtrapolationWarning(JscaleWarning):
    """A prediction far beyond the fitted range of compute."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" clause for ``name``, or an empty string if nothing is close.

    Names of one or two letters are all alike: only their other cases are close.
    """
    folded = {k.lower(): k for k in known}
    cutoff = 0.5 if len(name) > 2 else 1.0
    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return f" Did you mean {folded[close[0]]!r}?" if close else ""


def listing(values: Sequence[Any], limit: int = 5) -> str:
    """Join values for a message, saying how many were left off."""
    shown = ", ".join(str(v) for v in values[:limit])
    rest = len(values) - limit
    return f"{shown}, … ({rest} more)" if rest > 0 else shown


def outside() -> int:
    """Return the stacklevel at which the caller's warning names the first line outside jscale."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("jscale."):
        frame, level = frame.f_back, level + 1
    return level
