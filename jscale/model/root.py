"""root: where a function of one number is zero, with derivatives, for implicit laws.

Some laws give the loss on both sides of the equation, or an optimum as the zero of a slope.
The search itself is not differentiated; two open Newton steps after it carry first and second
derivatives exactly, for each step doubles the order to which they are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MOST_STEPS = 60


def root(function: Callable[[Any, Any], Any], args: Any, low: Any, high: Any) -> Any:
    """Return x in [low, high] with function(x, args) = 0 (a scalar; JAX-safe, vmaps).

    ``function`` takes a number and ``args`` (any pytree), and must change sign once between
    ``low`` and ``high``; whatever it depends on must come by ``args``. Newton's method, kept
    inside the bracket by bisection, to a relative step of 1e-13. The result is differentiable by
    ``args``, not by the bracket. NaN where the ends have the same sign.

    >>> import jax
    >>> from jscale.model.root import root
    >>> square = lambda a: root(lambda x, a: x * x - a, a, 0.0, 10.0)
    >>> with jax.enable_x64(True):
    ...     print(round(float(square(4.0)), 9), round(float(jax.grad(square)(4.0)), 9))
    2.0 0.25
    """
    import jax
    import jax.numpy as jnp

    still = jax.lax.stop_gradient
    found = _search(function, still(args), still(low), still(high))
    x = found
    for _ in range(2):
        value, slope = jax.value_and_grad(function)(x, args)
        x = x - value / jnp.where(slope == 0, 1.0, slope)
    return x


def _search(function: Callable[[Any, Any], Any], args: Any, low: Any, high: Any) -> Any:
    """Find the root without derivatives by ``args``."""
    import jax
    import jax.numpy as jnp

    at_low, at_high = function(low, args), function(high, args)
    rising = at_high > at_low

    def step(state: tuple[Any, ...]) -> tuple[Any, ...]:
        low, high, x, _, count = state
        value, slope = jax.value_and_grad(function)(x, args)
        above = (value > 0) == rising
        low, high = jnp.where(above, low, x), jnp.where(above, x, high)
        newton = x - value / slope
        # An end counts as inside: it is x itself once Newton's step has shrunk to nothing.
        inside = (newton >= low) & (newton <= high)
        new = jnp.where(inside, newton, 0.5 * (low + high))
        moved = jnp.abs(new - x) > 1e-13 * (1.0 + jnp.abs(x))
        return low, high, new, moved & (value != 0), count + 1

    def unfinished(state: tuple[Any, ...]) -> Any:
        return state[3] & (state[4] < _MOST_STEPS)

    start = 0.5 * (low + high) + 0.0 * at_low
    low, high = low + 0.0 * start, high + 0.0 * start
    state = (low, high, start, jnp.isfinite(start), 0)
    x = jax.lax.while_loop(unfinished, step, state)[2]
    return jnp.where(at_low * at_high <= 0, x, jnp.nan)
