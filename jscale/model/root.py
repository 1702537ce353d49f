"""A differentiable root finder for implicit laws.

Some laws have the loss on both sides of the equation, or define an optimum as the zero of a slope.
The search itself is not differentiated. Two differentiated Newton steps after it carry the first
and second derivatives exactly, since each step doubles the order to which they are correct.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Bisection alone reaches rounding in about 53 steps.
_MOST_STEPS = 60


def root(function: Callable[[Any, Any], Any], args: Any, low: Any, high: Any) -> Any:
    """Return the root of a function between two bounds.

    Parameters
    ----------
    function : callable
        Takes a scalar and ``args``, and changes sign once between the bounds. Everything else
        that it depends on must be in ``args``.
    args : pytree
        Arguments by which the root can be differentiated.
    low, high : scalar
        Bounds of the root. The result is not differentiated by them.

    Returns
    -------
    jax.Array
        The scalar x with function(x, args) = 0; NaN where the signs at the bounds are equal.

    Notes
    -----
    Newton's method safeguarded by bisection, to a relative step of 1e-13. Works under ``vmap``
    and other JAX transformations.

    Examples
    --------
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
    x = _search(function, still(args), still(low), still(high))
    for _ in range(2):
        value, slope = jax.value_and_grad(function)(x, args)
        x = x - value / jnp.where(slope == 0, 1.0, slope)
    return x


def _search(function: Callable[[Any, Any], Any], args: Any, low: Any, high: Any) -> Any:
    """Return the root by safeguarded Newton steps, which are not differentiated."""
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
        # A bound counts as inside: x is a bound once Newton's step has shrunk to nothing.
        inside = (newton >= low) & (newton <= high)
        new = jnp.where(inside, newton, 0.5 * (low + high))
        moved = jnp.abs(new - x) > 1e-13 * (1.0 + jnp.abs(x))
        return low, high, new, moved & (value != 0), count + 1

    def unfinished(state: tuple[Any, ...]) -> Any:
        return state[3] & (state[4] < _MOST_STEPS)

    # Adding 0 gives the loop's state the shape and type of the function's value from the start.
    start = 0.5 * (low + high) + 0.0 * at_low
    low, high = low + 0.0 * start, high + 0.0 * start
    state = (low, high, start, jnp.isfinite(start), 0)
    x = jax.lax.while_loop(unfinished, step, state)[2]
    return jnp.where(at_low * at_high <= 0, x, jnp.nan)
