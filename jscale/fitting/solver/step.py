"""One step of one lane, and the criteria by which a lane ends.

Each step solves (H + λ·(M + 1e-3·diag M + ν·max(diag M)·I)) s = −g, where H is the active-set
Gauss–Newton matrix (close to Newton as λ → 0) and M the majoriser of iteratively reweighted
least squares (descent is guaranteed at λ ≥ 1). There is no line search: one fused evaluation
decides whether the step is accepted, and updates λ.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from jscale.fitting.objective import rounding_error
from jscale.fitting.problem import Model
from jscale.fitting.solver.evaluation import Evaluation, evaluate
from jscale.model.layout import Layout
from jscale.model.roles import REAL

_LONGEST_STEP = 3.0
_STUCK_DAMPING = 1e8
_SMALLEST_DAMPING = 1e-12
# Changes of F below this many roundings neither reject a step nor count as progress.
_NOISE = 45.0
_SMALL_STEP_IN_SD = 1e-8
_SMALL_STEP = 1e-12
_SMALL_SHARE = 1e-9
_STEADY_DAMPING = 1e-3
# A lane that has not improved beyond rounding for this many steps has ended.
_PATIENCE = 15
_CLOSE_IN_SD = 1e-4


class Status(IntEnum):
    """How a lane ended."""

    RUNNING = 0
    CONVERGED = 1
    STUCK = 2
    OUT_OF_STEPS = 3
    DEAD_START = 4
    DROPPED = 5


class Numbers(NamedTuple):
    """What controls a solve, as data: identity damping ν, most steps, the objective's shape."""

    identity: Any
    steps: Any
    shape: Any


class Lane(NamedTuple):
    """The state of one lane.

    ``width`` is the objective's scale, ``freedom`` the rows with weight less parameters,
    ``rounding`` an objective that rounding of the observations alone gives, ``slot`` the
    lane's place in the queue.
    """

    theta: Any
    at: Evaluation
    damping: Any
    width: Any
    freedom: Any
    rounding: Any
    status: Any
    step: Any
    idle: Any
    slot: Any


def blank(p: int, dtype: Any) -> Evaluation:
    """Return a lane's state before its first evaluation: F = ∞, so that a zero step is accepted."""
    import jax.numpy as jnp

    zero = jnp.zeros((), dtype)
    square = jnp.eye(p, dtype=dtype)
    return Evaluation(jnp.full((), jnp.inf, dtype), jnp.zeros((p,), dtype), square, square, zero)


def plain_coordinates(layout: Layout) -> np.ndarray:
    """Return which coordinates (p,) are plain numbers of unknown size, not logarithms or slopes.

    For these, neither a step of 3 nor damping by the identity means anything.
    """
    plain = np.zeros(layout.size, dtype=bool)
    for slot in layout.slots:
        plain[slot.where] = slot.role.support == REAL and slot.role.name == "real"
    return plain


def advance(model: Model, lane: Lane, w: Any, data: Any, numbers: Numbers) -> Lane:
    """Take one step of one lane: propose, evaluate, accept or reject, adjust damping (JAX)."""
    import jax.numpy as jnp

    # A fresh lane has no evaluation yet: its first "step" is zero and only evaluates.
    fresh = ~jnp.isfinite(lane.at.F)
    s = jnp.where(fresh, 0.0, _direction(model.layout, lane, numbers.identity))
    trial = evaluate(model, lane.theta + s, w, data, lane.width, numbers.shape)

    old = lane.at.F
    # Sums: products of such small matrices cost more to call than to compute.
    curved = jnp.sum(lane.at.H * s[:, None] * s[None, :])
    expected = -(jnp.sum(lane.at.g * s) + 0.5 * curved)
    finite = jnp.isfinite(trial.F) & jnp.all(jnp.isfinite(trial.g)) & jnp.all(jnp.isfinite(trial.M))
    # Near the optimum F changes by less than its rounding; such steps are not rejected.
    rounding = _NOISE * jnp.finfo(old.dtype).eps * jnp.abs(old)
    taken = finite & (fresh | (old + rounding >= trial.F))
    ratio = jnp.where(expected > 10 * rounding, (old - trial.F) / expected, 1.0)

    # Damping falls faster than it rises: close to the optimum steps become Newton steps.
    factor = jnp.where(ratio > 0.75, 0.2, jnp.where(ratio < 0.25, 2.0, 1.0))
    # After a rejection damping restarts from a level that matters, however low it had become.
    damping = jnp.where(
        taken, lane.damping * factor, jnp.maximum(4.0 * lane.damping, _STEADY_DAMPING)
    )
    damping = jnp.where(fresh, lane.damping, jnp.maximum(damping, _SMALLEST_DAMPING))
    # Counts steps without improvement beyond rounding, whether they were taken or not.
    idle = jnp.where(taken & (fresh | (old - trial.F > 10 * rounding)), 0, lane.idle + 1)

    seen = (fresh, finite, taken, idle, damping, curved)
    status = _judge(model.layout, lane, s, trial, seen)
    step = lane.step + 1
    out = (step >= numbers.steps) & (status == Status.RUNNING)
    status = jnp.where(out, Status.OUT_OF_STEPS, status).astype(lane.status.dtype)

    stayed = lane._replace(damping=damping, status=status, step=step, idle=idle)
    new = _choose(taken, stayed._replace(theta=lane.theta + s, at=trial), stayed)
    return _choose(lane.status == Status.RUNNING, new, lane)


