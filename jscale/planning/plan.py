"""Plan: the best choice for each budget, its uncertainty, and the cost of other choices."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.errors import PredictionError
from jscale.fitting.notes import Note
from jscale.planning.costs import Cost
from jscale.planning.optimum import inputs_program, objective_program
from jscale.planning.search import Planner
from jscale.prediction.components import Component
from jscale.prediction.predictor import Predictor, label, parameter_draws
from jscale.uncertainty.draws import Draws, tails

# Limit of a near-optimal range, in e-folds of the first input.
_WIDEST = 40.0
# e-folds of compute over which an exponent is taken.
_STEP = 0.05
# An optimum at a bound may lie outside it by rounding.
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Plan:
    """The best inputs for each budget.

    Attributes
    ----------
    frame : DataFrame
        One row per budget: C, each chosen input, D/N where both are chosen, and the output there,
        each with its confidence interval ``_low`` to ``_high`` (equal-tailed); ``at_bound``, the
        share of draws whose optimum lies at a bound; and ``extrapolation``, how many times past the
        largest fitted compute.
    samples : ndarray, shape (draws, budgets, inputs)
        The optima of the single draws.
    outputs : ndarray, shape (draws, budgets)
        The outputs there.
    output : str
        What the law predicts.
    cost : Cost
        What the inputs cost.
    level : float
        The level of the intervals.
    predictor : Predictor
        What predicts.
    components : tuple of Component
        Its joint draws of the function.
    notes : tuple of Note
        What to know about the plan.
    planner : Planner
        What searched for the optima.
    """

    frame: pd.DataFrame
    samples: np.ndarray
    outputs: np.ndarray
    output: str
    cost: Cost
    level: float
    predictor: Predictor
    components: tuple[Component, ...]
    notes: tuple[Note, ...]
    planner: Planner

    @property
    def method(self) -> str:
        """Where the draws came from."""
        return label(self.predictor)

    @property
    def draws(self) -> Draws | None:
        """The draws of the parameters, None where the predictor is more than one law."""
        return parameter_draws(self.predictor)

    @cached_property
    def exponents(self) -> pd.DataFrame:
        """d ln x*/d ln C of each input at each budget, with its interval (found when asked for).

        One-sided where the given bounds do not allow a slightly larger, or smaller, budget.
        """
        budgets = self.frame["C"].to_numpy()
        point = self.planner.point[None]
        places, ends = [], []
        for step in (-_STEP, _STEP):
            best = self.planner.optima(point, budgets * np.exp(step)).inputs[0]
            ok = self.planner.attainable(best, budgets * np.exp(step))
            places.append(np.where(ok, step, 0.0))
            optima = self.planner.optima_of(self.components, budgets * np.exp(places[-1]))
            ends.append(np.log(optima.inputs))
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = (ends[1] - ends[0]) / (places[1] - places[0])[:, None]
        low, high = np.nanquantile(slopes[1:], tails(self.level), axis=0)
        names = self.planner.choice.variables
        return pd.DataFrame(
            {
                "C": np.repeat(budgets, len(names)),
                "input": np.tile(names, len(budgets)),
                "exponent": slopes[0].ravel(),
                "low": low.ravel(),
                "high": high.ravel(),
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per budget.
        """
        return self.frame.copy()

    def interval(self, level: float = 0.9) -> pd.DataFrame:
        """Return confidence intervals at another level.

        Parameters
        ----------
        level : float
            The level.

        Returns
        -------
        DataFrame
            One row per budget: C, and ``_low`` and ``_high`` of each chosen input and the output.

        Raises
        ------
        JscaleError
            For a level outside (0, 1).
        """
        check_level(level)
        names = (*self.planner.choice.variables, self.output)
        samples = np.concatenate([self.samples, self.outputs[..., None]], axis=-1)
        low, high = np.nanquantile(samples, tails(level), axis=0)
        ends = {
            f"{name}_{end}": values[:, i]
            for i, name in enumerate(names)
            for end, values in (("low", low), ("high", high))
        }
        return pd.DataFrame({"C": self.frame["C"], **ends})

    def __len__(self) -> int:
        return len(self.frame)

    def near_optimal(self, within: float = 0.001) -> pd.DataFrame:
        """Return the range of the first input whose output is nearly the best.

        At the point estimate, with the other input following from the budget, within the bounds
        that
        were given.

        Parameters
        ----------
        within : float
            How close to the best the output must be, as a share of it.

        Returns
        -------
        DataFrame
            One row per budget: C, and the ends of the range, ``_from`` and ``_to``.

        Raises
        ------
        PredictionError
            For a plan of more than two inputs, or a share that is not positive.
        """
        if len(self.planner.choice.variables) != 2:
            raise PredictionError("The near-optimal range exists only for plans of two inputs.")
        if not within > 0:
            raise PredictionError(f"within={within!r} must be a positive share, such as 0.001.")
        name = self.planner.choice.variables[0]
        ends = [
            self._range(C, np.log(best), within) for C, best in self.frame[["C", name]].to_numpy()
        ]
        low, high = np.exp(np.array(ends)).T
        return pd.DataFrame({"C": self.frame["C"], f"{name}_from": low, f"{name}_to": high})

    def _range(self, C: float, best: float, within: float) -> tuple[float, float]:
        """Return logarithms of the first input between which the output is near the best."""
        edges = []
        for way in (-1.0, 1.0):
            near, far = 0.0, 1e-3
            while far < _WIDEST and self._above(C, best, best + way * far) <= within:
                near, far = far, 2.0 * far
            for _ in range(60):
                middle = 0.5 * (near + far)
                inside = self._above(C, best, best + way * middle) <= within
                near, far = (middle, far) if inside else (near, middle)
            edges.append(best + way * near)
        return edges[0], edges[1]

    def _above(self, C: float, best: float, there: float) -> float:
        """Return the relative excess of the output at ``there`` over that at ``best``."""
        values = self._objective(np.array([best, there]), C)
        return float((values[1] - values[0]) / abs(values[0])) if np.isfinite(values[1]) else np.inf

    def excess(self, **choice: Any) -> pd.DataFrame:
        """Return what another choice of the first input costs, at each budget.

        Parameters
        ----------
        **choice
            The choice, one number or one per budget: ``plan.excess(N=7e9)``.

        Returns
        -------
        DataFrame
            The ``output`` there, its ``excess`` over the best, and ``worth``, the share of the
            budget that
            would do as well if it were spent optimally (at the point estimate; NaN where the budget
            does
            not buy the choice, a given bound forbids it, or a millionth of the budget would do).

        Raises
        ------
        PredictionError
            For any other name, or numbers that are not positive.
        """
        name = self.planner.choice.variables[0]
        if set(choice) != {name} or len(self.planner.choice.variables) != 2:
            raise PredictionError(f"Say what the first of two inputs is: plan.excess({name}=…).")
        values = np.broadcast_to(np.asarray(choice[name], dtype=np.float64), len(self.frame))
        if not (np.isfinite(values) & (values > 0)).all():
            raise PredictionError(f"{name}={choice[name]!r} must be positive, finite numbers.")
        sign = 1.0 if self.planner.choice.falling else -1.0
        rows = []
        for (C, best), value in zip(self.frame[["C", self.output]].to_numpy(), values, strict=True):
            reached = self._objective(np.log([value]), C)[0]
            reached = sign * reached if np.isfinite(reached) else np.nan
            rows.append(
                {
                    "C": C,
                    name: value,
                    self.output: reached,
                    "excess": reached - best,
                    "worth": self._worth(C, reached, sign),
                }
            )
        return pd.DataFrame(rows)

    def _worth(self, C: float, output: float, sign: float) -> float:
        """Return the share of a budget whose best output is the given one, by bisection."""
        if not np.isfinite(output):
            return float("nan")
        point = self.planner.point[None]
        shares = np.geomspace(1e-6, 1.0, 121)
        best = sign * self.planner.optima(point, C * shares).output[0]
        reached = np.flatnonzero(best <= sign * output)
        if not len(reached) or reached[0] == 0:
            return 1.0 if not len(reached) else float("nan")
        i = reached[0]
        part = (best[i - 1] - sign * output) / (best[i - 1] - best[i])
        return float(shares[i - 1] * (shares[i] / shares[i - 1]) ** part)

    def _objective(self, logs: np.ndarray, C: float) -> np.ndarray:
        """Return the objective of the point estimate at logarithms of the first input.

        Infinite where a given bound is violated.
        """
        point, choice = self.planner.point[None], self.planner.choice
        free = logs[None, :, None]
        with float64_scope():
            place = self.planner.place(point, np.log([C]))
            values = np.asarray(objective_program(choice)(free, place))[0]
            inputs = np.asarray(inputs_program(choice)(free, place))[0]
        low, high = np.log(self.planner.bounds).T
        given = self.planner.wide == 0
        outside = ((inputs < low - _SLACK) | (inputs > high + _SLACK)) & given
        broken = outside.any(axis=1)
        if self.planner.ratio is not None:
            D, N = (inputs[:, choice.variables.index(x)] for x in ("D", "N"))
            least, most = np.log(self.planner.ratio)
            broken |= (least - _SLACK > D - N) | (most + _SLACK < D - N)
        return np.where(broken, np.inf, values)

    def _title(self) -> str:
        return (
            f"Plan for {self.planner.fit.law.name} at a cost of {self.cost.name}: "
            f"{100 * self.level:g}% confidence intervals by {self.method}"
        )

    def summary(self) -> str:
        """Return the plan as text.

        Returns
        -------
        str
            The table, the exponents at the largest budget, and notes.
        """
        table = self.frame.to_string(float_format=lambda v: f"{v:.4g}", index=False)
        each = self.exponents.drop_duplicates(["C", "input"])
        last = each.loc[each["C"] == each["C"].max()]
        lines = [
            f"{x['input']}* grows as C^{x['exponent']:.3f} ({x['low']:.3f} to {x['high']:.3f})"
            for x in last.to_dict("records")
        ]
        return "\n".join([self._title(), table, *lines, *map(str, self.notes)])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(str(n))}</li>" for n in self.notes)
        table = self.frame.to_html(float_format=lambda v: f"{v:.4g}", index=False)
        return f"<p>{html.escape(self._title())}</p>{table}<ul>{notes}</ul>"
