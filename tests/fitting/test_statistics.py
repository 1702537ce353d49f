"""Small statistics: robust spreads, sums by group, scaled eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.fitting.statistics import (
    MAD_SCALE,
    floored,
    median,
    robust_spread,
    sums_by,
    unit_diagonal_eigh,
)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_the_median_is_numpys_bit_for_bit(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n)
    assert median(values) == float(np.median(values))
    assert values.tolist() != sorted(values.tolist()) or n == 1  # left as they were


def test_the_robust_spread_of_normal_errors_is_their_standard_deviation() -> None:
    values = 3.0 * np.random.default_rng(0).standard_normal(100_000)
    assert robust_spread(values) == pytest.approx(3.0, rel=0.01)
    assert robust_spread(values) == 1.4826 * float(np.median(np.abs(values)))
    assert pytest.approx(1.482602218505602, abs=5e-5) == MAD_SCALE


def test_the_robust_spread_ignores_outliers_and_is_around_zero() -> None:
    assert robust_spread(np.array([1.0, -1.0, 1.0, 1e9])) == MAD_SCALE
    assert robust_spread(np.full(5, 2.0)) == 2 * MAD_SCALE


def test_sums_come_in_the_order_of_the_units() -> None:
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert sums_by(values, np.array([5, 3, 5])).tolist() == [[2.0, 20.0], [5.0, 50.0]]
    assert sums_by(values[:, 0], np.array([0, 0, 0])).tolist() == [7.0]


def test_rows_that_stand_alone_in_order_are_their_own_sums() -> None:
    values = np.array([1.0, 2.0, 4.0])
    assert sums_by(values, np.array([0, 1, 7])).tolist() == values.tolist()
    assert sums_by(values, np.array([2, 1, 0])).tolist() == values[::-1].tolist()


def test_the_decomposition_gives_the_matrix_back() -> None:
    half = np.random.default_rng(1).standard_normal((6, 4)) * np.array([1e-6, 1.0, 1e3, 1e8])
    H = half.T @ half
    scale, values, vectors = unit_diagonal_eigh(H)
    np.testing.assert_allclose(np.diag(H) * scale**2, 1.0, rtol=1e-14)
    scaled = (vectors * values) @ vectors.T
    np.testing.assert_allclose(scaled / np.outer(scale, scale), H, rtol=1e-9, atol=1e-300)
    assert values.min() > 1e-3  # though H's own condition number is about 1e28


def test_a_diagonal_of_zero_or_below() -> None:
    scale, values, _ = unit_diagonal_eigh(np.diag([4.0, 0.0, -1.0]))
    assert scale.tolist() == [0.5, 1e150, 1.0]
    assert values.tolist() == [-1.0, 0.0, 1.0]


def test_small_eigenvalues_are_raised_to_a_floor() -> None:
    assert floored(np.array([-1.0, 1e-20, 1.0, 4.0])).tolist() == [4e-14, 4e-14, 1.0, 4.0]
    assert floored(np.empty(0)).tolist() == []
