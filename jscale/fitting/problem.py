"""Problem: a law, runs and an objective as padded arrays: all that a solver sees.

Everything here is a pure function of arrays, safe under jit and vmap. The number of rows is
padded to a size bucket with copies of the first row at weight zero, so that tables of similar
size share one compiled program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from jscale.fitting.objective import Objective, terms, to_space
from jscale.model.layout import Layout


class Model(NamedTuple):
    """What a program is compiled for: everything static of a problem."""

    layout: Layout
    kind: str
    space: str


class Data(NamedTuple):
    """What a program is given: arrays, no copy of them per lane.

    ``inputs`` holds (rows,) arrays in the law's order, ``codes`` a (rows,) integer array per
    group column, ``target`` the observations in the objective's space (rows,), ``centre``
    (inputs,) log geometric means, ``fixed`` the values of fixed parameters.
    """

    inputs: tuple[Any, ...]
    codes: dict[str, Any]
    target: Any
    centre: Any
    fixed: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Problem:
    """A model and its data; ``weights`` (rows,) are zero in padding; ``n`` rows are real.

    ``units`` (n,) numbers the independent run that each real row belongs to.
    """

    model: Model
    objective: Objective
    data: Data
    weights: np.ndarray
    n: int
    units: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Which of the real rows have weight: a mask (n,)."""
        return self.weights[: self.n] > 0

    @property
    def freedom(self) -> int:
        """Independent runs with weight, less free parameters."""
        return len(np.unique(self.units[self.used])) - self.layout.size

    @property
    def layout(self) -> Layout:
        """How the parameters lie in the solver's vector."""
        return self.model.layout

    def reweighted(self, weights: np.ndarray) -> Problem:
        """Return the problem with other weights (n,) for its real rows."""
        padded = np.zeros_like(self.weights)
        padded[: self.n] = weights
        return replace(self, weights=padded)


def bucket(n: int) -> int:
    """Return the padded number of rows for n: the next power of 5/4, rounded up to even."""
    size = 16.0
    while math.ceil(size) < n:
        size *= 1.25
    return 2 * math.ceil(math.ceil(size) / 2)


def pad_rows(values: np.ndarray, rows: int) -> np.ndarray:
    """Lengthen an array along its first axis with copies of its first entry."""
    filler = np.repeat(values[:1], rows - len(values), axis=0)
    return np.concatenate([values, filler])


def predict_rows(layout: Layout, theta: Any, data: Data) -> Any:
    """Return the law's outputs (rows,) at coordinates ``theta`` (p,) (JAX)."""
    import jax

    values = layout.natural(theta, data.fixed, data.centre)
    return evaluate_rows(layout, values, data.inputs, data.codes, jax.vmap)


def evaluate_rows(
    layout: Layout, values: dict[str, Any], inputs: tuple[Any, ...], codes: Any, vmap: Any
) -> Any:
    """Return the law's outputs (rows,) at parameter values (scalar, or one per group) (JAX)."""

    def one_row(row: tuple[Any, ...], code: Any) -> Any:
        named = dict(zip(layout.law.inputs, row, strict=True))
        return layout.law.evaluate({**named, **layout.pick(values, code)})

    return vmap(one_row)(inputs, codes)


class Evaluation(NamedTuple):
    """One fused evaluation: objective F, slope g (p,), curvature H and majoriser M (p, p),
    and ``spread`` = Σ w·psi², which scales steps to standard errors.
    """

    F: Any
    g: Any
    H: Any
    M: Any
    spread: Any


def residuals(model: Model, theta: Any, data: Data) -> Any:
    """Return the residuals (rows,) in the model's space (JAX)."""
    predicted = predict_rows(model.layout, theta, data)
    return to_space(predicted, model.space) - data.target


def evaluate(model: Model, theta: Any, weights: Any, data: Data, delta: Any) -> Evaluation:
    """Return F, g, H, M and spread at ``theta`` from one Jacobian and one matmul (JAX)."""
    import jax
    import jax.numpy as jnp

    def twice(t: Any) -> tuple[Any, Any]:
        r = residuals(model, t, data)
        return r, r

    J, r = jax.jacfwd(twice, has_aux=True)(theta)
    rho, psi, majoriser, curvature = terms(model.kind, r, delta)
    p = theta.shape[0]
    right = jnp.concatenate(
        [
            J * (weights * majoriser)[:, None],
            J * (weights * curvature)[:, None],
            (weights * psi)[:, None],
        ],
        axis=1,
    )
    product = J.T @ right
    return Evaluation(
        F=jnp.sum(weights * rho),
        g=product[:, 2 * p],
        H=product[:, p : 2 * p],
        M=product[:, :p],
        spread=jnp.sum(weights * psi * psi),
    )
