"""Objectives: what a fit minimises, F = Σ w·rho(r), always a sum and never a mean.

Residuals r are taken in a space: "log" (ln prediction − ln observed), "linear"
(prediction − observed) or "logit". A fit in log space predicts the conditional median.
Each kind gives the value rho, the slope psi = rho', the majoriser's weight psi/r, and the
curvature rho''. ``huber`` in log space with delta 1e-3 is the default (arXiv:2203.15556).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from jscale.errors import JscaleError, listing, nearest
from jscale.model.supports import SPACES

KINDS = (
    "huber", "pseudo_huber", "least_squares", "least_absolute", "student_t", "asymmetric",
)  # fmt: skip
AUTO = "auto"

# |r| is minimised as a Huber loss with this small a kink; shown values use |r| itself.
_KINK = 1e-8
# Wider than any residual: squares have no kink, and a number can be computed with.
_NO_KINK = 1e300
_SCALED = ("huber", "pseudo_huber", "student_t", "asymmetric")
_SHAPES = {"student_t": ("df", 3.0), "asymmetric": ("ratio", 10.0)}
_AUTOMATIC = ("huber", "student_t")


@dataclass(frozen=True)
class Objective:
    """A kind of loss for residuals, its scale ``delta`` (in units of the residual), a space.

    ``delta`` is a number, or "auto" for "huber" and "student_t": found together with the
    parameters. ``shape`` is the degrees of freedom of "student_t", the ratio of "asymmetric".
    Raises JscaleError for an unknown kind or space, or a number that is not positive.
    """

    kind: str = "huber"
    delta: float | str = 1e-3
    space: str = "log"
    shape: float = 0.0

    def __post_init__(self) -> None:
        for what, value, legal in (("objective", self.kind, KINDS), ("space", self.space, SPACES)):
            if value not in legal:
                hint = nearest(str(value), legal)
                raise JscaleError(f"There is no {what} {value!r}.{hint} Use {listing(legal, 10)}.")
        name, usual = _SHAPES.get(self.kind, ("shape", 0.0))
        if self.shape == 0.0:
            object.__setattr__(self, "shape", usual)
        if self.delta == AUTO and self.kind not in _AUTOMATIC:
            raise JscaleError(
                f'delta="auto" is for {listing(_AUTOMATIC)}; give {self.kind} a number: delta=1e-3.'
            )
        for what, value in (("delta", self.delta), (name, self.shape)):
            if what != "shape" and value != AUTO:
                _check_positive(what, value)

    def __str__(self) -> str:
        scale = f"delta={self.delta if self.auto else format(self.delta, 'g')}, "
        shape = f"{_SHAPES[self.kind][0]}={self.shape:g}, " if self.kind in _SHAPES else ""
        scale = scale if self.kind in _SCALED else ""
        return f"{self.kind}({scale}{shape}space={self.space!r})"

    @property
    def auto(self) -> bool:
        """Whether the scale is to be found together with the parameters."""
        return self.delta == AUTO

    def at(self, delta: float) -> Objective:
        """Return the same objective with a scale that is a number."""
        return replace(self, delta=float(delta))

    @property
    def kinked(self) -> bool:
        """Whether curvature is concentrated in a narrow core, so that errors need smoothing."""
        return self.kind in ("huber", "least_absolute", "asymmetric")

    @property
    def width(self) -> float:
        """The scale of the residuals: the objective is quadratic well below it."""
        fixed = {"least_absolute": _KINK, "least_squares": _NO_KINK}
        return fixed[self.kind] if self.kind in fixed else float(self.delta)

    @property
    def numbers(self) -> tuple[float, float]:
        """The width and the shape, as programs take them."""
        return self.width, float(self.shape)


def _check_positive(what: str, value: Any) -> None:
    if not (isinstance(value, Real) and 0 < float(value) < float("inf")):
        also = f' or "auto" ({listing(_AUTOMATIC)})' if what == "delta" else ""
        raise JscaleError(f"{what} must be a positive number{also}, not {value!r}.")


def huber(delta: float | str = 1e-3, space: str = "log") -> Objective:
    """Return rho(r) = r²/2 for |r| ≤ delta, else delta·(|r| − delta/2) (arXiv:2203.15556).

    ``delta="auto"`` is Huber's proposal 2: delta = 1.345·s, where the scale s of the residuals
    is solved for together with the parameters (Huber, Robust Statistics, 1981, 7.7).

    >>> huber().kind
    'huber'
    """
    return Objective("huber", delta, space)


def pseudo_huber(delta: float = 1e-3, space: str = "log") -> Objective:
    """Return rho(r) = delta²·(√(1 + (r/delta)²) − 1), a smooth Huber loss."""
    return Objective("pseudo_huber", delta, space)


def student_t(df: float = 3.0, scale: float | str = AUTO, space: str = "log") -> Objective:
    """Return rho(r) = (df + 1)/2·ln(1 + r²/(df·scale²)), the Student-t's negative log density.

    ``scale="auto"`` is the scale of largest likelihood, found together with the parameters.
    """
    _check_positive("df", df)
    return Objective("student_t", scale, space, df)


def asymmetric(delta: float = 1e-3, ratio: float = 10.0, space: str = "log") -> Objective:
    """Return Huber's rho(r), times ``ratio`` where the prediction lies above the observation.

    A prediction above a run costs more than one below, so the curve settles near the lower
    envelope of the runs: for tables with runs that were trained badly.
    """
    _check_positive("ratio", ratio)
    return Objective("asymmetric", delta, space, ratio)


def least_squares(space: str = "log") -> Objective:
    """Return rho(r) = r²/2."""
    return Objective("least_squares", 1.0, space)


def least_absolute(space: str = "log") -> Objective:
    """Return rho(r) = |r|, least absolute deviations."""
    return Objective("least_absolute", 1.0, space)


def as_objective(objective: Objective | str, space: str = "log") -> Objective:
    """Return an Objective, given one or its kind's name, of residuals in ``space``."""
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str):
        raise JscaleError(f"objective={objective!r} is not known; use {listing(KINDS, 10)}.")
    if objective == "student_t":
        return student_t(space=space)
    return Objective(objective, 1.0 if objective.startswith("least") else 1e-3, space)


