"""Exceptions and warnings of jscale, and the helpers that word their messages.

Every message follows one pattern: what is wrong, where (column, row labels, values), what would
be right, and the call that fixes it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any


class JscaleError(Exception):
    """Base class of all errors that jscale raises deliberately."""


class DataError(JscaleError, ValueError):
    """A table or setting that cannot be used, such as text in place of numbers."""


class FileError(JscaleError, OSError):
    """A file that cannot be read or written, such as one that is empty or already exists."""


class DatasetError(JscaleError):
    """A data set that cannot be loaded: its name is unknown, its download fails or is corrupt."""


class LawError(JscaleError, ValueError):
    """A law that is unknown, malformed, or not applicable to the data."""


class FitError(JscaleError, RuntimeError):
    """A fit that did not reach a usable optimum."""


class NotDifferentiable(JscaleError, ArithmeticError):
    """An optimum at a kink of the objective, where the fit has no derivative."""


class PredictionError(JscaleError, ValueError):
    """A prediction or plan requested at inputs that the law does not accept."""


class JscaleWarning(UserWarning):
    """Base class of all warnings that jscale issues."""


class DataWarning(JscaleWarning):
    """Data that are usable but suspicious, such as repeated rows or C far from 6·N·D."""


class FitWarning(JscaleWarning):
    """A fit that finished but needs a second look: its notes say why."""


class ExtrapolationWarning(JscaleWarning):
    """A prediction far beyond the range of compute that was fitted."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" clause for ``name``, or an empty string if nothing is close."""
    folded = {k.lower(): k for k in known}
    # Any two names of one or two letters look alike, so these may differ in case only.
    cutoff = 0.5 if len(name) > 2 else 1.0
    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return f" Did you mean {folded[close[0]]!r}?" if close else ""


def listing(values: Sequence[Any], limit: int = 5) -> str:
    """Join the first ``limit`` values for a message and count the rest."""
    shown = ", ".join(str(v) for v in values[:limit])
    rest = len(values) - limit
    return f"{shown}, … ({rest} more)" if rest > 0 else shown


def outside() -> int:
    """Return the ``stacklevel`` that attributes a warning to the first caller outside jscale."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("jscale."):
        frame, level = frame.f_back, level + 1
    return level
