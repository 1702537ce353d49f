"""Other optima: distant ones that fit the runs as well as the best one does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jscale.errors import listing
from jscale.fitting.diagnostics import (
    Optimum,
    flat_names,
    linearise,
    natural_parameters,
    smoothed_curvature,
)
from jscale.fitting.notes import Note
from jscale.fitting.problem import Problem
from jscale.fitting.solver.gauss_newton import Lanes, Status

# Twice the drop of the log likelihood at the ends of a 68% interval of one parameter.
_AS_GOOD = 1.0
# Distance, in standard errors, beyond which an optimum lies in another valley.
_FAR = 3.0
# Optima whose residuals differ by less are the same curve in other parameters (swapped terms).
_SAME_CURVE = 1e-6


def notes_on_ties(
    problem: Problem, lanes: Lanes, optimum: Optimum, errors: np.ndarray
) -> Iterable[Note]:
    """Note converged lanes as good as the best whose parameters (errors (p,)) lie far from it.

    As good is what lies within one unit of 2·(S − S_best)/τ, a likelihood ratio for an objective
    S with τ = Σψ²/Σψ'. Errors are those of the best optimum's own valley and know of no other.
    Call inside the float64 scope.
    """
    far = _far(problem, lanes, optimum, errors)
    if not len(far):
        return
    both = natural_parameters(problem, np.vstack([optimum.theta[None], far]))
    low, high = both.min(axis=0), both.max(axis=0)
    moved = [
        f"{name} from {a:.3g} to {b:.3g}"
        for name, a, b in zip(flat_names(problem.layout), low, high, strict=True)
        if b - a > 0.3 * max(abs(a), abs(b))
    ]
    if moved:
        who = "Another optimum fits" if len(far) == 1 else f"{len(far)} other optima fit"
        yield Note(
            "unidentified",
            "caution",
            f"{who} the runs as well as the best one, with {listing(moved, 12)}.",
            "Errors and intervals around the best one alone may miss the others.",
            "Read predictions, not these parameters; look at js.profile(fit, …), or add runs "
            "that tell them apart.",
        )


def _far(problem: Problem, lanes: Lanes, optimum: Optimum, errors: np.ndarray) -> np.ndarray:
    """Return the coordinates (k, p) of distinct far optima that are as good as the best."""
    used = problem.used
    r, w = optimum.residual[used], problem.weights[: problem.n][used]
    psi = problem.objective(r).psi
    unit = np.sum(w * psi**2) / max(np.sum(w * smoothed_curvature(problem.objective, r)), 1e-300)
    rise = 2.0 * (lanes.objective - lanes.objective[lanes.best]) / max(unit, 1e-300)
    good = (rise <= _AS_GOOD) & (lanes.status == Status.CONVERGED)
    moved = np.abs(lanes.theta - optimum.theta) / np.maximum(errors, 1e-300)
    distinct: list[np.ndarray] = []
    for lane in np.flatnonzero(good & (moved.max(axis=1) > _FAR)):
        theta = lanes.theta[lane]
        new = all(np.abs(theta - other).max() > 1e-3 * np.abs(theta).max() for other in distinct)
        if new and _other_curve(problem, theta, optimum):
            distinct.append(theta)
    return np.array(distinct).reshape(-1, len(optimum.theta))


def _other_curve(problem: Problem, theta: np.ndarray, optimum: Optimum) -> bool:
    gap = linearise(problem, theta).residual - optimum.residual
    return bool(np.abs(gap[problem.used]).max() > _SAME_CURVE)
