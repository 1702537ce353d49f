"""Kernels: how a law's discrepancy is correlated between two points of the inputs.

The discrepancy of the logarithm of the loss is a sum of components, each a Gaussian process with
covariance

    a² · (rho·rho')^p · M(‖u − u'‖ / length),   M(r) = (1 + √5·r + 5r²/3)·exp(−√5·r),

where u are the logarithms of the inputs and rho is twice the reducible share of the loss: the more
is left to learn, the further the truth may depart from the law. Lengths of many e-folds give a
slowly varying discrepancy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_ROOT5 = 5.0**0.5


class Component(NamedTuple):
    """One term of a kernel: the power p of the reducible share, the length, the amplitude a."""

    power: float
    length: float
    amplitude: float


class Site(NamedTuple):
    """Points as a kernel sees them: ``u`` (m, d) coordinates, ``share`` (m,) twice the reducible.

    ``share`` is 2·(1 − E/L) at the starting fit.
    """

    u: np.ndarray
    share: np.ndarray

    def __getitem__(self, rows: Any) -> Site:  # type: ignore[override]
        return Site(self.u[rows], self.share[rows])


def matern(r: Any) -> Any:
    """Return the Matérn-5/2 correlation at scaled distances r (NumPy or JAX).

    >>> matern(np.array([0.0, 1.0])).round(4)
    array([1.   , 0.524])
    """
    xp = np if isinstance(r, (np.ndarray, float)) else _jax_numpy()
    return (1.0 + _ROOT5 * r + (5.0 / 3.0) * r * r) * xp.exp(-_ROOT5 * r)


def _jax_numpy() -> Any:
    import jax.numpy

    return jax.numpy


def distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (n, m) between points (n, d) and (m, d)."""
    square = np.zeros((len(left), len(right)))
    for i in range(left.shape[1]):  # Avoids an (n, m, d) array: tables may have thousands of rows.
        square += (left[:, None, i] - right[None, :, i]) ** 2
    return np.sqrt(square)


def covariance(kernel: Sequence[Component], left: Site, right: Site) -> np.ndarray:
    """Return the discrepancy's covariance (n, m) between two sets of points."""
    apart = distances(left.u, right.u)
    total = np.zeros_like(apart)
    for power, length, amplitude in kernel:
        # The product of a function of each point keeps the covariance positive semi-definite.
        scale = np.outer(left.share**power, right.share**power)
        total += amplitude**2 * scale * matern(apart / length)
    return total


def variance(kernel: Sequence[Component], site: Site) -> np.ndarray:
    """Return the discrepancy's prior variance (m,) at points."""
    return sum(
        (c.amplitude**2 * site.share ** (2 * c.power) for c in kernel), np.zeros(len(site.share))
    )
