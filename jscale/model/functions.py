"""Functions to write laws with, right in value and derivative at the edges."""

from __future__ import annotations

from typing import Any


def power(x: Any, p: Any) -> Any:
    """Return x^p as exp(p·ln x) for x ≥ 0, with 0^p = 0 for p > 0.

    Shapes broadcast; value and derivatives are right at x = 0 for p > 0 (there XLA's own power
    gives NaN derivatives, and it is about ten times slower). At x = 0 with p < 0 the result is
    infinite, which rejects the step of a fit; negative x gives NaN.

    >>> float(power(4.0, -0.5))
    0.5
    """
    import jax.numpy as jnp

    zero = x == 0
    safe = jnp.where(zero, 1.0, x)
    raised = jnp.exp(p * jnp.log(safe))
    return jnp.where(zero, jnp.where(jnp.asarray(p) > 0, 0.0, jnp.inf), raised)
