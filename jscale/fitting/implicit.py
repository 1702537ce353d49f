"""differentiable: a fit as a differentiable function of its data.

The optimum is found by a solver whose steps are never differentiated: at the optimum
g(theta; weights, targets, inputs) = 0, so d theta = −H⁻¹·dg with the exact Hessian H. The rule
is a ``custom_jvp`` outermost over a ``custom_vmap``: a mapped axis joins the solver's lanes,
instead of turning its loop into one that runs until the last lane has ended; this order supports
vmap, grad, vmap(grad), jacrev and hessian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jscale.errors import DataError, JscaleError, LawError, listing, nearest
from jscale.fitting.objective import Objective, to_space
from jscale.fitting.problem import Data, Model, Problem
from jscale.fitting.result import Fit
from jscale.fitting.second_order import SINGULAR, slope_of_objective
from jscale.fitting.solver.compilation import programs
from jscale.fitting.solver.evaluation import residuals
from jscale.fitting.solver.gauss_newton import WARM
from jscale.fitting.solver.step import Lane, Numbers, Status, advance, blank, settled

_STEPS = 200
_NEWTON_STEPS = 8
# A final Newton step longer than this, in any coordinate, shows that this is not an optimum.
_SETTLED = 1e-6


def differentiable(fit: Fit) -> Callable[..., dict[str, Any]]:
    """Return the fit as a function of its data, to be used under JAX's transformations.

    Derivatives are exact, by the implicit function theorem: d theta = −H⁻¹·dg, with H the exact
    Hessian of the objective.

    Parameters
    ----------
    fit : Fit
        The fit, at whose optimum every solve starts.

    Returns
    -------
    callable
        A function of ``target`` (n,), the output as in ``fit.runs``; ``weights`` (n,), zero or
        more; and ``inputs``, a mapping from names of the law's inputs to (n,) arrays. What is not
        given is as it was in the fit. It solves again and returns the law's parameters by name:
        numbers, or arrays (groups,) for one per group.

    Raises
    ------
    JscaleError
        If the function is called where JAX does not compute in float64; open the scope around
        the outermost call, ``with jax.enable_x64(True):``.
    DataError
        If the function is given arrays of another shape than (n,).
    LawError
        If the function is given names that are no inputs.

    Notes
    -----
    The function works under jit, vmap, grad, jvp, jacfwd, jacrev, hessian and their compositions
    (laws with a loop of unknown length only forwards).

    Since compiled code cannot raise, derivatives are NaN where the optimum has none: for least
    absolute deviations, for Huber's loss with fewer residuals inside delta than parameters, and
    where the Hessian is singular. A solve that does not end gives NaN itself. Only the optimum
    next to the fit's is followed: there are no other starts. A scale that the fit solved for
    (delta="auto") is held fixed.

    Examples
    --------
    >>> import jax, jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=js.huber(1e-2))
    >>> with jax.enable_x64(True):
    ...     alpha = lambda loss: js.differentiable(fit)(target=loss)["alpha"]
    ...     slope = jax.grad(alpha)(fit.runs["loss"])
    >>> slope.shape == (len(fit.runs),)
    True
    """
    problem, law = fit.problem, fit.law

    def refit(
        target: Any = None, weights: Any = None, inputs: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        import jax

        if not jax.config.read("jax_enable_x64"):
            raise JscaleError(
                "A differentiable fit needs float64, but JAX computes in float32 here. Open the "
                "scope around the outermost call: with jax.enable_x64(True): …"
            )
        given = dict(inputs or {})
        unknown = [str(name) for name in given if name not in law.inputs]
        if unknown:
            raise LawError(
                f"{law.name} has no input {listing(unknown)}.{nearest(unknown[0], law.inputs)} "
                f"Its inputs are {listing(law.inputs, 20)}."
            )
        data = problem.data
        columns = [
            _padded(problem, name, given.get(name), values)
            for name, values in zip(law.inputs, data.inputs, strict=True)
        ]
        observed = None if target is None else _in_space(fit, target)
        data = data._replace(
            inputs=tuple(columns), target=_padded(problem, "target", observed, data.target)
        )
        weight = _padded(problem, "weights", weights, problem.weights, filler=0.0)
        return _program(problem.model, problem.objective)(fit.theta, weight, data)

    return refit


def _in_space(fit: Fit, target: Any) -> Any:
    import jax.numpy as jnp

    return to_space(jnp.asarray(target, dtype=np.float64), fit.settings.objective.space)


def _padded(
    problem: Problem, name: str, given: Any, values: np.ndarray, filler: float | None = None
) -> Any:
    """Return the values given (n,), or else the problem's, padded to its rows."""
    import jax.numpy as jnp

    if given is None:
        return jnp.asarray(values)
    exact, n = jnp.asarray(given, dtype=np.float64), problem.n
    if exact.shape != (n,):
        raise DataError(
            f"{name} has shape {exact.shape}; it must be ({n},), one number per row of fit.runs. "
            "Map over more with jax.vmap."
        )
    end = values[n:] if filler is None else np.full(problem.rows - n, filler)
    return jnp.concatenate([exact, jnp.asarray(end)])


