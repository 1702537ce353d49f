"""Optima of draws at budgets: starts, batches, and a second search where one did not converge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.fitting.result import Fit
from jscale.planning.optimum import (
    Choice,
    Place,
    bounds_program,
    lowest_program,
    objective_program,
)
from jscale.prediction.components import Component, over_draws

# Lanes of a search per compiled call; searches on a grid need more memory for each.
_LANES = 16_384
# Numbers of draws that lanes hold at once: 160 MB.
_NUMBERS = 20_000_000
# Lanes are padded to one of few sizes: compiling costs more than idle lanes.
_SIZES = (32, 512)
_GRID = 129
_AT_ONCE = 1024
_SETTLED = 1e-7


@dataclass(frozen=True, eq=False)
class Optima:
    """Optima of R samples at b budgets.

    ``inputs`` (R, b, k) and ``output`` (R, b) there; ``bound`` (R, b) is the side, −1 or 1, of the
    first variable that is at a bound, 0 where none is; ``settled`` (R, b) which converged.
    """

    inputs: np.ndarray
    output: np.ndarray
    bound: np.ndarray
    settled: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The four arrays, in order."""
        return self.inputs, self.output, self.bound, self.settled

    def only(self, which: np.ndarray) -> Optima:
        """Return the optima of some budgets (b,)."""
        return Optima(*(values[:, which] for values in self.arrays))


