"""The two stages of a chain: a law fitted to losses, a link fitted to scores, refitted together.

Each resample gives every run a random weight, the same in both stages, so that draws of the two
are correlated as their errors are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.resampling import Units, count_units, units_of
from jscale.data.runs import Runs
from jscale.errors import DataError, FitError
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.fit import fit
from jscale.fitting.points import Points
from jscale.fitting.problem import Families, Problem, evaluate_rows, pad_rows
from jscale.fitting.progress import lane_bar
from jscale.fitting.result import Fit
from jscale.fitting.solver.gauss_newton import Status
from jscale.uncertainty.chain.described import describe
from jscale.uncertainty.chain.table import Table, places
from jscale.uncertainty.draws import Draws, no_spare_runs
from jscale.uncertainty.refits import Chunk, Refits, chunk_size, refit, warn_of_failures


@dataclass(frozen=True, eq=False)
class PrescribedWeights:
    """Resamples whose weights (R, n) were drawn beforehand, the same for several stages.

    ``inputs`` (R, n) are the values of the law's one input in each resample, where they differ.
    """

    problem: Problem
    theta: np.ndarray
    weights: np.ndarray
    inputs: np.ndarray | None = None
    lbfgs: bool = False

    def chunks(self, resamples: int) -> Iterator[Chunk]:
        """Yield all resamples, in chunks of bounded memory."""
        problem = self.problem
        most = chunk_size(problem)
        for first in range(0, resamples, most):
            weights = self.weights[first : first + most] * problem.weights[: problem.n]
            if self.inputs is None:
                yield Chunk(problem, len(weights), weights=weights)
            else:
                families = self._families(weights, self.inputs[first : first + most])
                yield Chunk(problem, len(weights), families=families)

    def _families(self, weights: np.ndarray, inputs: np.ndarray) -> Families:
        """One family per resample, with its own weights and input."""
        problem, count = self.problem, len(weights)
        padded = np.zeros((count, problem.rows))
        padded[:, : problem.n] = weights
        # The link's input is the first stage's curve, so it differs between resamples.
        lane_inputs = (pad_rows(inputs.T, problem.rows).T,)
        return Families.repeat(problem, count, weights=padded, inputs=lane_inputs)


@dataclass(frozen=True, eq=False)
class Stages:
    """The two fitted stages, and the places of their rows in the table.

    ``scored`` are all rows with a score, as Runs of the composed law.
    """

    table: Table
    objective: str
    first: Fit
    first_rows: np.ndarray
    second: Fit
    second_rows: np.ndarray
    scored: Runs
    refitted: bool

    @classmethod
    def of(cls, table: Table, objective: str, losses: str) -> Stages:
        """Fit both stages; raises DataError or FitError where a stage cannot be fitted."""
        parts = table.parts
        do = "Give losses and scores of the same runs"
        table.check_any(table.has_score, "a score", f"{do}.")
        if losses == "observed":
            do += ', in one row, or fit the link to the law\'s curve: losses="fitted".'
            table.check_any(table.has_loss & table.has_score, "both a loss and a score", do)
        runs, first_rows = places(table.losses())
        first = fit(parts.inner, runs, objective=objective, **parts.inner_choices())
        scored, scored_rows = places(table.scores())
        input_ = {parts.link.inputs[0]: parts.inner.output}
        if losses == "observed":
            runs, second_rows = places(table.scores(table.has_loss & table.has_score, input_))
        else:
            curve = losses_at(first, scored.frame, first.params.to_numpy()[None])[0]
            whole = table.frame.iloc[scored_rows].assign(**{parts.inner.output: curve})
            fitted = replace(table, frame=whole)
            runs, second_rows = places(fitted.scores(columns=input_))
        second = fit(parts.link, runs, objective=objective, **parts.link_choices())
        for stage in (first, second):
            if stage.problem.freedom < 1:
                raise no_spare_runs(stage)
        again = losses == "fitted"
        return cls(table, objective, first, first_rows, second, second_rows, scored, again)

    @property
    def names(self) -> list[str]:
        """The composed law's names of the numbers of both stages."""
        new = {of_link: name for name, of_link in self.table.parts.of_link.items()}
        link_names = flat_names(self.second.problem.layout)
        renamed = [new[n.partition("[")[0]] + n[len(n.partition("[")[0]) :] for n in link_names]
        return [*flat_names(self.first.problem.layout), *renamed]

    @property
    def estimate(self) -> pd.Series:
        """Both stages' estimates, under the composed law's names."""
        both = np.concatenate([self.first.params, self.second.params])
        return pd.Series(both, self.names)

    def draws(self, settings: dict[str, Any], progress: bool) -> Draws:
        """Refit both stages to the same resamples of runs; return draws of the composed law."""
        count = settings["resamples"]
        units = _units(self.table)
        rng = np.random.default_rng(settings["seed"])
        # Drawn once for both stages: this is what correlates their errors.
        weights = count_units(units, count, rng, smooth=True)
        with float64_scope(), lane_bar(2 * count, "refits", progress) as tick:
            first = self._refit(self.first, weights[:, self.first_rows], None, tick)
            inner = natural_parameters(self.first.problem, first.theta)
            # A failed first stage falls back to the estimate here; its draw is dropped below.
            inner = np.where(first.good[:, None], inner, self.first.params.to_numpy())
            inputs = losses_at(self.first, self.scored.frame, inner) if self.refitted else None
            second = self._refit(self.second, weights[:, self.second_rows], inputs, tick)
            outer = natural_parameters(self.second.problem, second.theta)
        good = first.good & second.good
        if not good.any():
            raise FitError(f"None of {count} resamples could be refitted; read the fits' notes.")
        samples = pd.DataFrame(np.hstack([inner, outer])[good], columns=self.names)
        settled = (first.status == Status.CONVERGED) & (second.status == Status.CONVERGED)
        failed, unsettled = int(np.sum(~good)), int(np.sum(good & ~settled))
        warn_of_failures(count, failed, unsettled, "Fix the parameters that draws.fit.notes names.")
        fits = (self.first, self.second)
        parts = self.table.parts
        described = describe(parts, self.scored, self.objective, fits, samples, self.estimate)
        names = tuple(described.params.index)
        values = samples[list(names)].to_numpy()[None]
        switched = int(np.sum(first.switched | second.switched))
        method = "chain (two-stage)"
        return Draws(described, values, names, method, settings, failed, unsettled, switched)

    def _refit(self, stage: Fit, weights: np.ndarray, inputs: Any, tick: Any) -> Refits:
        resampler = PrescribedWeights(stage.problem, stage.theta, weights, inputs)
        return refit(resampler, len(weights), tick)


def losses_at(fit: Fit, frame: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return a fit's curve for samples of its parameters (R, q) at rows of a table: (R, n)."""
    import jax

    inputs, codes = Points.in_table(fit, frame).padded()
    layout = fit.problem.layout

    def one(flat: Any) -> Any:
        return evaluate_rows(layout, layout.unflatten(flat), inputs, codes, jax.vmap)

    with float64_scope():
        return np.asarray(jax.jit(jax.vmap(one))(samples))[:, : len(frame)]


def _units(table: Table) -> Units:
    """The units that share a weight, over all rows of both stages."""
    group, per = table.columns.get("group"), table.parts.per
    whole = Runs(table.frame, (), table.parts.link.output, run=table.run, group=group)
    units = units_of(whole, per)
    if len(units.alone) == len(np.unique(units.stratum)):
        raise DataError(
            "Runs are weighed within groups, and each group here holds a single one, so every "
            "resample would be the same. Leave group= out, or share the parameters."
        )
    return units
