"""Components: draws of whole functions, from which predictions and plans are computed.

A predictor is one component (a law and draws of its parameters) or several with weights (the
members of a forecast). A component holds a pure function of parameters and inputs, the static
part that programs are compiled for, and an array of numbers for each draw. Whatever is computed
from a component's draws, such as an optimum, needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.flops import training_flops
from jscale.fitting.points import Points
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.model.law import Law
from jscale.model.layout import Layout


class Function(Hashable, Protocol):
    """A pure function of a draw's numbers and of inputs, written in JAX.

    It is hashable, equal to any other that computes the same, and holds nothing that differs from
    draw to draw, so that one compiled program serves all draws.
    """

    @property
    def law(self) -> Law | None:
        """The law, where a draw's numbers are its parameters and nothing else; else None."""
        ...

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the output, a scalar, for one draw (q,) at one point.

        ``inputs`` maps the names of inputs to scalars, ``codes`` the columns of groups to the
        places of their labels.
        """
        ...


@dataclass(frozen=True)
class LawFunction:
    """A law as a function of all its parameters, in its own order."""

    layout: Layout

    @property
    def law(self) -> Law:
        """The law."""
        return self.layout.law

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the law's output for parameters (q,) at one point."""
        values = self.layout.pick(self.layout.unflatten(flat), codes)
        return self.layout.law.evaluate({**inputs, **values})


@dataclass(frozen=True)
class OfCompute:
    """A function of the compute C, evaluated at inputs that give N and D instead."""

    function: Function

    @property
    def law(self) -> Law | None:
        """The law of the function within."""
        return self.function.law

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the output, with C = 6·N·D where it is not given."""
        if "C" not in inputs:
            inputs = {**inputs, "C": 6.0 * inputs["N"] * inputs["D"]}
        return self.function(flat, inputs, codes)


@dataclass(frozen=True)
class WeightedMean:
    """The weighted mean of functions.

    A draw's numbers are the weights, followed by the numbers of each function (``sizes`` of them).
    """

    functions: tuple[Function, ...]
    sizes: tuple[int, ...]

    @property
    def law(self) -> None:
        """None: a mean of laws is not itself a law."""
        return None

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the mean at one point; ``codes`` has one entry for each function."""
        total, first = 0.0, len(self.functions)
        for k, (function, size) in enumerate(zip(self.functions, self.sizes, strict=True)):
            total = total + flat[k] * function(flat[first : first + size], inputs, codes[k])
            first += size
        return total


