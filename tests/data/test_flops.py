"""C = 6·N·D in float64, also where the product of the integers would wrap around."""

from __future__ import annotations

import numpy as np

from jscale.data.flops import training_flops


def test_integers_do_not_overflow() -> None:
    N = np.array([70_000_000_000], dtype=np.int64)
    D = np.array([1_400_000_000_000], dtype=np.int64)
    with np.errstate(over="ignore"):
        assert (6 * N * D != 5.88e23).all()
    compute = training_flops(N, D)
    assert compute.dtype == np.float64
    np.testing.assert_allclose(compute, 5.88e23, rtol=1e-15)


def test_shapes_broadcast() -> None:
    compute = training_flops(np.array([1e6, 2e6])[:, None], [1e8, 2e8, 3e8])
    assert compute.shape == (2, 3)
    assert compute[1, 2] == 6 * 2e6 * 3e8
