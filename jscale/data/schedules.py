"""Learning-rate schedules: the rate at every step of a run, as an array or by name.

A schedule rises over its warm-up to a peak and then follows its own shape. Wherever a number of
steps is expected, a number below 1 is a share of all steps. Laws of whole loss curves use two
areas of a schedule: S1, the sum of the rates so far, and S2, what annealing has released so far.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.arguments import check_choice
from jscale.errors import DataError, listing, nearest

# The decay factor of annealing momentum, lambda, with which arXiv:2408.11029 fits its law.
MEMORY = 0.999
# Logged rates are rounded: equal ones must compare as equal.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Schedule:
    """The learning rate at every step of a run.

    Parameters
    ----------
    rates : array_like, shape (steps,)
        Learning rates; entry i is the rate of step i + 1.
    warmup : int or float
        Number of steps, or share of all steps, before annealing can begin: a fall of the rate
        counts only after it.
    name : str
        Name of the schedule in tables and plots.

    Raises
    ------
    DataError
        If rates are negative, not numbers, or all zero, or if the warm-up is not shorter than the
        schedule.

    Examples
    --------
    >>> import jscale as js
    >>> half = js.Schedule([1.0, 1.0, 0.5, 0.5])
    >>> half.area([1, 4]).tolist(), len(half)
    ([1.0, 3.0], 4)
    """

    rates: Any
    warmup: int = 0
    name: str = "schedule"

    def __post_init__(self) -> None:
        rates = _as_rates(self.rates, self.name)
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "warmup", _count("warmup", self.warmup, len(rates)))
        if not 0 <= self.warmup < len(rates):
            raise DataError(
                f"{self.name}: a warm-up of {self.warmup} steps does not fit {len(rates)} steps; "
                f"it must be from 0 to {len(rates) - 1}."
            )

    def __len__(self) -> int:
        return len(self.rates)

    def __repr__(self) -> str:
        return (
            f"Schedule({self.name}: {len(self)} steps, {self.warmup} of them warm-up, peak "
            f"{self.peak:.4g}, end {self.rates[-1]:.4g})"
        )

    @property
    def peak(self) -> float:
        """The largest rate."""
        return float(self.rates.max())

    @property
    def drops(self) -> np.ndarray:
        """How much the rate fell on reaching each step (steps,), 0 within the warm-up."""
        before = np.concatenate([self.rates[:1], self.rates[:-1]])
        falls = before - self.rates
        falls[: self.warmup] = 0.0
        return falls

    def rate(self, steps: Any) -> np.ndarray:
        """Return the learning rate at given steps.

        Parameters
        ----------
        steps : array_like of int
            Steps, counted from 1.

        Returns
        -------
        numpy.ndarray
            Rates, of the shape of ``steps``.

        Raises
        ------
        DataError
            If the schedule does not have one of the steps.

        Examples
        --------
        >>> import jscale as js
        >>> js.schedules.linear(4, 1.0).rate([1, 4]).tolist()
        [0.75, 0.0]
        """
        return self.rates[self._index(steps)]

    def area(self, steps: Any) -> np.ndarray:
        """Return S1(s) = η_1 + … + η_s, the sum of the rates up to each given step s.

        Parameters
        ----------
        steps : array_like of int
            Steps, counted from 1.

        Returns
        -------
        numpy.ndarray
            Sums of learning rates, warm-up included, of the shape of ``steps``.

        Raises
        ------
        DataError
            If the schedule does not have one of the steps.

        Examples
        --------
        >>> import jscale as js
        >>> js.schedules.constant(4, 0.5).area([1, 4]).tolist()
        [0.5, 2.0]
        """
        return np.cumsum(self.rates)[self._index(steps)]

    def annealing_area(self, steps: Any, memory: float = MEMORY) -> np.ndarray:
        """Return S2(s) = m_1 + … + m_s with m_i = memory·m_{i−1} + (η_{i−1} − η_i).

        Each fall of the rate since the warm-up is released over about 1/(1 − memory) steps.

        Parameters
        ----------
        steps : array_like of int
            Steps s, counted from 1.
        memory : float
            Factor by which the momentum of annealing decays per step, in [0, 1).

        Returns
        -------
        numpy.ndarray
            Annealing areas, in units of the learning rate, of the shape of ``steps``.

        Raises
        ------
        DataError
            If the schedule does not have one of the steps, or ``memory`` is out of range.

        References
        ----------
        Tissue, Wang and Wang, Scaling Law with Learning Rate Annealing, arXiv:2408.11029.

        Examples
        --------
        >>> import jscale as js
        >>> js.Schedule([1.0, 1.0, 0.5, 0.5]).annealing_area([2, 3, 4], memory=0.5).tolist()
        [0.0, 0.5, 0.75]
        """
        from scipy.signal import lfilter

        if not 0.0 <= memory < 1.0:
            raise DataError(f"memory={memory!r} must be from 0 to below 1, such as {MEMORY}.")
        momentum = np.asarray(lfilter([1.0], [1.0, -memory], self.drops))
        return np.cumsum(momentum)[self._index(steps)]

    def renamed(self, name: str) -> Schedule:
        """Return the same schedule under another name.

        Parameters
        ----------
        name : str
            The new name.

        Returns
        -------
        Schedule
            A copy with that name.

        Examples
        --------
        >>> import jscale as js
        >>> js.schedules.constant(4, 0.5).renamed("flat").name
        'flat'
        """
        return Schedule(self.rates, self.warmup, name)

    def _index(self, steps: Any) -> np.ndarray:
        """Return the places of steps in ``rates``; raises DataError for steps not there."""
        numbers = np.asarray(steps)
        with np.errstate(invalid="ignore"):
            wrong = ~((numbers >= 1) & (numbers <= len(self)) & (numbers == np.floor(numbers)))
        if wrong.any():
            bad = np.atleast_1d(numbers)[np.atleast_1d(wrong)]
            raise DataError(
                f"{self.name} has the steps 1 to {len(self)}, not {listing(bad[:3].tolist())}."
            )
        return numbers.astype(int) - 1


def _as_rates(values: Any, name: str) -> np.ndarray:
    """Return rates as float64 (steps,); raises DataError for any that cannot be one."""
    try:
        rates = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: rates must be numbers, one for each step: {error}.") from error
    if rates.ndim != 1 or len(rates) == 0:
        raise DataError(
            f"{name}: rates have shape {rates.shape}; they must be one number for each step."
        )
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        at = [f"step {i + 1} ({rates[i]:.4g})" for i in np.flatnonzero(wrong)[:3]]
        raise DataError(
            f"{name}: learning rates must be finite and not negative, but are not at {listing(at)}"
            f"{' and more' if wrong.sum() > 3 else ''}."
        )
    if not rates.any():
        raise DataError(f"{name}: all {len(rates)} rates are 0, so nothing is learnt.")
    return rates


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
    warmup, decay_steps = (_count(n, v, steps) for n, v in (("warmup", warmup), ("decay", decay)))
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
    places = [_count("at", place, steps) for place in at]
    warmup = _count("warmup", warmup, steps)
    if not places or sorted(set(places)) != places or not warmup <= places[0] <= places[-1] < steps:
        raise DataError(
            f"at={list(at)!r} must be steps (or shares of {steps}) in rising order, after the "
            "warm-up and before the end: at=(0.8, 0.9)."
        )
    if not 0.0 < factor < 1.0:
        raise DataError(f"factor={factor!r} must be between 0 and 1: the rate falls.")
    undecayed = constant(steps, peak, warmup=warmup).rates
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
        i = int(np.flatnonzero(np.diff(at, prepend=0.5) <= 0)[0])
        raise DataError(
            f"{name}: steps must rise from 1, but step {at[i]:g} follows "
            f"{at[i - 1] if i else 0:g}. Sort the rows and leave out repeats."
        )
    last = int(at[-1]) if length is None else int(length)
    if last < at[-1]:
        raise DataError(f"{name}: {last} steps are fewer than the last logged one, {at[-1]:g}.")
    if warmup is None:
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
    warmup = _count("warmup", warmup, steps)
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


def _count(name: str, value: Any, steps: int) -> int:
    """Return a number of steps, given as such or as a share (below 1) of all steps."""
    number = float(value)
    if 0.0 < number < 1.0:
        return round(number * steps)
    if number != np.floor(number):
        raise DataError(f"{name}={value!r} must be a whole number of steps, or a share below 1.")
    return int(number)


def _exponential(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    """Return the share of peak − end that an exponential decay has fallen at u in [0, 1]."""
    return (1.0 - (end / peak) ** u) / (1.0 - end / peak) if end < peak else np.zeros_like(u)
