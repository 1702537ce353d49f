"""Mixtures of normals: the predictive distribution of a forecast, at each point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_HALVINGS = 60
_REACH = 9.0


class Normals(NamedTuple):
    """A mixture at each of m points: weights (S,), means and standard deviations (S, m)."""

    weights: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability (m,) of a value at or below x (m,)."""
        from scipy.special import ndtr

        return self.weights @ ndtr((x - self.mean) / self.sd)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Return the log density (m,) at x (m,)."""
        from scipy.special import logsumexp

        z = (x - self.mean) / self.sd
        each = -0.5 * z * z - np.log(self.sd) - 0.5 * np.log(2.0 * np.pi)
        return np.asarray(logsumexp(each, axis=0, b=self.weights[:, None]))

    def quantile(self, level: float) -> np.ndarray:
        """Return the quantile (m,) at a level, by bisection to a relative 1e-15 of the bracket."""
        # Negligible components would widen the bracket and cost time.
        used = self.weights > 1e-12 * self.weights.max()
        mean, sd = self.mean[used], self.sd[used]
        # A mixture's quantile lies between those of its components.
        low, high = (mean - _REACH * sd).min(axis=0), (mean + _REACH * sd).max(axis=0)
        part = Normals(self.weights[used] / self.weights[used].sum(), mean, sd)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = part.cdf(middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)
