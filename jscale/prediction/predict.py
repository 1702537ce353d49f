"""predict: the curve and new runs at given inputs, from a fit, draws, a forecast, or one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from jscale.arguments import check_level
from jscale.data.runs import Runs
from jscale.fitting.result import Fit
from jscale.prediction.newruns import NewRun
from jscale.prediction.prediction import Prediction, predicted
from jscale.prediction.predictor import Predictor
from jscale.prediction.sources import predictor_of
from jscale.uncertainty.draws import Draws, NewRuns


def predict(
    source: Draws | Fit | Predictor,
    where: pd.DataFrame | Runs | Mapping[str, Any] | None = None,
    *,
    level: float = 0.9,
    method: str | None = "auto",
    discrepancy: bool = True,
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
    source : Fit, Draws, Forecast or another predictor
        A Fit predicts with the discrepancy of its law, as ``js.forecast(fit.runs, fit.law)`` does,
        under the choices of the fit (parameters fixed, tied or by group, and weights).
        The ``curve`` is then the median of the forecast, which follows the drift that the runs show
        around the law; with draws it is the fit's, or a posterior's median.
    where : DataFrame, Runs or mapping, optional
        The points, as a table with a column for each input and for each parameter given per group.
    level : float
        The level of both intervals.
    method : str or None
        How the parameters of a Fit are drawn (see :func:`jscale.draws`); a method that is named
        gives intervals within the law. None is the point estimate alone.
    discrepancy : bool
        Whether intervals of a Fit include the chance that the truth departs from its law. Without,
        they are labelled as within the law.
    new : {"run", "family"}
        Whether a new run of the fitted families is predicted, or one of a new family, which a Fit
        predicts within the law.
    known_error : float, array_like or str, optional
        Standard deviations that are known and added in quadrature, in the objective's space
        (relative, for log): one, one per row, or a column of ``where``. A column that the fitted
        runs have too is first removed from their noise, within the law.
    noise : NoiseModel, optional
        The noise of new runs, within the law; by default that of the draws (a posterior's) or of
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
    # New families, noises and known errors of the fitted runs are those of draws of parameters.
    plain = new == "run" and noise is None and not isinstance(known_error, str)
    requested = predictor_of(
        source, method, seed, caller="predict", point=True, discrepancy=discrepancy and plain
    )
    return predicted(
        requested,
        where,
        inputs,
        level=level,
        new_run=new_run,
        known_error=known_error,
        seed=seed,
    )
