"""Schedules of the learning rate: the rate of every step of a run, as an array or by name.

A schedule rises over its warm-up to a peak and then only its own shape counts. Where a number of
steps is asked for, a number below 1 is a share of all steps. Laws of whole
loss curves read two areas of it: S1, the sum of rates so far, and S2, what annealing has released.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.arguments import check_choice
from jscale.errors import DataError, listing, nearest

# The memory of annealing, lambda, at which arXiv:2408.11029 fits its law.
MEMORY = 0.999
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Schedule:
    """The learning rate of every step.

    ``rates`` (steps,): entry i is the rate of step i + 1. ``warmup``: the number of steps before
    annealing can begin; a fall of the rate counts only after it. ``name`` is for tables and
    pictures. Raises DataError for rates that are negative or no numbers, for none above zero, and
    for a warm-up longer than the schedule.

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
        """How much the rate fell to reach each step (steps,), 0 up to the end of the warm-up."""
        before = np.concatenate([self.rates[:1], self.rates[:-1]])
        fell = before - self.rates
        fell[: self.warmup] = 0.0
        return fell

    def rate(self, steps: Any) -> np.ndarray:
        """Return the rate of the given steps, counted from 1."""
        return self.rates[self._index(steps)]

    def area(self, steps: Any) -> np.ndarray:
        """Return S1: the sum of the rates of all steps up to each given one, warm-up included."""
        return np.cumsum(self.rates)[self._index(steps)]

    def annealing_area(self, steps: Any, memory: float = MEMORY) -> np.ndarray:
        """Return S2 = Σ_i m_i with m_i = memory·m_{i−1} + (η_{i−1} − η_i), up to each given step.

        Falls of the rate since the warm-up, each released over some 1/(1 − memory) steps
        (arXiv:2408.11029). Raises DataError for a memory outside [0, 1).
        """
        from scipy.signal import lfilter

        if not 0.0 <= memory < 1.0:
            raise DataError(f"memory={memory!r} must be from 0 to below 1, such as {MEMORY}.")
        momentum = np.asarray(lfilter([1.0], [1.0, -memory], self.drops))
        return np.cumsum(momentum)[self._index(steps)]

    def renamed(self, name: str) -> Schedule:
        """Return the schedule under another name."""
        return Schedule(self.rates, self.warmup, name)

    def _index(self, steps: Any) -> np.ndarray:
        asked = np.asarray(steps)
        with np.errstate(invalid="ignore"):
            wrong = ~((asked >= 1) & (asked <= len(self)) & (asked == np.floor(asked)))
        if wrong.any():
            bad = np.atleast_1d(asked)[np.atleast_1d(wrong)]
            raise DataError(
                f"{self.name} has the steps 1 to {len(self)}, not {listing(bad[:3].tolist())}."
            )
        return asked.astype(int) - 1


def _as_rates(values: Any, name: str) -> np.ndarray:
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
            f"{name}: a learning rate is a number from 0 up, but not in {listing(at)}"
            f"{' and more' if wrong.sum() > 3 else ''}."
        )
    if not rates.any():
        raise DataError(f"{name}: all {len(rates)} rates are 0, so nothing is ever learnt.")
    return rates


