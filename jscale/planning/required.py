"""required: the size, data or compute that a loss or score takes, and whether it can be reached."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.data.flops import training_flops
from jscale.errors import PredictionError, listing, nearest
from jscale.fitting.notes import Note
from jscale.fitting.points import Points, input_table
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout
from jscale.planning.allocate import notes_on, planner_of
from jscale.planning.compute import needed
from jscale.planning.domain import domain_of, stand_ins
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws, tails

# Where an output is looked for: so far below and beyond the runs (a limit is reached, or never).
_BELOW, _BEYOND = 1e6, 1e30
_GRID = 241
_HALVINGS = 48


@dataclass(frozen=True, eq=False)
class Required:
    """What a target takes.

    ``frame`` has a row per target: the target, the law's other inputs, ``estimate`` of the
    variable with its confidence interval ``low`` to ``high`` (equal-tailed, at ``level``), and
    ``reached``, the share of draws in which any amount reaches the target. Draws that never do
    count as infinite, so that an interval may end at inf. ``samples`` (draws, rows) are the
    draws' own.
    """

    variable: str
    frame: pd.DataFrame
    samples: np.ndarray
    level: float
    method: str
    law: str
    notes: tuple[Note, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def interval(self, level: float = 0.9) -> pd.DataFrame:
        """Return low and high at another level, infinite where so many draws never get there.

        Raises JscaleError for a level outside (0, 1).
        """
        check_level(level)
        low, high = np.quantile(self.samples, tails(level), axis=0, method="inverted_cdf")
        return pd.DataFrame({"low": low, "high": high}, index=self.frame.index)

    def __len__(self) -> int:
        return len(self.frame)

    def _title(self) -> str:
        return (
            f"{self.variable} that {self.law} needs: {100 * self.level:g}% confidence intervals by "
            f"{self.method}"
        )

    def summary(self) -> str:
        """Return the answers as text: the table and the notes."""
        table = self.frame.to_string(float_format=lambda v: f"{v:.4g}", index=False)
        return "\n".join([self._title(), table, *map(str, self.notes)])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(str(n))}</li>" for n in self.notes)
        table = self.frame.to_html(float_format=lambda v: f"{v:.4g}", index=False)
        return f"<p>{html.escape(self._title())}</p>{table}<ul>{notes}</ul>"


def required(
    source: Draws | Fit,
    variable: str,
    *,
    cost: Any = None,
    level: float = 0.9,
    method: str = "auto",
    seed: int = 0,
    **given: Any,
) -> Required:
    """Find how much of an input a target takes, and with which probability it can be reached.

    ``source`` is Draws or a Fit (drawn by ``method`` and ``seed``); ``variable`` the input asked
    for. ``given`` holds the target under the name of the law's output, the law's other inputs,
    and the group's label where parameters differ by group, as numbers or arrays that broadcast:
    ``required(draws, "D", loss=2.0, N=7e9)``. The smallest amount that reaches the target is
    found for the estimate and for each draw; a loss is reached from above, an output that rises in
    the variable from below.

    ``required(draws, "C", loss=2.0)`` of a law without an input C asks for the budget that
    reaches the target when it is spent best, by :func:`jscale.allocate` under ``cost`` (6·N·D
    FLOPs by default); ``frame`` then holds what the estimate buys, such as N and D.

    How often these intervals hold the truth has been measured for D alone, in worlds that the law
    made: off by at most 12 percentage points (benchmarks/results/plan_coverage.txt).

    Raises PredictionError for a variable that is no input, and for targets or inputs that are
    missing, unknown or no numbers; warns with ExtrapolationWarning where the estimate lies more
    than ten times past the largest compute fitted.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.required(js.laplace(fit, 100), "D", loss=[1.6, 0.5], N=1e5).frame.columns.tolist()
    ['loss', 'N', 'estimate', 'low', 'high', 'reached']
    """
    check_level(level)
    fit = source.fit if isinstance(source, Draws) else source
    if not isinstance(fit, Fit):
        raise PredictionError(f"required takes Draws or a Fit, not {type(source).__name__}.")
    if variable == "C" and "C" not in fit.law.inputs:
        return _of_budgets(source, fit, cost, given, level, method, seed)
    if cost is not None:
        raise PredictionError('A cost is of compute: required(draws, "C", cost=…, …).')
    table = _table(fit, variable, given)
    drawn = make_draws(source, method, seed=seed) if isinstance(source, Fit) else source
    flat = np.concatenate([fit.params.to_numpy()[None], drawn.flat])
    found, first = _amounts(fit, variable, table, flat)
    frame = _with_interval(table.drop(columns=variable), found, level)
    warn_if_far(
        _past(fit, variable, frame), "answers", "compute",
        "Intervals only cover uncertainty within the law.",
    )  # fmt: skip
    notes = tuple(_notes(fit, variable, frame, first[0]))
    return Required(variable, frame, found[1:], level, drawn.method, fit.law.name, notes)


def _of_budgets(
    source: Draws | Fit, fit: Fit, cost: Any, given: dict[str, Any], level: float, method: str,
    seed: int,
) -> Required:  # fmt: skip
    """Answer for the budget of a law whose inputs it buys."""
    rest = dict(given)
    target = _targets(fit, "C", rest.pop(fit.law.output, None))
    if target.ndim > 1:
        raise PredictionError(f"{fit.law.output} must be one target or a list of targets.")
    planner = planner_of(fit, cost, None, {}, rest)
    drawn = make_draws(source, method, seed=seed) if isinstance(source, Fit) else source
    samples = np.concatenate([fit.params.to_numpy()[None], drawn.flat])
    found, best, first = needed(planner, samples, np.atleast_1d(target))
    reached = np.isfinite(found[0])
    inputs = np.where(reached[:, None], best.inputs[0], np.nan)
    frame = pd.DataFrame({fit.law.output: np.atleast_1d(target), **planner.others})
    frame = _with_interval(frame, found, level)
    frame[list(planner.choice.variables)] = inputs
    past = extrapolation(fit, frame[list(planner.choice.variables)].assign(**planner.others))
    warn_if_far(
        np.nan_to_num(past), "answers", "compute",
        "Intervals only cover uncertainty within the law.",
    )  # fmt: skip
    notes = (*_notes(fit, "C", frame, first), *notes_on(planner, best.only(reached)))
    return Required("C", frame, found[1:], level, drawn.method, fit.law.name, notes)


def _with_interval(frame: pd.DataFrame, found: np.ndarray, level: float) -> pd.DataFrame:
    """Add estimate, interval and the share of draws that reach the target."""
    low, high = np.quantile(found[1:], tails(level), axis=0, method="inverted_cdf")
    reached = np.isfinite(found[1:]).mean(axis=0)
    return frame.assign(estimate=found[0], low=low, high=high, reached=reached)


def _targets(fit: Fit, variable: str, target: Any) -> np.ndarray:
    if target is None:
        rest = [x for x in fit.law.inputs if x != variable] if variable != "C" else []
        raise PredictionError(
            f"the target is missing: required(draws, {variable!r}, {fit.law.output}=…"
            f"{''.join(f', {x}=…' for x in rest)})."
        )
    target = np.asarray(target, dtype=np.float64)
    if not np.isfinite(target).all():
        raise PredictionError(f"{fit.law.output}={target.tolist()!r} must be finite numbers.")
    return target


def _table(fit: Fit, variable: str, given: dict[str, Any]) -> pd.DataFrame:
    """Return the target, the other inputs, and 1 for the variable, a row for each target."""
    law = fit.law
    if variable not in law.inputs:
        raise PredictionError(
            f"{variable!r} is no input of {law.name}.{nearest(str(variable), law.inputs)} Its "
            f"inputs are {listing(law.inputs, 12)}."
        )
    if variable in given:
        raise PredictionError(
            f"{variable} is what is asked for: required(draws, {variable!r}, {law.output}=…"
            f"{''.join(f', {x}=…' for x in law.inputs if x != variable)})."
        )
    target = _targets(fit, variable, given.get(law.output))
    rest = {name: value for name, value in given.items() if name != law.output}
    shape = np.broadcast_shapes(target.shape, *(np.shape(v) for v in rest.values()))
    whole = {
        name: np.broadcast_to(np.asarray(value), shape).ravel() for name, value in rest.items()
    }
    count = max(int(np.prod(shape)), 1)
    whole |= {name: np.full(count, v) for name, v in stand_ins(fit, [variable]).items()}
    inputs = input_table(fit, whole, {})
    inputs.insert(0, law.output, np.broadcast_to(target, shape).ravel())
    return inputs


@programs
def _program(layout: Layout, variable: str, falling: bool) -> Callable[..., Any]:
    """Return a compiled program: parameters (R, q) and rows (m) to amounts and place (R, m)."""
    import jax
    import jax.numpy as jnp

    def one(flat: Any, target: Any, others: Any, codes: Any, grid: Any) -> tuple[Any, Any]:
        values = layout.pick(layout.unflatten(flat), codes)

        def met(u: Any) -> Any:
            output = layout.law.evaluate({**others, variable: jnp.exp(u), **values})
            return output <= target if falling else output >= target

        reached = jax.vmap(met)(grid)
        place = jnp.argmax(reached)

        def halve(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
            low, high = ends
            middle = 0.5 * (low + high)
            there = met(middle)
            return jnp.where(there, low, middle), jnp.where(there, middle, high)

        ends = (grid[jnp.maximum(place - 1, 0)], grid[place])
        high = jax.lax.fori_loop(0, _HALVINGS, halve, ends)[1]
        return jnp.where(reached.any(), jnp.exp(high), jnp.inf), reached[0]

    rows = jax.vmap(one, in_axes=(None, 0, 0, 0, None))
    return jax.jit(jax.vmap(rows, in_axes=(0, None, None, None, None)))


def _amounts(
    fit: Fit, variable: str, table: pd.DataFrame, flat: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return amounts (R, m), and whether already the smallest looked at reaches the target."""
    points = Points.in_table(fit, table)
    named = dict(zip(fit.law.inputs, points.inputs, strict=True))
    others = {name: value for name, value in named.items() if name != variable}
    seen = fit.runs[variable]
    least, most = domain_of(fit.law, variable, others)
    low, high = max(seen.min() / _BELOW, least), min(seen.max() * _BEYOND, most)
    grid = np.linspace(np.log(low), np.log(high), _GRID)
    falling = variable not in fit.law.rising
    with float64_scope():
        program = _program(fit.problem.layout, variable, falling)
        target = table[fit.law.output].to_numpy()
        found, first = program(flat, target, others, points.codes, grid)
        return np.asarray(found), np.asarray(first)


