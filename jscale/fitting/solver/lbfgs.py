"""L-BFGS (optax), for many parameters, or objectives that are not sums of residuals.

The default solver holds two p × p matrices per lane, which is efficient up to about two dozen
parameters. Here a lane holds a few past steps instead. Each function is divided by its size
at the start and, for a Problem, coordinates are divided by the curvature there, since the
line search uses absolute tolerances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jscale.fitting.objective import rounding_error
from jscale.fitting.problem import Model, Problem
from jscale.fitting.solver.compilation import programs
from jscale.fitting.solver.evaluation import evaluate, residuals
from jscale.fitting.solver.gauss_newton import Lanes
from jscale.fitting.solver.step import Status

_TILE = 16
_STEPS = 2000
_MEMORY = 20
# A lane has converged when the expected gain of a step is below this share of its objective, and
# has ended when it has gained no more than rounding for this many steps.
_SMALL_GAIN = 1e-15
_ROUNDING = 4 * np.finfo(np.float64).eps
_PATIENCE = 8


def minimise(function: Callable[[Any], Any], starts: np.ndarray, *, steps: int = _STEPS) -> Lanes:
    """Minimise a JAX function of coordinates (p,) from each start (S, p).

    The function may be any smooth scalar; scaling it changes nothing. A lane has converged
    when it gains nothing more and its slope is a millionth of that at the start, or 1e-4 of the
    value. Lanes end with a Status:
    CONVERGED, OUT_OF_STEPS, STUCK (no step helps, though the slope is not small) or DEAD_START.
    Call inside the float64 scope.

    >>> import numpy as np, jax
    >>> with jax.enable_x64(True):
    ...     lanes = minimise(lambda x: (x**2).sum(), np.ones((1, 2)))
    >>> bool(abs(lanes.theta).max() < 1e-6)
    True
    """
    import jax

    program = jax.jit(lambda theta, unit: _run(function, theta, unit, steps))
    return _in_tiles(lambda theta, unit, _: program(theta, unit), starts, None, None, None)


def descend_lbfgs(
    problem: Problem,
    starts: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    steps: int = _STEPS,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Minimise a Problem's objective from each start (S, p) by L-BFGS.

    ``weights`` (S, n) gives each lane its own. Least absolute deviations are solved in stages,
    as by :func:`jscale.fitting.solver.gauss_newton.descend`. Call inside the float64 scope.
    """
    objective = problem.objective
    widths = [*objective.stages, objective.width]
    program = _compiled(problem.model, steps)
    rows = _rows(problem, weights, len(starts))
    units = _units_of(problem, starts, rows, widths[0])
    lanes = None
    for width in widths:
        more = {"width": width, "shape": objective.shape, "data": problem.data}

        def run(theta: Any, unit: Any, w: Any, more: dict[str, Any] = more) -> Any:
            return program(theta, unit, w, **more)

        last = width == widths[-1]
        theta = starts if lanes is None else lanes.theta
        lanes = _in_tiles(run, theta, units, rows, progress if last else None)
    assert lanes is not None
    error = rounding_error(np.asarray(problem.data.target), problem.model.space, problem.weights)
    # An exact fit ends at rounding, where no line search can succeed: it is not stuck.
    exact = lanes.objective <= rows @ objective(error).rho
    lanes.status[exact & (lanes.status == Status.STUCK)] = Status.CONVERGED
    return lanes


def _rows(problem: Problem, weights: np.ndarray | None, lanes: int) -> np.ndarray:
    """Each lane's weights, padded: (S, rows)."""
    if weights is None:
        return np.broadcast_to(problem.weights, (lanes, problem.rows))
    padded = np.zeros((lanes, problem.rows))
    padded[:, : problem.n] = weights
    return padded


@programs
def _compiled(model: Model, steps: int) -> Callable[..., Any]:
    import jax

    def run(theta: Any, unit: Any, w: Any, *, data: Any, width: Any, shape: Any) -> Any:
        import jax.numpy as jnp

        def lane(theta: Any, unit: Any, w: Any) -> Any:
            def value(t: Any) -> Any:
                r = residuals(model, t, data)
                return jnp.sum(w * model.loss.terms(r, width, *shape).rho)

            return _lane(value, theta, unit, steps)

        return jax.vmap(lane)(theta, unit, w)

    return jax.jit(run)


@programs
def _curvatures(model: Model) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    def one(theta: Any, w: Any, data: Any, width: Any, shape: Any) -> Any:
        return jnp.diag(evaluate(model, theta, w, data, width, shape).M)

    return jax.jit(jax.vmap(one, in_axes=(0, 0, None, None, None)))


