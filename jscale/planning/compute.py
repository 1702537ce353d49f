"""The smallest budget that reaches a target when it is spent best, for every draw."""

from __future__ import annotations

import numpy as np

from jscale.planning.search import Planner

# Where budgets are looked for: so far below and beyond those of the runs, and how finely.
_BELOW, _BEYOND = 1e3, 1e15
_PER_DECADE = 4
_HALVINGS = 32


def needed(
    planner: Planner, samples: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return budgets (R, m) of samples (R, q) and targets (m,), inf where none reaches a target.

    Also the inputs they buy the first sample, the estimate (m, k), NaN where there are none, and
    whether the least budget looked at reaches each target already in the estimate (m,).
    """
    sign = 1.0 if planner.choice.falling else -1.0
    low, high = planner.spent[0] / _BELOW, planner.spent[1] * _BEYOND
    budgets = np.geomspace(low, high, int(_PER_DECADE * np.log10(high / low)) + 1)
    found = planner.optima(samples, budgets)
    met = sign * found.output[:, :, None] <= sign * targets
    place = np.argmax(met, axis=1)
    amounts = np.where(met.any(axis=1), budgets[place], np.inf)
    row, column = np.nonzero(met.any(axis=1) & (place > 0))
    if len(row):
        at = place[row, column]
        ends = np.log(budgets[at - 1]), np.log(budgets[at])
        starts = np.log(found.inputs[row, at, :-1])
        amounts[row, column] = np.exp(_halved(planner, samples[row], starts, ends, targets[column]))
    return amounts, _inputs(planner, samples[:1], amounts[0]), met[0, 0]


def _halved(
    planner: Planner, flat: np.ndarray, starts: np.ndarray, ends: tuple[np.ndarray, np.ndarray],
    targets: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Return the log budgets (L,) between ends, from which on lanes reach their targets (L,)."""
    low, high = ends
    sign = 1.0 if planner.choice.falling else -1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        met = sign * planner.lowest(starts, flat, middle) <= sign * targets
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    return high


def _inputs(planner: Planner, point: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    found = np.full((len(budgets), len(planner.choice.variables)), np.nan)
    real = np.isfinite(budgets)
    if real.any():
        found[real] = planner.optima(point, budgets[real]).inputs[0]
    return found
