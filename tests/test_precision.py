"""The float64 scope: this thread only, left also by an error, and nothing of JAX leaks out."""

from __future__ import annotations

import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jscale._precision import float64_scope, in_float64, to_numpy


def width() -> Any:
    return jnp.asarray(1.0).dtype


def test_the_scope_is_float64_and_ends() -> None:
    assert width() == np.float32
    with float64_scope():
        assert width() == np.float64
    assert width() == np.float32


def test_an_error_ends_the_scope() -> None:
    with pytest.raises(KeyError), float64_scope():
        raise KeyError
    assert width() == np.float32


def test_another_thread_is_not_in_the_scope() -> None:
    found = []
    with float64_scope():
        thread = threading.Thread(target=lambda: found.append(width()))
        thread.start()
        thread.join()
    assert found == [np.float32]


def test_in_float64_computes_and_returns_numpy() -> None:
    @in_float64
    def third(x: float) -> Any:
        """Divide by three."""
        return {"value": jnp.asarray(x) / 3, "name": "third"}

    found = third(1.0)
    assert third.__doc__ == "Divide by three."
    assert isinstance(found["value"], np.ndarray)
    assert found["value"].dtype == np.float64
    assert found["value"] == 1.0 / 3.0
    assert found["name"] == "third"


def test_to_numpy_leaves_other_leaves_alone() -> None:
    thing = object()
    found = to_numpy([jnp.arange(2), thing, np.float32(1.0), 3])
    assert not isinstance(found[0], jax.Array)
    assert found[0].tolist() == [0, 1]
    assert found[1] is thing
    assert [type(leaf) for leaf in found[2:]] == [np.float32, int]
