"""The lowest point of a simplex with limits, against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.planning.simplex import inner_starts, minimise


def test_starts_lie_inside() -> None:
    low, high = np.array([0.1, 0.0, 0.05]), np.array([0.3, 0.6, 1.0])
    starts = inner_starts(low, high)
    np.testing.assert_allclose(starts.sum(axis=1), 1)
    assert ((starts > low) & (starts < high)).all()


def test_starts_near_corners_that_limits_cut_off() -> None:
    """A corner fills its own share first, then the others in order, up to their limits."""
    low, high = np.zeros(3), np.array([0.5, 0.9, 1.0])
    middle, *corners = inner_starts(low, high)
    np.testing.assert_allclose(middle, high / high.sum())
    np.testing.assert_allclose(corners[0], 0.2 * middle + 0.8 * np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(corners[1], 0.2 * middle + 0.8 * np.array([0.1, 0.9, 0.0]))
    np.testing.assert_allclose(corners[2], 0.2 * middle + 0.8 * np.array([0.0, 0.0, 1.0]))


def nearest_point(target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The point of the simplex with limits nearest to a target: clip(target − t), Σ = 1."""
    from scipy.optimize import brentq

    shift: Any = brentq(lambda t: np.clip(target - t, low, high).sum() - 1, -10, 10, xtol=1e-14)
    return np.clip(target - shift, low, high)


@pytest.fixture(scope="module")
def solved() -> Any:
    """Squared distances to targets, minimised in one batch."""
    import jax

    targets = np.array([[0.2, 0.3, 0.5], [0.9, 0.4, -0.5], [3.0, 0.0, 0.0], [-1.0, -1.0, 0.2]])
    low = np.array([[0.0] * 3, [0.0] * 3, [0.0, 0.1, 0.0], [0.2, 0.1, 0.0]])
    high = np.array([[1.0] * 3, [1.0] * 3, [0.7, 1.0, 1.0], [1.0, 1.0, 0.4]])
    starts = np.array([inner_starts(*ends)[0] for ends in zip(low, high, strict=True)])

    def one(target: Any, start: Any, low: Any, high: Any) -> Any:
        return minimise(lambda r: ((r - target) ** 2).sum(), start, low, high)

    with float64_scope():
        lowest = jax.jit(jax.vmap(one))(targets, starts, low, high)
        return targets, low, high, [np.asarray(x) for x in lowest]


def test_projections_on_the_simplex(solved: Any) -> None:
    targets, low, high, (shares, value, _) = solved
    exact = np.array([nearest_point(*row) for row in zip(targets, low, high, strict=True)])
    np.testing.assert_allclose(shares, exact, atol=1e-7)
    np.testing.assert_allclose(value, ((exact - targets) ** 2).sum(axis=1), atol=1e-7)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)


def test_shares_at_a_limit_are_there_exactly(solved: Any) -> None:
    _, low, high, (shares, _, _) = solved
    assert shares[1, 2] == 0.0
    assert shares[2, 0] == high[2, 0]
    assert shares[3, 2] == high[3, 2]
    assert ((shares >= low) & (shares <= high)).all()


def test_the_gap_bounds_how_much_lower_any_point_can_be(solved: Any) -> None:
    *_, (_, _, gap) = solved
    assert (gap >= -1e-12).all()
    assert (gap < 1e-6).all()