def _direction(layout: Layout, lane: Lane, identity: Any) -> Any:
    """Solve for the step, scaled to unit diagonal; a failed factorisation gives NaN."""
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_factor, cho_solve

    at, p = lane.at, layout.size
    plain = plain_coordinates(layout)
    diagonal = jnp.diag(at.M)
    tiny = jnp.finfo(diagonal.dtype).tiny
    # The identity term bounds steps along directions in which M vanishes (dead terms).
    even = jnp.where(plain, 0.0, identity * jnp.max(jnp.where(plain, 0.0, diagonal)))
    A = at.H + lane.damping * (at.M + jnp.diag(1e-3 * diagonal + even))
    # Unit diagonal: curvatures of different parameters differ by many orders of magnitude.
    scale = 1.0 / jnp.sqrt(jnp.maximum(jnp.diag(A), tiny))
    eps = 4 * jnp.finfo(diagonal.dtype).eps
    factor = cho_factor(A * scale[:, None] * scale[None, :] + eps * jnp.eye(p))
    step = scale * cho_solve(factor, -at.g * scale)
    # A long step is shortened as a whole, which keeps its direction.
    limit = _LONGEST_STEP * jnp.where(plain, jnp.maximum(1.0, jnp.abs(lane.theta)), 1.0)
    longest = jnp.max(jnp.abs(step) / limit)
    return step * jnp.minimum(1.0, 1.0 / jnp.maximum(longest, tiny))


def _judge(layout: Layout, lane: Lane, s: Any, trial: Evaluation, seen: Any) -> Any:
    """Return the status after a step: converged, stuck, dead at its start, or running."""
    import jax.numpy as jnp

    fresh, finite, taken, idle, damping, curved = seen
    small = _is_small(layout, lane, s, trial, curved)
    converged = ~fresh & taken & small
    # A lane that stalls within a fraction of a standard error of its optimum has converged
    # for every practical purpose; one that stalls further away is stuck.
    ended = (idle >= _PATIENCE) & ~converged
    close = _in_errors(lane, curved, lane.at) <= _CLOSE_IN_SD**2
    close |= lane.rounding >= lane.at.F
    status = jnp.where(converged | (ended & close), Status.CONVERGED, Status.RUNNING)
    stuck = (ended & ~close) | ((damping >= _STUCK_DAMPING) & ~converged)
    status = jnp.where(stuck, Status.STUCK, status)
    return jnp.where(~finite & fresh, Status.DEAD_START, status)


def _in_errors(lane: Lane, curved: Any, at: Evaluation) -> Any:
    """The squared length of a step in standard errors: sᵀHs over the variance of psi."""
    import jax.numpy as jnp

    # Parameters have covariance H⁻¹·(spread/freedom), hence this ratio.
    return curved / jnp.maximum(at.spread / lane.freedom, jnp.finfo(curved.dtype).tiny)


def _is_small(layout: Layout, lane: Lane, s: Any, trial: Evaluation, curved: Any) -> Any:
    """Whether a step is negligible: in standard errors, relative to theta, or below rounding.

    An exact fit (no noise) is recognised by an objective at the rounding of the observations.
    In single precision, rounding hides steps that are larger by ``coarse``.
    """
    import jax.numpy as jnp

    kind = jnp.finfo(s.dtype)
    coarse = 1.0 if kind.eps < 1e-10 else 1e4
    undamped = lane.damping <= _STEADY_DAMPING
    plain = plain_coordinates(layout)
    in_errors = _in_errors(lane, curved, trial) <= (coarse * _SMALL_STEP_IN_SD) ** 2
    size = jnp.where(plain, jnp.abs(lane.theta), 1.0 + jnp.abs(lane.theta))
    share = jnp.abs(s) / jnp.maximum(size, kind.tiny)
    tiny = jnp.max(share) <= coarse**2 * _SMALL_STEP
    if plain.any():
        # A plain number must settle to as many digits as its logarithm would.
        in_errors &= jnp.max(jnp.where(plain, share, 0.0)) <= coarse * _SMALL_SHARE
    # A heavily damped step is short in a flat valley too, so the damping must be low.
    return undamped & (in_errors | (lane.rounding >= trial.F) | tiny)


def settled(model: Model, w: Any, target: Any, width: Any, shape: Any) -> tuple[Any, Any]:
    """Return a lane's ``freedom`` and ``rounding`` for its weights and targets (rows,) (JAX)."""
    import jax.numpy as jnp

    freedom = jnp.maximum(jnp.sum(w > 0) - model.layout.size, 1).astype(target.dtype)
    error = rounding_error(target, model.space, w)
    return freedom, jnp.sum(w * model.loss.terms(error, width, *shape).rho)


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
