"""Importance sampling from a multivariate t around the mode, checked by Pareto's k.

Log weights are smoothed (PSIS, arXiv:1507.02646); k ≥ 0.7 says that the posterior's tails are too
far from the proposal's to be trusted. Weighted draws are turned into equally weighted ones by
systematic resampling, in random order, so that everything downstream takes them as it takes any
draws; the effective number of draws is that before resampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jscale.uncertainty.arviz import smoothed_log_weights
from jscale.uncertainty.joint import Given, Mode, Spec, log_joint_of_many

RELIABLE = 0.7
ENOUGH = 0.4
_DF = 8.0
_AIM = 0.6
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Weighted:
    """Points z (S, size) with ``weights`` (S,) adding up to one, and how good they are.

    ``k`` is Pareto's, ``share`` the effective number of draws over their number, ``rounds`` how
    often the proposal was made.
    """

    z: np.ndarray
    weights: np.ndarray
    k: float
    share: float
    rounds: int

    @property
    def reliable(self) -> bool:
        """Whether the draws can stand for the posterior."""
        return self.k < RELIABLE and self.share >= ENOUGH

    def resampled(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return equally weighted points (count, size): systematic resampling, shuffled."""
        edges = (rng.random() + np.arange(count)) / count
        pick = np.searchsorted(np.cumsum(self.weights), edges)
        return self.z[rng.permutation(np.minimum(pick, len(self.z) - 1))]


def importance(
    spec: Spec, given: Given, mode: Mode, count: int, rng: np.random.Generator
) -> Weighted:
    """Draw ``count`` weighted points; the proposal is moved to their moments where it fits badly.

    Call inside the float64 scope.
    """
    centre, root, found = mode.z, mode.root, None
    for rounds in range(1, _ROUNDS + 1):
        now = _round(spec, given, centre, root, count, rng, rounds)
        if found is None or now.share > found.share:
            found = now
        if found.share >= _AIM or now.share * count < 10 * spec.size:
            break
        centre, root = _moments(now)
    assert found is not None
    return found


def _round(
    spec: Spec, given: Given, centre: np.ndarray, root: np.ndarray, count: int,
    rng: np.random.Generator, rounds: int,
) -> Weighted:  # fmt: skip
    """Propose from a t with 8 degrees of freedom and weigh."""
    x = rng.standard_normal((count, spec.size))
    x /= np.sqrt(rng.chisquare(_DF, size=(count, 1)) / _DF)
    proposal = -0.5 * (_DF + spec.size) * np.log1p(np.sum(x * x, axis=1) / _DF)
    z = centre + x @ root.T
    log_weight = log_joint_of_many(spec, z, given) - proposal
    smoothed, k = smoothed_log_weights(log_weight)
    weights = np.exp(smoothed - smoothed.max())
    weights /= weights.sum()
    return Weighted(z, weights, k, 1.0 / float(np.sum(weights**2)) / count, rounds)


def _moments(now: Weighted) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of points, and a root of their covariance."""
    centre = now.weights @ now.z
    off = now.z - centre
    values, vectors = np.linalg.eigh((off * now.weights[:, None]).T @ off)
    return centre, vectors * np.sqrt(np.maximum(values, 1e-14 * values.max()))