def to_space(values: Any, space: str) -> Any:
    """Map outputs to the space residuals are taken in (JAX or NumPy arrays in JAX)."""
    import jax.numpy as jnp

    if space == "log":
        return jnp.log(values)
    if space == "logit":
        return jnp.log(values) - jnp.log1p(-values)
    return values


def from_space(values: Any, space: str) -> Any:
    """Map numbers of a space back to outputs: the inverse of :func:`to_space` (NumPy)."""
    import numpy as np

    if space == "log":
        return np.exp(values)
    if space == "logit":
        return 1.0 / (1.0 + np.exp(-values))
    return values


def terms(kind: str, r: Any, delta: Any, shape: Any = 0.0) -> tuple[Any, Any, Any, Any]:
    """Return (rho, psi, psi/r, rho'') of residuals r, element-wise and of r's shape.

    r is prediction less observation in the objective's space. NumPy arrays stay NumPy arrays
    (no compilation per shape); others are computed by JAX.

    For "least_absolute", ``delta`` is the kink's width and rho is its Huber smoothing,
    scaled so that rho → |r|. For "student_t", rho'' is negative beyond delta·√df.
    """
    import jax.numpy
    import numpy

    xp: Any = numpy if isinstance(r, numpy.ndarray) else jax.numpy
    if kind == "least_squares":
        one = xp.ones_like(r)
        return 0.5 * r * r, r, one, one
    if kind == "pseudo_huber":
        root = xp.sqrt(1.0 + (r / delta) ** 2)
        # r²/(1 + root) is delta²·(root − 1) without its cancellation at small r.
        return r * r / (1.0 + root), r / root, 1.0 / root, root**-3
    if kind == "student_t":
        wide = shape * delta * delta
        weight = (shape + 1.0) / (wide + r * r)
        curvature = weight * (wide - r * r) / (wide + r * r)
        return 0.5 * (shape + 1.0) * xp.log1p(r * r / wide), weight * r, weight, curvature
    size = xp.abs(r)
    inside = size <= delta
    weight = xp.where(inside, 1.0, delta / xp.where(inside, 1.0, size))
    rho = xp.where(inside, 0.5 * r * r, delta * (size - 0.5 * delta))
    curvature = inside.astype(r.dtype)
    scale: Any = 1.0 / delta if kind == "least_absolute" else 1.0
    if kind == "asymmetric":
        scale = xp.where(r > 0, shape, 1.0)
    return rho * scale, weight * r * scale, weight * scale, curvature * scale


def rounding_error(target: Any, space: str, weights: Any) -> Any:
    """Return what rounding alone may leave as residuals, of the shape of targets (rows,).

    Four roundings of the output: an absolute number in a logarithm, but in linear space in
    proportion to the outputs, whatever their unit. NumPy stays NumPy; others are JAX.
    """
    import jax.numpy
    import numpy

    xp: Any = numpy if isinstance(target, numpy.ndarray) else jax.numpy
    size: Any = 1.0
    if space == "linear":
        used = weights > 0
        size = xp.sum(xp.where(used, xp.abs(target), 0.0)) / xp.maximum(xp.sum(used), 1)
    return 4 * xp.finfo(target.dtype).eps * (size + xp.abs(target))


def shown_value(objective: Objective, residual: Any, weights: Any) -> float:
    """Return F as the objective's definition says it, for residuals and weights (n,) (NumPy).

    |r| itself for least absolute deviations; for "student_t" the negative log likelihood less
    constants, so with Σ w·ln(scale).
    """
    import numpy as np

    if objective.kind == "least_absolute":
        return float(np.sum(weights * np.abs(residual)))
    total = np.sum(weights * terms(objective.kind, residual, *objective.numbers)[0])
    if objective.kind == "student_t":
        total = total + np.sum(weights) * np.log(objective.width)
    return float(total)
