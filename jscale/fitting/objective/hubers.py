"""Huber's loss and its relatives: quadratic in a core of width delta, linear in the tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jscale.fitting.objective.base import Objective, Terms, check_positive
from jscale.fitting.objective.registry import register_objective

# delta per standard deviation: 95% efficient for normal errors.
TUNING = 1.345


def array_module(r: Any) -> Any:
    """Return NumPy for its arrays, so that no shape of them is compiled; else jax.numpy."""
    import jax.numpy

    return np if isinstance(r, np.ndarray) else jax.numpy


def huber_terms(r: Any, delta: Any) -> Terms:
    """Return the terms of Huber's loss: rho(r) = r²/2 inside delta, linear outside."""
    xp = array_module(r)
    size = xp.abs(r)
    inside = size <= delta
    weight = xp.where(inside, 1.0, delta / xp.where(inside, 1.0, size))
    rho = xp.where(inside, 0.5 * r * r, delta * (size - 0.5 * delta))
    return Terms(rho, weight * r, weight, inside.astype(r.dtype))


def share_between(residual: np.ndarray, spread: float, low: float, high: float) -> np.ndarray:
    """Return the probability that r + s·z, z standard normal, lies between two numbers (n,)."""
    from scipy.special import ndtr

    return ndtr((high - residual) / spread) - ndtr((low - residual) / spread)


@register_objective("huber")
class Huber(Objective):
    """Huber's loss, rho(r) = r²/2 for abs(r) ≤ delta, else delta·(abs(r) − delta/2).

    Made by :func:`jscale.huber`.
    """

    convex: ClassVar[bool] = True
    kinked: ClassVar[bool] = True
    tuning: ClassVar[float] = TUNING
    constructor: ClassVar[str] = "js.huber"

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho''."""
        return huber_terms(r, delta)

    def scale_excess(self, u: np.ndarray, weights: np.ndarray, share: float) -> float:
        """Return Σ w·min(abs(u), k)² − Σ w·share·E[min(abs(Z), k)²], of Huber's proposal 2."""
        clipped = np.sum(weights * np.minimum(np.abs(u), TUNING) ** 2)
        return float(clipped - np.sum(weights) * share * expected_square(TUNING))

    def expected_curvature(self, residual: np.ndarray, spread: float) -> np.ndarray:
        """Return P(abs(r + s·z) < delta)."""
        return share_between(residual, spread, -self.width, self.width)

    def smooth(self) -> Objective:
        """Return the pseudo-Huber loss of the same delta."""
        return PseudoHuber(self.delta, self.space)


def expected_square(k: float) -> float:
    """Return E[min(abs(Z), k)²] for a standard normal Z.

    >>> round(expected_square(1.345), 4)
    0.7102
    """
    from scipy.special import ndtr

    density = np.exp(-0.5 * k * k) / np.sqrt(2 * np.pi)
    tail = 1.0 - ndtr(k)
    return float(1.0 - 2.0 * tail - 2.0 * k * density + 2.0 * k * k * tail)


@register_objective("pseudo_huber")
class PseudoHuber(Objective):
    """The pseudo-Huber loss, rho(r) = delta²·(√(1 + (r/delta)²) − 1), smooth everywhere.

    Made by :func:`jscale.pseudo_huber`.
    """

    convex: ClassVar[bool] = True
    constructor: ClassVar[str] = "js.pseudo_huber"

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho''."""
        root = array_module(r).sqrt(1.0 + (r / delta) ** 2)
        # r²/(1 + root) is delta²·(root − 1) without its cancellation at small r.
        return Terms(r * r / (1.0 + root), r / root, 1.0 / root, root**-3)


@register_objective("asymmetric")
@dataclass(frozen=True)
class Asymmetric(Objective):
    """Huber's loss h, times ``ratio`` above the observation.

    rho(r) = ratio·h(r) where r > 0, else h(r). Made by :func:`jscale.asymmetric`.

    The parabola at a residual above the observation majorises rho everywhere, one below it on
    its own side alone.
    """

    ratio: float = 10.0

    convex: ClassVar[bool] = True
    kinked: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False
    constructor: ClassVar[str] = "js.asymmetric"

    def __post_init__(self) -> None:
        check_positive("ratio", self.ratio)
        super().__post_init__()

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho''; ``shape`` is the ratio."""
        (ratio,) = shape
        side = array_module(r).where(r > 0, ratio, 1.0)
        return Terms(*(term * side for term in huber_terms(r, delta)))

    def expected_curvature(self, residual: np.ndarray, spread: float) -> np.ndarray:
        """Return P(abs(r + s·z) < delta) + (ratio − 1)·P(0 < r + s·z < delta)."""
        inside = share_between(residual, spread, -self.width, self.width)
        return inside + (self.ratio - 1.0) * share_between(residual, spread, 0.0, self.width)

    def smooth(self) -> Objective:
        """Return the pseudo-Huber loss of the same delta, without the asymmetry."""
        return PseudoHuber(self.delta, self.space)


def huber(delta: float | str = 1e-3, space: str = "log") -> Huber:
    """Return Huber's loss, the default objective with delta 1e-3 in log space.

    rho(r) = r²/2 for abs(r) ≤ delta, else delta·(abs(r) − delta/2).

    Parameters
    ----------
    delta : float or "auto", default 1e-3
        Half the width of the quadratic core, in the unit of the residuals. "auto" is Huber's
        proposal 2: delta = 1.345·s, where the scale s of the residuals is solved for together
        with the parameters.
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    Huber
        The objective.

    Raises
    ------
    JscaleError
        For a delta that is neither positive nor "auto", or an unknown space.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556 (delta 1e-3 of log residuals); Huber, Robust
    Statistics, 1981, 7.7 (proposal 2).

    Examples
    --------
    >>> import jscale as js
    >>> print(js.huber())
    huber(delta=0.001, space='log')
    """
    return Huber(delta, space)


def pseudo_huber(delta: float = 1e-3, space: str = "log") -> PseudoHuber:
    """Return the pseudo-Huber loss, a smooth relative of Huber's.

    rho(r) = delta²·(√(1 + (r/delta)²) − 1).

    Parameters
    ----------
    delta : float, default 1e-3
        Where rho turns from quadratic to linear, in the unit of the residuals.
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    PseudoHuber
        The objective.

    Raises
    ------
    JscaleError
        For a delta that is not positive, or an unknown space.

    Examples
    --------
    >>> import jscale as js
    >>> print(js.pseudo_huber(0.01))
    pseudo_huber(delta=0.01, space='log')
    """
    return PseudoHuber(delta, space)


def asymmetric(delta: float = 1e-3, ratio: float = 10.0, space: str = "log") -> Asymmetric:
    """Return Huber's loss, times ``ratio`` where the prediction lies above the observation.

    A prediction above a run costs more than one below, so the curve settles near the lower
    envelope of the runs: for tables with runs that were trained badly.

    Parameters
    ----------
    delta : float, default 1e-3
        Half the width of the quadratic core, in the unit of the residuals.
    ratio : float, default 10.0
        How much more a prediction above the observation costs than one below.
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    Asymmetric
        The objective.

    Raises
    ------
    JscaleError
        For a delta or ratio that is not positive, or an unknown space.

    Examples
    --------
    >>> import jscale as js
    >>> print(js.asymmetric(ratio=20))
    asymmetric(delta=0.001, ratio=20, space='log')
    """
    return Asymmetric(delta, space, ratio)
