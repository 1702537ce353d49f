"""Draws of whole functions: a law's curve and its discrepancy, at any inputs at once.

A draw picks an expert by its weight, parameters from their posterior, and the discrepancy given
them on a grid: places of the runs, where it is known best, and a lattice over the range around and
beyond. Each draw is thus a function of the inputs with its own vector of numbers, which planning
can minimise and differentiate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.discrepancy.bends import Bends, bends_over
from jscale.discrepancy.experts import Solved, whitened_rows
from jscale.discrepancy.grid import grid_around
from jscale.discrepancy.kernels import Component, distances, matern
from jscale.discrepancy.members import Floor
from jscale.discrepancy.response import PLAIN, from_response
from jscale.fitting.diagnostics import flatten
from jscale.fitting.objective import to_space
from jscale.fitting.problem import bucket, pad_rows, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.law import Law
from jscale.model.layout import Layout

_JITTER = 1e-8
_LEAST_SHARE, _MOST_SHARE = 0.02, 2.0
_NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class BentLaw:
    """A law and its discrepancy as a function of a draw's numbers and of the inputs.

    A draw's vector holds the law's parameters; those of the starting fit, for the reducible share;
    the divisors of the inputs; and the numbers of its ``bends``.
    """

    layout: Layout
    floor: Floor | None
    space: str
    bends: Bends
    logarithmic: tuple[bool, ...]
    response: str = PLAIN

    @property
    def law(self) -> Law | None:
        """None: with a discrepancy, the curve is not determined by the law's parameters alone."""
        return None

    def split(self, flat: Any) -> tuple[Any, ...]:
        """Return parameters, starting parameters, units, and the numbers of the bends."""
        q, d = _count(self.layout), len(self.layout.law.inputs)
        # The order is that of `_numbers`.
        return flat[:q], flat[q : 2 * q], flat[2 * q : 2 * q + d], flat[2 * q + d :]

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the output at one point, in its own unit."""
        import jax.numpy as jnp

        numbers, start, unit, bends = self.split(flat)
        names = self.layout.law.inputs
        scaled = {name: inputs[name] / unit[i] for i, name in enumerate(names)}
        values = self.layout.pick(self.layout.unflatten(numbers), codes)
        first = self.layout.pick(self.layout.unflatten(start), codes)
        curve = to_space(self.layout.law.evaluate({**scaled, **values}), self.space)
        share = self._share(self.layout.law.evaluate({**scaled, **first}), first)
        u = jnp.stack(
            [
                jnp.log(scaled[n]) if log else scaled[n]
                for n, log in zip(names, self.logarithmic, strict=True)
            ]
        )
        curve = curve + self.bends(bends, u, share)
        return from_response(_from_space(curve, self.space), self.response)

    def _share(self, output: Any, values: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        if self.floor is None or self.space != "log":
            return 1.0
        return jnp.clip(2.0 * (1.0 - self.floor(values) / output), _LEAST_SHARE, _MOST_SHARE)


def _from_space(values: Any, space: str) -> Any:
    import jax
    import jax.numpy as jnp

    if space == "log":
        return jnp.exp(values)
    return jax.nn.sigmoid(values) if space == "logit" else values


def _count(layout: Layout) -> int:
    groups = dict(layout.groups)
    return sum(
        len(groups[layout.column(n)]) if layout.column(n) else 1  # type: ignore[index]
        for n in layout.law.names
    )


def draw_functions(
    solved: Solved, shares: np.ndarray, count: int, rng: np.random.Generator, response: str = PLAIN
) -> tuple[BentLaw, np.ndarray]:
    """Draw functions from a member's experts.

    ``shares`` (K, G, P) are the experts' weights; ``count`` draws are allotted to them in
    proportion. Returns the function and the draws' numbers (count, q).
    """
    shares = _without_negligible(shares)
    taken = _dealt(shares, count, rng).reshape(shares.shape)
    function = _function(solved, shares, response)
    whole = _numbers(solved, taken, function, rng)
    # Draws come out expert by expert; shuffled, any prefix of them is a fair sample.
    return function, whole[rng.permutation(len(whole))]


def central_function(solved: Solved, shares: np.ndarray) -> np.ndarray:
    """Return the numbers (q,) of a member's central function, as :func:`draw_functions` draws them.

    It is that of the expert with the most weight, at its most probable parameters and with the
    mean of the discrepancy given them. Numbers of draws cannot be averaged one by one: a curve is
    not linear in them.
    """
    taken = np.zeros(shares.size, dtype=int)
    taken[np.argmax(shares)] = 1
    function = _function(solved, _without_negligible(shares), PLAIN)
    return _numbers(solved, taken.reshape(shares.shape), function, None)[0]


def _function(solved: Solved, shares: np.ndarray, response: str) -> BentLaw:
    """Return the function of the draws of experts with shares (K, G, P)."""
    member = solved.member
    # Only as many components as those experts have: each costs as much at every evaluation.
    kernels = [member.prior.kernels[k] for k in np.flatnonzero(shares.any(axis=(1, 2)))]
    return BentLaw(
        member.layout,
        member.floor,
        member.space,
        bends_over(grid_around(solved.site.u), _shortest(kernels)),
        tuple(bool(np.all(np.asarray(x) > 0)) for x in solved.table.data.inputs),
        response,
    )


def _shortest(kernels: Sequence[Sequence[Component]]) -> list[float]:
    """Return the shortest length of each component of kernels."""
    count = max(len(kernel) for kernel in kernels)
    return [min(k[i].length for k in kernels if i < len(k)) for i in range(count)]


def _numbers(
    solved: Solved, taken: np.ndarray, function: BentLaw, rng: np.random.Generator | None
) -> np.ndarray:
    """Draw so many functions of each expert (K, G, P); without ``rng``, their central ones."""
    member = solved.member
    grid = grid_around(solved.site.u)
    with float64_scope():
        drawn = [
            _of_expert(solved, place, taken, grid, function.bends, rng)
            for place in np.argwhere(taken).tolist()
        ]
        theta, variant, parts = (np.concatenate(x) for x in zip(*drawn, strict=True))
        start = _natural(solved, solved.start[None], np.array([solved.variant]))[0]
        natural = _natural(solved, theta, variant)
    unit = np.array([member.unit.get(name, 1.0) for name in member.layout.law.inputs])
    shared = np.tile(np.concatenate([start, unit]), (len(theta), 1))
    return np.concatenate([natural, shared, parts], axis=1)


def _normals(rng: np.random.Generator | None, count: int, size: int) -> np.ndarray:
    """Return standard normal numbers (count, size), zeros without a generator."""
    return np.zeros((count, size)) if rng is None else rng.standard_normal((count, size))


def _without_negligible(shares: np.ndarray) -> np.ndarray:
    """Drop experts of negligible weight: each needs its own factorisation."""
    # Dropped experts hold so little weight that systematic resampling would rarely reach them.
    return np.where(shares >= _NEGLIGIBLE * shares.max(), shares, 0.0)


def _dealt(shares: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Allot draws in proportion to shares: systematic resampling."""
    # One uniform offset for all draws: counts differ from count·share by less than one.
    edges = np.cumsum(shares.ravel() / shares.sum())
    at = (np.arange(count) + rng.random()) / count
    return np.bincount(np.minimum(np.searchsorted(edges, at), len(edges) - 1), minlength=len(edges))


