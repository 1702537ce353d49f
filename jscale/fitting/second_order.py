"""Second order: a problem to second order around its optimum, and how the optimum moves.

At an optimum the slope g(theta; weights, targets, inputs) of F is zero. A small change in the
fit's data changes g, and the optimum moves so that it is zero again:
d theta = −H⁻¹·dg, with H the exact Hessian of F. Here are H and the parts of dg, row by row.
Where F has a kink at its optimum there is no such H; then curvature is smoothed, as it is for
standard errors, or NotDifferentiable says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jscale.errors import NotDifferentiable, listing
from jscale.fitting.diagnostics import flatten, smoothed_curvature
from jscale.fitting.objective import to_space
from jscale.fitting.problem import Data, Model, Problem, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.fitting.solver.evaluation import residuals_and_slopes
from jscale.fitting.statistics import unit_diagonal_eigh

# The smallest eigenvalue, at unit diagonal, of a Hessian that can be told from a singular one.
SINGULAR = 1e-10
# Leaving rows out one by one (Chinchilla's 240 points, ten deltas; stdlib_lm's 103, three): the
# objective's own curvature predicts refits better above 3 residuals inside delta per
# parameter (correlation .94–.99, expected curvature .84–.96), the expected one below it.
_FEW_PER_PARAMETER = 3


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """A problem to second order at an optimum; n rows, p coordinates, k inputs.

    ``residual``, ``psi``, ``curvature`` (n,): r, rho'(r), rho''(r). ``jacobian`` (n, p) =
    dr/dtheta, ``bend`` (p, p) = Σ w·psi·d²r/dtheta², ``input_slope`` (n, k) = dr/dx and
    ``mixed`` (n, k, p) = d²r/dx dtheta. ``natural`` (q,) are the law's parameters, ``slope``
    (q, p) = d natural/d theta. ``smoothed`` says whether ``curvature`` is an expected one;
    ``hessian`` is then without the law's own bend, as it is for standard errors, and so is what
    inputs do to it. ``averaged`` says whether ``curvature`` is a mean over moves of residuals.
    """

    problem: Problem
    theta: np.ndarray
    residual: np.ndarray
    psi: np.ndarray
    curvature: np.ndarray
    jacobian: np.ndarray
    bend: np.ndarray
    input_slope: np.ndarray
    mixed: np.ndarray
    natural: np.ndarray
    slope: np.ndarray
    smoothed: bool
    averaged: bool = False

    @property
    def weights(self) -> np.ndarray:
        """The weights of the real rows (n,)."""
        return self.problem.weights[: self.problem.n]

    @property
    def hessian(self) -> np.ndarray:
        """H = Jᵀ diag(w·rho'') J + Σ w·psi·d²r/dtheta², (p, p)."""
        H = (self.jacobian * (self.weights * self.curvature)[:, None]).T @ self.jacobian
        return H if self.smoothed else H + self.bend

    def inside(self) -> int:
        """The number of rows with weight whose residual lies within the objective's delta."""
        small = np.abs(self.residual) < self.problem.objective.width
        return int(np.sum(small & (self.weights > 0)))

    def by_weights(self) -> np.ndarray:
        """Return d theta / d weight of each row, (n, p)."""
        return self._respond(self.jacobian * self.psi[:, None])

    def by_targets(self) -> np.ndarray:
        """Return d theta / d target of each row, in the objective's space, (n, p)."""
        return self._respond(-self.jacobian * (self.weights * self.curvature)[:, None])

    def by_inputs(self) -> np.ndarray:
        """Return d theta / d input of each row, (n, k, p); inputs in the law's order and units."""
        direct = (self.curvature[:, None] * self.input_slope)[..., None] * self.jacobian[:, None]
        # With the law's bend goes what inputs do to slopes: the two cancel where a change of
        # inputs can be made good by the parameters.
        bent = 0.0 if self.smoothed else self.psi[:, None, None] * self.mixed
        return self._respond(self.weights[:, None, None] * (direct + bent))

    def averaged_over(self, spread: np.ndarray) -> SecondOrder:
        """Return the same with the mean curvature over normal moves of residuals, sd (n,).

        By Stein's identity, E rho''(r + s·z) = E z·psi(r + s·z)/s: this is how the slope answers
        to moves that are not small relative to delta (statistical linearisation).
        """
        objective = self.problem.objective
        curvature = np.array(self.curvature)
        moved = np.flatnonzero(spread > 1e-6 * min(objective.width, 1.0))
        curvature[moved] = objective.mean_curvature(self.residual[moved], spread[moved])
        return replace(self, curvature=curvature, averaged=True)

    def _respond(self, slope: np.ndarray) -> np.ndarray:
        """Return −H⁻¹ times changes of g, which lie along the last axis."""
        scale, values, vectors = unit_diagonal_eigh(self.hessian)
        return -(((slope * scale) @ vectors) / values) @ vectors.T * scale


