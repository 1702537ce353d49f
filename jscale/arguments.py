"""Checks of arguments that many functions take: levels, counts, seeds, choices."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from jscale.errors import JscaleError, listing, nearest


def check_level(level: float) -> float:
    """Return a level as a float; raises JscaleError unless it lies strictly in (0, 1)."""
    if not (isinstance(level, Real) and 0.0 < level < 1.0):
        raise JscaleError(f"level={level!r} must lie strictly between 0 and 1, such as 0.9.")
    return float(level)


def check_count(name: str, value: Any, example: str) -> int:
    """Return a number of draws; raises JscaleError unless it is whole, and 2 or more."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 2:
        raise JscaleError(f"{name}={value!r} must be a whole number, at least 2: {example}.")
    return int(value)


def check_seed(seed: Any, *, error: type[JscaleError] = JscaleError) -> int:
    """Return a seed; raises JscaleError unless it is a whole number, 0 or more."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise error(f"seed={seed!r} must be a whole number, 0 or more, such as 0.")
    return int(seed)


def check_choice(
    name: str,
    value: Any,
    legal: Iterable[Any],
    *,
    error: type[JscaleError] = JscaleError,
    most: int = 10,
) -> Any:
    """Return a choice among a few legal values, or raise an error that lists them.

    Parameters
    ----------
    name : str
        What the caller calls the argument, such as ``"method"``.
    value : object
        The choice. It counts as a legal value only if it is also of its type, so that 1 is not
        taken for True.
    legal : iterable of object
        The legal values, in the order in which the message lists them.
    error : type of JscaleError, optional
        The class of the exception.
    most : int, optional
        How many legal values the message lists.

    Returns
    -------
    object
        The value, unchanged.

    Raises
    ------
    JscaleError
        If the value is not legal; the message names the legal value that resembles it most.

    Examples
    --------
    >>> check_choice("method", "laplace", ("auto", "laplace"))
    'laplace'
    """
    known = tuple(legal)
    if any(isinstance(value, type(choice)) and value == choice for choice in known):
        return value
    hint = nearest(str(value), [choice for choice in known if isinstance(choice, str)])
    raise error(f"{name}={value!r} is not known.{hint} Use {listing(known, most)}.")
