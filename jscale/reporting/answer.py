"""The answer at the top of a report: one prediction with its intervals, or the exponents.

The prediction is made at given inputs, at a compute C, or else at ten times the largest fitted
compute. A compute alone is spent compute-optimally: at the N of lowest predicted loss.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.errors import ExtrapolationWarning, PredictionError
from jscale.fitting.result import Fit
from jscale.planning.path import optimal_path
from jscale.plots.words import amount, joined, number, percent, point, span, with_unit
from jscale.prediction.forecast import Forecast
from jscale.prediction.predict import predict
from jscale.prediction.prediction import Prediction
from jscale.prediction.predictor import Predictor, is_within_law, parameter_draws
from jscale.prediction.sources import predictor_of
from jscale.reporting.alongside import Alongside
from jscale.uncertainty.draws import Draws

# By default the answer lies at this multiple of the largest fitted compute.
_TIMES = 10.0
# Up to this multiple of it a prediction counts as within the fitted range.
_WITHIN = 1.05
_MOST_PARAMETERS = 6
# Said wherever a prediction or plan lies far from the runs.
WITHIN_THE_LAW = (
    "The intervals cover uncertainty within the law, not the possibility that the law breaks down "
    "on the way there."
)


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer of a report.

    Attributes
    ----------
    sentences : tuple of str
        The answer in words, the most important sentence first.
    prediction : Prediction or None
        The prediction that the sentences report, None if they report exponents.
    """

    sentences: tuple[str, ...]
    prediction: Prediction | None = None


def is_surface(fit: Fit) -> bool:
    """Whether the law is one of N and D with the same parameters for all runs.

    Such a law has a compute-optimal path.
    """
    return set(fit.law.inputs) == {"N", "D"} and not fit.settings.per and fit.largest is not None


def has_path(fit: Fit) -> bool:
    """Whether a compute C alone determines where to predict."""
    return is_surface(fit) or (fit.law.inputs == ("C",) and not fit.settings.per)


def answer(source: Draws | Predictor, at: Any, level: float) -> Answer:
    """Answer at the inputs ``at``; without any, at ten times the largest fitted compute.

    Raises PredictionError for inputs that the law cannot take.
    """
    predictor = predictor_of(source, caller="report")
    inputs, optimal = _inputs(predictor, at)
    if inputs is None:
        return _exponents(predictor, level)
    prediction = predict(predictor, inputs, level=level)
    return Answer(_sentences(predictor, prediction, optimal), prediction)


def _inputs(predictor: Predictor, at: Any) -> tuple[Any, bool]:
    """Return where to predict (None: nowhere), and whether that is compute-optimal."""
    fit = predictor.reference
    if at is None:
        if not has_path(fit):
            return None, False
        table = optimal_path(predictor, fit.runs["C"].max() * _TIMES)
        return (table, is_surface(fit)) if len(table) else (None, False)
    if isinstance(at, (Mapping, pd.DataFrame)) and set(at) == {"C"} and is_surface(fit):
        budgets = _budgets(at["C"])
        table = optimal_path(predictor, budgets)
        if len(table) < len(budgets):
            raise PredictionError(
                f"{fit.law.name} has no compute-optimal N at C={at['C']!r}: its lowest loss lies "
                "beyond a hundred times the fitted sizes. Give the inputs: at={'N': …, 'D': …}."
            )
        return table, True
    return (at.frame if isinstance(at, Runs) else at), False