def second_order(
    problem: Problem, theta: np.ndarray, *, smoothed: bool | str = "auto"
) -> SecondOrder:
    """Expand a problem to second order at its optimum ``theta`` (p,), in the float64 scope.

    ``smoothed`` chooses the curvature: False is the objective's own, True the expected one of
    :func:`~jscale.fitting.diagnostics.smoothed_curvature`, "auto" the expected one where the
    objective is kinked and fewer than 3 residuals per parameter lie within its delta.

    Raises NotDifferentiable where the chosen Hessian is singular: for least absolute deviations
    and for Huber's loss with few residuals inside delta (both only unsmoothed), or where the
    data do not determine the parameters.
    """
    exact = expand(problem, theta)
    few = problem.objective.kinked and exact.inside() < _FEW_PER_PARAMETER * len(theta)
    return checked(_smooth(exact) if smoothed is True or (smoothed == "auto" and few) else exact)


def expand(problem: Problem, theta: np.ndarray) -> SecondOrder:
    """Return the second order with the objective's own curvature, invertible or not."""
    numbers = problem.objective.width, problem.objective.shape
    out = _program(problem.model)(theta, problem.data, problem.weights, *numbers)
    rows, (bend, natural, slope) = out
    r, J, psi, curvature, Jx, mixed = (np.asarray(x)[: problem.n] for x in rows)
    return SecondOrder(
        problem,
        np.asarray(theta),
        residual=r,
        psi=psi,
        curvature=curvature,
        jacobian=J,
        bend=np.asarray(bend),
        input_slope=Jx,
        mixed=mixed,
        natural=np.asarray(natural),
        slope=np.asarray(slope),
        smoothed=False,
    )


def checked(local: SecondOrder) -> SecondOrder:
    """Return its argument; raises NotDifferentiable where its Hessian is singular."""
    why = _why_not(local)
    if why:
        raise NotDifferentiable(f"{why} {_ways_out(local)}")
    return local


def _smooth(local: SecondOrder) -> SecondOrder:
    curvature = smoothed_curvature(local.problem.objective, local.residual)
    return replace(local, curvature=curvature, smoothed=True)


def _why_not(local: SecondOrder) -> str:
    """Say why the optimum has no derivative, or nothing."""
    problem, p = local.problem, len(local.theta)
    if problem.objective.kinked and not (local.smoothed or local.averaged):
        if problem.objective.vertices:
            return (
                "The optimum of least absolute deviations is a vertex, where some residuals are "
                "zero and the objective has a kink: the fit has no derivative there."
            )
        if local.inside() < p:
            return (
                f"Only {local.inside()} of {int(problem.used.sum())} residuals lie inside "
                f"delta={problem.objective.delta:g}, fewer than the {p} parameters: the optimum "
                "is next to a vertex, and the fit has no derivative there."
            )
    values, vectors = unit_diagonal_eigh(local.hessian)[1:]
    if np.isfinite(values).all() and values[0] > SINGULAR:
        return ""
    names = [x for x, v in zip(problem.layout.labels, vectors[:, 0], strict=True) if abs(v) > 0.3]
    return (
        f"The Hessian at the optimum is singular (smallest eigenvalue {values[0]:.1e} at unit "
        f"diagonal): the data do not determine {listing(names or problem.layout.labels, 24)}, so "
        "the fit has no derivative."
    )


