"""Objective: the abstract class of what a fit minimises, F = Σ w·rho(r), a sum and never a mean.

Residuals r = prediction − observation are taken in a space: "log" (of the logarithms), "linear"
or "logit". A fit in log space predicts the conditional median.

The library knows nothing of an objective but its class. Programs are compiled for the class and
take its numbers (the width and the shape parameters) as data, so that a new delta needs no
compilation; formulas are therefore functions of arrays and numbers, and never read ``self``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.errors import JscaleError, listing
from jscale.model.supports import SPACES

AUTO = "auto"
# The registered classes by name, in the order of registration.
REGISTERED: dict[str, type[Objective]] = {}

# Standard normal deviates and weights for expectations: E f(z)·z is Σ weight·z·f(z).
_DEVIATES = (-5.0, 5.0, 201)
_ROWS_AT_ONCE = 2048


class Terms(NamedTuple):
    """The terms of residuals r, element by element.

    Attributes
    ----------
    rho : array
        The value rho(r).
    psi : array
        The slope psi(r) = d rho/dr.
    weight : array
        psi(r)/r, the weight of iteratively reweighted least squares, whose parabola majorises
        rho.
    curvature : array
        rho''(r) = d psi/dr, zero or either side's value at a kink.
    """

    rho: Any
    psi: Any
    weight: Any
    curvature: Any


@dataclass(frozen=True)
class Objective:
    """A robust loss of residuals, with its scale and the space of the residuals.

    F = Σ w·rho(r; delta, …), summed over rows with weights w. This class is abstract: use
    :func:`jscale.huber` and the other functions, or write a subclass, which needs no more than
    ``rho`` (see Examples), and register it with :func:`jscale.register_objective`.

    Parameters
    ----------
    delta : float or "auto", default 1e-3
        The scale of the residuals, in their own unit: rho is quadratic well below it. "auto"
        solves for it together with the parameters, for classes that define ``scale_excess``.
    space : {"log", "linear", "logit"}, default "log"
        The space in which residuals are taken.

    Attributes
    ----------
    kind : str
        The name under which the class is registered.
    rho : callable
        rho(r, delta, …), element by element, as a static method of JAX arrays.
    convex : bool
        Whether rho'' is nowhere negative. Where it may be, the solver takes zero instead.
    kinked : bool
        Whether curvature is concentrated in a core narrower than the residuals' spread, so that
        standard errors need it smoothed.
    vertices : bool
        Whether delta merely rounds off a kink, so that optima are vertices, at which some
        residuals vanish and the fit has no derivative.
    stages : tuple of float
        Widths through which a search descends before the last one, the objective's own.
    symmetric : bool
        Whether rho(−r) = rho(r).
    quadratic : bool
        Whether rho is r²/2 everywhere.
    tuning : float
        delta per unit of the scale that ``scale_excess`` solves for.
    constructor : str
        The public function that makes the objective; empty for those made by name.

    Raises
    ------
    JscaleError
        For a space that is not known, a delta that is not positive, delta="auto" where the class
        does not solve for it, a shape parameter that is not finite, a class not registered.

    Notes
    -----
    A subclass defines ``rho`` as a static method of JAX arrays, twice differentiable but for
    isolated points; psi, psi/r and rho'' follow by automatic differentiation. It may define
    :meth:`terms` instead, by hand. Further numbers, such as degrees of freedom, are fields of
    the (frozen) dataclass and further arguments of ``rho``, in the same order. The solver is
    certain to descend where psi/r does not grow with abs(r).

    Examples
    --------
    >>> import jax.numpy as jnp, jscale as js
    >>> @js.register_objective("cauchy")
    ... class Cauchy(js.Objective):
    ...     '''rho(r) = delta²/2·ln(1 + (r/delta)²), which forgives outliers.'''
    ...     @staticmethod
    ...     def rho(r, delta):
    ...         return 0.5 * delta**2 * jnp.log1p((r / delta) ** 2)
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=Cauchy(0.01))
    >>> print(fit.settings.objective)
    cauchy(delta=0.01, space='log')
    """

    delta: float | str = 1e-3
    space: str = "log"

    kind: ClassVar[str]
    rho: ClassVar[Callable[..., Any]]
    convex: ClassVar[bool] = False
    kinked: ClassVar[bool] = False
    vertices: ClassVar[bool] = False
    stages: ClassVar[tuple[float, ...]] = ()
    symmetric: ClassVar[bool] = True
    quadratic: ClassVar[bool] = False
    tuning: ClassVar[float] = 1.0
    constructor: ClassVar[str] = ""
    # Set by register_objective: the fields that can be given, and the shape parameters of them.
    given: ClassVar[tuple[str, ...]]
    shape_names: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        # A subclass of a registered class would otherwise be taken for its parent.
        if "kind" not in vars(type(self)):
            raise JscaleError(
                f"{type(self).__name__} is not registered as an objective. Give it a name: "
                '@js.register_objective("name") above the class; or use js.huber(delta=1e-3).'
            )
        check_choice("space", self.space, SPACES)
        if self.delta == AUTO:
            self._check_automatic()
        else:
            check_positive("delta", self.delta)
            object.__setattr__(self, "delta", float(self.delta))
        for name in self.shape_names:
            object.__setattr__(self, name, _finite(name, getattr(self, name)))

    def _check_automatic(self) -> None:
        if not self.finds_scale():
            raise JscaleError(
                f'delta="auto" is for {listing(automatic())}; give {self.kind} a number: '
                "delta=1e-3."
            )

    def __str__(self) -> str:
        """Return the objective as text, with the name under which it is registered."""
        numbers = {name: getattr(self, name) for name in ("delta", *self.shape_names)}
        shown = [
            f"{name}={value if isinstance(value, str) else format(value, 'g')}"
            for name, value in numbers.items()
            if name in self.given
        ]
        return f"{self.kind}({', '.join([*shown, f'space={self.space!r}'])})"

    # The formula

    @classmethod
    def terms(cls, r: Any, delta: Any, *shape: Any) -> Terms:
        """Return rho, psi, psi/r and rho'' of residuals, element by element.

        By default all follow from ``rho`` by automatic differentiation.

        Parameters
        ----------
        r : array
            Residuals: NumPy arrays give NumPy arrays, others are computed by JAX.
        delta : float
            The width.
        *shape : float
            The class's further numbers.

        Returns
        -------
        Terms
            Arrays of the shape of ``r``.
        """
        import jax
        import jax.numpy as jnp

        if isinstance(r, np.ndarray):
            with float64_scope():
                return Terms(*map(np.asarray, cls.terms(jnp.asarray(r), delta, *shape)))
        one = jnp.ones_like(r)

        def value_and_slope(x: Any) -> tuple[Any, Any]:
            return jax.jvp(lambda y: cls.rho(y, delta, *shape), (x,), (one,))

        (rho, psi), (_, curvature) = jax.jvp(value_and_slope, (r,), (one,))
        # psi/r tends to rho''(0); the inner where keeps 0/0 out of the derivatives as well.
        at_zero = r == 0
        weight = jnp.where(at_zero, curvature, psi / jnp.where(at_zero, one, r))
        return Terms(rho, psi, weight, curvature)

    def __call__(self, residual: Any) -> Terms:
        """Return the terms of residuals at this objective's numbers.

        Parameters
        ----------
        residual : array
            Residuals in the objective's space.

        Returns
        -------
        Terms
            Arrays of the shape of ``residual``.
        """
        return self.terms(residual, *self.numbers)

    # The numbers

    @property
    def auto(self) -> bool:
        """Whether the scale is to be solved for together with the parameters."""
        return self.delta == AUTO

    @property
    def width(self) -> float:
        """The scale of the residuals as a number: rho is quadratic well below it."""
        return float(self.delta)

    @property
    def shape(self) -> tuple[float, ...]:
        """The further numbers of the objective, its shape parameters."""
        return tuple(getattr(self, name) for name in self.shape_names)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The width and the shape parameters, as formulas take them."""
        return (self.width, *self.shape)

    def at(self, delta: float) -> Self:
        """Return the same objective with a scale that is a number.

        Parameters
        ----------
        delta : float
            The scale, in the unit of the residuals.

        Returns
        -------
        Objective
            An objective of the same class.
        """
        return replace(self, delta=float(delta))

    @classmethod
    def finds_scale(cls) -> bool:
        """Say whether delta="auto" is possible.

        Returns
        -------
        bool
            Whether the class defines ``scale_excess``.
        """
        return cls.scale_excess is not Objective.scale_excess

    def scale_excess(self, u: np.ndarray, weights: np.ndarray, share: float) -> float:
        """Return the excess of the equation that delta="auto" solves, falling in the scale.

        The scale s is where it is zero; delta is then ``tuning``·s.

        Parameters
        ----------
        u : numpy.ndarray of shape (n,)
            Residuals divided by the scale s.
        weights : numpy.ndarray of shape (n,)
            Weights of the rows, all positive.
        share : float
            (n − p)/n, with p the number of free parameters.

        Returns
        -------
        float
            Positive where s is too small.

        Raises
        ------
        JscaleError
            Where the class has no such equation.
        """
        raise JscaleError(f"{self.kind} has no equation for its scale: give delta a number.")

    # What else the library asks

    def value(self, residual: np.ndarray, weights: np.ndarray) -> float:
        """Return F as reported to the user.

        Parameters
        ----------
        residual : numpy.ndarray of shape (n,)
            Residuals in the objective's space.
        weights : numpy.ndarray of shape (n,)
            Weights of the rows.

        Returns
        -------
        float
            Σ w·rho(r), where a class does not define it otherwise.
        """
        return float(np.sum(weights * self(residual).rho))

    def expected_curvature(self, residual: np.ndarray, spread: float) -> np.ndarray:
        """Return the mean of rho'' over normal errors around each residual.

        Standard errors of kinked objectives take this for the curvature, since the few
        residuals in a narrow core say little of it.

        Parameters
        ----------
        residual : numpy.ndarray of shape (n,)
            Residuals in the objective's space.
        spread : float
            Standard deviation s of the errors.

        Returns
        -------
        numpy.ndarray of shape (n,)
            E rho''(r + s·z), z standard normal.
        """
        return self.mean_curvature(residual, np.full(len(residual), spread))

    def mean_curvature(self, residual: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Return the mean of rho'' over normal moves of each residual, by quadrature.

        By Stein's identity, E rho''(r + s·z) = E z·psi(r + s·z)/s, which serves kinks too.

        Parameters
        ----------
        residual : numpy.ndarray of shape (n,)
            Residuals in the objective's space.
        spread : numpy.ndarray of shape (n,)
            Standard deviation s of each move, positive.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Mean curvatures.
        """
        z = np.linspace(*_DEVIATES)
        density = np.exp(-0.5 * z**2)
        density /= density @ z**2
        curvature = np.zeros(len(residual))
        rows = np.arange(len(residual))
        for part in np.array_split(rows, max(1, len(rows) // _ROWS_AT_ONCE)):
            s = spread[part, None]
            psi = self(residual[part, None] + s * z).psi
            curvature[part] = psi @ (density * z) / s[:, 0]
        return curvature

    @property
    def softness(self) -> float:
        """1/rho''(0), to within a factor of order one: the weight that gives a unit curvature."""
        return 1.0 / float(self(np.zeros(1)).curvature[0])

    def pin_weight(self, curvature: float, error: float, per: float) -> float:
        """Return the weight of a pseudo-observation that pins a quantity.

        Parameters
        ----------
        curvature : float
            The curvature that F shall gain along the quantity.
        error : float
            The quantity's standard error: the pin must hold against moves of this size, at
            which psi may have levelled off.
        per : float
            The pseudo-observation's residual per unit of the quantity.

        Returns
        -------
        float
            The weight.
        """
        width = min(self.width, 1.0)
        return curvature / per**2 * max(1.0, per * error / width) * self.softness

    def smooth(self) -> Objective:
        """Return an objective without kinks that is close to this one.

        Returns
        -------
        Objective
            The objective itself where it has no kink.
        """
        return self

    # Likelihoods

    @classmethod
    def has_likelihood(cls) -> bool:
        """Say whether F is that of a likelihood, with a scale that can be fitted.

        Returns
        -------
        bool
            Whether the class defines ``log_likelihood``.
        """
        return cls.log_likelihood is not Objective.log_likelihood

    def no_likelihood(self, weights: np.ndarray) -> str:
        """Say why F is not a likelihood with a fitted scale, or return an empty text.

        Parameters
        ----------
        weights : numpy.ndarray of shape (n,)
            Weights of the rows, all positive.

        Returns
        -------
        str
            A relative clause that follows the objective's text.
        """
        if self.has_likelihood():
            return ""
        return (
            "whose sum is not a likelihood with a fitted scale: its size depends on delta, so "
            "there is no AICc or BIC of it"
        )

    def log_likelihood(
        self, residual: np.ndarray, weights: np.ndarray, scale: float | None = None
    ) -> float:
        """Return the logarithm of the joint density of residuals.

        Parameters
        ----------
        residual : numpy.ndarray of shape (n,)
            Residuals in the objective's space.
        weights : numpy.ndarray of shape (n,)
            Weights of the rows, all positive.
        scale : float, optional
            The scale of the density, in the unit of the residuals; by default that of largest
            likelihood.

        Returns
        -------
        float
            Σ ln p(r), of residuals and not yet of outputs.

        Raises
        ------
        JscaleError
            Where the objective is not a likelihood.
        """
        raise JscaleError(f"{self} has no likelihood.")

    # Text, code, files

    def arguments(self) -> dict[str, Any]:
        """Return the arguments with which the constructor makes the objective, by name.

        Returns
        -------
        dict
            Shape parameters, delta where it can be given, and the space.
        """
        names = [*self.shape_names, *(["delta"] if "delta" in self.given else []), "space"]
        return {name: getattr(self, name) for name in names}

    @property
    def code(self) -> str:
        """Python code that makes the objective again, with jscale imported as ``js``."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        if self.constructor:
            return f"{self.constructor}({arguments})"
        return f"js.objectives.get({self.kind!r}, {arguments})"

    def as_document(self) -> dict[str, Any]:
        """Return the objective as :func:`jscale.save` writes it.

        Returns
        -------
        dict
            The kind, and the fields that can be given.
        """
        return {"kind": self.kind, **{name: getattr(self, name) for name in self.given}}


def given_fields(cls: type[Objective]) -> tuple[str, ...]:
    """Return the names of the fields of a class that its constructor takes."""
    return tuple(field.name for field in fields(cls) if field.init)


def automatic() -> list[str]:
    """Return the names of the objectives that solve for their scale."""
    return [name for name, cls in REGISTERED.items() if cls.finds_scale()]


def with_likelihood() -> list[str]:
    """Return the names of the objectives that are likelihoods."""
    return [name for name, cls in REGISTERED.items() if cls.has_likelihood()]


def check_positive(what: str, value: Any) -> None:
    """Raise JscaleError unless a value is a positive, finite number."""
    if not (isinstance(value, Real) and 0 < float(value) < float("inf")):
        also = f' or "auto" ({listing(automatic())})' if what == "delta" else ""
        raise JscaleError(f"{what} must be a positive number{also}, not {value!r}.")


def _finite(name: str, value: Any) -> float:
    if not (isinstance(value, Real) and np.isfinite(float(value))):
        raise JscaleError(f"{name} must be a finite number, not {value!r}.")
    return float(value)
