"""The grid on which a discrepancy is drawn: places of the runs, and a lattice around them.

At the runs the discrepancy is known best, and must make up for what drawn parameters do to the
law: without their places drawn functions would be wider than their distribution there.
"""

from __future__ import annotations

import numpy as np

from jscale.discrepancy.kernels import distances

# The lattice outside the runs' range, in e-folds of each input: up to a thousandfold above. Far out
# only the long components matter, which need few points.
_OUTSIDE = {1: (-2.3, -1.1, 0.4, 0.8, 1.2, 1.8, 2.4, 3.2, 4.0, 5.0, 6.0, 6.9),
            2: (-2.3, 1.5, 4.0, 6.9), 3: (-2.3, 3.0, 6.9)}  # fmt: skip
# Inside, points are this close, in e-folds, as long as so many of an input suffice for it.
_SPACING = {1: 0.25, 2: 0.8, 3: 1.5}
_INSIDE = {1: 28, 2: 7, 3: 2}
_MANY = 150
# At most so many places of runs are in the grid, no two closer than this, in e-folds.
_PLACES, _APART = 60, 0.05
# Lattice points so near a run's place, in spacings, add nothing to it.
_NEAR = 0.4


def grid_around(u: np.ndarray) -> np.ndarray:
    """Return the grid (M, d) for runs at places (n, d), in a kernel's coordinates."""
    places, lattice = spread_places(u), _lattice(u)
    # Points on top of each other would make the grid's covariance singular.
    free = distances(lattice, places).min(axis=1) > _NEAR * _SPACING.get(places.shape[1], 1.0)
    return np.concatenate([places, lattice[free]])


def spread_places(u: np.ndarray) -> np.ndarray:
    """Return at most 60 of the runs' places (n, d), each the farthest from those before it."""
    chosen = [int(np.argmax(np.linalg.norm(u - u.mean(axis=0), axis=1)))]
    apart = np.linalg.norm(u - u[chosen[0]], axis=1)
    while len(chosen) < _PLACES and apart.max() > _APART:
        chosen.append(int(np.argmax(apart)))
        apart = np.minimum(apart, np.linalg.norm(u - u[chosen[-1]], axis=1))
    return u[chosen]


def _lattice(u: np.ndarray) -> np.ndarray:
    """Return a lattice (M, d) that spans the runs' places (n, d) and the range beyond."""
    low, high = u.min(axis=0), u.max(axis=0)
    d = u.shape[1]
    if d in _OUTSIDE:
        axes = [_axis(low[i], high[i], d) for i in range(d)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    from scipy.stats import qmc

    # A lattice of more inputs would need too many points.
    low, high = low + _OUTSIDE[1][0], high + _OUTSIDE[1][-1]
    return low + (high - low) * qmc.Halton(d, scramble=False).random(_MANY)


def _axis(low: float, high: float, d: int) -> np.ndarray:
    """Return the lattice's places along one of d inputs: dense among the runs, sparse beyond."""
    count = int(np.clip(np.ceil((high - low) / _SPACING[d]) + 1, 2, _INSIDE[d]))
    beyond = [low + x if x < 0 else high + x for x in _OUTSIDE[d]]
    return np.unique([*np.linspace(low, high, count), *beyond])