def constant(steps: int, peak: float, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that stays at its peak.

    >>> import jscale as js
    >>> js.schedules.constant(4, 0.5, warmup=2).rates.tolist()
    [0.25, 0.5, 0.5, 0.5]
    """
    return _shaped("constant", steps, peak, peak, warmup, lambda u: np.zeros_like(u))


def linear(steps: int, peak: float, end: float = 0.0, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that falls in a straight line from its peak to ``end``."""
    return _shaped("linear", steps, peak, end, warmup, lambda u: u)


def cosine(steps: int, peak: float, end: float = 0.0, *, warmup: int | float = 0) -> Schedule:
    """Make the schedule that falls along half a cosine from its peak to ``end``.

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
    """Make the warmup-stable-decay schedule: at its peak, then a fall to ``end`` in the last part.

    ``decay``: how many steps the fall takes, or which share of all steps. ``shape``: "linear",
    "exponential" (equal factors, for an ``end`` above 0) or "sqrt" (1 − √u).
    Raises DataError for a decay that does not fit between warm-up and end.
    """
    warmup, count = (_count(n, v, steps) for n, v in (("warmup", warmup), ("decay", decay)))
    shapes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "linear": lambda u: u, "sqrt": np.sqrt,
        "exponential": lambda u: _exponential(u, peak, end),
    }  # fmt: skip
    check_choice("shape", shape, shapes, error=DataError)
    if shape == "exponential" and not end > 0:
        raise DataError("An exponential decay never reaches 0: give an end above 0.")
    after = steps - warmup
    if not 1 <= count <= after:
        raise DataError(
            f"decay={decay!r} is {count} steps, but between warm-up and end there are {after}; it "
            "must be from 1 step to that many."
        )
    falls = shapes[shape]

    def fall(u: np.ndarray) -> np.ndarray:
        return falls(np.clip((u * after - (after - count)) / count, 0.0, 1.0))

    return _shaped("wsd", steps, peak, end, warmup, fall)


def multi_step(
    steps: int,
    peak: float,
    *,
    at: Sequence[int | float],
    factor: float = 0.316,
    warmup: int | float = 0,
) -> Schedule:
    """Make the schedule that is multiplied by ``factor`` after each of the steps ``at``.

    ``at``: steps, or shares of all steps, in order; two falls at 0.8 and 0.9 of the run are
    common. Raises DataError for places out of order or outside the run, or a factor outside
    (0, 1).
    """
    places = [_count("at", a, steps) for a in at]
    warmup = _count("warmup", warmup, steps)
    if not places or sorted(set(places)) != places or not warmup <= places[0] <= places[-1] < steps:
        raise DataError(
            f"at={list(at)!r} must be steps (or shares of {steps}) in rising order, after the "
            "warm-up and before the end: at=(0.8, 0.9)."
        )
    if not 0.0 < factor < 1.0:
        raise DataError(f"factor={factor!r} must be between 0 and 1: the rate falls.")
    made = constant(steps, peak, warmup=warmup)
    falls = np.searchsorted(np.asarray(places), np.arange(steps), side="right")
    return Schedule(made.rates * factor**falls, warmup, "multi_step")


NAMED: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "wsd": wsd,
    "multi_step": multi_step,
}


def named(name: str, steps: int, peak: float, **options: Any) -> Schedule:
    """Make a schedule by its name: "constant", "linear", "cosine", "wsd" or "multi_step".

    ``options`` are those of the function of that name. Raises DataError for another name.

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
    steps: Any, rates: Any, *, warmup: int | None = None, length: int | None = None,
    name: str = "schedule",
) -> Schedule:  # fmt: skip
    """Make a schedule from rates logged at some steps, in a straight line between them.

    Before the first logged step the rate rises in a straight line from 0, over ``warmup`` steps
    if given; after the last it stays, up to ``length`` steps. Without ``warmup`` annealing counts
    from the first step at which the logged rate is at its largest.
    Raises DataError for steps that repeat or run backwards, or a length short of the last step.
    """
    at = np.asarray(steps, dtype=np.float64)
    logged = np.asarray(rates, dtype=np.float64)
    if at.shape != logged.shape or at.ndim != 1 or len(at) == 0:
        raise DataError(
            f"{name}: {at.size} steps but {logged.size} rates; each logged step has one rate."
        )
    odd = ~(np.isfinite(at) & (at == np.floor(at)))
    if odd.any():
        raise DataError(f"{name}: steps are whole numbers, not {listing(at[odd][:3].tolist())}.")
    if (np.diff(at) <= 0).any() or at[0] < 1:
        i = int(np.flatnonzero(np.diff(at, prepend=0.5) <= 0)[0])
        raise DataError(
            f"{name}: steps must rise from 1, but step {at[i]:g} follows "
            f"{at[i - 1] if i else 0:g}. Sort the rows and leave repeats out."
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

    That end is taken to be at the first rate logged after it.
    """
    if warmup == 0:
        return at, logged
    after = int(np.searchsorted(at, warmup))
    if after < len(at) and at[after] > warmup:
        at, logged = np.insert(at, after, warmup), np.insert(logged, after, logged[after])
    return np.insert(at, 0, 0.0), np.insert(logged, 0, 0.0)


def _shaped(
    name: str, steps: int, peak: float, end: float, warmup: int | float,
    fall: Callable[[np.ndarray], np.ndarray],
) -> Schedule:  # fmt: skip
    """Make a schedule: a straight rise to the peak, then peak − (peak − end)·fall(u), u ≤ 1."""
    if int(steps) != steps or steps < 1:
        raise DataError(f"steps={steps!r} must be a whole number from 1 up.")
    warmup = _count("warmup", warmup, steps)
    if not 0 <= warmup < steps:
        raise DataError(f"warmup={warmup!r} must be from 0 to below {steps} steps.")
    if not 0.0 <= end <= peak or not 0.0 < peak < np.inf:
        raise DataError(
            f"peak={peak!r} and end={end!r}: rates fall from a peak above 0 to an end from 0 up to "
            "that peak."
        )
    rise = peak * np.arange(1, warmup + 1) / max(warmup, 1)
    u = np.arange(1, steps - warmup + 1) / (steps - warmup)
    return Schedule(np.concatenate([rise, peak - (peak - end) * fall(u)]), int(warmup), name)


def _count(name: str, value: Any, steps: int) -> int:
    """Return a number of steps, given as one or as a share below 1 of all steps."""
    number = float(value)
    if 0.0 < number < 1.0:
        return round(number * steps)
    if number != np.floor(number):
        raise DataError(f"{name}={value!r} must be a whole number of steps, or a share below 1.")
    return int(number)


def _exponential(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    """How much of peak − end an exponential decay has fallen at u, 0 to 1."""
    return (1.0 - (end / peak) ** u) / (1.0 - end / peak) if end < peak else np.zeros_like(u)
