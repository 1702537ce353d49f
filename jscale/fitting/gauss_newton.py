"""The default solver: batched, majoriser-damped Gauss–Newton.

A *lane* is one start (or one resample) on its way to an optimum. Each step solves

    (H + λ·(M + 1e-3·diag M + ν·max(diag M)·I)) s = −g

where H is the active-set Gauss–Newton matrix (close to Newton as λ → 0) and M the
majoriser of iteratively reweighted least squares (descent is certain at λ ≥ 1). There is no
line search: one fused evaluation per step decides whether it is taken, and moves λ.

Lanes are solved in tiles of fixed width by one compiled program, which starts, bootstraps and
polishes all share. Within a tile, lanes that have ended are frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from jscale.fitting.problem import Evaluation, Model, Problem, evaluate

TILE = 32

_LONGEST_STEP = 3.0
_STUCK_DAMPING = 1e8
_SMALLEST_DAMPING = 1e-12
# Differences of F below this fraction of it are rounding: they neither reject nor reward.
_NOISE = 1e-14
_SMALL_STEP_IN_SD = 1e-8
_SMALL_STEP = 1e-12
_STEADY_DAMPING = 1e-3
# A lane that has not improved beyond rounding for this many steps has come to its end.
_PATIENCE = 15
_CLOSE_IN_SD = 1e-4
_STAGES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


class Status(IntEnum):
    """How a lane ended."""

    RUNNING = 0
    CONVERGED = 1
    STUCK = 2
    OUT_OF_STEPS = 3
    DEAD_START = 4


class Settings(NamedTuple):
    """Numbers that steer a solve; all are data, so changing them compiles nothing.

    ``width`` replaces the objective's own, the residual size below which it is quadratic.
    """

    damping: float = 1.0
    identity: float = 1e-4
    steps: int = 200
    width: float | None = None


WARM = Settings(damping=0.1)


class Lane(NamedTuple):
    """The state of one lane."""

    theta: Any
    at: Evaluation
    damping: Any
    status: Any
    step: Any
    idle: Any


@dataclass(frozen=True)
class Lanes:
    """Where lanes ended: coordinates (S, p), objective (S,), Status (S,), steps (S,)."""

    theta: np.ndarray
    objective: np.ndarray
    status: np.ndarray
    steps: np.ndarray

    @property
    def best(self) -> int:
        """The index of the lane with the lowest objective (finite if any is)."""
        return int(np.argmin(np.where(np.isfinite(self.objective), self.objective, np.inf)))


def solve(
    problem: Problem,
    starts: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    settings: Settings | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Minimise the problem's objective from each start (S, p), in tiles of lanes.

    ``weights`` (S, n) gives each lane its own weights (a bootstrap's counts); otherwise all
    share the problem's. ``progress`` is called with the number of lanes done after each tile.
    Call inside the float64 scope. Deterministic; one lane's failure leaves the others alone.
    """
    import jax

    settings = settings or Settings()
    program = compiled(problem.model)
    results = []
    for first in range(0, len(starts), TILE):
        chunk = np.asarray(starts[first : first + TILE], dtype=np.float64)
        lane_weights = _tile_weights(problem, weights, first, len(chunk))
        results.append(program(*_arguments(problem, _fill(chunk), lane_weights, settings)))
        if progress is not None:
            jax.block_until_ready(results[-1])
            progress(len(chunk))
    parts = [[np.asarray(part) for part in result] for result in results]
    theta, objective, status, steps = (
        np.concatenate(p)[: len(starts)] for p in zip(*parts, strict=True)
    )
    return Lanes(theta, objective, status, steps)


