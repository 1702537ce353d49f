"""The t-tailed normal approximation of a fit's coordinates at its optimum."""

from __future__ import annotations

import numpy as np


def t_draws(
    theta: np.ndarray, covariance: np.ndarray, freedom: int, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw coordinates (count, p) from a multivariate t around ``theta`` (p,).

    ``freedom`` degrees of freedom (runs less parameters), since the spread is itself estimated.
    A coordinate of infinite variance, which no prediction depends on, stays where it is.
    """
    unknown = ~np.isfinite(np.diag(covariance))
    known = np.where(np.add.outer(unknown, unknown), 0.0, covariance)
    values, vectors = np.linalg.eigh(known)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = rng.standard_normal((count, len(theta)))
    wide = np.sqrt(freedom / rng.chisquare(freedom, size=(count, 1)))
    return theta + (z * wide) @ root.T
