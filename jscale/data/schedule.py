"""Schedule: the learning rate at every step of a run, and the two areas that laws take of it.

Laws of whole loss curves use S1, the sum of the rates so far, and S2, what annealing has released
so far. Wherever a number of steps is expected, a number below 1 is a share of all steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import DataError, listing

# The decay factor of annealing momentum, lambda, with which arXiv:2408.11029 fits its law.
MEMORY = 0.999


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
        # The dataclass is frozen: fields given in another form are converted here, once.
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "warmup", steps_of("warmup", self.warmup, len(rates)))
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
        # The first step has no rate before it; it is compared with its own, a fall of zero.
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
        # The recursion for m_i is a linear filter, which SciPy runs over all steps at once.
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
        # NaN compares as False, so it is among the wrong ones; infinities do not become integers.
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


def steps_of(name: str, value: Any, steps: int) -> int:
    """Return a number of steps, given as such or as a share (below 1) of all steps."""
    number = float(value)
    if 0.0 < number < 1.0:
        return round(number * steps)
    if number != np.floor(number):
        raise DataError(f"{name}={value!r} must be a whole number of steps, or a share below 1.")
    return int(number)
