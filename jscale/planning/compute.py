"""The smallest budget that reaches a target when spent compute-optimally, for every draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jscale.planning.search import Optima, Planner
from jscale.prediction.components import Component, over_draws

# The range of budgets searched, below and above the costs of the runs, and its resolution.
_BELOW, _BEYOND = 1e3, 1e15
_PER_DECADE = 4
_HALVINGS = 32


def needed(
    planner: Planner, components: Sequence[Component], targets: np.ndarray
) -> tuple[np.ndarray, Optima, np.ndarray]:
    """Return the budgets that targets (m,) take, for the estimate (first) and pooled draws.

    Parameters
    ----------
    planner : Planner
        That of the estimate.
    components : sequence of Component
        What is drawn.
    targets : ndarray, shape (m,)
        Outputs to reach.

    Returns
    -------
    budgets : ndarray, shape (1 + R, m)
        Infinite where no budget reaches a target.
    optima : Optima
        Those of the estimate at its own budgets, or at the largest budget searched for a target
        out of reach.
    reached_already : ndarray of bool, shape (m,)
        Whether the smallest budget searched already reaches each target in the estimate.
    """
    amounts, reached_already = over_draws(
        components,
        lambda component, samples, rows: _amounts(planner.of(component), samples, targets),
    )
    largest = planner.spent[1] * _BEYOND
    optima = planner.optima(planner.point[None], np.minimum(amounts[0], largest))
    return amounts, optima, reached_already[0]


def _amounts(
    planner: Planner, samples: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return budgets (R, m) of samples (R, q), and whether the smallest one reaches each target."""
    sign = 1.0 if planner.choice.falling else -1.0
    low, high = planner.spent[0] / _BELOW, planner.spent[1] * _BEYOND
    budgets = np.geomspace(low, high, int(_PER_DECADE * np.log10(high / low)) + 1)
    optima = planner.optima(samples, budgets)
    met = sign * optima.output[:, :, None] <= sign * targets
    place = np.argmax(met, axis=1)
    amounts = np.where(met.any(axis=1), budgets[place], np.inf)
    row, column = np.nonzero(met.any(axis=1) & (place > 0))
    if len(row):
        at = place[row, column]
        ends = np.log(np.stack([budgets[at - 1], budgets[at]]))
        best = np.log(np.stack([optima.inputs[row, at - 1, :-1], optima.inputs[row, at, :-1]]))
        amounts[row, column] = np.exp(_halved(planner, samples[row], best, ends, targets[column]))
    return amounts, met[:, 0]


def _halved(
    planner: Planner, flat: np.ndarray, best: np.ndarray, ends: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Return the log budgets (L,) between ends (2, L) above which lanes reach their targets.

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