def _of_expert(
    solved: Solved,
    place: Sequence[Any],
    taken: np.ndarray,
    grid: np.ndarray,
    representation: Bends,
    rng: np.random.Generator | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one expert's functions: coordinates (count, p), variants (count,), numbers of bends."""
    k, g, p = place
    count = int(taken[k, g, p])
    kernels, lanes, table = solved.member.prior.kernels, solved.lanes, solved.table
    theta_hat = lanes.theta[k, g, p]
    root = np.linalg.cholesky(_symmetric(lanes.inverse[k, g, p]))
    theta = theta_hat + _normals(rng, count, len(theta_hat)) @ root.T
    kernel = kernels[k]
    cross = np.concatenate([_cross(c, solved, grid) for c in kernel], axis=1)
    whitened = whitened_rows(table, k, g, cross)
    # From the law itself, not its linearisation: within range, δ has to compensate for what the
    # drawn parameters do to the curve.
    off = solved.observations.target - _curves(solved, theta, p, int(taken.max()))
    mean = whitened_rows(table, k, g, off.T).T @ whitened
    prior = [c.amplitude**2 * matern(distances(grid, grid) / c.length) for c in kernel]
    # The posterior of the components on the grid given the runs: a Schur complement.
    spread = _block_diagonal(prior) - whitened.T @ whitened
    # Close to the runs the conditional variance is rounding alone, perhaps negative.
    jitter = _JITTER * np.diag(spread).max() * np.eye(len(spread))
    bend_root = np.linalg.cholesky(_symmetric(spread) + jitter)
    bends = mean + _normals(rng, count, len(spread)) @ bend_root.T
    rows = _kriging_weights(kernel, prior, bends)
    powers, lengths = [c.power for c in kernel], [c.length for c in kernel]
    return theta, np.full(count, p), representation.numbers(grid, powers, lengths, rows)


def _cross(component: Component, solved: Solved, grid: np.ndarray) -> np.ndarray:
    """Covariance (n, M) between the runs' discrepancy and a component's own process."""
    apart = distances(solved.site.u, grid)
    share = solved.site.share[:, None] ** component.power
    return component.amplitude**2 * share * matern(apart / component.length)


def _kriging_weights(
    kernel: Sequence[Component], prior: Sequence[np.ndarray], bends: np.ndarray
) -> np.ndarray:
    """Return the weights (count, components, M) by which the kernel interpolates drawn values."""
    points = len(prior[0])
    rows = np.empty((len(bends), len(kernel), points))
    for i, component in enumerate(kernel):
        block = bends[:, i * points : (i + 1) * points]
        # Solved once, so that evaluation is one product.
        matrix = prior[i] / component.amplitude**2 + _JITTER * np.eye(points)
        rows[:, i] = np.linalg.solve(matrix, block.T).T
    return rows


@programs
def _curves_program(layout: Layout, space: str) -> Any:
    """Return a compiled program: coordinates (S, p), data and fixed values to curves (S, rows)."""
    import jax

    def one(theta: Any, data: Any, fixed: Any) -> Any:
        data = data._replace(fixed={**data.fixed, **fixed})
        return to_space(predict_rows(layout, theta, data), space)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def _curves(solved: Solved, theta: np.ndarray, variant: int, most: int) -> np.ndarray:
    """Return the law at the runs for coordinates (S, p) under a variant: (S, n), in the space.

    Padded to ``most`` coordinates, so that one program serves all experts.
    """
    member = solved.member
    fixed = {name: values[variant] for name, values in member.fixed.items()}
    program = _curves_program(member.layout, member.space)
    padded = pad_rows(theta, bucket(most))
    curves = np.asarray(program(padded, solved.table.data, fixed))
    return curves[: len(theta), : len(solved.observations)]


@programs
def _natural_program(layout: Layout) -> Any:
    """Return a compiled program: coordinates (S, p), fixed values (S,), centre to parameters."""
    import jax

    def one(theta: Any, fixed: Any, centre: Any) -> Any:
        return flatten(layout, layout.natural(theta, fixed, centre))

    return jax.jit(jax.vmap(one, in_axes=(0, 0, None)))


def _natural(solved: Solved, theta: np.ndarray, variant: np.ndarray) -> np.ndarray:
    """Return the law's parameters (S, q) at coordinates under variants of the prior (S,)."""
    member = solved.member
    rows = bucket(len(theta))
    fixed = {name: pad_rows(values[variant], rows) for name, values in member.fixed.items()}
    program = _natural_program(member.layout)
    natural = program(pad_rows(theta, rows), fixed, solved.table.data.centre)
    return np.asarray(natural)[: len(theta)]


def _block_diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    from scipy.linalg import block_diag

    return np.asarray(block_diag(*blocks))


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return 0.5 * (matrix + matrix.T)
