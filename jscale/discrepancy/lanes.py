"""Lanes: the parameters of a law under correlated errors, for many kernels and noises at once.

With K = cov δ + σ²·V, parameters minimise

    ½·(z − f(θ))ᵀ K⁻¹ (z − f(θ)) + ½·(θ − μ)ᵀ P (θ − μ),

which is generalised least squares with a Gaussian prior. The host decomposes
V^(−½)·cov δ·V^(−½) = Q·Λ·Qᵀ once per kernel; K is then diagonal in that basis for every noise σ,
so that a lane needs only matrix products (:mod:`jscale.discrepancy.whitening`). No factorisation
runs inside a compiled program, where concurrent LAPACK calls of many lanes can deadlock on each
other's threads (jax 0.10 on CPUs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jscale.discrepancy.whitening import Root, decorrelate, log_determinant, weights
from jscale.fitting.objective import to_space
from jscale.fitting.problem import Data, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout

_STEPS = 8
# Fractions of a Gauss–Newton step to try; the last skips it where the others raise the cost.
_SHARES = (1.0, 0.5, 0.2, 0.05, 0.0)
_ROUNDING = 1e-12


class Table(NamedTuple):
    """One padded table of runs: its data, and the basis that decorrelates each kernel's errors.

    ``mask`` (rows,) is 1 for real rows. ``basis`` (K, r, rows) are Qᵀ·V^(−½), ``spectrum``
    (K, r) the eigenvalues Λ. ``noise`` (G,) are variances σ². ``start``, ``mean`` and
    ``precision`` (P, p) are starting coordinates, prior means and prior precisions. Large tables
    have a ``root`` V^(−½), and a ``basis`` Qᵀ of fewer than all rows.
    """

    data: Data
    mask: Any
    basis: Any
    spectrum: Any
    noise: Any
    start: Any
    mean: Any
    precision: Any
    fixed: Any
    root: Root | None = None


class Lanes(NamedTuple):
    """The end points of lanes (K, G, P).

    ``theta`` (…, p); ``evidence`` (…) the log marginal likelihood by Laplace's approximation, less
    the constant ln det V; ``inverse`` (…, p, p) the covariance of θ; ``residual`` (…, rows) and
    ``slopes`` (…, rows, p) decorrelated; ``move`` (…) the length of the last step.
    """

    theta: Any
    evidence: Any
    inverse: Any
    residual: Any
    slopes: Any
    move: Any


def stack(trees: Sequence[Any]) -> Any:
    """Return NumPy pytrees of one structure stacked along a new first axis."""
    import jax
    import numpy as np

    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def solve_spd(matrix: Any, right: Any) -> tuple[Any, Any]:
    """Return (matrix⁻¹·right, ln det matrix) of a symmetric positive definite matrix (JAX).

    Gauss–Jordan elimination scaled to unit diagonal: a loop of elementary operations that batches
    well, for the few parameters of a law.
    """
    import jax
    import jax.numpy as jnp

    p = matrix.shape[0]
    scale = 1.0 / jnp.sqrt(jnp.diag(matrix))
    unit = matrix * scale[:, None] * scale[None, :]
    whole = jnp.concatenate([unit, right * scale[:, None]], axis=1)

    def eliminate(i: Any, state: Any) -> Any:
        whole, log = state
        pivot = whole[i, i]
        # No pivoting: it is stable without for positive definite matrices.
        row = whole[i] / pivot
        whole = whole - whole[:, i, None] * row[None, :]
        return whole.at[i].set(row), log + jnp.log(pivot)

    whole, log = jax.lax.fori_loop(0, p, eliminate, (whole, jnp.zeros((), matrix.dtype)))
    return whole[:, p:] * scale[:, None], log - 2.0 * jnp.sum(jnp.log(scale))


def longest_of_best(shares: Any, costs: Any) -> Any:
    """Return the share of a step with the lowest cost; of those alike, the longest (JAX).

    Close to the optimum, costs differ by rounding alone: without a slack it would decide where
    steps stop, and results would depend on how lanes are batched.
    """
    import jax.numpy as jnp

    finite = jnp.where(jnp.isfinite(costs), costs, jnp.inf)
    lowest = jnp.min(finite)
    return shares[jnp.argmax(finite <= lowest + _ROUNDING * (1.0 + jnp.abs(lowest)))]


def lane(layout: Layout, space: str, table: Table, at: tuple[Any, ...]) -> Lanes:
    """Find the parameters of one lane (JAX).

    ``at`` holds its basis, spectrum, noise, start, prior mean and precision, and fixed values.
    """
    import jax
    import jax.numpy as jnp

    basis, spectrum, noise, start, mean, precision, fixed = at
    data, mask = table.data._replace(fixed={**table.data.fixed, **fixed}), table.mask
    # Whitening: in the basis K is diagonal, so its inverse root is one division per row.
    weight = weights(mask, spectrum, noise, table.root)

    def curve(theta: Any) -> Any:
        return to_space(predict_rows(layout, theta, data), space) * mask

    target = data.target * mask

    def residual(theta: Any) -> Any:
        return weight * decorrelate(basis, table.root, target - curve(theta))

    def cost(theta: Any) -> Any:
        r, off = residual(theta), theta - mean
        return 0.5 * jnp.sum(r * r) + 0.5 * jnp.sum(precision * off * off)

    def normal(theta: Any) -> tuple[Any, Any, Any]:
        # Forward mode: a law has far fewer parameters than a table has rows.
        slopes = weight[:, None] * decorrelate(basis, table.root, jax.jacfwd(curve)(theta))
        r = residual(theta)
        return slopes, r, slopes.T @ slopes + jnp.diag(precision)

    def step(state: Any, _: Any) -> tuple[Any, None]:
        theta, _ = state
        slopes, r, matrix = normal(theta)
        gradient = slopes.T @ r - precision * (theta - mean)
        # Most coordinates are logarithms: a step of 3 multiplies a parameter by 20.
        move = jnp.clip(solve_spd(matrix, gradient[:, None])[0][:, 0], -3.0, 3.0)
        shares = jnp.asarray(_SHARES, move.dtype)
        # All fractions at once, instead of a line search, whose loop would wait for the worst lane.
        costs = jax.vmap(lambda share: cost(theta + share * move))(shares)
        best = longest_of_best(shares, costs)
        return (theta + best * move, jnp.max(jnp.abs(move))), None

    (theta, move), _ = jax.lax.scan(step, (start, jnp.zeros((), start.dtype)), None, length=_STEPS)
    slopes, r, matrix = normal(theta)
    inverse, log_matrix = solve_spd(matrix, jnp.eye(layout.size, dtype=matrix.dtype))
    log_errors = log_determinant(mask, spectrum, noise)
    # Laplace: the Gaussian integral over theta around its optimum; the prior is normalised.
    evidence = (
        -cost(theta)
        - 0.5 * log_errors
        - 0.5 * log_matrix
        + 0.5 * jnp.sum(jnp.log(precision))
        - 0.5 * jnp.sum(mask) * jnp.log(2.0 * jnp.pi)
    )
    return Lanes(theta, evidence, inverse, r, slopes, move)


def _over_lanes(one: Callable[..., Any]) -> Callable[..., Any]:
    """Map a function of (basis, spectrum, noise, start, mean, precision) over (K, G, P)."""
    import jax

    priors = jax.vmap(one, in_axes=((None, None, None, 0, 0, 0, 0),))
    noises = jax.vmap(priors, in_axes=((None, None, 0, None, None, None, None),))
    return jax.vmap(noises, in_axes=((0, 0, None, None, None, None, None),))


@programs
def solve_program(layout: Layout, space: str) -> Callable[..., Lanes]:
    """Return a compiled program: tables (Q, …) to lanes (Q, K, G, P, …)."""
    import jax

    def of_table(table: Table) -> Lanes:
        priors = (table.start, table.mean, table.precision, table.fixed)
        at = (table.basis, table.spectrum, table.noise, *priors)
        return _over_lanes(lambda each: lane(layout, space, table, each))(at)

    return jax.jit(jax.vmap(of_table))


class Targets(NamedTuple):
    """Points to predict, padded: a law's inputs and codes, cov δ with the runs (K, rows, m), and
    its prior variance (K, m)."""

    inputs: tuple[Any, ...]
    codes: dict[str, Any]
    cross: Any
    variance: Any


@programs
def predict_program(layout: Layout, space: str) -> Callable[..., tuple[Any, Any, Any]]:
    """Return a compiled program: tables, lanes and targets (Q, …) to the curve's distribution.

    Its mean, and the variances that come from the discrepancy and from the parameters, are
    (Q, K, G, P, m), in the space: universal kriging with the law's Jacobian as basis.
    """
    import jax
    import jax.numpy as jnp

    def one(table: Table, targets: Targets, at: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        # Everything is whitened as in `lane`, whose residuals and slopes are reused.
        cross, variance, spectrum, noise, fixed, end = at
        weight = weights(table.mask, spectrum, noise, table.root)
        data = table.data._replace(
            inputs=targets.inputs, codes=targets.codes, fixed={**table.data.fixed, **fixed}
        )

        def curve(theta: Any) -> Any:
            return to_space(predict_rows(layout, theta, data), space)

        known = weight[:, None] * cross
        slopes = jax.jacfwd(curve)(end.theta) - known.T @ end.slopes
        mean = curve(end.theta) + known.T @ end.residual
        # Negative only by rounding, next to a run.
        left = jnp.maximum(variance - jnp.sum(known * known, axis=0), 0.0)
        return mean, left, jnp.sum((slopes @ end.inverse) * slopes, axis=1)

    def of_table(table: Table, end: Lanes, targets: Targets) -> tuple[Any, Any, Any]:
        def each(at: tuple[Any, ...]) -> tuple[Any, Any, Any]:
            return one(table, targets, at)

        priors = jax.vmap(each, in_axes=((None, None, None, None, 0, 0),))
        noises = jax.vmap(priors, in_axes=((None, None, None, 0, None, 0),))
        kernels = jax.vmap(noises, in_axes=((0, 0, 0, None, None, 0),))
        # Once per kernel, shared by all noises and priors.
        cross = jax.vmap(lambda basis, x: decorrelate(basis, table.root, x))(
            table.basis, targets.cross
        )
        return kernels((cross, targets.variance, table.spectrum, table.noise, table.fixed, end))

    return jax.jit(jax.vmap(of_table))
