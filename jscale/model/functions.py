"""Functions to write laws with, right in value and derivative at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np


def power(x: Any, p: Any) -> Any:
    """Return x^p as exp(p·ln x) for x ≥ 0, with 0^p = 0 for p > 0 and 0^0 = 1.

    Shapes broadcast; integers of any size are taken as floating-point numbers. At x = 0 with
    p > 0 the derivative by p is 0, and that by x is taken as 0 (XLA's own power gives NaN there,
    and is about ten times slower). At x = 0 with p < 0 the result is infinite, which rejects
    the step of a fit; negative x gives NaN.

    >>> float(power(4.0, -0.5))
    0.5
    """
    import jax
    import jax.numpy as jnp

    if not isinstance(x, (jax.Array, float)):  # JAX cuts int64 to 32 bits outside float64 scope
        x = np.asarray(x, dtype=np.float64)
    p = jnp.asarray(p)
    zero = x == 0
    safe = jnp.where(zero, 1.0, x)
    raised = jnp.exp(p * jnp.log(safe))
    at_zero = jnp.where(p > 0, 0.0, jnp.where(p < 0, jnp.inf, 1.0))
    return jnp.where(zero, at_zero, raised)
