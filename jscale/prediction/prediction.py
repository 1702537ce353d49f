"""Prediction: the curve and new runs at given inputs, each with its own interval.

A confidence interval covers the curve, the law's median. A prediction interval covers a new run:
the curve's uncertainty and a run's own noise together. Both are always given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from jscale.fitting.notes import Note
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.newruns import NewRun, with_known_errors
from jscale.prediction.predictive import Predictive
from jscale.prediction.predictor import Predictor, Sampler, is_within_law, label

# Measured by benchmarks/coverage.py: 60 runs of farseer fitted by chinchilla, and of a broken law
# by power_const.
_WITHIN_A_LAW = (
    "If the law is wrong out there, the true loss can lie well outside these intervals: they "
    "only cover uncertainty within the law. Of simulated runs of two laws other than the one "
    "fitted, 80% prediction intervals covered 20% and 96% at ten times the largest compute, and "
    "1% and 29% at a hundred times. Hold out your largest runs to check it, or forecast with a "
    "discrepancy that allows the law to be wrong: js.forecast(runs)."
)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions at given inputs.

    Attributes
    ----------
    frame : DataFrame
        The inputs, ``curve``, ``confidence_low``, ``confidence_high``, ``prediction_low``,
        ``prediction_high`` (equal-tailed; absent for a point estimate alone), and
        ``extrapolation``: row compute divided by the largest fitted compute (the same of inputs,
        where there is no compute).
    output : str
        What is predicted.
    level : float
        The level of the intervals.
    method : str
        Where the draws came from.
    settings : mapping
        How they were made, their seed included, and the ``noise_seed`` of new runs: all that is
        needed to predict the same again.
    notes : tuple of Note
        Notes on the draws and on the noise of new runs.
    within_law : bool
        Whether intervals only cover uncertainty within one law.
    """

    frame: pd.DataFrame
    output: str
    level: float
    method: str
    settings: Mapping[str, Any]
    notes: tuple[Note, ...] = ()
    within_law: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per point.
        """
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        family = ", new runs of a new family" if self.settings.get("new") == "family" else ""
        intervals = f"{100 * self.level:g}% intervals by {self.method}{family}"
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"Prediction of {self.output}: {intervals}\n{table}{notes}"


def predicted(
    source: Predictor,
    where: Any,
    inputs: Mapping[str, Any],
    *,
    level: float,
    new_run: NewRun,
    known_error: Any = None,
    seed: int = 0,
) -> Prediction:
    """Return a predictor's prediction at inputs, given as a table or by name.

    Raises PredictionError for inputs that are not usable; warns far past the fitted runs.
    """
    sampler = source.sampler(new_run, seed)
    predictor = sampler.predictor
    table = with_known_errors(sampler.table(where, inputs), known_error, where)
    frames = [
        _framed(part, sampler.predictive(part, seed + first), level)
        for first, part in _pieces(table, sampler.rows_at_once)
    ]
    frame = pd.concat(frames)
    reference = predictor.reference
    frame["extrapolation"] = extrapolation(reference, table)
    _warn_far(frame, "input" if reference.largest is None else "compute", sampler)
    settings = {**predictor.settings, **new_run.settings, "noise_seed": seed}
    return Prediction(
        frame,
        reference.law.output,
        level,
        label(predictor),
        settings,
        sampler.notes,
        is_within_law(predictor),
    )


def _pieces(table: pd.DataFrame, rows_at_once: int | None) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield a table some rows at a time, with the number of the first."""
    step = rows_at_once or max(len(table), 1)
    for first in range(0, len(table), step):
        yield first, table.iloc[first : first + step]


def _framed(
    table: pd.DataFrame, predictive: Predictive | MixturePredictive, level: float
) -> pd.DataFrame:
    return pd.concat([table, predictive.frame(level).set_index(table.index)], axis=1)


def _warn_far(frame: pd.DataFrame, axis: str, sampler: Sampler) -> None:
    past = frame["extrapolation"].to_numpy()
    # A forecast has a measured coverage of larger runs; draws of a law do not.
    advice = getattr(sampler, "beyond", None)
    warn_if_far(past, "predictions", axis, _WITHIN_A_LAW if advice is None else advice(past))