def _ways_out(local: SecondOrder) -> str:
    problem = local.problem
    if local.smoothed or not problem.objective.kinked:
        return "Fix or tie parameters (fixed=…, tie=…), add runs, or take js.bootstrap(fit)."
    return (
        f"Fit with objective={problem.objective.smooth().code}, which is smooth; take "
        "smoothed=True for the expected change; or use js.bootstrap(fit)."
    )


# Programs


@programs
def _program(model: Model) -> Callable[..., Any]:
    """Return the compiled program of all that :class:`SecondOrder` holds: per row, and in sum."""
    import jax

    def all_of_it(theta: Any, data: Data, weights: Any, width: Any, shape: Any) -> Any:
        r, J, Jx, mixed = _slopes(model, theta, data)
        _, psi, _, curvature = model.loss.terms(r, width, *shape)
        bend = bending(model, theta, data, weights * psi)

        def flat(t: Any) -> Any:
            return flatten(model.layout, model.layout.natural(t, data.fixed, data.centre))

        return (r, J, psi, curvature, Jx, mixed), (bend, flat(theta), jax.jacfwd(flat)(theta))

    return jax.jit(all_of_it)


def _slopes(model: Model, theta: Any, data: Data) -> tuple[Any, Any, Any, Any]:
    """Return r (n,), dr/dtheta (n, p), dr/dx (n, k) and d²r/dx dtheta (n, k, p) (JAX)."""
    import jax
    import jax.numpy as jnp

    def one(t: Any, x: Any, code: Any, target: Any) -> Any:
        values = model.layout.natural(t, data.fixed, data.centre)
        named = dict(zip(model.layout.law.inputs, x, strict=True))
        output = model.layout.law.evaluate({**named, **model.layout.pick(values, code)})
        return to_space(output, model.space) - target

    def by_input(t: Any, x: Any, code: Any, target: Any) -> Any:
        """Return dr/dx (k,), and (r, dr/dx) as auxiliary output."""
        slopes, r = jax.jacfwd(lambda v: (one(t, v, code, target),) * 2, has_aux=True)(x)
        return slopes, (r, slopes)

    def row(t: Any, x: Any, code: Any, target: Any) -> Any:
        mixed, (r, slopes) = jax.jacfwd(by_input, has_aux=True)(t, x, code, target)
        J = jax.jacfwd(one)(t, x, code, target)
        return r, J, slopes, mixed

    inputs = jnp.stack(data.inputs, axis=1)
    return jax.vmap(row, in_axes=(None, 0, 0, 0))(theta, inputs, data.codes, data.target)


def bending(model: Model, theta: Any, data: Data, factors: Any) -> Any:
    """Return Σ factor·d²r/dtheta² over rows, (p, p) (JAX)."""
    import jax

    def total(t: Any) -> Any:
        return residuals_and_slopes(model, t, data)[1] @ factors

    return jax.jacfwd(total)(theta)


def slope_of_objective(
    model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any
) -> Any:
    """Return g = Σ w·psi·dr/dtheta (p,), to be differentiated in any argument (JAX)."""
    r, J = residuals_and_slopes(model, theta, data)
    return J @ (weights * model.loss.terms(r, width, *shape).psi)


@programs
def _predictions(model: Model) -> Callable[..., Any]:
    import jax

    def twice(theta: Any, data: Data) -> Any:
        predicted = predict_rows(model.layout, theta, data)
        return predicted, predicted

    return jax.jit(jax.jacfwd(twice, has_aux=True))


def prediction_slopes(
    problem: Problem, theta: np.ndarray, inputs: Any, codes: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions (m,) and d prediction/d theta (m, p) at padded inputs."""
    data = problem.data._replace(inputs=tuple(inputs), codes=codes, target=np.zeros(0))
    slopes, predicted = _predictions(problem.model)(theta, data)
    return np.asarray(predicted), np.asarray(slopes)
