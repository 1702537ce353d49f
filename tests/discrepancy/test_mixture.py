"""Mixtures of normals: quantiles, probabilities and densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from jscale.discrepancy.mixture import Normals

ONE = Normals(np.array([1.0]), np.array([[1.0, -2.0]]), np.array([[0.5, 3.0]]))
TWO = Normals(np.array([0.3, 0.7]), np.array([[0.0], [2.0]]), np.array([[1.0], [0.2]]))


@pytest.mark.parametrize("level", [0.025, 0.5, 0.9])
def test_one_normal_has_its_own_quantiles(level: float) -> None:
    expected = norm.ppf(level, [1.0, -2.0], [0.5, 3.0])
    np.testing.assert_allclose(ONE.quantile(level), expected, rtol=1e-10)


@pytest.mark.parametrize("level", [0.05, 0.31, 0.8])
def test_quantiles_invert_the_probability(level: float) -> None:
    assert TWO.cdf(TWO.quantile(level))[0] == pytest.approx(level, abs=1e-12)


def test_the_density_integrates_to_one_and_to_the_probability() -> None:
    x = np.linspace(-8, 8, 40_001)
    many = Normals(TWO.weights, np.repeat(TWO.mean, len(x), 1), np.repeat(TWO.sd, len(x), 1))
    density = np.exp(many.log_density(x))
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-6)
    assert np.trapezoid(density[x <= 1], x[x <= 1]) == pytest.approx(
        TWO.cdf(np.array([1.0]))[0], abs=1e-4
    )


def test_a_part_without_weight_does_not_matter() -> None:
    padded = Normals(
        np.array([0.3, 0.7, 0.0]), np.array([[0.0], [2.0], [1e6]]), np.array([[1.0], [0.2], [9.0]])
    )
    assert padded.quantile(0.9)[0] == pytest.approx(TWO.quantile(0.9)[0], rel=1e-12)
