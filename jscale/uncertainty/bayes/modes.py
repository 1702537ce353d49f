"""The modes of a posterior: the starts of sampling, and whether a single one dominates.

The best mode is reached from the fit, others from other optima of the fit's objective. A
mode's share of the posterior is that of its normal approximation.
"""

from __future__ import annotations

import numpy as np

from jscale.fitting.diagnostics import linearise
from jscale.fitting.result import Fit
from jscale.fitting.solver.starts import automatic
from jscale.uncertainty.bayes.density import DensityInputs, Mode, Spec, find_mode, log_joint_of_many
from jscale.uncertainty.refits import other_optima

_AUTOMATIC = 32
# In standard deviations: ends of two climbs closer than this are one mode.
_SAME = 0.1
# Modes with a smaller share of the posterior are left out.
_LEAST_SHARE = 1e-3


def other_thetas(fit: Fit) -> np.ndarray:
    """Return other optima (k, p) of a fit's objective; none where all its starts agree.

    Call inside the float64 scope.
    """
    agree, count = fit.agree
    thetas = None
    if agree < count:
        thetas = other_optima(fit.problem, fit.theta, automatic(fit.problem, _AUTOMATIC))
    return np.zeros((0, len(fit.theta))) if thetas is None else thetas


def residuals_at(fit: Fit, theta: np.ndarray) -> np.ndarray:
    """Return the residuals (n,) of the rows with weight at ``theta`` (p,)."""
    return linearise(fit.problem, theta).residual[fit.problem.used]


def find_modes(spec: Spec, starts: np.ndarray, given: DensityInputs) -> tuple[Mode, ...]:
    """Climb from ``starts`` (k, size); return the distinct modes, that of the largest share first.

    Climbs that did not converge are left out, unless none did: then the end of the first is
    returned alone. Modes with less than a thousandth of the posterior are left out. Call inside
    the float64 scope.
    """
    # A start at which the density is zero has no slope to climb.
    possible = np.isfinite(log_joint_of_many(spec, starts, given))
    ends = [find_mode(spec, start, given) for start in starts[possible]]
    distinct: list[Mode] = []
    for mode in sorted((x for x in ends if x.settled), key=_log_mass, reverse=True):
        if all(_apart(mode, other) > _SAME for other in distinct):
            distinct.append(mode)
    if not distinct:
        return (ends[0],)
    kept = zip(distinct, shares_of(distinct), strict=True)
    return tuple(mode for mode, share in kept if share >= _LEAST_SHARE)


def shares_of(modes: list[Mode] | tuple[Mode, ...]) -> np.ndarray:
    """Return each mode's share (k,) of the posterior, by the normal approximations."""
    mass = np.array([_log_mass(mode) for mode in modes])
    share = np.exp(mass - mass.max())
    return share / share.sum()


def _log_mass(mode: Mode) -> float:
    # Laplace: height times the volume of the covariance's root.
    return mode.height + float(np.linalg.slogdet(mode.root)[1])


def _apart(mode: Mode, other: Mode) -> float:
    """How far two modes are apart, in standard deviations of the narrower where it matters."""
    step = mode.z - other.z
    return max(float(np.abs(np.linalg.solve(one.root, step)).max()) for one in (mode, other))
