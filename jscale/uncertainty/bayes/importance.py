"""Importance sampling from a multivariate t around each mode, checked by Pareto's k.

Log weights are smoothed (PSIS, arXiv:1507.02646); k ≥ 0.7 says that the posterior's tails are too
far from the proposal's to be trusted. Weighted draws are turned into equally weighted ones by
systematic resampling, in random order, so that everything downstream takes them as it takes any
draws; the effective number of draws is that before resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jscale.uncertainty.arviz import smoothed_log_weights
from jscale.uncertainty.bayes.density import DensityInputs, Mode, Spec, log_joint_of_many
from jscale.uncertainty.bayes.modes import shares_of
from jscale.uncertainty.bayes.notes import COUNTING

RELIABLE = 0.7
FEWEST = 4000
_DF = 8.0
_AIM = 0.6
_ROUNDS = 3
_LEAST_PART = 0.1
_FIRST_PART = 0.2


@dataclass(frozen=True, eq=False)
class Weighted:
    """Points z (S, size) with ``weights`` (S,) adding up to one, and their quality.

    ``k`` is Pareto's, ``share`` the effective number of draws over their number, ``rounds`` the
    number of proposals.
    """

    z: np.ndarray
    weights: np.ndarray
    k: float
    share: float
    rounds: int

    @property
    def passes(self) -> bool:
        """Whether Pareto's k says that the weights can be relied on."""
        return self.k < RELIABLE

    @property
    def reliable(self) -> bool:
        """Whether the draws can stand for the posterior."""
        return self.passes and self.share >= COUNTING

    @property
    def rank(self) -> tuple[float, float]:
        """The key that ranks rounds: k that pass are equal, then the larger share is better."""
        return (-RELIABLE if self.passes else -self.k), self.share

    def resampled(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return equally weighted points (count, size): systematic resampling, shuffled."""
        edges = (rng.random() + np.arange(count)) / count
        pick = np.searchsorted(np.cumsum(self.weights), edges)
        return self.z[rng.permutation(np.minimum(pick, len(self.z) - 1))]


@dataclass(frozen=True, eq=False)
class _Proposal:
    """A mixture of multivariate t: centres (K, size), roots (K, size, size), shares (K,)."""

    centres: np.ndarray
    roots: np.ndarray
    shares: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return points (count, size), allotted to the components by their shares."""
        size = self.centres.shape[1]
        x = rng.standard_normal((count, size))
        # A t with few degrees of freedom: its tails must not be thinner than the posterior's.
        x /= np.sqrt(rng.chisquare(_DF, size=(count, 1)) / _DF)
        edges = np.round(np.cumsum(self.shares)[:-1] * count).astype(int)
        parts = np.split(x, edges)
        moved = zip(self.centres, self.roots, parts, strict=True)
        return np.concatenate([centre + part @ root.T for centre, root, part in moved])

    def log_densities(self, z: np.ndarray) -> np.ndarray:
        """Return log densities (K, S) of the components at points (S, size), times their shares.

        Up to one constant for all.
        """
        size, logs = z.shape[1], []
        for centre, root, share in zip(self.centres, self.roots, self.shares, strict=True):
            x = np.linalg.solve(root, (z - centre).T)
            shape = -0.5 * (_DF + size) * np.log1p(np.sum(x * x, axis=0) / _DF)
            # The normalising constant of the t is common to all components and left out.
            logs.append(np.log(share) - np.linalg.slogdet(root)[1] + shape)
        return np.stack(logs)


def importance(
    spec: Spec,
    given: DensityInputs,
    mode: Mode,
    count: int,
    rng: np.random.Generator,
    others: Sequence[Mode] = (),
) -> Weighted:
    """Draw weighted points, ``count`` or 4000; the proposal is adapted to their moments if needed.

    Fewer points seldom reach a tail, and weights look even where none did. For the same reason
    the first proposal remains a component of the adapted ones. With ``others``, further
    modes, the proposal is a mixture around all. Of the rounds, one whose k passes is kept, and of
    these that of the largest effective share. Call inside the float64 scope.
    """
    modes, count = (mode, *others), max(count, FEWEST)
    proposal = _Proposal(
        np.stack([m.z for m in modes]),
        np.stack([m.root for m in modes]),
        _at_least(shares_of(modes)),
    )
    best, first = None, proposal
    for rounds in range(1, _ROUNDS + 1):
        now = _round(spec, given, proposal, count, rng, rounds)
        if best is None or now.rank > best.rank:
            best = now
        # Stop also where too few points count for their moments to mean anything.
        if (best.passes and best.share >= _AIM) or now.share * count < 10 * spec.size:
            break
        proposal = _mixed(first, _moved(first, now))
    assert best is not None
    return best


def _round(
    spec: Spec,
    given: DensityInputs,
    proposal: _Proposal,
    count: int,
    rng: np.random.Generator,
    rounds: int,
) -> Weighted:
    """Propose, and weigh by the density of the whole mixture."""
    z = proposal.draw(count, rng)
    density = np.logaddexp.reduce(proposal.log_densities(z), axis=0)
    smoothed, k = smoothed_log_weights(log_joint_of_many(spec, z, given) - density)
    # Weights need no normalising constant of the joint density: they are normalised here.
    weights = np.exp(smoothed - smoothed.max())
    weights /= weights.sum()
    return Weighted(z, weights, k, 1.0 / float(np.sum(weights**2)) / count, rounds)


def _moved(proposal: _Proposal, now: Weighted) -> _Proposal:
    """Move each component to the weighted moments of its points.

    A point belongs to a component by its share of the mixture's density there (arXiv:0710.4242). A
    component with too few points for moments is unchanged.
    """
    log = proposal.log_densities(now.z)
    # How much of each point is due to each component: a soft assignment, as in EM.
    shared = np.exp(log - np.logaddexp.reduce(log, axis=0)) * now.weights
    shares, centres, roots = shared.sum(axis=1), proposal.centres.copy(), proposal.roots.copy()
    for k, weights in enumerate(shared):
        if weights.sum() ** 2 >= 10 * now.z.shape[1] * np.sum(weights**2):
            centres[k], roots[k] = _moments(now.z, weights / weights.sum())
    return _Proposal(centres, roots, _at_least(shares))


def _mixed(first: _Proposal, moved: _Proposal) -> _Proposal:
    """Return a mixture of both, with a fixed part of the points from the first."""
    return _Proposal(
        np.concatenate([moved.centres, first.centres]),
        np.concatenate([moved.roots, first.roots]),
        np.concatenate([(1.0 - _FIRST_PART) * moved.shares, _FIRST_PART * first.shares]),
    )


def _at_least(shares: np.ndarray) -> np.ndarray:
    """Give every component a minimum part of the points, as its share is not known beforehand."""
    shares = np.maximum(shares, _LEAST_PART if len(shares) > 1 else 1.0)
    return shares / shares.sum()


def _moments(z: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of points, and a root of their covariance."""
    centre = weights @ z
    off = z - centre
    # An eigenvalue root, since a Cholesky factor would fail where few points carry weight.
    values, vectors = np.linalg.eigh((off * weights[:, None]).T @ off)
    return centre, vectors * np.sqrt(np.maximum(values, 1e-14 * values.max()))
