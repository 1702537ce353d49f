"""required: the size, data or compute that a target loss or score takes, if it can be reached."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
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
from jscale.planning.compute import needed
from jscale.planning.domain import domain_of, stand_ins
from jscale.planning.notes import notes_on_optima
from jscale.planning.search import Planner
from jscale.planning.setup import planned, planner_of
from jscale.prediction.components import Component, Function, over_draws
from jscale.prediction.extrapolation import CHECK_FAR, extrapolation, warn_if_far
from jscale.prediction.predictor import Predictor, is_within_law, label
from jscale.prediction.sources import predictor_of, reference_of
from jscale.uncertainty.draws import Draws, tails

# The search range, as factors below and above the runs (wide enough to meet a limit).
_BELOW, _BEYOND = 1e6, 1e30
_GRID = 241
_HALVINGS = 48


@dataclass(frozen=True, eq=False)
class Required:
    """What a target takes.

    Attributes
    ----------
    variable : str
        The input that was solved for.
    frame : DataFrame
        One row per target: the target, the law's other inputs, the ``estimate`` of the variable
        with
        its confidence interval ``low`` to ``high`` (equal-tailed), and ``reached``, the share of
        draws
        in which any amount reaches the target. Draws that never do count as infinite, so that an
        interval may end at inf.
    samples : ndarray, shape (draws, rows)
        The amounts of the single draws.
    level : float
        The level of the intervals.
    method : str
        Where the draws came from.
    law : str
        The law.
    notes : tuple of Note
        What to know about it.
    """

    variable: str
    frame: pd.DataFrame
    samples: np.ndarray
    level: float
    method: str
    law: str
    notes: tuple[Note, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per target.
        """
        return self.frame.copy()

    def interval(self, level: float = 0.9) -> pd.DataFrame:
        """Return the ends of the interval at another level.

        Parameters
        ----------
        level : float
            The level.

        Returns
        -------
        DataFrame
            One row per target: ``low`` and ``high``, infinite where that many draws never reach it.

        Raises
        ------
        JscaleError
            For a level outside (0, 1).
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
        """Return the answers as text.

        Returns
        -------
        str
            The table and the notes.
        """
        table = self.frame.to_string(float_format=lambda v: f"{v:.4g}", index=False)
        return "\n".join([self._title(), table, *map(str, self.notes)])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(str(n))}</li>" for n in self.notes)
        table = self.frame.to_html(float_format=lambda v: f"{v:.4g}", index=False)
        return f"<p>{html.escape(self._title())}</p>{table}<ul>{notes}</ul>"


def required(
    source: Draws | Fit | Predictor,
    variable: str,
    *,
    cost: Any = None,
    level: float = 0.9,
    method: str = "auto",
    discrepancy: bool = True,
    seed: int = 0,
    **given: Any,
) -> Required:
    """Find how much of an input a target takes, and with which probability it can be reached.

    The smallest amount x with L(x; θ) ≤ target is found for the estimate and for each draw of θ; an
    output that rises in the variable reaches its target from below.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        Draws of any law, a Fit (with the discrepancy of its law), or several laws, as of a
        :class:`~jscale.Forecast`: the estimate is then that of the weighted mean of the laws, and
        draws are pooled in proportion to their weights.
    variable : str
        The input asked for, or "C", of a law without that input, for the budget that reaches the
        target when it is spent best, by :func:`jscale.allocate`.
    cost : Cost or callable, optional
        What inputs cost, for the variable "C" alone; by default 6·N·D, in FLOPs.
    level : float, default 0.9
        The level of confidence intervals.
    method : str, default "auto"
        How the parameters of a Fit are drawn (see :func:`jscale.draws`); a method that is named
        gives intervals within the law.
    discrepancy : bool, default True
        Whether draws of a Fit include the chance that the truth departs from its law.
    seed : int, default 0
        The seed of those draws.
    **given : float, str or array_like
        The target, under the name of the law's output; the law's other inputs; and the group's
        label where parameters differ by group. Arrays broadcast:
        ``required(draws, "D", loss=[2.0, 2.1], N=7e9)``.

    Returns
    -------
    Required
        A row for each target; for "C", ``frame`` also holds what the estimate buys: N and D, say.

    Raises
    ------
    PredictionError
        For a variable that is not an input, and for targets or inputs that are missing, unknown
        or not numbers.
    JscaleError
        For a level outside (0, 1).

    Warns
    -----
    ExtrapolationWarning
        Where the estimate lies more than ten times past the largest compute fitted.

    Notes
    -----
    The coverage of intervals within the law has been measured for D alone, in worlds made by the
    fitted law: off by at most 12 percentage points (benchmarks/results/plan_coverage.txt). With the
    discrepancy it has not been measured.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.required(js.laplace(fit, 100), "D", loss=[1.6, 0.5], N=1e5).frame.columns.tolist()
    ['loss', 'N', 'estimate', 'low', 'high', 'reached']
    """
    check_level(level)
    reference = reference_of(source, caller="required")
    if variable == "C" and "C" not in reference.law.inputs:
        rest = dict(given)
        targets = _targets(reference, "C", rest.pop(reference.law.output, None))
        if targets.ndim > 1:
            raise PredictionError(
                f"{reference.law.output} must be one target or a list of targets."
            )
        planner = planner_of(reference, cost, None, {}, rest)
        predictor = predictor_of(source, method, seed, caller="required", discrepancy=discrepancy)
        return _of_budgets(predictor, planner, np.atleast_1d(targets), level)
    if cost is not None:
        raise PredictionError('A cost is of compute: required(draws, "C", cost=…, …).')
    table = _table(reference, variable, given)
    predictor = predictor_of(source, method, seed, caller="required", discrepancy=discrepancy)
    return _of_inputs(predictor, variable, table, level)


def _of_inputs(predictor: Predictor, variable: str, table: pd.DataFrame, level: float) -> Required:
    """Answer for one of the law's inputs."""
    fit = predictor.reference
    search = _Search.of(fit, variable, table)
    amounts, reached_already = over_draws(
        predictor.components, lambda component, samples, rows: search(component, samples)
    )
    frame = _with_interval(table.drop(columns=variable), amounts, level)
    _warn_far(_past(fit, variable, frame), predictor)
    notes = tuple(_notes(fit, variable, frame, reached_already[0]))
    return Required(variable, frame, amounts[1:], level, label(predictor), fit.law.name, notes)