def _past(fit: Fit, variable: str, frame: pd.DataFrame) -> np.ndarray:
    """Return how many times past the largest compute fitted the answers lie, 0 where unknown."""
    known = {**{x: frame[x] for x in fit.law.inputs if x in frame}, variable: frame["estimate"]}
    if fit.largest is None:
        return np.zeros(len(frame))
    if variable == "C":
        return frame["estimate"].to_numpy() / fit.largest
    if {"N", "D"} <= set(known):
        return training_flops(known["N"], known["D"]) / fit.largest
    return np.zeros(len(frame))


def _notes(fit: Fit, variable: str, frame: pd.DataFrame, first: np.ndarray) -> Iterator[Note]:
    never = ~np.isfinite(frame["estimate"].to_numpy())
    if never.any():
        shown = listing([f"{v:.4g}" for v in frame.loc[never, fit.law.output]])
        yield Note(
            "out-of-reach", "warning",
            f"No {variable} reaches a {fit.law.output} of {shown} at the estimate.",
            "The law's limit there is short of the target.",
            "Ask for another target, or give the other inputs more.",
        )  # fmt: skip
    partly = ~never & (frame["reached"].to_numpy() < 0.99)
    if partly.any():
        yield Note(
            "may-be-out-of-reach", "caution",
            f"In {int(partly.sum())} of {len(frame)} rows some draws never reach the target.",
            "Their amount counts as infinite; the column reached has the probability.",
            "Plan with that probability in mind.",
        )  # fmt: skip
    if first.any():
        yield Note(
            "reached-already", "info",
            f"In {int(first.sum())} of {len(frame)} rows the smallest {variable} that the law "
            "takes, or a millionth of the smallest fitted, reaches the target already.",
            "The answer is that amount, and says only that the target is no target.",
            "Ask for a harder one.",
        )  # fmt: skip
