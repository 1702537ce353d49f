"""Low rank: the covariance of a smooth process from few of its columns."""

from __future__ import annotations

import numpy as np

from jscale.discrepancy.kernels import Component, Site, covariance
from jscale.discrepancy.lowrank import MOST_ROWS, pivoted_cholesky, smooth_basis
from jscale.discrepancy.whitening import apply_root, noise_root

SITE = Site(np.random.default_rng(0).uniform(0.0, 6.0, (700, 2)), np.ones(700))
SMOOTH = (Component(1.0, 6.0, 0.1),)


def test_it_ends_within_the_tolerance() -> None:
    whole = covariance(SMOOTH, SITE, SITE)
    lower = pivoted_cholesky(lambda i: whole[:, i], np.diag(whole), np.full(700, 1e-6), 700)
    assert len(lower) < 150
    left = np.diag(whole - lower.T @ lower)
    assert np.abs(left).max() <= 1.01e-6


def test_it_ends_at_the_most_rows() -> None:
    whole = covariance(SMOOTH, SITE, SITE)
    few = pivoted_cholesky(lambda i: whole[:, i], np.diag(whole), np.full(700, 1e-12), 20)
    assert few.shape == (20, 700)


def test_the_basis_is_orthonormal_and_gives_the_covariance_to_a_share_of_the_noise() -> None:
    noise, root = 2.5e-5, noise_root(np.linspace(1.0, 3.0, 700), None, None)
    basis, spectrum = smooth_basis(SMOOTH, SITE, root, noise)
    assert len(basis) == len(spectrum) < MOST_ROWS
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-10)
    matrix = apply_root(root, np.eye(700))
    off = matrix @ covariance(SMOOTH, SITE, SITE) @ matrix.T - basis.T @ (spectrum[:, None] * basis)
    assert np.linalg.norm(off, 2) < 0.05 * noise