def _of_budgets(
    predictor: Predictor, planner: Planner, targets: np.ndarray, level: float
) -> Required:
    """Answer for the budget of a law whose inputs it buys."""
    fit = predictor.reference
    planner, components, left_out = planned(predictor, planner)
    amounts, best, reached_already = needed(planner, components, targets)
    reached = np.isfinite(amounts[0])
    inputs = np.where(reached[:, None], best.inputs[0], np.nan)
    frame = pd.DataFrame({fit.law.output: targets, **planner.others})
    frame = _with_interval(frame, amounts, level)
    variables = list(planner.choice.variables)
    frame[variables] = inputs
    _warn_far(
        np.nan_to_num(extrapolation(fit, frame[variables].assign(**planner.others))), predictor
    )
    notes = (
        *left_out,
        *_notes(fit, "C", frame, reached_already),
        *notes_on_optima(planner, best.only(reached)),
    )
    return Required("C", frame, amounts[1:], level, label(predictor), fit.law.name, notes)


def _warn_far(past: np.ndarray, predictor: Predictor) -> None:
    within = is_within_law(predictor)
    advice = "Intervals only cover uncertainty within the law." if within else CHECK_FAR
    warn_if_far(past, "answers", "compute", advice)


def _with_interval(frame: pd.DataFrame, amounts: np.ndarray, level: float) -> pd.DataFrame:
    """Add estimate, interval and the share of draws that reach the target."""
    low, high = np.quantile(amounts[1:], tails(level), axis=0, method="inverted_cdf")
    reached = np.isfinite(amounts[1:]).mean(axis=0)
    return frame.assign(estimate=amounts[0], low=low, high=high, reached=reached)


