"""One law as a predictor: its draws, or its point estimate alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.errors import FitWarning, listing, outside
from jscale.fitting.notes import Note
from jscale.fitting.objective import to_space
from jscale.fitting.points import input_table
from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.components import Component, component_of, curves
from jscale.prediction.newruns import NewRun, errors_of, extra_columns, remarks
from jscale.prediction.predictive import Predictive, Samples
from jscale.prediction.quantiles import quantiles
from jscale.uncertainty.draws import Draws, NewRuns

POINT_ALONE = "none (point alone)"
# Rows whose samples are held in memory together.
ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class OneLaw:
    """Draws of one law's parameters as a predictor; ``remarks`` are further notes."""

    draws: Draws
    remarks: tuple[Note, ...] = ()
    within_law: bool = True

    @property
    def reference(self) -> Fit:
        """The fit that the draws are of."""
        return self.draws.fit

    @property
    def method(self) -> str:
        """What the draws came from."""
        return self.draws.method

    @property
    def settings(self) -> Mapping[str, Any]:
        """How the draws were made."""
        return self.draws.settings

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of the draws."""
        return (*self.remarks, *self.draws.notes)

    @property
    def resamples(self) -> str | None:
        """The kind of bootstrap, None for other draws."""
        return self.method if self.draws.resampled else None

    @property
    def components(self) -> tuple[Component, ...]:
        """The law, with the draws of its parameters."""
        return self._components

    @cached_property
    def _components(self) -> tuple[Component, ...]:
        return (component_of(self.draws.fit, self.draws.flat),)

    def with_law(self, law: Law) -> OneLaw:
        """Return the predictor with a law of the same parameters in its law's place."""
        return replace(self, draws=replace(self.draws, fit=replace(self.draws.fit, law=law)))

    def sampler(self, new_run: NewRun, seed: int) -> DrawsSampler:
        """Return what samples new runs; raises PredictionError for those draws cannot predict."""
        draws, noise = new_run.of(self.draws, seed)
        return DrawsSampler(draws, noise, self.remarks)


@dataclass(frozen=True, eq=False)
class DrawsSampler:
    """Samples the curve from draws of parameters, and new runs with a noise around it."""

    draws: Draws
    noise: NewRuns
    remarks: tuple[Note, ...] = ()
    rows_at_once: int | None = ROWS_AT_ONCE

    @property
    def predictor(self) -> OneLaw:
        """The draws as a predictor."""
        return OneLaw(self.draws, self.remarks)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of the draws and of the noise."""
        return (*self.remarks, *remarks([self.draws], [self.noise]))

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        """Check inputs of the law, and the columns that the noise reads."""
        return input_table(self.draws.fit, where, inputs, also=extra_columns(self.noise))

    def predictive(self, table: pd.DataFrame, seed: int) -> Predictive:
        """Return samples of the curve and of new runs at a table's rows."""
        return Predictive.of(self.samples(table, seed))

    def samples(self, table: pd.DataFrame, seed: int) -> Samples:
        """Return the same, as samples of one law."""
        draws, fit, space = self.draws, self.draws.fit, self.draws.fit.settings.objective.space
        output = curves(fit, table, np.concatenate([fit.params.to_numpy()[None], draws.flat]))
        with float64_scope(), np.errstate(all="ignore"):
            curve = np.asarray(to_space(output, space))
        _warn_undefined(fit, table, curve[1:])
        new = curve[1:] + errors_of(self.noise, curve[1:], table, seed)
        # A posterior is another estimator than the fit: its curve is its own.
        middle = curve[0] if draws.centred_on_fit else quantiles(curve[1:], (0.5,))[0]
        return Samples(middle, curve[1:], new, space)


def _warn_undefined(fit: Fit, table: pd.DataFrame, curve: np.ndarray) -> None:
    """Warn where draws are NaN: quantiles are then those of the other draws."""
    undefined = np.asarray(np.isnan(curve))
    if undefined.any():
        rows = table.index[np.any(undefined, axis=0)].tolist()
        warnings.warn(
            f"{int(np.sum(np.any(undefined, axis=1)))} of {len(curve)} draws give no "
            f"{fit.settings.objective.space} {fit.law.output} in row {listing(rows)}: the law "
            "leaves its range there. Intervals are of the other draws, and too narrow; predict "
            "nearer to the fitted runs.",
            FitWarning,
            stacklevel=outside(),
        )


@dataclass(frozen=True, eq=False)
class PointAlone:
    """A fit's point estimate as a predictor without intervals; it is its own sampler."""

    reference: Fit
    method: str = POINT_ALONE
    notes: tuple[Note, ...] = ()
    resamples: str | None = None
    rows_at_once: int | None = None
    within_law: bool = True

    @property
    def settings(self) -> Mapping[str, Any]:
        """There is nothing to make again."""
        return {}

    @property
    def components(self) -> tuple[Component, ...]:
        """The law, without draws."""
        return (component_of(self.reference, np.empty((0, len(self.reference.params)))),)

    def with_law(self, law: Law) -> PointAlone:
        """Return the predictor with a law of the same parameters in its law's place."""
        return PointAlone(replace(self.reference, law=law))

    @property
    def predictor(self) -> PointAlone:
        """Itself."""
        return self

    def sampler(self, new_run: NewRun, seed: int) -> PointAlone:
        """Return itself: without draws there is nothing to sample."""
        return self

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        """Check inputs of the law."""
        return input_table(self.reference, where, inputs)

    def predictive(self, table: pd.DataFrame, seed: int) -> Predictive:
        """Return the curve, without samples."""
        fit = self.reference
        curve = curves(fit, table, fit.params.to_numpy()[None])[0]
        none = np.empty((0, len(curve)))
        return Predictive.of(Samples(curve, none, none, "linear"))
