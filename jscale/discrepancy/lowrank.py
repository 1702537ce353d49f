"""Low rank: the covariance of a smooth process at many runs, by few columns.

A slowly varying discrepancy takes hardly more values at thousands of runs than at a hundred well
chosen ones. The pivoted Cholesky decomposition chooses them, and ends where what is left of every
run's variance is far below its noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jscale.discrepancy.kernels import Component, Site, covariance, variance
from jscale.discrepancy.whitening import Root, apply_root

MOST_ROWS = 512
# What is left out of each run's variance and of each eigenvalue, as shares of the noise's.
_LEFT, _LEFT_EIGENVALUE = 0.002, 0.01


def pivoted_cholesky(
    column: Callable[[int], np.ndarray], diagonal: np.ndarray, tolerance: np.ndarray, most: int
) -> np.ndarray:
    """Return L (r, n) with C ≈ Lᵀ·L, for a covariance given by its columns and diagonal (n,).

    Ends when what is left of each diagonal element is within its tolerance (n,), or at ``most``
    rows.
    """
    left = diagonal.astype(np.float64)
    rows = np.zeros((min(most, len(diagonal)), len(diagonal)))
    for i in range(len(rows)):
        pivot = int(np.argmax(left / tolerance))
        if left[pivot] <= tolerance[pivot]:
            return rows[:i]
        rows[i] = (column(pivot) - rows[:i, pivot] @ rows[:i]) / np.sqrt(left[pivot])
        left = np.maximum(left - rows[i] ** 2, 0.0)
    return rows


def smooth_basis(
    kernel: Sequence[Component], site: Site, root: Root, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return orthonormal rows (r, n) and eigenvalues (r,) of a kernel's covariance under a root.

    Eigenvalues below a hundredth of the noise's variance are left out.
    """
    tolerance = _LEFT * noise / root.scale**2

    def column(i: int) -> np.ndarray:
        return covariance(kernel, site, site[i : i + 1])[:, 0]

    lower = pivoted_cholesky(column, variance(kernel, site), tolerance, MOST_ROWS)
    # Through QR, since squaring the factor would lose the small eigenvalues.
    q, r = np.linalg.qr(apply_root(root, np.ascontiguousarray(lower.T)))
    left, singular, _ = np.linalg.svd(r)
    kept = singular**2 > _LEFT_EIGENVALUE * noise
    return (q @ left[:, kept]).T, singular[kept] ** 2
