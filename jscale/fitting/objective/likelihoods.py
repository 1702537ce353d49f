"""Objectives that are negative log likelihoods: of normal, Laplace and Student-t errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma
from typing import Any, ClassVar

import numpy as np

from jscale.fitting.objective.base import AUTO, Objective, Terms, check_positive
from jscale.fitting.objective.hubers import PseudoHuber, array_module, huber_terms
from jscale.fitting.objective.registry import register_objective

# abs(r) is minimised as a Huber loss with this small a kink; shown values use abs(r) itself.
_KINK = 1e-8
# Wider than any residual: squares have no kink, and this number is still safe in arithmetic.
_NO_KINK = 1e300
# Lanes follow the optimum from one width to a tenth of it; going straight to the final kink, they
# would stop at the first kinks on their way.
_DOWN_TO_A_KINK = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


@register_objective("least_squares")
@dataclass(frozen=True)
class LeastSquares(Objective):
    """Least squares, rho(r) = r²/2: the likelihood of normal errors, σ²/w their variances.

    Made by :func:`jscale.least_squares`; it has no delta.
    """

    delta: float | str = field(default=1.0, init=False, repr=False)

    convex: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    constructor: ClassVar[str] = "js.least_squares"

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho''."""
        one = array_module(r).ones_like(r)
        return Terms(0.5 * r * r, r, one, one)

    @property
    def width(self) -> float:
        """A number wider than any residual."""
        return _NO_KINK

    def log_likelihood(
        self, residual: np.ndarray, weights: np.ndarray, scale: float | None = None
    ) -> float:
        """Return ½·Σ ln w − n/2·ln(2π·σ²) − Σ w·r²/(2σ²)."""
        n = len(residual)
        mean = np.sum(weights * residual * residual) / n
        # At its own optimum, mean/variance is exactly 1.
        variance = mean if scale is None else scale**2
        constant = np.log(2 * np.pi * variance)
        return float(0.5 * np.sum(np.log(weights)) - 0.5 * n * (constant + mean / variance))


