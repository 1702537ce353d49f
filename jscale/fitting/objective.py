"""Objectives: what a fit minimises, F = Σ w·rho(r), always a sum and never a mean.

Residuals r are taken in a space: "log" (ln prediction − ln observed), "linear"
(prediction − observed) or "logit". A fit in log space predicts the conditional median.
Each kind gives the value rho, the slope psi = rho', the majoriser's weight psi/r, and the
curvature rho''. ``huber`` in log space with delta 1e-3 is the default (arXiv:2203.15556).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jscale.errors import JscaleError, listing, nearest

SPACES = ("log", "linear", "logit")
KINDS = ("huber", "pseudo_huber", "least_squares", "least_absolute")

# |r| is minimised as a Huber loss with this small a kink; shown values use |r| itself.
_KINK = 1e-8


@dataclass(frozen=True)
class Objective:
    """A kind of loss for residuals, its scale ``delta`` (in units of the residual), a space.

    Raises JscaleError for an unknown kind or space, or a delta that is not positive.
    """

    kind: str = "huber"
    delta: float = 1e-3
    space: str = "log"
    shape: float = 0.0

    def __post_init__(self) -> None:
        for what, value, legal in (("objective", self.kind, KINDS), ("space", self.space, SPACES)):
            if value not in legal:
                hint = nearest(str(value), legal)
                raise JscaleError(f"There is no {what} {value!r}.{hint} Use {listing(legal)}.")
        if not (isinstance(self.delta, (int, float)) and self.delta > 0):
            raise JscaleError(f"delta must be a positive number, not {self.delta!r}.")

    def __str__(self) -> str:
        scale = f"delta={self.delta:g}, " if self.kind in ("huber", "pseudo_huber") else ""
        return f"{self.kind}({scale}space={self.space!r})"

    @property
    def kinked(self) -> bool:
        """Whether curvature is concentrated in a narrow core, so that errors need smoothing."""
        return self.kind in ("huber", "least_absolute")

    @property
    def width(self) -> float:
        """The residual size below which the objective is quadratic."""
        return {"least_absolute": _KINK, "least_squares": float("inf")}.get(self.kind, self.delta)


def huber(delta: float = 1e-3, space: str = "log") -> Objective:
    """Return rho(r) = r²/2 for |r| ≤ delta, else delta·(|r| − delta/2) (arXiv:2203.15556).

    >>> huber().kind
    'huber'
    """
    return Objective("huber", delta, space)


def pseudo_huber(delta: float = 1e-3, space: str = "log") -> Objective:
    """Return rho(r) = delta²·(√(1 + (r/delta)²) − 1), a smooth Huber loss."""
    return Objective("pseudo_huber", delta, space)


def least_squares(space: str = "log") -> Objective:
    """Return rho(r) = r²/2."""
    return Objective("least_squares", 1.0, space)


def least_absolute(space: str = "log") -> Objective:
    """Return rho(r) = |r|, least absolute deviations."""
    return Objective("least_absolute", 1.0, space)


def as_objective(objective: Objective | str) -> Objective:
    """Return an Objective, given one or its kind's name."""
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str):
        raise JscaleError(f"objective={objective!r} is not known; use {listing(KINDS)}.")
    return Objective(objective, 1e-3 if "huber" in objective else 1.0)


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

    NumPy arrays stay NumPy arrays (no compilation per shape); others are computed by JAX.

    For "least_absolute", ``delta`` is the kink's width and rho is its Huber smoothing,
    scaled so that rho → |r|.
    """
    import jax.numpy
    import numpy

    xp: Any = numpy if isinstance(r, numpy.ndarray) else jax.numpy
    size = xp.abs(r)
    if kind == "least_squares":
        one = xp.ones_like(r)
        return 0.5 * r * r, r, one, one
    if kind == "pseudo_huber":
        root = xp.sqrt(1.0 + (r / delta) ** 2)
        # r²/(1 + root) is delta²·(root − 1) without its cancellation at small r.
        return r * r / (1.0 + root), r / root, 1.0 / root, root**-3
    inside = size <= delta
    weight = xp.where(inside, 1.0, delta / xp.where(inside, 1.0, size))
    rho = xp.where(inside, 0.5 * r * r, delta * (size - 0.5 * delta))
    curvature = inside.astype(r.dtype)
    scale = 1.0 / delta if kind == "least_absolute" else 1.0
    return rho * scale, weight * r * scale, weight * scale, curvature * scale
