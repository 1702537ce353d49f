"""The smallest budget that reaches a target when it is spent best, for every draw."""

from __future__ import annotations

import numpy as np

from jscale.planning.search import Optima, Planner

# Where budgets are looked for: so far below and beyond those of the runs, and how finely.
_BELOW, _BEYOND = 1e3, 1e15
_PER_DECADE = 4
_HALVINGS = 32


def needed(
    planner: Planner, samples: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, Optima, np.ndarray]:
    """Return budgets (R, m) of samples (R, q) and targets (m,), inf where none reaches a target.

    Also the optima of the first sample, the estimate, at its own budgets (the largest looked at
    for a target out of reach), and whether the least budget looked at reaches each target already
    in the estimate (m,).
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
        ends = np.log(np.stack([budgets[at - 1], budgets[at]]))
        best = np.log(np.stack([found.inputs[row, at - 1, :-1], found.inputs[row, at, :-1]]))
        halved = _halved(planner, samples[row], best, ends, targets[column])
        amounts[row, column] = np.exp(halved)
    point = planner.optima(samples[:1], np.minimum(amounts[0], high))
    return amounts, point, met[0, 0]


def _halved(
    planner: Planner, flat: np.ndarray, best: np.ndarray, ends: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Return the log budgets (L,) between ends (2, L), from which on lanes reach their targets.

    ``best`` (2, L, k − 1) are the optima at the ends; a search between starts between them.
    """
    low, high = ends
    sign = 1.0 if planner.choice.falling else -1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        share = ((middle - ends[0]) / (ends[1] - ends[0]))[:, None]
        output = planner.lowest(best[0] + share * (best[1] - best[0]), flat, middle)
        met = sign * output <= sign * targets
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    return high
