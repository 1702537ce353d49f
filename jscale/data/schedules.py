"""Named learning-rate schedules: a linear warm-up to a peak, then a shape of their own.

Wherever a number of steps is expected, a number below 1 is a share of all steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jscale.arguments import check_choice
from jscale.data.schedule import Schedule, steps_of
from jscale.errors import DataError, listing, nearest

# Logged rates are rounded: equal ones must compare as equal.
_ROUNDING = 1e-9


def constant(steps: int, peak: float, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that stays at its peak.

    Parameters
    ----------
    steps : int
        Number of steps.
    peak : float
        Learning rate after the warm-up, above 0.
    warmup : int or float
        Number of steps, or share of all steps, of a linear rise from 0 to the peak.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If steps, rates or warm-up do not make a schedule.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.constant(4, 0.5, warmup=2).rates.tolist()
    [0.25, 0.5, 0.5, 0.5]
    """
    return _shaped("constant", steps, peak, peak, warmup, lambda u: np.zeros_like(u))


def linear(steps: int, peak: float, end: float = 0.0, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that falls linearly from its peak to ``end``.

    Parameters
    ----------
    steps : int
        Number of steps.
    peak : float
        Learning rate at the end of the warm-up, above 0.
    end : float
        Learning rate at the last step, from 0 to ``peak``.
    warmup : int or float
        Number of steps, or share of all steps, of a linear rise from 0 to the peak.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If steps, rates or warm-up do not make a schedule.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.linear(4, 1.0).rates.tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    return _shaped("linear", steps, peak, end, warmup, lambda u: u)


def cosine(steps: int, peak: float, end: float = 0.0, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that falls along half a cosine from its peak to ``end``.

    Parameters
    ----------
    steps : int
        Number of steps.
    peak : float
        Learning rate at the end of the warm-up, above 0.
    end : float
        Learning rate at the last step, from 0 to ``peak``.
    warmup : int or float
        Number of steps, or share of all steps, of a linear rise from 0 to the peak.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If steps, rates or warm-up do not make a schedule.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.cosine(24_000, 3e-4, 3e-5, warmup=2160)
    Schedule(cosine: 24000 steps, 2160 of them warm-up, peak 0.0003, end 3e-05)
    """
    return _shaped("cosine", steps, peak, end, warmup, lambda u: 0.5 * (1.0 - np.cos(np.pi * u)))


def wsd(
    steps: int,
    peak: float,
    end: float = 0.0,
    *,
    warmup: int | float = 0,
    decay: int | float = 0.2,
    shape: str = "linear",
) -> Schedule:
    """Make the warmup-stable-decay schedule: constant at its peak, then a fall to ``end``.

    Parameters
    ----------
    steps : int
        Number of steps.
    peak : float
        Learning rate from the end of the warm-up to the beginning of the decay, above 0.
    end : float
        Learning rate at the last step, from 0 to ``peak``.
    warmup : int or float
        Number of steps, or share of all steps, of a linear rise from 0 to the peak.
    decay : int or float
        Number of steps, or share of all steps, of the fall.
    shape : {"linear", "exponential", "sqrt"}
        Shape of the fall: linear, by equal factors (for an ``end`` above 0), or as 1 − √u with u
        the share of the decay that is over.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If the decay does not fit between the warm-up and the end, or steps, rates or warm-up do
        not make a schedule.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.wsd(6, 1.0, decay=2).rates.tolist()
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    warmup, decay_steps = (steps_of(n, v, steps) for n, v in (("warmup", warmup), ("decay", decay)))
    shapes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "linear": lambda u: u,
        "sqrt": np.sqrt,
        "exponential": lambda u: _exponential(u, peak, end),
    }
    check_choice("shape", shape, shapes, error=DataError)
    if shape == "exponential" and not end > 0:
        raise DataError("An exponential decay never reaches 0: give an end above 0.")
    after = steps - warmup
    if not 1 <= decay_steps <= after:
        raise DataError(
            f"decay={decay!r} is {decay_steps} steps, but between warm-up and end there are "
            f"{after}; it must be from 1 step to that many."
        )

    def fall(u: np.ndarray) -> np.ndarray:
        # u runs over all steps after the warm-up, of which the decay is the last part.
        decayed = np.clip((u * after - (after - decay_steps)) / decay_steps, 0.0, 1.0)
        return shapes[shape](decayed)

    return _shaped("wsd", steps, peak, end, warmup, fall)


def multi_step(
    steps: int,
    peak: float,
    *,
    at: Sequence[int | float],
    factor: float = 0.316,
    warmup: int | float = 0,
) -> Schedule:
    """Make the schedule whose rate is multiplied by ``factor`` after each of the steps ``at``.

    Parameters
    ----------
    steps : int
        Number of steps.
    peak : float
        Learning rate up to the first fall, above 0.
    at : sequence of int or float
        Steps, or shares of all steps, in rising order; falls at 0.8 and 0.9 are common.
    factor : float
        Factor of each fall, in (0, 1).
    warmup : int or float
        Number of steps, or share of all steps, of a linear rise from 0 to the peak.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If ``at`` is out of order or outside the run, or ``factor`` is out of range.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.multi_step(4, 1.0, at=[2], factor=0.1).rates.tolist()
    [1.0, 1.0, 0.1, 0.1]
    """
    places = [steps_of("at", place, steps) for place in at]
    warmup = steps_of("warmup", warmup, steps)
    if not places or sorted(set(places)) != places or not warmup <= places[0] <= places[-1] < steps:
        raise DataError(
            f"at={list(at)!r} must be steps (or shares of {steps}) in rising order, after the "
            "warm-up and before the end: at=(0.8, 0.9)."
        )
    if not 0.0 < factor < 1.0:
        raise DataError(f"factor={factor!r} must be between 0 and 1: the rate falls.")
    undecayed = constant(steps, peak, warmup=warmup).rates
    # Entry i is step i + 1, so a fall after step k first shows in entry k.
    falls = np.searchsorted(np.asarray(places), np.arange(steps), side="right")
    return Schedule(undecayed * factor**falls, warmup, "multi_step")


NAMED: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "wsd": wsd,
    "multi_step": multi_step,
}


