"""Functions to write laws with whose values and derivatives are right at zero."""

from __future__ import annotations

from typing import Any

import numpy as np


def power(x: Any, p: Any) -> Any:
    """Return x^p for x ≥ 0, as exp(p·ln x).

    Parameters
    ----------
    x : array_like
        Base, 0 or above. Integers of any size are converted to floating-point numbers.
    p : array_like
        Exponent of any sign. Broadcasts with ``x``.

    Returns
    -------
    jax.Array
        x^p, with 0^p = 0 for p > 0 and 0^0 = 1; NaN for negative x.

    Notes
    -----
    At x = 0 with p > 0 the derivative by p is 0, and that by x is defined as 0. XLA's own power
    gives NaN there, and is about ten times slower. At x = 0 with p < 0 the result is infinite, so
    that a fit rejects the step.

    Examples
    --------
    >>> from jscale import power
    >>> float(power(4.0, -0.5))
    0.5
    """
    import jax
    import jax.numpy as jnp

    if not isinstance(x, (jax.Array, float)):  # JAX truncates int64 outside float64 scope
        x = np.asarray(x, dtype=np.float64)
    p = jnp.asarray(p)
    zero = x == 0
    # A double where: the logarithm is of 1 at x = 0, so that its derivative there is finite too.
    safe = jnp.where(zero, 1.0, x)
    raised = jnp.exp(p * jnp.log(safe))
    at_zero = jnp.where(p > 0, 0.0, jnp.where(p < 0, jnp.inf, 1.0))
    return jnp.where(zero, at_zero, raised)
