"""predict: the curve and new runs at given inputs, each with its own interval.

A confidence interval covers the curve, the law's median. A prediction interval covers a new run:
the curve's uncertainty and a run's own noise together. Both are always given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from jscale.arguments import check_level
from jscale.data.runs import Runs
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.newruns import NewRun, with_known_errors
from jscale.prediction.predictive import Predictive
from jscale.prediction.predictor import Predictor, Sampler, predictor_of
from jscale.uncertainty.draws import Draws, NewRuns

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
        ``extrapolation``:
        row compute divided by the largest fitted compute (the same of inputs, where there is no
        compute).
    output : str
        What is predicted.
    level : float
        The level of the intervals.
    method : str
        Where the draws came from.
    settings : mapping
        How they were made, their seed included, and the ``noise_seed`` of new runs: all that is
        needed
        to predict the same again.
    notes : tuple of Note
        Notes on the draws and on the noise of new runs.
    """

    frame: pd.DataFrame
    output: str
    level: float
    method: str
    settings: Mapping[str, Any]
    notes: tuple[Note, ...] = ()

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


def predict(
    source: Draws | Fit | Predictor,
    where: pd.DataFrame | Runs | Mapping[str, Any] | None = None,
    *,
    level: float = 0.9,
    method: str | None = "auto",
    new: str = "run",
    known_error: Any = None,
    noise: NewRuns | None = None,
    seed: int = 0,
    **inputs: Any,
) -> Prediction:
    """Predict a law's output at given inputs, with confidence and prediction intervals.

    A confidence interval covers the curve; a prediction interval covers a new run.

    Parameters
    ----------
    source : Fit, Draws, Forecast, Ensemble or another predictor
        A Fit is drawn 1000 times. The ``curve`` is the fit's; that of a posterior is the median of
        its curves, and that of an ensemble or a forecast the median of its mixture.
    where : DataFrame, Runs or mapping, optional
        The points, as a table with a column for each input and for each parameter given per group.
    level : float
        The level of both intervals.
    method : str or None
        How a Fit is drawn: "auto" or a registered method (see :func:`jscale.draws`); None is the
        point estimate alone.
    new : {"run", "family"}
        Whether a new run of the fitted families is predicted, or one of a new family.
    known_error : float, array_like or str, optional
        Standard deviations that are known and added in quadrature, in the objective's space
        (relative, for log): one, one per row, or a column of ``where``. A column that the fitted
        runs
        have too is first removed from their noise.
    noise : NoiseModel, optional
        The noise of new runs; by default that of the draws (a posterior's) or of
        :func:`jscale.noise_model`.
    seed : int
        The seed of the noise of new runs and, for a Fit, of the draws.
    **inputs
        Inputs by name (``N=70e9, D=1.4e12``); arrays broadcast.

    Returns
    -------
    Prediction
        The curve, both intervals, and how far past the fitted runs each point lies.

    Raises
    ------
    PredictionError
        For inputs that are missing, unknown, or not usable.
    JscaleError
        For a new family where the fit knows fewer than five.

    Warns
    -----
    ExtrapolationWarning
        Past ten times the largest fitted compute.
    FitWarning
        Where draws give NaN.

    Notes
    -----
    Rates that a posterior counted take their number of trials from its column in ``where``, or else
    the median of the fitted runs.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.predict(fit, N=2e5, D=5e6, method=None).frame.columns.tolist()
    ['N', 'D', 'curve', 'extrapolation']
    """
    check_level(level)
    new_run = NewRun.asked(new, known_error, noise)
    requested = predictor_of(source, method, seed, caller="predict", point=True)
    sampler = requested.sampler(new_run, seed)
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
    output = reference.law.output
    return Prediction(frame, output, level, predictor.method, settings, sampler.notes)


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
