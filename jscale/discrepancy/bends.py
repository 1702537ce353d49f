"""Bends: a drawn discrepancy as a function of the inputs, from the numbers of a draw.

A draw is known at the points of a grid, between which the kernel interpolates. That takes an
exponential for each point of the grid. Over one or two inputs the drawn function is therefore
tabulated once on a regular lattice, whose cubic B-splines take four numbers along each input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from jscale.discrepancy.kernels import distances, matern

# A lattice has this many points in each length of the kernel, up to so many along each of one or
# two inputs: the spline is then off by a few hundredths of the amplitude at most.
_IN_A_LENGTH = 6.0
_LEAST, _MOST = 4, {1: 400, 2: 48}


class Bends(Protocol):
    """A discrepancy's sum of components, as a static part of a compiled function."""

    @property
    def size(self) -> int:
        """How many numbers a draw has."""
        ...

    def __call__(self, numbers: Any, u: Any, share: Any) -> Any:
        """Return the discrepancy (a scalar) at coordinates u (d,), given the reducible share."""
        ...

    def numbers(
        self, grid: np.ndarray, powers: Sequence[float], lengths: Sequence[float], rows: np.ndarray
    ) -> np.ndarray:
        """Return the numbers (count, size) of draws.

        ``rows`` (count, components, M) are kriging weights of the grid's points (M, d), zero for
        components that a draw does not have; ``powers`` and ``lengths`` are those of each.
        """
        ...


def bends_over(grid: np.ndarray, lengths: Sequence[float]) -> Bends:
    """Return how to represent draws on a grid (M, d) whose components have at least these lengths.

    Tabulated over one or two inputs. Over more, a lattice would take too much memory: kriged.
    """
    if grid.shape[1] not in _MOST:
        return Kriged(len(grid), grid.shape[1], len(lengths))
    points = np.ceil(np.ptp(grid, axis=0) * _IN_A_LENGTH / min(lengths)) + 1
    sizes = tuple(int(n) for n in np.clip(points, _LEAST, _MOST[grid.shape[1]]))
    return Tabulated(sizes, len(lengths))


@dataclass(frozen=True)
class Kriged:
    """Components interpolated by their own kernel between ``points`` of a grid over d inputs."""

    points: int
    inputs: int
    components: int

    @property
    def size(self) -> int:
        """The grid's coordinates, and each component's power, length and weights."""
        return self.points * self.inputs + self.components * (2 + self.points)

    def __call__(self, numbers: Any, u: Any, share: Any) -> Any:
        """Return the discrepancy at u (d,)."""
        import jax.numpy as jnp

        first = self.points * self.inputs
        grid = numbers[:first].reshape(self.points, self.inputs)
        rest = numbers[first:].reshape(self.components, 2 + self.points)
        # The small constant gives the square root a derivative at a grid point.
        apart = jnp.sqrt(jnp.sum((u - grid) ** 2, axis=1) + 1e-18)
        total = 0.0
        for i in range(self.components):
            power, length, weights = rest[i, 0], rest[i, 1], rest[i, 2:]
            total = total + share**power * jnp.sum(matern(apart / length) * weights)
        return total

    def numbers(
        self, grid: np.ndarray, powers: Sequence[float], lengths: Sequence[float], rows: np.ndarray
    ) -> np.ndarray:
        """Return the grid, then each component's power, length and weights."""
        count = len(rows)
        head = np.tile(grid.ravel(), (count, 1))
        parts = np.zeros((count, self.components, 2 + self.points))
        # Rows of absent components keep length 1, so that distances are not divided by zero.
        parts[:, :, 1] = 1.0
        for i, (power, length) in enumerate(zip(powers, lengths, strict=True)):
            parts[:, i, 0], parts[:, i, 1], parts[:, i, 2:] = power, length, rows[:, i]
        return np.concatenate([head, parts.reshape(count, -1)], axis=1)


@dataclass(frozen=True)
class Tabulated:
    """Components as cubic splines on one lattice, of ``sizes`` points along each input."""

    sizes: tuple[int, ...]
    components: int

    @property
    def size(self) -> int:
        """The components' powers, the lattice's lowest place and steps, and coefficients."""
        return self.components + 2 * len(self.sizes) + int(np.prod(self._table))

    @property
    def _table(self) -> tuple[int, ...]:
        return (self.components, *(n + 2 for n in self.sizes))

    def __call__(self, numbers: Any, u: Any, share: Any) -> Any:
        """Return the discrepancy at u (d,); past the lattice it stays as it is at the edge."""
        import jax
        import jax.numpy as jnp

        c, d = self.components, len(self.sizes)
        low, step = numbers[c : c + d], numbers[c + d : c + 2 * d]
        last = jnp.array(self.sizes) - 1
        t = jnp.clip((u - low) / step, 0.0, last)
        # The last point belongs to the interval before it.
        cell = jnp.minimum(jax.lax.stop_gradient(t).astype(int), last - 1)
        f = t - cell
        weights = jnp.asarray(_SPLINE) @ jnp.stack([jnp.ones_like(f), f, f**2, f**3])
        table = numbers[c + 2 * d :].reshape(self._table)
        part = jax.lax.dynamic_slice(table, (0, *cell), (c, *(4,) * d))
        for i in reversed(range(d)):
            # Each product contracts the last axis that is left.
            part = part @ weights[:, i]
        return jnp.sum(share ** numbers[:c] * part)

    def numbers(
        self, grid: np.ndarray, powers: Sequence[float], lengths: Sequence[float], rows: np.ndarray
    ) -> np.ndarray:
        """Return the powers, the lattice and the spline's coefficients."""
        count, low = len(rows), grid.min(axis=0)
        steps = np.ptp(grid, axis=0) / (np.array(self.sizes) - 1)
        axes = [low[k] + steps[k] * np.arange(n) for k, n in enumerate(self.sizes)]
        lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        apart = distances(lattice, grid)
        values = np.zeros((count, self.components, *self.sizes))
        for i, length in enumerate(lengths):
            values[:, i] = (rows[:, i] @ matern(apart / length).T).reshape(count, *self.sizes)
        powers = [*powers, *[0.0] * (self.components - len(powers))]
        head = np.tile(np.concatenate([powers, low, steps]), (count, 1))
        return np.concatenate([head, _filtered(values).reshape(count, -1)], axis=1)


# The four cubic B-splines of a cell, as polynomials of the place in it (rows by powers of f).
_SPLINE = np.array(
    [[1.0, -3.0, 3.0, -1.0], [4.0, 0.0, -6.0, 3.0], [1.0, 3.0, 3.0, -3.0], [0.0, 0.0, 0.0, 1.0]]
) / 6.0  # fmt: skip


def _filtered(values: np.ndarray) -> np.ndarray:
    """Return the spline's coefficients (count, c, n₁+2, …) of values (count, c, n₁, …)."""
    for axis in range(2, values.ndim):
        inverse = _inverse(values.shape[axis])
        values = np.moveaxis(np.tensordot(inverse, values, axes=(1, axis)), 0, axis)
    return values


@lru_cache
def _inverse(n: int) -> np.ndarray:
    """Return the matrix (n+2, n) from values to coefficients of a natural cubic spline."""
    system = np.zeros((n + 2, n + 2))
    for i in range(n):
        system[i, i : i + 3] = 1 / 6, 4 / 6, 1 / 6
    # No curvature at both ends.
    system[n, :3] = system[n + 1, -3:] = 1.0, -2.0, 1.0
    return np.linalg.inv(system)[:, :n]