def _budgets(given: Any) -> np.ndarray:
    try:
        budgets = np.atleast_1d(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        budgets = np.array([np.nan])
    if not (len(budgets) and (np.isfinite(budgets) & (budgets > 0)).all()):
        raise PredictionError(f"C={given!r} must be positive numbers of FLOPs, such as C=1e24.")
    return budgets


def _sentences(predictor: Predictor, prediction: Prediction, optimal: bool) -> tuple[str, ...]:
    """Describe the prediction in the first row: the curve, both intervals, the extrapolation."""
    fit, is_law = predictor.reference, is_within_law(predictor)
    subject = f"fitted law {fit.law.name}" if is_law else predictor.method
    if isinstance(predictor, (Alongside, Forecast)):
        subject = f"forecast ({predictor.method})"
    row, level = prediction.frame.iloc[0], percent(prediction.level)
    names = [*fit.law.inputs, *dict.fromkeys(fit.settings.per.values())]
    place = point({name: row[name] for name in names})
    if optimal:
        place = f"C = {number(row['C'])} FLOPs, spent compute-optimally ({place}),"
    curve, low, high = span(row["curve"], row["confidence_low"], row["confidence_high"])
    _, new_low, new_high = span(row["curve"], row["prediction_low"], row["prediction_high"])
    return (
        f"At {place} the {subject} predicts {amount(prediction.output, fit.runs, curve)}.",
        f"The {level} confidence interval of the curve is {low} to {high}; the {level} prediction "
        f"interval of a single new run is {new_low} to {new_high}.",
        *_of_law_alone(predictor, prediction),
        *_extrapolation(fit, float(row["extrapolation"]), WITHIN_THE_LAW if is_law else ""),
    )


def _of_law_alone(predictor: Predictor, prediction: Prediction) -> tuple[str, ...]:
    """Say what the fitted law alone predicts, where a forecast stands at its side."""
    draws = parameter_draws(predictor)
    if draws is None or is_within_law(predictor):
        return ()
    fit, table = predictor.reference, prediction.frame.iloc[:1]
    names = [*fit.law.inputs, *dict.fromkeys(fit.settings.per.values())]
    with warnings.catch_warnings():
        # The distance is stated in the next sentence.
        warnings.simplefilter("ignore", ExtrapolationWarning)
        row = predict(draws, table.loc[:, names], level=prediction.level).frame.iloc[0]
    curve, low, high = span(row["curve"], row["confidence_low"], row["confidence_high"])
    return (
        f"The fitted law alone, {fit.law.name}, puts the curve at {curve} ({low} to {high}), which "
        "does not allow for the law being wrong.",
    )


def _extrapolation(fit: Fit, times: float, caveat: str) -> tuple[str, ...]:
    if not np.isfinite(times):
        return ()
    axis = "input" if fit.largest is None else "compute"
    if times <= _WITHIN:
        return (f"This lies within the fitted range of {axis}.",)
    return (f"This is {number(times, 3)} times the largest fitted {axis}. {caveat}".strip(),)


def _exponents(predictor: Predictor, level: float) -> Answer:
    """Report the exponents, or all parameters of a law without exponents."""
    fit, draws = predictor.reference, parameter_draws(predictor)
    values = {str(name): value for name, value in fit.params.items()}
    bounds = _normal_interval(fit, level) if draws is None else draws.interval(level).to_numpy()
    every = list(values)
    roles = {p.name: p.role.name for p in fit.law.parameters}
    names = [n for n in every if roles.get(n.split("[")[0]) == "exponent"]
    kind = "exponents" if names else "parameters"
    estimates = []
    for name in (names or every)[:_MOST_PARAMETERS]:
        low, high = bounds[every.index(name)]
        estimates.append("{} = {} ({} to {})".format(name, *span(values[name], low, high)))
    sentence = (
        f"For {with_unit(fit.law.output, fit.runs)}, the fitted law {fit.law.name} has the "
        f"{kind} {joined(estimates)}, with {percent(level)} intervals in parentheses."
    )
    return Answer((sentence,))


def _normal_interval(fit: Fit, level: float) -> np.ndarray:
    """Return the intervals (q, 2) that the standard errors of a fit give."""
    from scipy.special import ndtri

    reach = ndtri(0.5 + 0.5 * level) * fit.stderr.to_numpy()
    return np.stack([fit.params.to_numpy() - reach, fit.params.to_numpy() + reach], axis=1)
