"""What can be learnt of a fit at its optimum: errors, directions, influence of outliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from jscale.fitting.gauss_newton import WARM, solve
from jscale.fitting.objective import Objective, terms, to_space
from jscale.fitting.problem import Model, Problem, predict_rows
from jscale.model.layout import Layout

_OUTLIER_SHARE = 0.02


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


@lru_cache(maxsize=256)
def _linearise(model: Model) -> Callable[..., Any]:
    import jax

    def outputs(theta: Any, data: Any) -> tuple[Any, Any]:
        predicted = predict_rows(model.layout, theta, data)
        residual = to_space(predicted, model.space) - data.target
        values = model.layout.natural(theta, data.fixed, data.centre)
        flat = flatten(model.layout, values)
        return (residual, flat), (predicted, residual, flat)

    return jax.jit(jax.jacfwd(outputs, has_aux=True))


def linearise(problem: Problem, theta: np.ndarray) -> Optimum:
    """Linearise a problem at coordinates ``theta``. Call inside the float64 scope."""
    (jacobian, slope), (predicted, residual, natural) = _linearise(problem.model)(
        theta, problem.data
    )
    n = problem.n
    rows = (np.asarray(predicted)[:n], np.asarray(residual)[:n], np.asarray(jacobian)[:n])
    return Optimum(theta, *rows, np.asarray(natural), np.asarray(slope))


def smoothing_width(residual: np.ndarray, objective: Objective) -> float:
    """Return h, the half-width over which a kinked objective's curvature is averaged.

    h = 1.5·1.4826·MAD of the residuals, or delta if that is larger: near an absolute-value
    loss the few residuals inside delta say little about the curvature, those inside h do.
    """
    spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    return max(1.5 * spread, objective.width, 1e-300)


def covariance(problem: Problem, optimum: Optimum) -> np.ndarray:
    """Return the sandwich covariance (p, p) of the coordinates, smoothed where kinked.

    With K = Jᵀ diag(w²psi²) J and the smoothed Hessian H, it is n/(n−p)·H⁻¹ K H⁻¹. Directions
    that the data do not determine get a very large variance, never a missing one.
    """
    J, r, w = optimum.jacobian, optimum.residual, problem.weights[: problem.n]
    bread = _smoothed_hessian(problem.objective, J, r, w)
    delta = min(problem.objective.width, 1e300)
    _, psi, _, _ = (np.asarray(t) for t in terms(problem.model.kind, r, delta))
    scale = np.sqrt(np.maximum(np.diag(bread), 1e-300))
    values, vectors = np.linalg.eigh(bread / np.outer(scale, scale))
    values = np.maximum(values, 1e-14 * values.max())
    inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
    # As a product with its own transpose, so that no variance comes out negative.
    scores = inverse @ (J * (w * psi)[:, None]).T
    n = int((w > 0).sum())
    return n / max(n - J.shape[1], 1) * scores @ scores.T


def _smoothed_hessian(
    objective: Objective, J: np.ndarray, r: np.ndarray, w: np.ndarray
) -> np.ndarray:
    if not objective.kinked:
        delta = min(objective.width, 1e300)
        curvature = np.asarray(terms(objective.kind, r, delta)[3])
        return (J * (w * curvature)[:, None]).T @ J
    h = smoothing_width(r, objective)
    slope = 1.0 if objective.kind == "least_absolute" else objective.delta
    inside = np.abs(r) <= h
    if inside.sum() < J.shape[1]:
        inside = np.ones_like(inside)
    return slope / h * (J * (w * inside)[:, None]).T @ J


@dataclass(frozen=True, eq=False)
class Directions:
    """The singular values of the Jacobian, columns at unit length, and the weakest direction.

    ``condition`` is the largest over the smallest squared; ``weakest`` (p,) the coordinates'
    shares in the direction that changes predictions least; ``names`` those that matter in it.
    """

    condition: float
    weakest: np.ndarray
    names: tuple[str, ...]


def directions(problem: Problem, optimum: Optimum) -> Directions:
    """Find how well the data determine the parameters together, and what they do not."""
    J = optimum.jacobian * np.sqrt(problem.weights[: problem.n])[:, None]
    length = np.linalg.norm(J, axis=0)
    _, singular, right = np.linalg.svd(J / np.where(length > 0, length, 1.0), full_matrices=False)
    weakest = right[-1]
    names = tuple(
        label
        for label, share in zip(problem.layout.labels, weakest, strict=True)
        if abs(share) > 0.3
    )
    smallest = max(float(singular[-1]), 1e-300)
    return Directions((float(singular[0]) / smallest) ** 2, weakest, names)


def moves_without_outliers(problem: Problem, optimum: Optimum) -> tuple[np.ndarray, np.ndarray]:
    """Refit without the 2 % of rows with the largest residuals.

    Returns the moves of the coordinates (p,) in standard errors of the refit (those of the
    full fit are inflated by the very rows in question), and the rows left out.
    """
    used = np.flatnonzero(problem.weights[: problem.n] > 0)
    many = max(1, int(np.ceil(_OUTLIER_SHARE * len(used))))
    order = used[np.argsort(-np.abs(optimum.residual[used]), kind="stable")]
    outliers = np.sort(order[:many])
    weights = problem.weights[: problem.n].copy()
    weights[outliers] = 0.0
    without = problem.reweighted(weights)
    refit = solve(without, optimum.theta[None], settings=WARM)
    moved = refit.theta[refit.best] - optimum.theta
    errors = np.sqrt(np.diag(covariance(without, linearise(without, refit.theta[refit.best]))))
    return moved / np.maximum(errors, 1e-300), outliers


def pattern_in_residuals(problem: Problem, optimum: Optimum) -> tuple[float, float]:
    """Return how much of the residuals a quadratic in the logarithms of the inputs explains.

    Returns (share of variance, p-value of the F test). Residuals are clipped at three robust
    standard deviations, so that outliers are not taken for a pattern. A right law leaves no
    pattern; one that bends wrongly does, and will miss further out. (1.0 as p-value where
    there are too few rows to tell.)
    """
    used = problem.weights[: problem.n] > 0
    columns = [np.asarray(x)[: problem.n][used] for x in problem.data.inputs]
    logs = [np.log(x) for x in columns if (x > 0).all() and np.ptp(x) > 0]
    basis = [x - x.mean() for x in logs]
    basis += [a * b for i, a in enumerate(basis) for b in basis[i:]]
    r = optimum.residual[used] - np.median(optimum.residual[used])
    spread = 1.4826 * float(np.median(np.abs(r)))
    n, k, p = len(r), len(basis), problem.layout.size
    freedom = n - 1 - max(k, p)
    if spread == 0.0 or not basis or freedom < k:
        return 0.0, 1.0
    r = np.clip(r, -3 * spread, 3 * spread)
    r = r - r.mean()
    X = np.column_stack([np.ones(n), *basis])
    explained = X @ np.linalg.lstsq(X, r, rcond=None)[0]
    share = float(np.sum(explained**2) / np.sum(r**2))
    return share, _upper_tail_of_f(share / k / max((1 - share) / freedom, 1e-300), k, freedom)


def _upper_tail_of_f(value: float, upper: int, lower: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(upper, lower, value))
