"""A robust starting fit under a prior, and the scale of the noise around it.

Kernels take the reducible share of the loss from this fit, and noise its scale. Outlying
runs get larger noise, so that they do not widen the intervals of all other runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jscale.discrepancy.lanes import longest_of_best, solve_spd, stack
from jscale.discrepancy.members import Member
from jscale.discrepancy.observations import Observations
from jscale.fitting.objective import to_space
from jscale.fitting.problem import Data, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout

_STEPS = 20
_FIRST_SCALE = 0.01
_ROUNDS = 2
_LONGEST = 2.0
_SHARES = (1.0, 0.4, 0.1, 0.02, 0.0)
_NORMAL = 1.4826
_FAR_OUT = 3.0
# How many runs the usual scale of noise counts for where runs are few.
_USUAL_RUNS = 2
_SCALE_ROUNDS = 30
# Starts around the prior's mean, in its standard deviations: a Halton sequence's first points.
_STARTS = 9
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
           89)  # fmt: skip


class Start(NamedTuple):
    """A starting fit of one table.

    ``theta`` (P, p) are coordinates under each variant of the prior, ``variant`` the best of
    them, ``scale`` that of the noise, ``variance`` (n,) by how much each run's is larger than
    expected: 1 but for outliers.
    """

    theta: np.ndarray
    variant: int
    scale: float
    variance: np.ndarray


@programs
def robust_program(layout: Layout, space: str) -> Callable[..., tuple[Any, Any, Any]]:
    """Return a compiled program: starts (Q, P, S, p) to coordinates, costs and residuals.

    Minimises Σ (√(1 + (r/s)²) − 1) + ½·(θ − μ)ᵀP(θ − μ), for noise of standard deviations s
    (rows,), by reweighted Gauss–Newton steps.
    """
    import jax
    import jax.numpy as jnp

    def one(
        start: Any, mean: Any, precision: Any, data: Data, mask: Any, noise: Any, fixed: Any
    ) -> tuple[Any, Any, Any]:
        data = data._replace(fixed={**data.fixed, **fixed})
        target = data.target * mask

        def curve(theta: Any) -> Any:
            return to_space(predict_rows(layout, theta, data), space) * mask

        def cost(theta: Any) -> Any:
            r, off = (target - curve(theta)) / noise, theta - mean
            return jnp.sum(jnp.sqrt(1.0 + r * r) - 1.0) + 0.5 * jnp.sum(precision * off * off)

        def step(theta: Any, _: Any) -> tuple[Any, None]:
            slopes = jax.jacfwd(curve)(theta) / noise[:, None]
            r = (target - curve(theta)) / noise
            # Weights psi(r)/r of the pseudo-Huber loss: outlying runs hardly pull the fit.
            weight = 1.0 / jnp.sqrt(1.0 + r * r)
            matrix = slopes.T @ (weight[:, None] * slopes) + jnp.diag(precision)
            gradient = slopes.T @ (weight * r) - precision * (theta - mean)
            move = jnp.clip(solve_spd(matrix, gradient[:, None])[0][:, 0], -_LONGEST, _LONGEST)
            shares = jnp.asarray(_SHARES, move.dtype)
            costs = jax.vmap(lambda share: cost(theta + share * move))(shares)
            best = longest_of_best(shares, costs)
            return theta + best * move, None

        theta, _ = jax.lax.scan(step, start, None, length=_STEPS)
        return theta, cost(theta), target - curve(theta)

    starts = jax.vmap(one, in_axes=(0, None, None, None, None, None, None))
    variants = jax.vmap(starts, in_axes=(0, 0, 0, None, None, None, 0))
    return jax.jit(jax.vmap(variants))


def offsets(p: int) -> np.ndarray:
    """Return the offsets of starts from a prior's mean (S, p), in prior standard deviations.

    The mean itself, then points of a Halton sequence mapped to a normal distribution.
    """
    from scipy.special import ndtri

    points = np.empty((_STARTS - 1, p))
    for i in range(p):
        points[:, i] = [_van_der_corput(k, _PRIMES[i % len(_PRIMES)]) for k in range(1, _STARTS)]
    return np.concatenate([np.zeros((1, p)), ndtri(points)])


def _van_der_corput(k: int, base: int) -> float:
    """Return the k-th number of the van der Corput sequence: k's digits mirrored at the point."""
    value, unit = 0.0, 1.0 / base
    while k:
        k, digit = divmod(k, base)
        value, unit = value + digit * unit, unit / base
    return value


