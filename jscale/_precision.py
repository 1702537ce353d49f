"""The float64 scope: the only module that touches JAX's precision switch.

JAX computes in float32 by default, and the switch is local to a thread. Host functions open the
scope, compute, and convert their results to NumPy before they leave it: a float64 JAX array that
leaks out of the scope is silently demoted by the next operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def float64_scope() -> Any:
    """Return a context manager within which JAX computes in float64 (in this thread only)."""
    import jax

    return jax.enable_x64(True)


def float32_scope() -> Any:
    """Return a context manager within which JAX computes in float32 (in this thread only)."""
    import jax

    return jax.enable_x64(False)


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap ``function`` to run in the float64 scope and to return NumPy arrays."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64_scope():
            return to_numpy(function(*args, **kwargs))

    return wrapped


def to_numpy(tree: Any) -> Any:
    """Convert every JAX array of a pytree to NumPy and leave the other leaves unchanged."""
    import jax
    import numpy as np

    return jax.tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, tree)
