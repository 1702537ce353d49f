"""Intervals: quantiles of draws, plain or corrected for bias and skewness (BCa)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.data.resampling import units_of
from jscale.errors import FitWarning, JscaleError, listing, outside
from jscale.fitting.result import Fit
from jscale.fitting.second_order import second_order
from jscale.fitting.statistics import sums_by

KINDS = ("percentile", "bca")


def check_kind(kind: str, resampled: bool, method: str) -> None:
    """Raise JscaleError for an unknown kind of interval, or one that these draws do not support."""
    check_choice("kind", kind, KINDS)
    if kind == "bca" and not resampled:
        raise JscaleError(
            f'kind="bca" corrects a bootstrap, and these draws are from {method}; use '
            'kind="percentile", or js.bootstrap(fit).'
        )


def influences(fit: Fit, cluster: str | None = None) -> np.ndarray:
    """Return how each unit's weight moves the law's own parameters: (units, q).

    The infinitesimal jackknife: d parameter / d weight, times the weight, summed over the rows of
    a unit, less their mean in its stratum (see :func:`jscale.data.resampling.units_of`). The
    Hessian is the objective's own, or the expected one (see
    :func:`jscale.fitting.diagnostics.smoothed_curvature`) where it has a kink and fewer than 3
    residuals per parameter lie inside it. Raises NotDifferentiable where the Hessian is singular.
    """
    used = fit.problem.used
    with float64_scope():
        local = second_order(fit.problem, fit.theta)
    moves = (local.by_weights() * local.weights[:, None])[used] @ local.slope.T
    units = units_of(fit.runs.where(used), fit.settings.per, cluster)
    _, first = np.unique(units.unit, return_index=True)
    total = sums_by(moves, units.unit)
    # Units are drawn within strata, so only their differences there move a resample.
    stratum = units.stratum[first]
    for label in np.unique(stratum):
        total[stratum == label] -= total[stratum == label].mean(axis=0)
    return total


def acceleration(moves: np.ndarray) -> np.ndarray:
    """Return Σ L³/(6·(Σ L²)^{3/2}) of influences L (units, q) by column, 0 where all are 0."""
    # Scaled first, so that cubes neither overflow nor vanish; the ratio does not change.
    scaled = moves / np.maximum(np.abs(moves).max(axis=0), 1e-300)
    squares = np.sum(scaled**2, axis=0)
    return np.sum(scaled**3, axis=0) / (6.0 * np.where(squares > 0, squares, 1.0) ** 1.5)


def bca(
    samples: np.ndarray,
    estimate: np.ndarray,
    skew: np.ndarray,
    at: Sequence[float],
    names: Sequence[str],
) -> np.ndarray:
    """Return bias-corrected and accelerated quantiles of samples (R, q): (len(at), q).

    With z0 = Φ⁻¹(share of samples below the estimate, half of those equal to it) and ``skew``
    a (q,), a level is moved to Φ(z0 + (z0 + z)/(1 − a·(z0 + z))), z = Φ⁻¹(level) (Efron, JASA
    82, 1987). Raises JscaleError where all samples lie on one side of the estimate; warns with
    FitWarning where a moved level is past the outermost sample.
    """
    from scipy.special import ndtr, ndtri

    below = np.mean(samples < estimate, axis=0) + 0.5 * np.mean(samples == estimate, axis=0)
    lost = (below <= 0.0) | (below >= 1.0)
    if lost.any():
        which = [name for name, out in zip(names, lost, strict=True) if out]
        raise JscaleError(
            f"All draws of {listing(which, 24)} lie on one side of the estimate, so its bias "
            'cannot be corrected; draw more resamples, or use kind="percentile".'
        )
    bias = ndtri(below)
    z = bias + ndtri(np.asarray(at))[:, None]
    moved = ndtr(bias + z / (1.0 - skew * z))
    _warn_of_ends(moved, len(samples), names)
    columns = zip(samples.T, moved.T, strict=True)
    return np.stack([np.quantile(column, q) for column, q in columns], axis=1)


def _warn_of_ends(moved: np.ndarray, count: int, names: Sequence[str]) -> None:
    past = np.any((moved < 1.0 / count) | (moved > 1.0 - 1.0 / count), axis=0)
    if past.any():
        which = [name for name, out in zip(names, past, strict=True) if out]
        warnings.warn(
            f"The intervals of {listing(which, 24)} end at the outermost of {count} draws, and "
            "would extend further: draw more resamples, such as bootstrap(fit, 10000).",
            FitWarning,
            stacklevel=outside(),
        )