@dataclass(frozen=True, eq=False)
class Component:
    """One function of a predictor, with draws of it.

    ``flat`` (R, q) are the numbers of its R joint draws and ``point`` (q,) those of its estimate,
    as ``function`` takes them; ``weight`` is its share among the predictor's components. ``fit``
    is the fit that it came from, whose law names its inputs and whose runs know the labels of
    groups.
    """

    name: str
    function: Function
    point: np.ndarray
    flat: np.ndarray
    fit: Fit
    weight: float = 1.0

    @property
    def samples(self) -> np.ndarray:
        """The numbers of the estimate, then those of the draws: (1 + R, q)."""
        return np.concatenate([self.point[None], self.flat])

    def codes(self, table: pd.DataFrame) -> Any:
        """Return the places of the labels in a table's columns of groups, (m,) for each."""
        return Points.in_table(self.fit, with_compute(self.fit, table)).codes

    def at(self, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
        """Return the outputs (R, m) of samples (R, q) at rows of inputs."""
        names = self.fit.law.inputs
        points = Points.in_table(self.fit, with_compute(self.fit, table))
        inputs, codes = points.padded()
        with float64_scope():
            output = _rows_program(self.function, names)(samples, inputs, codes)
            return np.asarray(output)[:, : len(table)]


@programs
def _rows_program(function: Function, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a compiled program: samples (R, q), inputs (m,), codes (m,) to outputs (R, m)."""
    import jax

    def one(flat: Any, inputs: Any, codes: Any) -> Any:
        def one_row(row: Any, code: Any) -> Any:
            return function(flat, dict(zip(names, row, strict=True)), code)

        return jax.vmap(one_row)(inputs, codes)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def with_compute(fit: Fit, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with C = 6·N·D where the fit's law takes C, and the table has N and D."""
    if "C" in fit.law.inputs and "C" not in table and {"N", "D"} <= set(table):
        return table.assign(C=training_flops(table["N"], table["D"]))
    return table


def component_of(fit: Fit, flat: np.ndarray, name: str = "", weight: float = 1.0) -> Component:
    """Return a law with draws (R, q) of its parameters as a component."""
    function = LawFunction(fit.problem.layout)
    return Component(name or fit.law.name, function, fit.params.to_numpy(), flat, fit, weight)


def curves(fit: Fit, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return the law's output for each sample of parameters (R, q) and row of inputs: (R, m)."""
    return component_of(fit, samples).at(table, samples)


# Several components


class Evaluate(Protocol):
    """A computation on samples of one component."""

    def __call__(
        self, component: Component, samples: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Return arrays with one entry for each of the samples (S, q).

        The first sample is the component's estimate. ``rows`` (S,) are the places that the
        samples have among the estimate (0) and the pooled draws (1, 2, …).
        """
        ...


def pooled(components: Sequence[Component]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pooled draws: (R,) which component each is of, and (R,) which of its draws.

    Draw r of the pool is draw r of its component, so that draws that were paired stay so.
    Components take turns, so that any part of the pool holds them in proportion to their weights.

    Parameters
    ----------
    components : sequence of Component
        Their weights need not add up to one.

    Returns
    -------
    owner, draw : ndarray of int, shape (R,)
        R is the largest number of draws of any component.
    """
    count = max((len(c.flat) for c in components), default=0)
    weights = np.array([c.weight if len(c.flat) else 0.0 for c in components])
    shares = weights / weights.sum() if weights.any() else weights
    taken = np.zeros(len(components))
    owner = np.zeros(count, dtype=int)
    for r in range(count):
        owner[r] = np.argmax(shares * (r + 1) - taken)
        taken[owner[r]] += 1
    sizes = np.array([max(len(c.flat), 1) for c in components])
    return owner, np.arange(count) % sizes[owner]


def draw_count(components: Sequence[Component]) -> int:
    """Return the number of pooled draws."""
    return max((len(c.flat) for c in components), default=0)


def estimate(components: Sequence[Component]) -> Component:
    """Return the point estimate as a component without draws: the weighted mean of several."""
    if len(components) == 1:
        return components[0]
    point = np.concatenate([_shares(components), *(c.point for c in components)])
    function = WeightedMean(
        tuple(c.function for c in components), tuple(len(c.point) for c in components)
    )
    return _Mean(
        name="mean",
        function=function,
        point=point,
        flat=np.empty((0, len(point))),
        fit=components[0].fit,
        parts=tuple(components),
    )


@dataclass(frozen=True, eq=False)
class _Mean(Component):
    """The weighted mean of components, each with labels of its own."""

    parts: tuple[Component, ...] = ()

    def codes(self, table: pd.DataFrame) -> Any:
        return tuple(part.codes(table) for part in self.parts)

    def at(self, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
        total, first = np.zeros((len(samples), len(table))), len(self.parts)
        for k, part in enumerate(self.parts):
            size = len(part.point)
            total += samples[:, [k]] * part.at(table, samples[:, first : first + size])
            first += size
        return total


def over_draws(
    components: Sequence[Component],
    evaluate: Evaluate,
    *,
    every: int = 1,
    average: bool = False,
) -> tuple[np.ndarray, ...]:
    """Compute something for the estimate and for each pooled draw.

    Parameters
    ----------
    components : sequence of Component
        A predictor's components.
    evaluate : callable
        See :class:`Evaluate`. It is called once for one component; for several, once for each of
        them, and once for their weighted mean unless ``average``.
    every : int
        Take only every n-th of the pooled draws.
    average : bool
        Whether the estimate of several components is the weighted mean of their values. Else it is
        the value of their weighted mean function: what the place of an optimum asks for.

    Returns
    -------
    tuple of ndarray, each (1 + R, …)
        The estimate's values first, then those of the pooled draws.
    """
    if len(components) == 1:
        (only,) = components
        samples = np.concatenate([only.point[None], only.flat[::every]])
        return evaluate(only, samples, np.arange(len(samples)))
    owner, draw = (places[::every] for places in pooled(components))
    parts, places = [], []
    for k, component in enumerate(components):
        rows = np.concatenate([[0], 1 + np.flatnonzero(owner == k)])
        samples = np.concatenate([component.point[None], component.flat[draw[rows[1:] - 1]]])
        parts.append(evaluate(component, samples, rows))
        places.append(rows[1:])
    weights = _shares(components)
    if average:
        first = [
            sum(w * x[0] for w, x in zip(weights, arrays, strict=True))
            for arrays in zip(*parts, strict=True)
        ]
    else:
        mean = estimate(components)
        first = [x[0] for x in evaluate(mean, mean.point[None], np.zeros(1, dtype=int))]
    results = []
    for value, arrays in zip(first, zip(*parts, strict=True), strict=True):
        result = np.empty((1 + len(owner), *np.shape(value)), dtype=arrays[0].dtype)
        result[0] = value
        for rows, array in zip(places, arrays, strict=True):
            result[rows] = array[1:]
        results.append(result)
    return tuple(results)


def _shares(components: Sequence[Component]) -> np.ndarray:
    """Return the components' weights, which sum to one."""
    weights = np.array([c.weight for c in components])
    return weights / weights.sum()
