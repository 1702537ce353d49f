"""Parabolas of the loss in ln N, fitted to all resamples at once, and their minima."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SINGULAR = 1e-9
_FARTHEST = 300.0  # in ln N: the minimum of an almost flat resample must not overflow


@dataclass(frozen=True, eq=False)
class Parabolas:
    """Parabolas loss = level + slope·u + curvature·u² with u = ln N − ``centre``, one per lane.

    ``coefficients`` (R, 3) are NaN in a lane with fewer than three sizes. ``low`` and ``high`` are
    the smallest and the largest N fitted.
    """

    coefficients: np.ndarray
    centre: float
    low: float
    high: float

    @classmethod
    def fit(cls, N: np.ndarray, loss: np.ndarray, weights: np.ndarray) -> Parabolas:
        """Fit by least squares, a lane per row of ``weights`` (R, n)."""
        x = np.log(N)
        centre, width = float(x.mean()), max(float(np.ptp(x)) / 2, 1e-300)
        # Scaled to about [−1, 1]: ln N and its square are almost collinear.
        u = (x - centre) / width
        root = np.sqrt(weights)[:, :, None]
        q, r = np.linalg.qr(root * np.stack([np.ones_like(u), u, u**2], axis=1))
        size = np.abs(np.diagonal(r, axis1=1, axis2=2))
        singular = size.min(axis=1) <= _SINGULAR * size.max(axis=1)
        r[singular] = np.eye(3)  # so that the batch can be solved; their solutions are discarded
        projected = np.swapaxes(q, 1, 2) @ (root * loss[:, None])
        coefficients = np.linalg.solve(r, projected)[:, :, 0] / width ** np.arange(3)
        coefficients[singular] = np.nan
        return cls(coefficients, centre, float(N.min()), float(N.max()))

    @property
    def opens_upward(self) -> np.ndarray:
        """Whether each lane has a minimum (R,)."""
        return self.coefficients[:, 2] > 0

    @property
    def inside(self) -> np.ndarray:
        """Whether each lane has a minimum within the range of sizes fitted (R,)."""
        N = self.minimum[0]
        return (self.low <= N) & (self.high >= N)

    @property
    def minimum(self) -> tuple[np.ndarray, np.ndarray]:
        """N and loss where each lane is lowest (R,), NaN where it opens downward."""
        level, slope, curvature = self.coefficients.T
        with np.errstate(all="ignore"):
            curvature = np.where(self.opens_upward, curvature, np.nan)
            x = self.centre - slope / (2 * curvature)
            return np.exp(np.clip(x, -_FARTHEST, _FARTHEST)), level - slope**2 / (4 * curvature)
