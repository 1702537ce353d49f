"""Budgets: groups of runs with (nearly) the same compute, detected in the data or given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import DataError, listing

FEWEST_SIZES = 4


@dataclass(frozen=True, eq=False)
class Budgets:
    """Which rows belong to which budget.

    ``C`` (k,) are the budgets in rising order, ``rows`` the positions of their rows, ``short`` the
    given budgets with too few sizes, and how many they have.
    """

    C: np.ndarray
    rows: tuple[np.ndarray, ...]
    short: tuple[tuple[float, int], ...] = ()

    @property
    def places(self) -> np.ndarray:
        """Positions of all rows that belong to a budget, budget by budget (m,)."""
        return np.concatenate(self.rows)

    @property
    def codes(self) -> np.ndarray:
        """Number of the budget of each row of ``places`` (m,)."""
        return np.repeat(np.arange(len(self.rows)), [len(rows) for rows in self.rows])


def find_budgets(
    C: np.ndarray, N: np.ndarray, used: np.ndarray, within: float, given: Any
) -> Budgets:
    """Group the rows ``used`` (n,) by compute, into budgets of at least four sizes N.

    ``given`` are budgets in FLOPs, or None to detect them. Raises DataError if fewer than two
    are left.
    """
    groups = _dense(C, N, used, within) if given is None else _near(C, N, used, within, given)
    if len(groups.rows) >= 2:
        return groups
    if given is None:
        fault = f"no two budgets of at least {FEWEST_SIZES} sizes N within {100 * within:g}% of C"
        advice = "name the budgets, budgets=[1e18, 1e19]; or widen them, within=0.2"
    else:
        short = [f"C={c:.4g} ({sizes})" for c, sizes in groups.short]
        fault = f"fewer than {FEWEST_SIZES} sizes N near the budgets {listing(short)}"
        advice = "give other budgets, or none to detect them; or widen them, within=0.2"
    raise DataError(
        f"isoflop found {fault} among {int(used.sum())} rows. A parabola needs the loss at "
        f"{FEWEST_SIZES} sizes of one compute, a path two parabolas: {advice}."
    )


def checked_budgets(budgets: Any) -> np.ndarray | None:
    """Return given budgets in rising order without repeats; raises DataError unless positive."""
    if budgets is None:
        return None
    try:
        values = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values > 0)).all():
        raise DataError(
            f"budgets={budgets!r} must be positive, finite numbers of FLOPs, such as "
            "[1e18, 1e19, 1e20]."
        )
    return np.unique(values)


def _near(C: np.ndarray, N: np.ndarray, used: np.ndarray, within: float, given: Any) -> Budgets:
    """Assign each row to the nearest budget, if that lies within a factor 1 + ``within``."""
    away = np.abs(np.log(C)[:, None] - np.log(given))
    nearest = np.where(used & (away.min(axis=1) <= np.log1p(within)), away.argmin(axis=1), -1)
    rows = [np.flatnonzero(nearest == i) for i in range(len(given))]
    sizes = [len(np.unique(N[members])) for members in rows]
    enough = [i for i, count in enumerate(sizes) if count >= FEWEST_SIZES]
    short = [(float(given[i]), sizes[i]) for i in range(len(given)) if i not in enough]
    return Budgets(given[enough], tuple(rows[i] for i in enough), tuple(short))


def _dense(C: np.ndarray, N: np.ndarray, used: np.ndarray, within: float) -> Budgets:
    """Take the windows [C, (1 + ``within``)·C] with the most sizes N, one after another.

    Windows have a fixed width: clustering would chain runs at adjacent C into a single budget.
    """
    left = np.flatnonzero(used)
    left = left[np.argsort(C[left], kind="stable")]
    groups = []
    # Greedy: each pass removes the fullest window, until none has enough sizes.
    while len(left):
        start, stop = _fullest(C[left], N[left], within)
        if len(np.unique(N[left[start:stop]])) < FEWEST_SIZES:
            break
        groups.append(left[start:stop])
        left = np.delete(left, np.s_[start:stop])
    groups.sort(key=lambda rows: C[rows[0]])
    return Budgets(np.array([np.exp(np.log(C[rows]).mean()) for rows in groups]), tuple(groups))


def _fullest(C: np.ndarray, N: np.ndarray, within: float) -> tuple[int, int]:
    """Return the window with the most sizes N (then the narrowest) of rows in order of C."""
    stops = np.searchsorted(C, (1 + within) * C, side="right")
    inside: Counter[float] = Counter()
    stop, best, window = 0, (0, -np.inf), (0, 0)
    for start in range(len(C)):
        while stop < stops[start]:
            inside[N[stop]] += 1
            stop += 1
        # Both ends of the window move forward only, so all windows cost one pass.
        score = (len(inside), -C[stop - 1] / C[start])
        if score > best:
            best, window = score, (start, stop)
        inside[N[start]] -= 1
        if not inside[N[start]]:
            del inside[N[start]]
    return window