@register_objective("least_absolute")
@dataclass(frozen=True)
class LeastAbsolute(Objective):
    """Least absolute deviations, rho(r) = abs(r): the likelihood of Laplace errors of scale b/w.

    Made by :func:`jscale.least_absolute`; it has no delta. What is minimised is Huber's loss of
    width delta = 1e-8 over delta, which tends to abs(r).
    """

    delta: float | str = field(default=1.0, init=False, repr=False)

    convex: ClassVar[bool] = True
    kinked: ClassVar[bool] = True
    vertices: ClassVar[bool] = True
    stages: ClassVar[tuple[float, ...]] = _DOWN_TO_A_KINK
    constructor: ClassVar[str] = "js.least_absolute"

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho'' of Huber's loss over ``delta``, the kink's width."""
        per = 1.0 / delta
        return Terms(*(term * per for term in huber_terms(r, delta)))

    @property
    def width(self) -> float:
        """The width of the kink."""
        return _KINK

    def value(self, residual: np.ndarray, weights: np.ndarray) -> float:
        """Return Σ w·abs(r), without the rounded kink."""
        return float(np.sum(weights * np.abs(residual)))

    def expected_curvature(self, residual: np.ndarray, spread: float) -> np.ndarray:
        """Return twice the density of r + s·z at zero, where all curvature is."""
        return np.sqrt(2 / np.pi) / spread * np.exp(-0.5 * (residual / spread) ** 2)

    def pin_weight(self, curvature: float, error: float, per: float) -> float:
        """Return the weight by the slope alone, since psi has levelled off at any distance."""
        return curvature * error / per

    def smooth(self) -> Objective:
        """Return the pseudo-Huber loss of delta 1e-3, narrow for log residuals of real runs."""
        return PseudoHuber(1e-3, self.space)

    def log_likelihood(
        self, residual: np.ndarray, weights: np.ndarray, scale: float | None = None
    ) -> float:
        """Return Σ ln w − n·ln(2b) − Σ w·abs(r)/b."""
        n = len(residual)
        mean = np.sum(weights * np.abs(residual)) / n
        b = mean if scale is None else scale
        return float(np.sum(np.log(weights)) - n * (np.log(2 * b) + mean / b))


@register_objective("student_t")
@dataclass(frozen=True)
class StudentT(Objective):
    """The negative log density of Student's t, rho(r) = (df + 1)/2·ln(1 + r²/(df·delta²)).

    Made by :func:`jscale.student_t`, which calls delta the scale. rho'' is negative where
    abs(r) > delta·√df.
    """

    delta: float | str = AUTO
    df: float = 3.0

    constructor: ClassVar[str] = "js.student_t"

    def __post_init__(self) -> None:
        check_positive("df", self.df)
        super().__post_init__()

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho''; ``shape`` is df."""
        (df,) = shape
        wide = df * delta * delta
        weight = (df + 1.0) / (wide + r * r)
        curvature = weight * (wide - r * r) / (wide + r * r)
        rho = 0.5 * (df + 1.0) * array_module(r).log1p(r * r / wide)
        return Terms(rho, weight * r, weight, curvature)

    def scale_excess(self, u: np.ndarray, weights: np.ndarray, share: float) -> float:
        """Return Σ w·((df + 1)·u²/(df + u²) − 1), the slope of the likelihood in ln s."""
        return float(np.sum(weights * ((self.df + 1.0) * u * u / (self.df + u * u) - 1.0)))

    def value(self, residual: np.ndarray, weights: np.ndarray) -> float:
        """Return the negative log likelihood less constants: Σ w·(rho(r) + ln delta)."""
        total = np.sum(weights * self(residual).rho)
        return float(total + np.sum(weights) * np.log(self.width))

    @property
    def softness(self) -> float:
        """delta², at most 1; the factor df/(df + 1) is left out."""
        return min(self.width, 1.0) ** 2

    def no_likelihood(self, weights: np.ndarray) -> str:
        """Say that the scale was given, or that weights differ; else return an empty text."""
        if not self.auto:
            return (
                "whose scale was given and not fitted, so its likelihood is not the largest one: "
                'fit with js.student_t(scale="auto")'
            )
        if np.ptp(weights) > 0:
            return (
                f"which is not a likelihood with unequal weights, here from {weights.min():g} to "
                f"{weights.max():g}: use weights of 0 and 1"
            )
        return ""

    def log_likelihood(
        self, residual: np.ndarray, weights: np.ndarray, scale: float | None = None
    ) -> float:
        """Return Σ ln p(r; df, s), s being delta where no other scale is given."""
        df, s, n = self.df, self.width if scale is None else scale, len(residual)
        constant = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * np.log(df * np.pi) - np.log(s)
        u = residual * residual / (df * s * s)
        return float(n * constant - 0.5 * (df + 1) * np.sum(np.log1p(u)))

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of :func:`jscale.student_t`, which calls delta the scale."""
        return {"df": self.df, "scale": self.delta, "space": self.space}


def least_squares(space: str = "log") -> LeastSquares:
    """Return least squares.

    rho(r) = r²/2.

    Parameters
    ----------
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    LeastSquares
        The objective.

    Raises
    ------
    JscaleError
        For an unknown space.

    Examples
    --------
    >>> import jscale as js
    >>> print(js.least_squares(space="linear"))
    least_squares(space='linear')
    """
    return LeastSquares(space)


def least_absolute(space: str = "log") -> LeastAbsolute:
    """Return least absolute deviations.

    rho(r) = abs(r).

    Parameters
    ----------
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    LeastAbsolute
        The objective.

    Raises
    ------
    JscaleError
        For an unknown space.

    Examples
    --------
    >>> import jscale as js
    >>> print(js.least_absolute())
    least_absolute(space='log')
    """
    return LeastAbsolute(space)


def student_t(df: float = 3.0, scale: float | str = AUTO, space: str = "log") -> StudentT:
    """Return the negative log density of Student's t.

    rho(r) = (df + 1)/2·ln(1 + r²/(df·scale²)).

    Parameters
    ----------
    df : float, default 3.0
        Degrees of freedom: the fewer, the heavier the tails.
    scale : float or "auto", default "auto"
        Scale of the errors, in the unit of the residuals. "auto" is the scale of largest
        likelihood, solved for together with the parameters.
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Returns
    -------
    StudentT
        The objective; its ``delta`` is the scale.

    Raises
    ------
    JscaleError
        For degrees of freedom or a scale that are not positive, or an unknown space.

    Examples
    --------
    >>> import jscale as js
    >>> print(js.student_t(df=4.0))
    student_t(delta=auto, df=4, space='log')
    """
    return StudentT(scale, space, df)
