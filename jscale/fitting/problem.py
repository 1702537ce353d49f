"""Problem: a law, runs and an objective as padded arrays, all that a solver sees.

Everything here is a pure function of arrays, safe under jit and vmap. The number of rows is
padded to a size bucket with copies of the first row at weight zero, so that tables of similar
size share one compiled program. Families are many such problems of one law, stacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from jscale.fitting.objective import Objective
from jscale.model.layout import Layout

# Rows per block of a sum; longer tables are padded to a multiple of it.
BLOCK = 512
_FEW_PARTS = 256


class Model(NamedTuple):
    """The static part of a problem, for which programs are compiled.

    ``loss`` is the objective's class, whose numbers a program takes as data.
    """

    layout: Layout
    loss: type[Objective]
    space: str


class Data(NamedTuple):
    """The arrays that a program receives, shared by all lanes.

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
    def rows(self) -> int:
        """The padded number of rows."""
        return len(self.weights)

    @property
    def used(self) -> np.ndarray:
        """Which of the real rows have weight: a mask (n,)."""
        return self.weights[: self.n] > 0

    @cached_property
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

    def part(self, rows: np.ndarray, size: int) -> Problem:
        """Return the problem of some of the real rows alone, centred, padded to ``size`` rows."""
        n = len(rows)
        inputs = [np.asarray(x)[rows] for x in self.data.inputs]
        data = Data(
            inputs=tuple(pad_rows(x, size) for x in inputs),
            codes={k: pad_rows(np.asarray(c)[rows], size) for k, c in self.data.codes.items()},
            target=pad_rows(np.asarray(self.data.target)[rows], size),
            centre=log_centre(inputs),
            fixed=self.data.fixed,
        )
        weights = np.zeros(size)
        weights[:n] = self.weights[rows]
        return replace(self, data=data, weights=weights, n=n, units=self.units[rows])


@dataclass(frozen=True, eq=False)
class Families:
    """Problems of one model and padded size, stacked: every array of ``data`` has a leading
    axis (F,), and so have ``weights`` (F, rows). ``parts`` are the problems themselves.
    """

    model: Model
    objective: Objective
    data: Data
    weights: np.ndarray
    parts: tuple[Problem, ...]

    @classmethod
    def stack(cls, problems: Sequence[Problem]) -> Families:
        """Stack problems, all of one model, objective and padded number of rows."""
        import jax

        first = problems[0]
        data = jax.tree.map(lambda *x: np.stack(x), *(p.data for p in problems))
        weights = np.stack([p.weights for p in problems])
        return cls(first.model, first.objective, data, weights, tuple(problems))

    @classmethod
    def repeat(
        cls, problem: Problem, count: int, *, weights: np.ndarray | None = None, **arrays: Any
    ) -> Families:
        """Return ``count`` families that differ in weights (count, rows) or arrays of the data.

        Everything else is the problem's own, broadcast without a copy.
        """
        import jax

        def shared(values: Any) -> np.ndarray:
            return np.broadcast_to(np.asarray(values), (count, *np.shape(values)))

        data = jax.tree.map(shared, problem.data)._replace(**arrays)
        lane_weights = shared(problem.weights) if weights is None else weights
        return cls(problem.model, problem.objective, data, lane_weights, (problem,) * count)

    @property
    def rows(self) -> int:
        """The padded number of rows."""
        return self.weights.shape[1]

    @property
    def layout(self) -> Layout:
        """How the parameters lie in the solver's vector."""
        return self.model.layout


def bucket(n: int, steps: int = 8) -> int:
    """Return the padded number of rows for n: one of ``steps`` sizes between powers of two.

    At least 16; beyond a block, whole blocks.
    """
    if n <= 16:
        return 16
    step = max(2 ** ((n - 1).bit_length() - 1) // steps, 4)
    if n > BLOCK:
        step = max(step, BLOCK)
    return step * -(-n // step)


def buckets(counts: Sequence[int]) -> list[int]:
    """Return the padded number of rows for each of many parts of a table.

    Every bucket needs a program, and compiling one takes longer than a few hundred fits. Few parts
    therefore share one bucket if that less than quadruples their rows; more parts use coarse
    buckets; fine buckets are used only when parts are so numerous that compile time is negligible.
    """
    fine = [bucket(n) for n in counts]
    if len(fine) >= _FEW_PARTS * len(set(fine)):
        return fine
    coarse = [bucket(n, steps=2) for n in counts]
    if len(coarse) <= _FEW_PARTS and len(coarse) * max(coarse, default=0) <= 4 * sum(coarse):
        return [max(coarse)] * len(coarse)
    return coarse


def pad_rows(values: np.ndarray, rows: int) -> np.ndarray:
    """Lengthen an array along its first axis with copies of its first entry."""
    filler = np.repeat(values[:1], rows - len(values), axis=0)
    return np.concatenate([values, filler])


def log_centre(inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the logarithm of each input's geometric mean, 0 for one that is not positive."""
    return np.array([np.log(x).mean() if (x > 0).all() else 0.0 for x in inputs])


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