@dataclass(frozen=True, eq=False)
class Planner:
    """What a plan searches with: a function and its numbers, the choice, bounds, other inputs.

    ``fit`` is the predictor's reference, and ``component`` what is searched: the estimate, or by
    :meth:`of` any other component. ``bounds`` (k, 2) hold for budgets from ``spent[0]`` to
    ``spent[1]``, the costs of the runs; where ``wide`` (k,) they widen in proportion for smaller
    and larger ones, up to ``hard`` (k, 2), beyond which the law does not hold. ``row`` has one row
    with all inputs that are not chosen, ``others`` those of the law; ``ratio`` holds D/N within
    two numbers, where given.
    """

    fit: Fit
    component: Component
    choice: Choice
    bounds: np.ndarray
    wide: np.ndarray
    hard: np.ndarray
    spent: tuple[float, float]
    others: Mapping[str, float]
    row: pd.DataFrame
    ratio: tuple[float, float] | None = None

    @property
    def point(self) -> np.ndarray:
        """The numbers of the point estimate (q,)."""
        return self.component.point

    @cached_property
    def codes(self) -> Any:
        """The places of the labels of groups, as the component's function takes them."""
        import jax

        return jax.tree.map(lambda code: int(code[0]), self.component.codes(self.row))

    def of(self, component: Component) -> Planner:
        """Return the planner that searches the same for another component."""
        choice = self.choice._replace(function=component.function)
        return replace(self, component=component, choice=choice)

    def optima_of(self, components: Sequence[Component], budgets: np.ndarray) -> Optima:
        """Return the optima of the estimate (first) and of the pooled draws."""
        return Optima(
            *over_draws(
                components,
                lambda component, samples, rows: self.of(component).optima(samples, budgets).arrays,
            )
        )

    def optima(self, samples: np.ndarray, budgets: np.ndarray) -> Optima:
        """Return the optima of samples (R, q), the first of them the point estimate.

        The point's is searched on a grid. The others start from it, and again from the grid where
        that search did not settle.
        """
        with float64_scope():
            first = self._from_grid(np.repeat(samples[:1], len(budgets), 0), np.log(budgets))
            starts = np.tile(first[:, : self._free], (len(samples), 1))
            flat = np.repeat(samples, len(budgets), 0)
            logs = np.tile(np.log(budgets), len(samples))
            inputs, output, step, bound = self._lanes(starts, flat, logs)
            poor = ~(step <= _SETTLED)
            if poor.any():
                restarts = self._from_grid(flat[poor], logs[poor])[:, : self._free]
                better = self._lanes(restarts, flat[poor], logs[poor])
                for old, new in zip((inputs, output, step, bound), better, strict=True):
                    old[poor] = new
        shape = (len(samples), len(budgets))
        k = len(self.choice.variables)
        settled = (step <= _SETTLED) & np.isfinite(output)
        return Optima(
            np.exp(inputs).reshape(*shape, k),
            output.reshape(shape),
            bound.reshape(shape),
            settled.reshape(shape),
        )

    def lowest(self, starts: np.ndarray, flat: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Return the best output (L,) of samples (L, q) at log budgets (L,), from near starts.

        ``starts`` (L, k − 1) are logarithms of all inputs but the last.
        """
        with float64_scope():
            return self._lanes(starts, flat, logs)[1]

    def ends_of_last(self, budgets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds (b,) of the last input at each budget."""
        place = self.place(np.zeros((len(budgets), 1)), np.log(budgets))
        return np.exp(place.low[:, -1]), np.exp(place.high[:, -1])

    def attainable(self, best: np.ndarray, budgets: np.ndarray) -> np.ndarray:
        """Return whether the optimal inputs (b, k) at budgets (b,) keep the last one's bounds."""
        low, high = self.ends_of_last(budgets)
        return (best[:, -1] >= low * (1 - 1e-9)) & (best[:, -1] <= high * (1 + 1e-9))

    @property
    def _free(self) -> int:
        return len(self.choice.variables) - 1

    def place(self, flat: np.ndarray, logs: np.ndarray) -> Place:
        """Return lanes of samples (L, q) and log budgets (L,)."""
        below = np.minimum(logs - np.log(self.spent[0]), 0.0)[:, None] * self.wide
        beyond = np.maximum(logs - np.log(self.spent[1]), 0.0)[:, None] * self.wide
        low, high = np.log(self.bounds).T
        with np.errstate(divide="ignore"):
            least, most = np.log(self.hard).T
        low, high = np.maximum(low + below, least), np.minimum(high + beyond, most)
        ratio = None if self.ratio is None else np.log(self.ratio)
        return Place(flat, logs, dict(self.others), self.codes, low, high, ratio)

    def _lanes(self, starts: np.ndarray, flat: np.ndarray, logs: np.ndarray) -> list[np.ndarray]:
        """Search many lanes, some thousands at a time, padded so that programs are few."""
        program, parts = lowest_program(self.choice), []
        most = self._most_lanes
        for first in range(0, len(logs), most):
            batch = slice(first, first + most)
            count = len(logs[batch])
            size = next((n for n in _SIZES if count <= n), min(most, _power_above(count)))
            pad_starts, pad_flat, pad_logs = (
                np.concatenate([x[batch], np.repeat(x[batch][:1], size - count, 0)])
                for x in (starts, flat, logs)
            )
            lowest = program(pad_starts, self.place(pad_flat, pad_logs))
            parts.append([np.array(x)[:count] for x in lowest])
        inputs, output, step, bound = (np.concatenate(x) for x in zip(*parts, strict=True))
        side = np.take_along_axis(bound, np.argmax(bound != 0, axis=1)[:, None], 1)[:, 0]
        return [inputs, output, step, side]

    @property
    def _most_lanes(self) -> int:
        """How many lanes are searched at once: a power of two."""
        return min(_LANES, max(_power_above(_NUMBERS // len(self.point)) // 2, _SIZES[-1]))

    def grid(self, place: Place) -> np.ndarray:
        """Return free inputs (L, G, k − 1) that span the bounds of each lane."""
        from scipy.stats import qmc

        low, high = (np.asarray(x)[:, None] for x in bounds_program(self.choice)(place))
        if self._free == 1:
            share = np.linspace(0.0, 1.0, _GRID)[:, None]
        else:
            share = qmc.Sobol(self._free, scramble=False).random(512)
        return low + (high - low) * share

    def _from_grid(self, flat: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Return the optimum's inputs (L, k) searched from each lane's best place on the grid."""
        program, starts = objective_program(self.choice), []
        for first in range(0, len(logs), _AT_ONCE):
            batch = slice(first, first + _AT_ONCE)
            place = self.place(flat[batch], logs[batch])
            points = self.grid(place)
            values = np.asarray(program(points, place))
            starts.append(points[np.arange(len(points)), self._lowest_place(values)])
        return self._lanes(np.concatenate(starts), flat, logs)[0]

    def _lowest_place(self, values: np.ndarray) -> np.ndarray:
        """Return the place (L,) of the lowest of objectives (L, G).

        Along one free input, the lowest interior minimum: some laws are lower still at an absurd
        end, which counts only where there is no such minimum.
        """
        finite = np.where(np.isfinite(values), values, np.inf)
        if self._free > 1:
            return np.argmin(finite, axis=1)
        valley = np.zeros(finite.shape, dtype=bool)
        middle = finite[:, 1:-1]
        valley[:, 1:-1] = (middle < finite[:, :-2]) & (middle <= finite[:, 2:])
        inner = np.argmin(np.where(valley, finite, np.inf), axis=1)
        return np.where(valley.any(axis=1), inner, np.argmin(finite, axis=1))


def _power_above(count: int) -> int:
    """Return the smallest power of two that is not below a count."""
    return 1 << max(count - 1, 0).bit_length()
