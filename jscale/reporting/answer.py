"""The answer of a report: one prediction in a sentence with its intervals, or the exponents.

Where it is asked: at inputs, at a compute C, or else at ten times the largest compute fitted.
A compute alone is spent as the fit calls best: at the N of lowest loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.surface import optimum
from jscale.data.runs import Runs
from jscale.errors import PredictionError
from jscale.fitting.result import Fit
from jscale.plots.words import amount, joined, number, percent, point, span, with_unit
from jscale.prediction.predict import Prediction, predict
from jscale.uncertainty.draws import Draws

_TIMES = 10.0
_WITHIN = 1.05


@dataclass(frozen=True, eq=False)
class Answer:
    """Sentences that answer, the most important first, and the prediction they read (or None)."""

    sentences: tuple[str, ...]
    prediction: Prediction | None = None


def is_surface(fit: Fit) -> bool:
    """Whether a fit has a compute-optimal path to search: a law of N and D, alike for all runs."""
    return set(fit.law.inputs) == {"N", "D"} and not fit.settings.per and fit.largest is not None


def has_path(fit: Fit) -> bool:
    """Whether a compute C alone says where to predict."""
    return is_surface(fit) or (fit.law.inputs == ("C",) and not fit.settings.per)


def path(fit: Fit, budgets: Any) -> pd.DataFrame:
    """Return the inputs of lowest fitted loss at each compute, one row each.

    A compute whose lowest loss lies past any sensible N has no row.
    """
    C = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if fit.law.inputs == ("C",):
        return pd.DataFrame({"C": C})
    N = optimum(fit, C, fit.runs["N"].min(), fit.runs["N"].max())[0]
    inside = np.isfinite(N)
    N, C = N[inside], C[inside]
    return pd.DataFrame({"N": N, "D": C / (6 * N), "C": C})


def answer(draws: Draws, at: Any, level: float) -> Answer:
    """Answer at the inputs ``at``, or where no one asked, ten times past the fitted compute.

    Raises PredictionError for inputs that the law cannot take.
    """
    fit = draws.fit
    where, spent = _where(fit, at)
    if where is None:
        return _exponents(draws, level)
    prediction = predict(draws, where, level=level)
    return Answer(_sentences(fit, prediction, spent), prediction)


def _where(fit: Fit, at: Any) -> tuple[Any, bool]:
    """Return where to predict (None: nowhere), and whether the inputs are the compute's best."""
    if at is None:
        if not has_path(fit):
            return None, False
        table = path(fit, fit.runs["C"].max() * _TIMES)
        return (table, is_surface(fit)) if len(table) else (None, False)
    if isinstance(at, (Mapping, pd.DataFrame)) and set(at) == {"C"} and is_surface(fit):
        budgets = _budgets(at["C"])
        table = path(fit, budgets)
        if len(table) < len(budgets):
            raise PredictionError(
                f"{fit.law.name} has no compute-optimal N at C={at['C']!r}: its lowest loss lies "
                "past a hundred times the fitted sizes. Say where: at={'N': …, 'D': …}."
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


def _sentences(fit: Fit, prediction: Prediction, spent: bool) -> tuple[str, ...]:
    """Say the first row's prediction: the curve, its confidence, a new run's interval."""
    row, level = prediction.frame.iloc[0], percent(prediction.level)
    names = [*fit.law.inputs, *dict.fromkeys(fit.settings.per.values())]
    at = point({name: row[name] for name in names})
    if spent:
        at = f"C = {number(row['C'])} FLOPs, spent as the fit calls best ({at}),"
    curve, low, high = span(row["curve"], row["confidence_low"], row["confidence_high"])
    _, new_low, new_high = span(row["curve"], row["prediction_low"], row["prediction_high"])
    return (
        f"At {at} the fitted law {fit.law.name} predicts "
        f"{amount(prediction.output, fit.runs, curve)}.",
        f"The curve lies between {low} and {high} ({level} confidence interval of the curve); "
        f"a single new run between {new_low} and {new_high} ({level} prediction interval).",
        *_how_far(fit, float(row["extrapolation"])),
    )


def _how_far(fit: Fit, times: float) -> tuple[str, ...]:
    if not np.isfinite(times):
        return ()
    of = "input" if fit.largest is None else "compute"
    if times <= _WITHIN:
        return (f"This lies within the fitted range of {of}.",)
    return (
        f"This is {number(times, 3)} times the largest {of} fitted. The intervals cover "
        "uncertainty within the law, not the chance that the law ceases to hold on the way.",
    )


def _exponents(draws: Draws, level: float) -> Answer:
    """Say the exponents, or every parameter of a law without any."""
    fit, bounds = draws.fit, draws.interval(level).to_numpy()
    values = dict(zip(draws.names, fit.params.to_numpy(), strict=True))
    roles = {p.name: p.role.name for p in fit.law.parameters}
    names = [n for n in draws.names if roles.get(n.split("[")[0]) == "exponent"]
    said = []
    for name in (names or draws.names)[:6]:
        low, high = bounds[draws.names.index(name)]
        said.append("{} = {} ({} to {})".format(name, *span(values[name], low, high)))
    what = "the exponents" if names else "the parameters"
    return Answer((
        f"For {with_unit(fit.law.output, fit.runs)}, the fitted law {fit.law.name} has {what} "
        f"{joined(said)}, each with its {percent(level)} interval.",
    ))  # fmt: skip