@programs
def _program(model: Model, objective: Objective) -> Callable[..., Any]:
    """Return the compiled function: start (p,), weights (rows,), Data → parameters by name."""
    import jax

    optimum = _optimum(model, objective)

    def parameters(theta: Any, weights: Any, data: Data) -> dict[str, Any]:
        solved = optimum(theta, weights, data)
        return model.layout.natural(solved, data.fixed, data.centre)

    return jax.jit(parameters)


def _optimum(model: Model, objective: Objective) -> Callable[..., Any]:
    """Return theta0 (p,), weights (rows,), Data → the optimum (p,), with its derivative."""
    import jax

    lanes = _lanes(model, objective)

    @jax.custom_jvp
    def optimum(theta0: Any, weights: Any, data: Data) -> Any:
        one = jax.tree.map(lambda x: x[None], (theta0, weights, data))
        return lanes(*one)[0]

    @optimum.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
        theta = optimum(*primals)
        return theta, _follow(model, objective, theta, primals[1:], tangents[1:])

    return optimum


def _follow(model: Model, objective: Objective, theta: Any, at: Any, towards: Any) -> Any:
    """Return d theta (p,) for changes of weights and data, NaN where there is none."""
    import jax
    import jax.numpy as jnp

    weights, data = at

    def g(t: Any, w: Any, inputs: Any, target: Any) -> Any:
        there = data._replace(inputs=inputs, target=target)
        return slope_of_objective(model, t, w, there, objective.width, objective.shape)

    given = (weights, data.inputs, data.target)
    changes = (towards[0], towards[1].inputs, towards[1].target)
    change = jax.jvp(lambda *x: g(theta, *x), given, changes)[1]
    H, slope = jax.jacfwd(lambda t: (g(t, *given),) * 2, has_aux=True)(theta)
    exists = jax.lax.stop_gradient(_exists(model, objective, theta, H, slope, at))
    # A factor instead of a where, so that it survives transposition in reverse mode.
    return jnp.where(exists, -1.0, jnp.nan) * _solve(H, change)


def _exists(model: Model, objective: Objective, theta: Any, H: Any, g: Any, at: Any) -> Any:
    """Whether the point is an optimum with a derivative."""
    import jax.numpy as jnp

    if model.loss.vertices:
        return jnp.zeros((), dtype=bool)
    scale = _unit(H)
    room = H * jnp.outer(scale, scale) - SINGULAR * jnp.eye(len(theta))
    definite = jnp.all(jnp.isfinite(jnp.linalg.cholesky(room)))
    settled = jnp.all(jnp.abs(_solve(H, g)) <= _SETTLED * (1.0 + jnp.abs(theta)))
    if not objective.kinked:
        return definite & settled
    weights, data = at
    inside = (jnp.abs(residuals(model, theta, data)) < objective.width) & (weights > 0)
    return definite & settled & (jnp.sum(inside) >= len(theta))


