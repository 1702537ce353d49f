"""The scale of an objective with delta="auto", solved for together with the parameters.

Each class of objectives states its equation (``scale_excess``). Huber's proposal 2 asks that
Σ w·min(|r|/s, k)² = (n − p)·E[min(|Z|, k)²] with k = 1.345 and Z standard normal, and uses
delta = k·s. The Student-t's scale s is that of largest likelihood:
Σ w·[(df + 1)·u²/(df + u²) − 1] = 0 with u = r/s. Residuals change little with the scale, so
parameters and scale are solved for alternately, each from the other's last result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from jscale.fitting.objective import Objective, huber, rounding_error
from jscale.fitting.problem import Problem
from jscale.fitting.solver.evaluation import residuals
from jscale.fitting.solver.gauss_newton import WARM, Lanes, descend
from jscale.fitting.statistics import robust_spread

_ROUNDS = 60
_SETTLED = 1e-10
# Huber's delta in the first search, before a scale is known: wide enough to be smooth.
_FIRST_WIDTH = 0.05


def search_with_scale(
    problem: Problem, search: Callable[[Problem], Lanes]
) -> tuple[Problem, Lanes]:
    """Search for the parameters and the objective's scale together.

    ``search`` maps a problem to lanes. Returns the problem with the scale as a number, and the
    lanes of the last search. Where all residuals vanish, the scale is that of rounding, and the
    lanes are those of a smooth objective with the same optimum. Call inside the float64
    scope.
    """
    objective = problem.objective
    # A wide Huber loss first: it finds the basin before any scale is known.
    rough = at_scale(problem, huber(_FIRST_WIDTH, objective.space))
    smooth = search(rough)
    theta = _best(smooth)
    if np.max(np.abs(_used_residuals(problem, theta))) <= _smallest(problem):
        return at_scale(problem, objective.at(_smallest(problem))), smooth
    spread = robust_spread(_used_residuals(problem, theta))
    delta = max(spread, _smallest(problem)) * objective.tuning
    now = at_scale(problem, objective.at(delta))
    theta = _best(search(now))
    for _ in range(_ROUNDS):
        new = solve_scale(objective, problem, _used_residuals(problem, theta))
        settled = abs(new - delta) <= _SETTLED * delta
        # Far from the solution the scale converges slowly, so it is slightly over-relaxed.
        delta = new if settled else max(new * (new / delta) ** 0.5, _smallest(problem))
        now = at_scale(problem, objective.at(delta))
        if settled:
            break
        theta = _best(descend(now, theta[None], settings=WARM))
    lanes = search(now)
    # The search starts afresh at the final scale; the lane followed so far may still be better.
    warm = descend(now, theta[None], settings=WARM)
    if warm.objective[0] < lanes.objective[lanes.best]:
        lanes = lanes.replaced(np.array([lanes.best]), warm)
    return now, lanes


def at_scale(problem: Problem, objective: Objective) -> Problem:
    """Return the problem with another objective of the same space."""
    model = problem.model._replace(loss=type(objective))
    return replace(problem, model=model, objective=objective)


def solve_scale(objective: Objective, problem: Problem, residual: np.ndarray) -> float:
    """Solve the scale equation for residuals of the rows with weight; returns delta."""
    from scipy.optimize import brentq

    weights = problem.weights[: problem.n][problem.used]
    least = _smallest(problem)
    largest = float(np.max(np.abs(residual)))
    if largest <= least:
        return least * objective.tuning

    share = max(1.0 - problem.layout.size / len(residual), 1e-3)

    def excess(log_scale: float) -> float:
        return objective.scale_excess(residual / np.exp(log_scale), weights, share)

    # The excess falls with the scale, so one bracket in the logarithm holds the only root.
    low, high = np.log(least), np.log(largest * 1e3)
    if excess(low) <= 0:
        return least * objective.tuning
    root: Any = brentq(excess, low, high, xtol=1e-14)
    return float(np.exp(root)) * objective.tuning


def _smallest(problem: Problem) -> float:
    """The scale of the rounding of the observations."""
    weights, target = problem.weights[: problem.n], np.asarray(problem.data.target)[: problem.n]
    return float(4 * np.max(rounding_error(target, problem.model.space, weights)))


def _best(lanes: Lanes) -> np.ndarray:
    return lanes.theta[lanes.best]


def _used_residuals(problem: Problem, theta: np.ndarray) -> np.ndarray:
    return np.asarray(residuals(problem.model, theta, problem.data))[: problem.n][problem.used]