def descend(
    problem: Problem,
    starts: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    settings: Settings | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Solve, coming down to a kink in stages where the objective is all kink.

    Least absolute deviations are solved as Huber losses of ever smaller width, each from
    where the last one ended: straight away, lanes would stop at the first kinks they meet.
    Arguments as for :func:`solve`.
    """
    settings = settings or Settings()
    if problem.model.kind == "least_absolute":
        for width in _STAGES:
            stage = settings._replace(width=width)
            starts = solve(problem, starts, weights=weights, settings=stage).theta
    return solve(problem, starts, weights=weights, settings=settings, progress=progress)


def _fill(chunk: np.ndarray) -> np.ndarray:
    """Fill a tile with copies of its first lane."""
    return np.concatenate([chunk, np.repeat(chunk[:1], TILE - len(chunk), axis=0)])


def _tile_weights(
    problem: Problem, weights: np.ndarray | None, first: int, lanes: int
) -> np.ndarray:
    rows = len(problem.weights)
    if weights is None:
        return np.broadcast_to(problem.weights, (TILE, rows))
    tile = np.zeros((lanes, rows))
    tile[:, : problem.n] = weights[first : first + lanes]
    return _fill(tile)


def _arguments(problem: Problem, theta: np.ndarray, weights: np.ndarray, settings: Settings) -> Any:
    width = settings.width or min(problem.objective.width, 1e300)
    numbers = np.array([settings.damping, settings.identity, float(settings.steps), width])
    return theta, weights, problem.data, numbers


@lru_cache(maxsize=256)
def compiled(model: Model) -> Callable[..., Any]:
    """Return the compiled tile program of a model: one per law, layout, objective and space."""
    import jax

    def tile(theta: Any, weights: Any, data: Any, numbers: Any) -> Any:
        import jax.numpy as jnp

        def advance(lane: Lane, w: Any) -> Lane:
            return _advance(model, lane, w, data, numbers)

        def running(lanes: Lane) -> Any:
            return jnp.any(lanes.status == Status.RUNNING)

        def body(lanes: Lane) -> Lane:
            return jax.vmap(advance)(lanes, weights)

        lanes = jax.lax.while_loop(running, body, _begin(theta, numbers[0]))
        return lanes.theta, lanes.at.F, lanes.status, lanes.step

    return jax.jit(tile)


def _begin(theta: Any, damping: Any) -> Lane:
    """Lanes before their first evaluation: F is infinite, so that a zero step is accepted."""
    import jax.numpy as jnp

    s, p = theta.shape
    blank = Evaluation(
        F=jnp.full((s,), jnp.inf),
        g=jnp.zeros((s, p)),
        H=jnp.zeros((s, p, p)),
        M=jnp.broadcast_to(jnp.eye(p), (s, p, p)),
        spread=jnp.zeros((s,)),
    )
    zeros = jnp.zeros((s,), dtype=jnp.int32)
    return Lane(theta, blank, jnp.broadcast_to(damping, (s,)), zeros, zeros, zeros)


def _direction(at: Evaluation, damping: Any, identity: Any) -> Any:
    """Solve for the step, scaled to unit diagonal; a failed factorisation gives NaN."""
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_factor, cho_solve

    p = at.g.shape[0]
    diagonal = jnp.diag(at.M)
    damper = at.M + jnp.diag(1e-3 * diagonal + identity * jnp.max(diagonal))
    A = at.H + damping * damper
    scale = 1.0 / jnp.sqrt(jnp.maximum(jnp.diag(A), 1e-300))
    factor = cho_factor(A * scale[:, None] * scale[None, :] + 1e-15 * jnp.eye(p))
    step = scale * cho_solve(factor, -at.g * scale)
    longest = jnp.max(jnp.abs(step))
    return step * jnp.minimum(1.0, _LONGEST_STEP / jnp.maximum(longest, 1e-300))


def _advance(model: Model, lane: Lane, w: Any, data: Any, numbers: Any) -> Lane:
    """Take one step of one lane: propose, evaluate, accept or reject, adjust damping."""
    import jax.numpy as jnp

    _, identity, most_steps, delta = numbers
    fresh = ~jnp.isfinite(lane.at.F)
    s = jnp.where(fresh, 0.0, _direction(lane.at, lane.damping, identity))
    trial = evaluate(model, lane.theta + s, w, data, delta)

    old = lane.at.F
    expected = -(lane.at.g @ s + 0.5 * s @ lane.at.H @ s)
    finite = jnp.isfinite(trial.F) & jnp.all(jnp.isfinite(trial.g)) & jnp.all(jnp.isfinite(trial.M))
    rounding = _NOISE * jnp.abs(old)
    taken = finite & (fresh | (old + rounding >= trial.F))
    ratio = jnp.where(expected > 10 * rounding, (old - trial.F) / expected, 1.0)

    factor = jnp.where(ratio > 0.75, 0.2, jnp.where(ratio < 0.25, 2.0, 1.0))
    damping = jnp.where(
        taken, lane.damping * factor, jnp.maximum(4.0 * lane.damping, _STEADY_DAMPING)
    )
    damping = jnp.where(fresh, lane.damping, jnp.maximum(damping, _SMALLEST_DAMPING))

    idle = jnp.where(taken & (fresh | (old - trial.F > 10 * rounding)), 0, lane.idle + 1)
    converged = ~fresh & taken & _is_small(lane, s, trial, w, data)
    ended = (idle >= _PATIENCE) & ~converged
    close = _in_errors(lane, s, lane.at, w) <= _CLOSE_IN_SD**2
    status = jnp.where(converged | (ended & close), Status.CONVERGED, Status.RUNNING)
    stuck = (ended & ~close) | ((damping >= _STUCK_DAMPING) & ~converged)
    status = jnp.where(stuck, Status.STUCK, status)
    status = jnp.where(~finite & fresh, Status.DEAD_START, status)
    out = (lane.step + 1 >= most_steps) & (status == Status.RUNNING)
    status = jnp.where(out, Status.OUT_OF_STEPS, status).astype(lane.status.dtype)

    moved = Lane(lane.theta + s, trial, damping, status, lane.step + 1, idle)
    stayed = lane._replace(damping=damping, status=status, step=lane.step + 1, idle=idle)
    new = _choose(taken, moved, stayed)
    return _choose(lane.status == Status.RUNNING, new, lane)


def _in_errors(lane: Lane, s: Any, at: Evaluation, w: Any) -> Any:
    """The squared length of a step in standard errors: sᵀHs over the variance of psi."""
    import jax.numpy as jnp

    freedom = jnp.maximum(jnp.sum(w > 0) - s.shape[0], 1)
    return (s @ lane.at.H @ s) / jnp.maximum(at.spread / freedom, 1e-300)


def _is_small(lane: Lane, s: Any, trial: Evaluation, w: Any, data: Any) -> Any:
    """Whether a step is negligible: in standard errors, in itself, or beside rounding.

    An exact fit (no noise) is recognised by an objective at the rounding of the observations.
    """
    import jax.numpy as jnp

    undamped = lane.damping <= _STEADY_DAMPING
    in_errors = _in_errors(lane, s, trial, w) <= _SMALL_STEP_IN_SD**2
    tiny = jnp.max(jnp.abs(s) / (1.0 + jnp.abs(lane.theta))) <= _SMALL_STEP
    eps = jnp.finfo(data.target.dtype).eps
    exact = jnp.sum(w * (4 * eps * (1.0 + jnp.abs(data.target))) ** 2) >= trial.F
    # A heavily damped step is short in a flat valley too, so damping must have gone.
    return undamped & (in_errors | exact | tiny)


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
