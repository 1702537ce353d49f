"""Kernels: correlations, shares and sums of components."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.discrepancy.kernels import Component, Site, covariance, distances, matern, variance

RNG = np.random.default_rng(0)
SITE = Site(RNG.normal(size=(12, 2)) * 3, RNG.uniform(0.2, 1.5, 12))
KERNEL = (Component(2.0, 6.0, 0.3), Component(0.0, 1.0, 0.05))


def test_matern_is_its_integral_of_the_spectral_density() -> None:
    # Matérn-5/2 is the Fourier transform of a Student-t density with 5 degrees of freedom.
    from scipy.stats import t as student

    frequency = np.linspace(-60, 60, 200_001)
    density = student(5).pdf(frequency)
    for r in (0.0, 0.3, 1.0, 2.5):
        by_spectrum = np.trapezoid(density * np.cos(frequency * r), frequency)
        assert matern(np.array([r]))[0] == pytest.approx(by_spectrum, abs=1e-5)


def test_distances_are_euclidean() -> None:
    left, right = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 3))
    expected = np.linalg.norm(left[:, None] - right[None], axis=2)
    np.testing.assert_allclose(distances(left, right), expected)


def test_the_diagonal_is_the_variance() -> None:
    np.testing.assert_allclose(np.diag(covariance(KERNEL, SITE, SITE)), variance(KERNEL, SITE))


def test_a_covariance_is_symmetric_and_positive() -> None:
    matrix = covariance(KERNEL, SITE, SITE)
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-12


def test_the_share_scales_by_its_power() -> None:
    double = Site(SITE.u, 2 * SITE.share)
    (long, short) = ((c,) for c in KERNEL)
    np.testing.assert_allclose(covariance(long, double, double), 16 * covariance(long, SITE, SITE))
    np.testing.assert_allclose(covariance(short, double, double), covariance(short, SITE, SITE))


def test_components_add_up() -> None:
    parts = sum(covariance((c,), SITE, SITE) for c in KERNEL)
    np.testing.assert_allclose(covariance(KERNEL, SITE, SITE), parts)
