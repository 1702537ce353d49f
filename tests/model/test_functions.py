"""power(): value and derivatives, at zero too, and for integers of any size."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.model.functions import power


def test_it_is_x_to_the_p() -> None:
    x = np.array([1e-3, 1.0, 7e9, 1e24])[:, None]
    p = np.array([-2.0, -0.34, 0.0, 0.5, 3.0])
    with float64_scope():
        np.testing.assert_allclose(power(x, p), x**p, rtol=1e-13)


@pytest.mark.parametrize(("p", "value"), [(0.5, 0.0), (2.0, 0.0), (0.0, 1.0), (-0.5, np.inf)])
def test_zero_to_a_power(p: float, value: float) -> None:
    assert float(power(0.0, p)) == value


def test_zero_among_other_numbers() -> None:
    with float64_scope():
        powers = np.asarray(power(np.array([0.0, 4.0]), 0.5))
    np.testing.assert_allclose(powers, [0.0, 2.0], rtol=1e-15)


def test_a_negative_base_gives_nan() -> None:
    assert np.isnan(float(power(-2.0, 2.0)))


@pytest.mark.parametrize("p", [0.5, 2.0])
def test_derivatives_at_zero_are_zero_and_not_nan(p: float) -> None:
    by_x, by_p = jax.grad(power, argnums=(0, 1))(0.0, p)
    assert float(by_x) == 0.0
    assert float(by_p) == 0.0


def test_derivatives_away_from_zero() -> None:
    x, p = 3.0, -0.4
    with float64_scope():
        by_x, by_p = jax.grad(power, argnums=(0, 1))(x, p)
        np.testing.assert_allclose(by_x, p * x ** (p - 1), rtol=1e-14)
        np.testing.assert_allclose(by_p, np.log(x) * x**p, rtol=1e-14)


@pytest.mark.parametrize("x", [10**12, np.int64(10**12), np.array([10**12])], ids=type)
def test_integers_beyond_32_bits_are_taken_as_they_are(x: object) -> None:
    np.testing.assert_allclose(np.ravel(power(x, -0.5)), 1e-6, rtol=1e-5)