def named(name: str, steps: int, peak: float, **options: Any) -> Schedule:
    """Make a schedule by name.

    Parameters
    ----------
    name : {"constant", "linear", "cosine", "wsd", "multi_step"}
        Name of the schedule.
    steps : int
        Number of steps.
    peak : float
        Largest learning rate.
    **options : Any
        Options of the function of that name, such as ``warmup``.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If there is no such schedule, or it has no such option.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.named("linear", 4, 1.0).rates.tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    if name not in NAMED:
        raise DataError(
            f"There is no schedule {name!r}.{nearest(name, NAMED)} "
            f"Schedules are {listing(list(NAMED), 10)}; or give rates, Schedule(rates)."
        )
    known = [p for p in inspect.signature(NAMED[name]).parameters if p not in ("steps", "peak")]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise DataError(
            f"The schedule {name!r} has no option {unknown[0]!r}.{nearest(unknown[0], known)} It "
            f"has {listing(known)}."
        )
    return NAMED[name](steps, peak, **options)


def from_log(
    steps: Any,
    rates: Any,
    *,
    warmup: int | None = None,
    length: int | None = None,
    name: str = "schedule",
) -> Schedule:
    """Make a schedule from rates logged at some steps, interpolating linearly between them.

    Before the first logged step the rate rises linearly from 0; after the last it stays constant.

    Parameters
    ----------
    steps : array_like of int, shape (n,)
        Logged steps, in rising order.
    rates : array_like, shape (n,)
        Learning rate at each logged step.
    warmup : int, optional
        Number of steps before annealing can begin. By default, the first logged step with the
        largest rate.
    length : int, optional
        Number of steps; by default the last logged one.
    name : str
        Name of the schedule in tables and plots.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    DataError
        If steps repeat or run backwards, or ``length`` is short of the last step.

    Examples
    --------
    >>> import jscale as js
    >>> js.schedules.from_log([1, 3, 5], [0.5, 1.0, 0.0]).rates.tolist()
    [0.5, 0.75, 1.0, 0.5, 0.0]
    """
    at = np.asarray(steps, dtype=np.float64)
    logged = np.asarray(rates, dtype=np.float64)
    if at.shape != logged.shape or at.ndim != 1 or len(at) == 0:
        raise DataError(
            f"{name}: {at.size} steps but {logged.size} rates; each logged step has one rate."
        )
    fractional = ~(np.isfinite(at) & (at == np.floor(at)))
    if fractional.any():
        bad = listing(at[fractional][:3].tolist())
        raise DataError(f"{name}: steps are whole numbers, not {bad}.")
    if (np.diff(at) <= 0).any() or at[0] < 1:
        # Before the first step stands 0.5, which only a first step below 1 does not exceed.
        i = int(np.flatnonzero(np.diff(at, prepend=0.5) <= 0)[0])
        raise DataError(
            f"{name}: steps must rise from 1, but step {at[i]:g} follows "
            f"{at[i - 1] if i else 0:g}. Sort the rows and leave out repeats."
        )
    last = int(at[-1]) if length is None else int(length)
    if last < at[-1]:
        raise DataError(f"{name}: {last} steps are fewer than the last logged one, {at[-1]:g}.")
    if warmup is None:
        # A warm-up as long as the log would leave no step at which annealing could begin.
        warmup = int(at[np.argmax(logged >= logged.max() * (1.0 - _ROUNDING))])
        warmup = min(warmup, last - 1)
    knots, heights = _with_warmup(at, logged, warmup)
    every = np.arange(1, last + 1)
    return Schedule(np.interp(every, knots, heights), warmup, name)


def _with_warmup(at: np.ndarray, logged: np.ndarray, warmup: int) -> tuple[np.ndarray, np.ndarray]:
    """Add to logged rates the zero before the first step, and the end of an unlogged warm-up.

    The rate at that end is taken to be the first one logged after it.
    """
    if warmup == 0:
        return at, logged
    after = int(np.searchsorted(at, warmup))
    if after < len(at) and at[after] > warmup:
        at, logged = np.insert(at, after, warmup), np.insert(logged, after, logged[after])
    return np.insert(at, 0, 0.0), np.insert(logged, 0, 0.0)


def _shaped(
    name: str,
    steps: int,
    peak: float,
    end: float,
    warmup: int | float,
    fall: Callable[[np.ndarray], np.ndarray],
) -> Schedule:
    """Make a schedule: a linear rise to the peak, then peak − (peak − end)·fall(u), 0 < u ≤ 1."""
    if int(steps) != steps or steps < 1:
        raise DataError(f"steps={steps!r} must be a whole number, 1 or more.")
    warmup = steps_of("warmup", warmup, steps)
    if not 0 <= warmup < steps:
        raise DataError(f"warmup={warmup!r} must be from 0 to below {steps} steps.")
    if not 0.0 <= end <= peak or not 0.0 < peak < np.inf:
        raise DataError(
            f"peak={peak!r} and end={end!r}: rates must fall from a peak above 0 to an end between "
            "0 and that peak."
        )
    rise = peak * np.arange(1, warmup + 1) / max(warmup, 1)
    u = np.arange(1, steps - warmup + 1) / (steps - warmup)
    return Schedule(np.concatenate([rise, peak - (peak - end) * fall(u)]), int(warmup), name)


def _exponential(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    """Return the share of peak − end that an exponential decay has fallen at u in [0, 1]."""
    return (1.0 - (end / peak) ** u) / (1.0 - end / peak) if end < peak else np.zeros_like(u)
