"""Maps between a parameter's support and the real line, on which the solver works."""

from __future__ import annotations

from typing import Any

from jscale.model.roles import FRACTION, POSITIVE

# Spaces in which the residuals of an output can be computed.
SPACES = ("log", "linear", "logit")


def to_support(u: Any, support: str) -> Any:
    """Map real numbers into a support: exp for "positive", sigmoid for "fraction" (JAX)."""
    import jax
    import jax.numpy as jnp

    if support == POSITIVE:
        return jnp.exp(u)
    if support == FRACTION:
        return jax.nn.sigmoid(u)
    return u


def to_line(value: Any, support: str) -> Any:
    """Map values in a support to real numbers; the inverse of :func:`to_support` (NumPy)."""
    import numpy as np

    value = np.asarray(value, dtype=np.float64)
    if support == POSITIVE:
        return np.log(value)
    if support == FRACTION:
        return np.log(value) - np.log1p(-value)
    return value
