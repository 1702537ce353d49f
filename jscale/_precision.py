"""The float64 scope: the only place that knows of JAX's precision switch.

JAX computes in float32 unless told otherwise, and the switch is local to a thread.
Host functions open the scope, compute, and convert to NumPy before they leave it:
a float64 JAX array that leaks out is silently demoted by the next operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def float64_scope() -> Any:
    """Return a context manager inside which JAX computes in float64 (this thread only)."""
    import jax

    return jax.enable_x64(True)


def float32_scope() -> Any:
    """Return a context manager inside which JAX computes in float32 (this thread only)."""
    import jax

    return jax.enable_x64(False)


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Run ``function`` in the float64 scope and return its arrays as NumPy arrays."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64_scope():
            return to_numpy(function(*args, **kwargs))

    return wrapped


def to_numpy(tree: Any) -> Any:
    """Convert every JAX array in a pytree to NumPy, leaving other leaves as they are."""
    import jax
    import numpy as np

    return jax.tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, tree)
