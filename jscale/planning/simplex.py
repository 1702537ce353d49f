"""The lowest point of a function on a simplex with limits, for many functions in one batch.

A primal-dual interior-point method: shares stay strictly inside their limits while the barrier
that keeps them there is lowered to nothing, so optima at a corner are reached as surely as those
inside. Everything here is a pure function of arrays, safe under jit and vmap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_STEPS = 60
_HALVINGS = 12
_BARRIER = 1e-13
_LOWERED = 0.1
_TO_EDGE = 0.99
# A share this close to its limit counts as being at it.
_AT_LIMIT = 1e-7


class Lowest(NamedTuple):
    """Shares (…, k), the value there, and the gap that bounds it where the function is convex.

    No point of the simplex is lower than ``value`` − ``gap`` if the function is convex.
    """

    shares: Any
    value: Any
    gap: Any


def minimise(function: Callable[[Any], Any], start: Any, low: Any, high: Any) -> Lowest:
    """Minimise a smooth function of shares (k,) from an inner ``start``, low ≤ shares ≤ high (JAX).

    Directions are Newton's, the Hessian's eigenvalues taken positive, so that on a function that
    is not convex it still descends, to a local minimum.
    """
    import jax
    import jax.numpy as jnp

    slope, bend = jax.grad(function), jax.hessian(function)

    def barrier(r: Any, mu: Any) -> Any:
        return function(r) - mu * jnp.sum(jnp.log(r - low) + jnp.log(high - r))

    def step(_: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        r, above, below, mu = state
        values, vectors = jnp.linalg.eigh(bend(r))
        curved = (vectors * jnp.abs(values)) @ vectors.T
        matrix = curved + jnp.diag(above / (r - low) + below / (high - r))
        push = slope(r) - mu / (r - low) + mu / (high - r)
        free, level = jnp.linalg.solve(matrix, jnp.stack([-push, jnp.ones_like(r)], 1)).T
        move = free - level * jnp.sum(free) / jnp.sum(level)
        d_above = mu / (r - low) - above - above / (r - low) * move
        d_below = mu / (high - r) - below + below / (high - r) * move
        room = jnp.minimum(_room(r - low, move), _room(high - r, -move))
        tries = r + room * 0.5 ** jnp.arange(_HALVINGS)[:, None] * move
        merits = jax.vmap(barrier, (0, None))(tries, mu)
        new = tries[jnp.nanargmin(jnp.where(jnp.isfinite(merits), merits, jnp.inf))]
        dual = jnp.minimum(_room(above, d_above), _room(below, d_below))
        above, below = above + dual * d_above, below + dual * d_below
        left = jnp.mean(jnp.concatenate([above * (new - low), below * (high - new)]))
        return new, above, below, jnp.clip(_LOWERED * left, _BARRIER, mu)

    mu = 0.1 * jnp.abs(function(start)) / len(start)
    state = (start, mu / (start - low), mu / (high - start), mu)
    r = jax.lax.fori_loop(0, _STEPS, step, state)[0]
    r = _settled(r, low, high)
    return Lowest(r, function(r), jnp.sum(slope(r) * (r - _cheapest(slope(r), low, high))))


def _room(left: Any, move: Any) -> Any:
    """Return the fraction of a move, at most 1, that keeps all slacks positive."""
    import jax.numpy as jnp

    shrinks = move < 0
    limit = jnp.where(shrinks, left / jnp.where(shrinks, -move, 1.0), jnp.inf)
    return jnp.minimum(1.0, _TO_EDGE * jnp.min(limit))


def _settled(r: Any, low: Any, high: Any) -> Any:
    """Move shares close to a limit onto it; the others absorb the difference in proportion."""
    import jax.numpy as jnp

    at_low, at_high = r - low < _AT_LIMIT, high - r < _AT_LIMIT
    held = jnp.where(at_low, low, jnp.where(at_high, high, 0.0))
    free = ~(at_low | at_high)
    rest = jnp.sum(jnp.where(free, r, 0.0))
    scale = (1.0 - jnp.sum(held)) / jnp.where(rest > 0, rest, 1.0)
    # With no free share the limits themselves add up to 1, up to rounding.
    return jnp.where(free, r * scale, held)


def _cheapest(cost: Any, low: Any, high: Any) -> Any:
    """Return the shares of lowest linear cost: the cheapest are filled first."""
    import jax.numpy as jnp

    order = jnp.argsort(cost)
    room = (high - low)[order]
    before = jnp.cumsum(room) - room
    filled = jnp.clip(1.0 - jnp.sum(low) - before, 0.0, room)
    return low.at[order].add(filled)


def inner_starts(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return starts (1 + k, k) strictly inside the limits: the middle, and one near each corner.

    >>> inner_starts(np.zeros(2), np.ones(2)).round(2).tolist()
    [[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]]
    """
    room = high - low
    part = (1 - low.sum()) / room.sum()
    middle = low + part * room
    starts = [middle]
    for j in range(len(low)):
        corner = low.copy()
        left = 1 - low.sum()
        for i in (j, *(i for i in range(len(low)) if i != j)):
            corner[i] += min(room[i], left)
            left -= min(room[i], left)
        starts.append(0.2 * middle + 0.8 * corner)
    return np.array(starts)
