"""differentiable: a fit as a differentiable function of what it was given.

The optimum is found by a solver whose steps are never differentiated: at the optimum
g(theta; weights, targets, inputs) = 0, so d theta = −H⁻¹·dg with the exact Hessian H. The rule
is a ``custom_jvp`` outermost over a ``custom_vmap``: a mapped axis joins the solver's lanes,
instead of turning its loop into one that runs until the last lane has ended, and that order
lets vmap, grad, vmap(grad), jacrev and hessian through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from jscale.errors import DataError, JscaleError, LawError, listing, nearest
from jscale.fitting.evaluation import Evaluation, evaluate, residuals
from jscale.fitting.local import SINGULAR, slope_of_objective
from jscale.fitting.objective import Objective, to_space
from jscale.fitting.problem import Data, Model, Problem
from jscale.fitting.result import Fit

_STEPS = 200
_NEWTON_STEPS = 8
_CLOSE = 1e-7
_IDLE = 12
_NOISE = 45.0
_SMALLEST_DAMPING = 1e-12
_STEADY_DAMPING = 1e-3
# A Newton step that would still move a coordinate by more shows that there is no optimum here.
_SETTLED = 1e-6


def differentiable(fit: Fit) -> Callable[..., dict[str, Any]]:
    """Return the fit as a function of its data, to be used under JAX's transformations.

    The function takes ``target`` (n,), the output as in ``fit.runs``; ``weights`` (n,), zero or
    more; and ``inputs``, a mapping from names of the law's inputs to (n,) arrays. What is not
    given is as it was in the fit. It solves again, starting from the fit's optimum, and returns
    the law's parameters by name: numbers, or arrays (groups,) for one per group.

    It works under jit, vmap, grad, jvp, jacfwd, jacrev, hessian and their compositions (laws
    with a loop of unknown length only forwards). Derivatives are exact, by the implicit function
    theorem with the exact Hessian. They are NaN, since compiled code cannot raise, where the
    optimum has none: for least absolute deviations, for Huber's loss with fewer residuals inside
    delta than parameters, where the Hessian is singular; a solve that does not end gives NaN
    itself. Only the optimum next to the fit's is followed: there are no other starts.

    Call it where JAX computes in float64, ``with jax.enable_x64(True):``; elsewhere it raises
    JscaleError. Raises DataError for arrays of another shape than (n,), LawError for names that
    are no inputs.

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
    """Return what was given (n,) or else the problem's own values, padded to its rows."""
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


@lru_cache(maxsize=256)
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

    scale = _numbers(objective)
    weights, data = at

    def g(t: Any, w: Any, inputs: Any, target: Any) -> Any:
        there = data._replace(inputs=inputs, target=target)
        return slope_of_objective(model, t, w, there, *scale)

    given = (weights, data.inputs, data.target)
    changes = (towards[0], towards[1].inputs, towards[1].target)
    change = jax.jvp(lambda *x: g(theta, *x), given, changes)[1]
    H, slope = jax.jacfwd(lambda t: (g(t, *given),) * 2, has_aux=True)(theta)
    exists = jax.lax.stop_gradient(_exists(model, objective, theta, H, slope, at))
    # A factor, not a choice, so that it is still there when the rule is run backwards.
    return jnp.where(exists, -1.0, jnp.nan) * _solve(H, change)


def _exists(model: Model, objective: Objective, theta: Any, H: Any, g: Any, at: Any) -> Any:
    """Whether the optimum is one, and has a derivative."""
    import jax.numpy as jnp

    if model.kind == "least_absolute":
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


def _numbers(objective: Objective) -> tuple[float, float]:
    return min(float(objective.width), 1e300), float(objective.shape)


def _lanes(model: Model, objective: Objective) -> Callable[..., Any]:
    """Return the solver of lanes, where an axis that is mapped over joins the lanes."""
    import jax
    import jax.numpy as jnp
    from jax.custom_batching import custom_vmap

    @custom_vmap
    def lanes(theta: Any, weights: Any, data: Data) -> Any:
        return _solve_lanes(model, theta, weights, data, *_numbers(objective))

    @lanes.def_vmap
    def _(size: int, mapped: Any, *arguments: Any) -> tuple[Any, bool]:
        def merge(x: Any, is_mapped: bool) -> Any:
            whole = x if is_mapped else jnp.broadcast_to(x, (size, *x.shape))
            return whole.reshape(-1, *whole.shape[2:])

        solved = lanes(*jax.tree.map(merge, arguments, tuple(mapped)))
        return solved.reshape(size, -1, solved.shape[-1]), True

    return lanes