def _targets(fit: Fit, variable: str, target: Any) -> np.ndarray:
    """Return targets as an array; raises PredictionError unless they are finite numbers."""
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
            f"{variable!r} is not an input of {law.name}.{nearest(str(variable), law.inputs)} Its "
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
def _program(function: Function, variable: str, falling: bool) -> Callable[..., Any]:
    """Return a compiled program: samples (R, q) and rows (m) to amounts and place (R, m)."""
    import jax
    import jax.numpy as jnp

    def one(flat: Any, target: Any, others: Any, codes: Any, grid: Any) -> tuple[Any, Any]:
        def met(u: Any) -> Any:
            output = function(flat, {**others, variable: jnp.exp(u)}, codes)
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


@dataclass(frozen=True, eq=False)
class _Search:
    """The search of a variable for each row of ``table``, along a grid of its logarithm."""

    variable: str
    table: pd.DataFrame
    target: np.ndarray
    others: Mapping[str, np.ndarray]
    grid: np.ndarray
    falling: bool

    @classmethod
    def of(cls, fit: Fit, variable: str, table: pd.DataFrame) -> _Search:
        """Span the grid from far below the runs to far above, within the law's domain."""
        inputs = Points.in_table(fit, table).inputs
        named = dict(zip(fit.law.inputs, inputs, strict=True))
        others = {name: values for name, values in named.items() if name != variable}
        seen = fit.runs[variable]
        least, most = domain_of(fit.law, variable, others)
        low, high = max(seen.min() / _BELOW, least), min(seen.max() * _BEYOND, most)
        grid = np.linspace(np.log(low), np.log(high), _GRID)
        target = table[fit.law.output].to_numpy()
        return cls(variable, table, target, others, grid, variable not in fit.law.rising)

    def __call__(self, component: Component, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return amounts (R, m), and whether the smallest one searched reaches the target."""
        codes = component.codes(self.table)
        with float64_scope():
            program = _program(component.function, self.variable, self.falling)
            amounts, reached_already = program(samples, self.target, self.others, codes, self.grid)
            return np.asarray(amounts), np.asarray(reached_already)


def _past(fit: Fit, variable: str, frame: pd.DataFrame) -> np.ndarray:
    """Return the compute of the answers over the largest fitted compute, 0 where unknown."""
    known = {**{x: frame[x] for x in fit.law.inputs if x in frame}, variable: frame["estimate"]}
    if fit.largest is None:
        return np.zeros(len(frame))
    if variable == "C":
        return frame["estimate"].to_numpy() / fit.largest
    if {"N", "D"} <= set(known):
        return training_flops(known["N"], known["D"]) / fit.largest
    return np.zeros(len(frame))


def _notes(
    fit: Fit, variable: str, frame: pd.DataFrame, reached_already: np.ndarray
) -> Iterator[Note]:
    """Yield notes on targets out of reach, for the estimate or some draws, or already met."""
    never = ~np.isfinite(frame["estimate"].to_numpy())
    if never.any():
        shown = listing([f"{v:.4g}" for v in frame.loc[never, fit.law.output]])
        yield Note(
            "out-of-reach",
            "warning",
            f"No {variable} reaches a {fit.law.output} of {shown} at the estimate.",
            "The law's limit there is short of the target.",
            "Ask for another target, or give the other inputs more.",
        )
    partly = ~never & (frame["reached"].to_numpy() < 0.99)
    if partly.any():
        yield Note(
            "may-be-out-of-reach",
            "caution",
            f"In {int(partly.sum())} of {len(frame)} rows some draws never reach the target.",
            "Their amount counts as infinite; the column reached has the probability.",
            "Plan with that probability in mind.",
        )
    if reached_already.any():
        yield Note(
            "reached-already",
            "info",
            f"In {int(reached_already.sum())} of {len(frame)} rows the smallest {variable} that "
            "the law takes, or a millionth of the smallest fitted, reaches the target already.",
            "The answer is that amount: the target is already met by the smallest choice.",
            "Ask for a harder one.",
        )