def _unit(H: Any) -> Any:
    """Return 1/√diagonal, to scale H to a unit diagonal."""
    import jax.numpy as jnp

    return 1.0 / jnp.sqrt(jnp.maximum(jnp.abs(jnp.diag(H)), jnp.finfo(H.dtype).tiny))


def _solve(H: Any, b: Any) -> Any:
    """Solve H x = b at unit diagonal; NaN where H is not positive definite."""
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_factor, cho_solve

    scale = _unit(H)
    return scale * cho_solve(cho_factor(H * jnp.outer(scale, scale)), scale * b)


def _lanes(model: Model, objective: Objective) -> Callable[..., Any]:
    """Return the solver of lanes, where an axis that is mapped over joins the lanes."""
    import jax
    import jax.numpy as jnp
    from jax.custom_batching import custom_vmap

    @custom_vmap
    def lanes(theta: Any, weights: Any, data: Data) -> Any:
        return _solve_lanes(model, theta, weights, data, objective.width, objective.shape)

    @lanes.def_vmap
    def _(size: int, mapped: Any, *arguments: Any) -> tuple[Any, bool]:
        def merge(x: Any, is_mapped: bool) -> Any:
            whole = x if is_mapped else jnp.broadcast_to(x, (size, *x.shape))
            return whole.reshape(-1, *whole.shape[2:])

        solved = lanes(*jax.tree.map(merge, arguments, tuple(mapped)))
        return solved.reshape(size, -1, solved.shape[-1]), True

    return lanes


# The solver: every array has a leading axis of lanes (S,), data too.


def _solve_lanes(model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any) -> Any:
    """Solve from theta (S, p) at weights (S, rows) and Data (S, …): the optima (S, p).

    The steps of the ordinary solver to their end, then Newton steps on the exact slope. A lane
    that does not end in time is NaN.
    """
    import jax
    import jax.numpy as jnp

    S, p = theta.shape
    numbers = Numbers(WARM.identity, np.int32(_STEPS), shape)
    settle = jax.vmap(lambda w, y: settled(model, w, y, width, shape))
    freedom, rounding = settle(weights, data.target)
    whole = jnp.zeros(S, jnp.int32)
    start = Lane(
        theta=theta,
        at=jax.tree.map(lambda x: jnp.broadcast_to(x, (S, *x.shape)), blank(p, theta.dtype)),
        damping=jnp.full(S, WARM.damping),
        width=jnp.full(S, width),
        freedom=freedom,
        rounding=rounding,
        status=jnp.full(S, Status.RUNNING, jnp.int32),
        step=whole,
        idle=whole,
        slot=whole,
    )
    step = jax.vmap(lambda lane, w, d: advance(model, lane, w, d, numbers))
    lanes = jax.lax.while_loop(
        lambda lanes: jnp.any(lanes.status == Status.RUNNING),
        lambda lanes: step(lanes, weights, data),
        start,
    )
    failed = (lanes.status == Status.OUT_OF_STEPS) | (lanes.status == Status.DEAD_START)
    ended = jnp.where(failed[:, None], jnp.nan, lanes.theta)
    polish = jax.vmap(lambda t, w, d: _polish(model, t, w, d, width, shape))
    return ended if model.loss.vertices else polish(ended, weights, data)


def _polish(model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any) -> Any:
    """Take Newton steps on the exact slope, each only where it shortens the next."""
    import jax
    import jax.numpy as jnp

    def body(count: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        t, s = state

        def g(u: Any) -> Any:
            slope = slope_of_objective(model, u, weights, data, width, shape)
            return slope, slope

        H, slope = jax.jacfwd(g, has_aux=True)(t + s)
        again = -_solve(H, slope)
        better = (count == 0) | (jnp.max(jnp.abs(again)) < jnp.max(jnp.abs(s)))
        return jnp.where(better, t + s, t), jnp.where(better, again, s)

    return jax.lax.fori_loop(0, _NEWTON_STEPS, body, (theta, jnp.zeros_like(theta)))[0]
