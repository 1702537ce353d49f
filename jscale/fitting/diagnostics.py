"""Diagnostics at the optimum: standard errors, undetermined directions, influence of outliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.fitting.objective import Objective, rounding_error, to_space
from jscale.fitting.problem import Families, Model, Problem, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.fitting.solver.gauss_newton import WARM, descend
from jscale.fitting.statistics import floored, median, robust_spread, sums_by
from jscale.model.layout import Layout

_OUTLIER_SHARE = 0.02
_SMOOTHING = 0.7
_HIGHEST_LEVERAGE = 0.9
# Families linearised per call of the program.
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Optimum:
    """A problem linearised at its optimum.

    ``theta`` (p,) coordinates; ``predicted`` and ``residual`` (n,), the latter in the
    objective's space; ``jacobian`` (n, p); ``natural`` the law's parameters, flat (q,) with
    ``slope`` (q, p) = d natural / d theta.
    """

    theta: np.ndarray
    predicted: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray
    natural: np.ndarray
    slope: np.ndarray


def flat_names(layout: Layout) -> tuple[str, ...]:
    """Return a label for each number in :func:`flatten`'s result: ``alpha``, ``E[family]``."""
    groups, per, leaders = dict(layout.groups), dict(layout.per), dict(layout.ties)
    names: list[str] = []
    for name in layout.law.names:
        column = per.get(name) or per.get(leaders.get(name, ""))
        names += [f"{name}[{label}]" for label in groups[column]] if column else [name]
    return tuple(names)


def flatten(layout: Layout, values: dict[str, Any]) -> Any:
    """Return the law's parameters as one array (q,), in :func:`flat_names`' order (JAX)."""
    import jax.numpy as jnp

    return jnp.concatenate([jnp.atleast_1d(values[name]) for name in layout.law.names])


def _outputs(model: Model, theta: Any, data: Any) -> tuple[Any, Any]:
    predicted = predict_rows(model.layout, theta, data)
    residual = to_space(predicted, model.space) - data.target
    flat = flatten(model.layout, model.layout.natural(theta, data.fixed, data.centre))
    return (residual, flat), (predicted, residual, flat)


@programs
def _linearise(model: Model, families: bool = False) -> Callable[..., Any]:
    import jax

    slopes = jax.jacfwd(lambda t, d: _outputs(model, t, d), has_aux=True)
    return jax.jit(jax.vmap(slopes) if families else slopes)


def linearise(problem: Problem, theta: np.ndarray) -> Optimum:
    """Linearise a problem at coordinates ``theta``. Call inside the float64 scope."""
    return _optimum(theta, problem.n, _linearise(problem.model)(theta, problem.data))


def linearise_all(families: Families, theta: np.ndarray) -> list[Optimum]:
    """Linearise every family at its coordinates (F, p), a few at a time."""
    import jax

    program = _linearise(families.model, families=True)
    optima: list[Optimum] = []
    for first in range(0, len(theta), _AT_ONCE):
        members = np.minimum(np.arange(first, first + _AT_ONCE), len(theta) - 1)
        data = jax.tree.map(lambda x, at=members: np.asarray(x)[at], families.data)
        out = jax.tree.map(np.asarray, program(theta[members], data))
        for k, f in enumerate(range(first, min(first + _AT_ONCE, len(theta)))):
            one = jax.tree.map(lambda x, k=k: x[k], out)
            optima.append(_optimum(theta[f], families.parts[f].n, one))
    return optima


def _optimum(theta: np.ndarray, n: int, out: Any) -> Optimum:
    (jacobian, slope), (predicted, residual, natural) = out
    rows = (np.asarray(predicted)[:n], np.asarray(residual)[:n], np.asarray(jacobian)[:n])
    return Optimum(theta, *rows, np.asarray(natural), np.asarray(slope))