def _units_of(problem: Problem, starts: np.ndarray, rows: np.ndarray, width: float) -> np.ndarray:
    """Return each lane's unit of each coordinate, (S, p): 1/√(curvature) at its start.

    Relative to the largest, within a factor of 1000, so that a dead start stays finite.
    """
    program = _curvatures(problem.model)
    units = np.ones_like(starts)
    for first in range(0, len(starts), _TILE):
        # A constant tile size, so that one program serves any number of starts.
        at = np.minimum(np.arange(first, first + _TILE), len(starts) - 1)
        shape = problem.objective.shape
        M = np.asarray(program(starts[at], rows[at], problem.data, width, shape))
        M = M[: len(units[first : first + _TILE])]
        with np.errstate(all="ignore"):
            unit = 1.0 / np.sqrt(M / M.max(axis=1, keepdims=True))
        units[first : first + _TILE] = np.where(np.isfinite(unit), np.minimum(unit, 1e3), 1.0)
    return units


def _in_tiles(
    run: Callable[..., Any],
    starts: np.ndarray,
    units: np.ndarray | None,
    rows: np.ndarray | None,
    progress: Callable[[int], object] | None,
) -> Lanes:
    """Run lanes a tile at a time; the last tile is padded with copies of the last start."""
    starts = np.asarray(starts, dtype=np.float64)
    units = np.ones_like(starts) if units is None else units
    parts = []
    for first in range(0, len(starts), _TILE):
        at = np.minimum(np.arange(first, first + _TILE), len(starts) - 1)
        keep = min(_TILE, len(starts) - first)
        out = run(starts[at], units[at], None if rows is None else rows[at])
        parts.append([np.asarray(x)[:keep] for x in out])
        if progress is not None:
            progress(keep)
    return Lanes(*(np.concatenate(p) for p in zip(*parts, strict=True)))


def _run(function: Callable[[Any], Any], theta: Any, unit: Any, steps: int) -> Any:
    import jax

    return jax.vmap(lambda t, u: _lane(function, t, u, steps))(theta, unit)


def _lane(function: Callable[[Any], Any], theta: Any, unit: Any, steps: int) -> Any:
    """Minimise from one start: (theta, value, status, steps, damping) (JAX)."""
    import jax
    import jax.numpy as jnp
    import optax

    size = jnp.abs(function(theta))
    # A dead or zero start leaves the objective unscaled.
    size = jnp.where(jnp.isfinite(size) & (size > 0), size, 1.0)

    def scaled(x: Any) -> Any:
        return function(theta + unit * x) / size

    solver = optax.lbfgs(memory_size=_MEMORY)
    value_and_grad = optax.value_and_grad_from_state(scaled)
    zero = jnp.zeros_like(theta)
    first, slope = jax.value_and_grad(scaled)(zero)
    # Relative to the slope at the start: absolute slopes mean nothing for a user's function.
    low = 1e-6 * jnp.max(jnp.abs(slope))

    def going(carry: Any) -> Any:
        return carry[4] == Status.RUNNING

    def step(carry: Any) -> Any:
        x, state, best, idle, _, count = carry
        value, grad = value_and_grad(x, state=state)
        direction, new = solver.update(grad, state, x, value=value, grad=grad, value_fn=scaled)
        updates = jnp.asarray(direction)
        # To first order, what the step should gain.
        gain = -jnp.sum(jnp.asarray(grad) * updates)
        moved: Any = optax.apply_updates(x, updates)
        # The line search has evaluated the new point already; its value is in the state.
        after = optax.tree_utils.tree_get(new, "value")
        better = after < best - _ROUNDING * jnp.abs(best)
        idle = jnp.where(better, 0, idle + 1)
        ended = (jnp.abs(gain) <= _SMALL_GAIN * jnp.abs(value)) | (idle >= _PATIENCE)
        flat = jnp.max(jnp.abs(jnp.asarray(grad))) <= jnp.maximum(1e-4 * jnp.abs(value), low)
        status = jnp.where(ended, jnp.where(flat, Status.CONVERGED, Status.STUCK), Status.RUNNING)
        status = jnp.where(jnp.isfinite(after), status, Status.STUCK)
        status = jnp.where(
            (status == Status.RUNNING) & (count + 1 >= steps), Status.OUT_OF_STEPS, status
        )
        # A failed line search may return a worse point.
        kept = jnp.where(after <= best, moved, x)
        return kept, new, jnp.fmin(after, best), idle, status.astype(jnp.int32), count + 1

    # Without this check the loop would run on NaN until the last step.
    alive = jnp.isfinite(first) & jnp.all(jnp.isfinite(slope))
    status = jnp.where(alive, Status.RUNNING, Status.DEAD_START).astype(jnp.int32)
    whole = jnp.zeros((), jnp.int32)
    start = (zero, solver.init(zero), first, whole, status, whole)
    x, _, best, _, status, count = jax.lax.while_loop(going, step, start)
    objective = jnp.where(alive, best * size, jnp.inf)
    return theta + unit * x, objective, status, count, jnp.ones(())