def robust_start(
    members: Sequence[Member],
    data: Sequence[Data],
    tables: Sequence[Observations],
    first: np.ndarray | None = None,
) -> list[Start]:
    """Fit members of one program to their tables, robustly; call inside the float64 scope.

    ``first`` (Q, P, p) are coordinates to start from, in place of many around the prior's mean.
    """
    lead_member = members[0]
    mean, sd = np.stack([m.mean for m in members]), np.stack([m.sd for m in members])
    rows = len(data[0].target)
    counts = [len(table) for table in tables]
    mask = np.stack([(np.arange(rows) < n).astype(np.float64) for n in counts])
    fixed = {name: np.stack([m.fixed[name] for m in members]) for name in lead_member.fixed}
    program = robust_program(lead_member.layout, lead_member.space)
    whole = stack(data)

    def run(start: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
        noise = np.ones((len(tables), rows))
        for i, table in enumerate(tables):
            noise[i, : counts[i]] = scale[i] * row_spread(table, scale[i])
        end = program(start, mean, sd**-2.0, whole, mask, noise, fixed)
        theta, cost, residual = (np.asarray(x) for x in end)
        # A start at which the law overflows must not win by comparing false with NaN.
        cost = np.where(np.isfinite(cost), cost, np.inf)
        best = np.argmin(cost, axis=2)
        theta = np.take_along_axis(theta, best[:, :, None, None], 2)
        cost = np.take_along_axis(cost, best[:, :, None], 2)[:, :, 0]
        residual = np.take_along_axis(residual, best[:, :, None, None], 2)[:, :, 0]
        return theta, cost, residual

    start = mean[:, :, None, :] + sd[:, :, None, :] * offsets(mean.shape[2])
    if first is not None:
        start = first[:, :, None, :]
    theta, cost, residual = run(start, np.full(len(members), _FIRST_SCALE))
    # The scale and the fit depend on each other: alternate, as two rounds suffice.
    for _ in range(_ROUNDS):
        theta, cost, residual = run(theta, _scales(members, cost, residual, tables))
    scales = _scales(members, cost, residual, tables)
    lead = np.argmin(cost, axis=1)
    return [
        Start(
            theta[i, :, 0],
            int(lead[i]),
            float(scales[i]),
            outlier_variance(
                residual[i, lead[i], : counts[i]] / row_spread(tables[i], float(scales[i])),
                float(scales[i]),
            ),
        )
        for i in range(len(members))
    ]


def _scales(
    members: Sequence[Member],
    cost: np.ndarray,
    residual: np.ndarray,
    tables: Sequence[Observations],
) -> np.ndarray:
    """Return each table's noise scale (Q,), by its best variant's residuals."""
    lead = np.argmin(cost, axis=1)
    return np.array(
        [
            table_scale(m, t, residual[i, lead[i], : len(t)])
            for i, (m, t) in enumerate(zip(members, tables, strict=True))
        ]
    )


def row_spread(table: Observations, scale: float) -> np.ndarray:
    """Return the standard deviations (n,) of a table's errors, relative to a noise's scale."""
    own = np.ones(len(table)) if table.relative is None else table.relative
    return np.sqrt(own if table.known is None else own + (table.known / scale) ** 2)


def table_scale(member: Member, table: Observations, residual: np.ndarray) -> float:
    """Return the scale of the noise beside known errors, by residuals (n,)."""
    size, least, usual = member.layout.size, member.prior.least_noise, member.prior.centre[1]
    scale = np.inf
    for _ in range(_SCALE_ROUNDS):
        # From above it falls to the largest scale that agrees with itself, or to the least.
        scale = noise_scale(residual / row_spread(table, scale), size, least, usual)
        if table.known is None:
            break
    return scale


def noise_scale(residual: np.ndarray, parameters: int, least: float, usual: float) -> float:
    """Return the noise's scale of residuals (n,): 1.4826·MAD·√(n/(n − p)).

    With n ≤ 2p the law bends to the runs, and the median of residuals says little: then their root
    mean square by degrees of freedom, together with the ``usual`` scale counted as two runs.
    """
    n = len(residual)
    # A fit passes close to p of the runs, which makes their median residual too small.
    if n > 2 * parameters:
        spare = n - parameters
        scale = _NORMAL * float(np.median(np.abs(residual))) * float(np.sqrt(n / spare))
    else:
        freedom = max(n - parameters, 0) + _USUAL_RUNS
        squares = float(np.sum(residual**2)) + _USUAL_RUNS * usual**2
        scale = float(np.sqrt(squares / freedom))
    return max(scale, least)


def outlier_variance(residual: np.ndarray, scale: float) -> np.ndarray:
    """Return each run's variance relative to the noise's: more than 1 past three scales."""
    # The variance at which the residual would be three standard deviations.
    return np.maximum(1.0, (np.abs(residual) / (_FAR_OUT * scale)) ** 2)