@programs
def _natural(layout: Layout) -> Callable[..., Any]:
    import jax

    def one(theta: Any, fixed: Any, centre: Any) -> Any:
        return flatten(layout, layout.natural(theta, fixed, centre))

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def natural_parameters(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """Map coordinates (S, p) to the law's parameters (S, q). Call in the float64 scope."""
    data = problem.data
    return np.asarray(_natural(problem.layout)(theta, data.fixed, data.centre))


def of_parameters(theta_covariance: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Carry a covariance over to the law's parameters, infinite ones without NaN."""
    known = np.isfinite(np.diag(theta_covariance))
    carried = slope[:, known] @ theta_covariance[np.ix_(known, known)] @ slope[:, known].T
    lost = np.any(slope[:, ~known] != 0, axis=1)
    carried[lost, :] = carried[:, lost] = 0.0
    carried[lost, lost] = np.inf
    return carried


def covariance(problem: Problem, optimum: Optimum) -> np.ndarray:
    """Return the sandwich covariance (p, p) of the coordinates, smoothed where kinked.

    With H the smoothed Hessian and K the sum over independent runs of the outer product of
    their scores (all rows of a run together), it is n/(n−p)·H⁻¹ K H⁻¹, n counting runs.
    Directions that the data do not determine get a very large variance; coordinates that move
    no prediction at all (of a term that has died) an infinite one, without covariances; and so
    does everything where there is no run to spare (n ≤ p).
    """
    used = problem.used
    J, r = optimum.jacobian[used], optimum.residual[used]
    w, p = problem.weights[: problem.n][used], J.shape[1]
    if problem.freedom < 1:
        return np.diag(np.full(p, np.inf))
    psi = problem.objective(r).psi
    # A column that overflows carries no information; large ones are scaled.
    moving = np.any(J != 0, axis=0) & np.isfinite(J).all(axis=0)
    J = J[:, moving]
    size = np.abs(J).max(axis=0)
    J = J / size
    H = (J * (w * smoothed_curvature(problem.objective, r))[:, None]).T @ J
    # Not unit_diagonal_eigh, which multiplies by 1/scale: errors would differ in their last bit.
    scale = np.sqrt(np.maximum(np.diag(H), 1e-300))
    values, vectors = np.linalg.eigh(H / np.outer(scale, scale))
    values = floored(values)
    inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
    by_run = sums_by(J * (w * psi)[:, None], problem.units[used])
    # A product with its own transpose, so that no variance is negative.
    scores = by_run @ inverse / size
    whole = np.diag(np.where(moving, 0.0, np.inf))
    with np.errstate(over="ignore", invalid="ignore"):
        sandwich = len(by_run) / (len(by_run) - p) * scores.T @ scores
    # A covariance that still overflows counts as unknown.
    if not np.isfinite(sandwich).all():
        sandwich = np.diag(np.full(len(sandwich), np.inf))
    whole[np.ix_(moving, moving)] = sandwich
    return whole


_INSIDE_PER_PARAMETER = 10


def runs_inside(problem: Problem, residual: np.ndarray) -> tuple[int, int]:
    """Count the runs with a residual inside the objective's delta, and all runs."""
    units = problem.units[problem.used]
    small = np.abs(residual[problem.used]) < problem.objective.width
    return len(np.unique(units[small])), len(np.unique(units))


def near_absolute(problem: Problem, inside: int, runs: int) -> bool:
    """Whether a kinked objective acts like least absolute deviations.

    It does where fewer than half of the runs, and fewer than 10 per parameter, lie inside delta.
    """
    few = inside < _INSIDE_PER_PARAMETER * problem.layout.size
    return problem.objective.kinked and few and 2 * inside < runs


def smoothed_curvature(objective: Objective, residual: np.ndarray) -> np.ndarray:
    """Return the expected curvature of each residual's term, (n,).

    Where curvature sits in a narrow core |r| < delta, the few residuals there say little about
    its average. It is replaced by its expectation over normal errors of standard deviation
    s = 0.7·1.4826·MAD around each residual: for Huber's loss P(|r + s·z| < delta). Standard errors
    are then conservative: nominal 90% intervals of E, alpha and beta covered 93–99% on 900
    simulated data sets (benchmarks/standard_errors.py), and on the Chinchilla replication's 240
    points errors are .97, .96 and .84 of the bootstrap's.
    A smaller s trades the former for the latter.
    """
    if not objective.kinked:
        return objective(residual).curvature
    spread = robust_spread(residual - median(residual))
    return objective.expected_curvature(residual, max(_SMOOTHING * spread, 1e-12))


@dataclass(frozen=True, eq=False)
class Directions:
    """How well the Jacobian, with columns of unit length, determines the parameters jointly.

    ``condition`` is the square of its largest over its smallest singular value, ``names`` the
    coordinates with large weight in the direction that changes predictions least.
    """

    condition: float
    names: tuple[str, ...]


def directions(problem: Problem, optimum: Optimum) -> Directions:
    """Return how well the data determine the parameters jointly, and which they do not."""
    J = optimum.jacobian * np.sqrt(problem.weights[: problem.n])[:, None]
    finite = np.asarray(np.isfinite(J).all(axis=0))
    if not finite.all():
        labels = zip(problem.layout.labels, finite, strict=True)
        return Directions(np.inf, tuple(label for label, known in labels if not known))
    J = J / np.maximum(np.abs(J).max(axis=0), 1e-300)
    length = np.linalg.norm(J, axis=0)
    _, singular, right = np.linalg.svd(J / np.where(length > 0, length, 1.0), full_matrices=False)
    names = tuple(
        label
        for label, share in zip(problem.layout.labels, right[-1], strict=True)
        if abs(share) > 0.3
    )
    smallest = max(float(singular[-1]), 1e-150)
    return Directions((float(singular[0]) / smallest) ** 2, names)


def studentised(problem: Problem, optimum: Optimum) -> np.ndarray:
    """Return the errors of the runs with weight around the curve, in the objective's space.

    Observation less prediction, over √(1 − leverage), since a fit is drawn to the runs it fits.
    Their median is taken out: the curve is the conditional median of new runs.
    """
    spare = 1.0 - np.minimum(leverages(problem, optimum), _HIGHEST_LEVERAGE)
    residual = -optimum.residual[problem.used] / np.sqrt(spare)
    return residual - median(residual)


def leverages(problem: Problem, optimum: Optimum) -> np.ndarray:
    """Return the leverage of each run with weight (n,): 1 where the fit must pass through it."""
    J = optimum.jacobian[problem.used]
    J = J[:, np.isfinite(J).all(axis=0)]
    basis, _ = np.linalg.qr(J / np.maximum(np.abs(J).max(axis=0, initial=0.0), 1e-300))
    return np.sum(basis**2, axis=1)


def moves_without_outliers(problem: Problem, optimum: Optimum) -> tuple[np.ndarray, np.ndarray]:
    """Refit without the 2% of rows with the largest residuals.

    Returns the moves of the coordinates (p,) in standard errors of the refit (those of the
    full fit are inflated by the very rows in question), and the rows left out.
    """
    used = np.flatnonzero(problem.used)
    many = max(1, int(np.ceil(_OUTLIER_SHARE * len(used))))
    order = used[np.argsort(-np.abs(optimum.residual[used]), kind="stable")]
    outliers = np.sort(order[:many])
    weights = problem.weights[: problem.n].copy()
    weights[outliers] = 0.0
    without = problem.reweighted(weights)
    refit = descend(without, optimum.theta[None], settings=WARM)
    moved = refit.theta[refit.best] - optimum.theta
    errors = np.sqrt(np.diag(covariance(without, linearise(without, refit.theta[refit.best]))))
    return moved / np.maximum(errors, 1e-300), outliers


def pattern_in_residuals(problem: Problem, optimum: Optimum) -> tuple[float, float]:
    """Return how much of the residuals a quadratic in the logarithms of the inputs explains.

    Returns (share of variance, p-value of the F test). Residuals are clipped at three robust
    standard deviations, so that outliers are not mistaken for a pattern. A correct law leaves
    no pattern; one with the wrong curvature does, and will miss further out. (The p-value is 1.0
    where there are too few rows.)
    """
    used = problem.used
    columns = [np.asarray(x)[: problem.n][used] for x in problem.data.inputs]
    logs = [np.log(x) for x in columns if (x > 0).all() and np.ptp(x) > 0]
    basis = [x - x.mean() for x in logs]
    basis += [a * b for i, a in enumerate(basis) for b in basis[i:]]
    r = optimum.residual[used] - median(optimum.residual[used])
    spread = robust_spread(r)
    k, freedom = len(basis), problem.freedom - 1
    if spread == 0.0 or not basis or freedom < k:
        return 0.0, 1.0
    # Rows of one run count once, at their mean.
    units = problem.units[used]
    rows = sums_by(np.ones(len(r)), units)[:, None]
    table = np.column_stack([np.ones(len(r)), *basis, np.clip(r, -3 * spread, 3 * spread)])
    means = sums_by(table, units) / rows
    X, r = means[:, :-1], means[:, -1] - means[:, -1].mean()
    explained = X @ np.linalg.lstsq(X, r, rcond=None)[0]
    share = float(np.sum(explained**2) / np.sum(r**2))
    return share, _upper_tail_of_f(share / k / max((1 - share) / freedom, 1e-300), k, freedom)


def _upper_tail_of_f(value: float, upper: int, lower: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(upper, lower, value))


def rounding_floor(problem: Problem) -> float:
    """Return an objective that rounding alone explains: below it, a fit is exact."""
    weights = problem.weights[: problem.n]
    target = np.asarray(problem.data.target)[: problem.n]
    error = 2 * rounding_error(target, problem.model.space, weights)
    return float(np.sum(weights * problem.objective(error).rho))