# The solver: every array has a leading axis of lanes (S,), data too.


class _Lane(NamedTuple):
    theta: Any
    at: Evaluation
    damping: Any
    idle: Any
    running: Any


def _solve_lanes(model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any) -> Any:
    """Solve from theta (S, p) at weights (S, rows) and Data (S, …): the optima (S, p).

    Damped Gauss–Newton steps until they are short, then Newton steps on the exact slope. A lane
    that does not end in time is NaN.
    """
    import jax
    import jax.numpy as jnp

    def look(t: Any, w: Any, d: Data) -> Evaluation:
        return evaluate(model, t, w, d, width, shape)

    def body(state: tuple[Any, _Lane]) -> tuple[Any, _Lane]:
        count, lane = state
        move = jax.vmap(lambda x, w, d: _advance(x, lambda t: look(t, w, d)))
        return count + 1, move(lane, weights, data)

    def going(state: tuple[Any, _Lane]) -> Any:
        return (state[0] < _STEPS) & jnp.any(state[1].running)

    S = len(theta)
    blank = jax.eval_shape(jax.vmap(look), theta, weights, data)
    at = jax.tree.map(lambda x: jnp.full(x.shape, jnp.inf, x.dtype), blank)
    at = at._replace(g=jnp.zeros_like(at.g), H=_eyes(at.H), M=_eyes(at.M))
    start = _Lane(theta, at, jnp.full(S, 0.1), jnp.zeros(S, np.int32), jnp.ones(S, bool))
    _, lane = jax.lax.while_loop(going, body, (0, start))
    ended = jnp.where(lane.running[:, None], jnp.nan, lane.theta)
    polish = jax.vmap(lambda t, w, d: _polish(model, t, w, d, width, shape))
    return ended if model.kind == "least_absolute" else polish(ended, weights, data)


def _eyes(like: Any) -> Any:
    import jax.numpy as jnp

    return jnp.broadcast_to(jnp.eye(like.shape[-1], dtype=like.dtype), like.shape)


def _advance(lane: _Lane, look: Callable[[Any], Evaluation]) -> _Lane:
    """Propose a step, take it if F does not rise, and adjust the damping.

    A lane starts with F = ∞ and g = 0: its first step is none, and is taken.
    """
    import jax
    import jax.numpy as jnp

    at, fresh = lane.at, ~jnp.isfinite(lane.at.F)
    A = at.H + lane.damping * (at.M + 1e-3 * jnp.diag(jnp.diag(at.M)))
    s = _solve(A + 4e-16 * jnp.diag(jnp.diag(A)), -at.g)
    s = s * jnp.minimum(1.0, 3.0 / jnp.maximum(jnp.max(jnp.abs(s)), 1e-300))
    trial = look(lane.theta + s)
    rounding = jnp.where(fresh, 0.0, _NOISE * jnp.finfo(s.dtype).eps * jnp.abs(at.F))
    finite = jnp.isfinite(trial.F) & jnp.all(jnp.isfinite(trial.g)) & jnp.all(jnp.isfinite(trial.M))
    taken = finite & (at.F + rounding >= trial.F) & lane.running
    expected = -(at.g @ s + 0.5 * s @ at.H @ s)
    fall = jnp.where(fresh, 0.0, at.F - trial.F)
    ratio = jnp.where(expected > 10 * rounding, fall / expected, 1.0)
    factor = jnp.where(ratio > 0.75, 0.2, jnp.where(ratio < 0.25, 2.0, 1.0))
    factor = jnp.where(taken, jnp.where(fresh, 1.0, factor), 4.0)
    damping = jnp.clip(lane.damping * factor, _SMALLEST_DAMPING, 1e8)
    idle = jnp.where(taken & (fresh | (fall > 10 * rounding)), 0, lane.idle + 1)
    short = jnp.max(jnp.abs(s) / (1.0 + jnp.abs(lane.theta))) <= _CLOSE
    short &= taken & ~fresh & (lane.damping <= _STEADY_DAMPING)
    theta = jnp.where(taken, lane.theta + s, lane.theta)
    at = jax.tree.map(lambda new, old: jnp.where(taken, new, old), trial, at)
    return _Lane(theta, at, damping, idle, lane.running & ~short & (idle < _IDLE))


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
