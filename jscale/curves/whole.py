"""Predicted loss curves: the loss along a run with another learning-rate schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.schedule import MEMORY, Schedule
from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.laws.annealing import multi_power
from jscale.model.law import Law
from jscale.prediction.predict import predict
from jscale.prediction.prediction import Prediction
from jscale.prediction.predictor import Predictor
from jscale.prediction.sources import predictor_of, reference_of
from jscale.uncertainty.draws import Draws

_MOST_STEPS = 200


def predict_curve(
    source: Draws | Fit | Predictor,
    schedule: Schedule,
    *,
    steps: Any = None,
    memory: float | None = None,
    level: float = 0.9,
    method: str | None = "auto",
    seed: int = 0,
    **inputs: Any,
) -> Prediction:
    """Predict the loss along a run with another learning-rate schedule.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        A fit of ``annealing``, ``annealing_size`` or :func:`jscale.multi_power` to
        :meth:`jscale.Curves.runs`, draws of one, or another predictor of such a law.
    schedule : Schedule
        The schedule.
    steps : array_like of int, optional
        Steps at which to predict; by default about 200 from the end of the warm-up to the end.
    memory : float, optional
        Decay factor of the annealing momentum in S2; by default that of the fitted curves.
    level : float
        Probability of the intervals, in (0, 1).
    method : str or None
        How to draw parameters of a fit, as in :func:`jscale.draws`; None for no intervals.
    seed : int
        Seed of the draws.
    **inputs : float
        Further inputs of the law, such as N.

    Returns
    -------
    Prediction
        The prediction, with confidence and prediction intervals and a column S for the step.

    Raises
    ------
    PredictionError
        For a fit of any other law, inputs that are missing or unknown, and steps within the
        warm-up, where no such law holds.
    DataError
        For steps that the schedule does not have.

    Notes
    -----
    Intervals cover the uncertainty due to noise along the fitted curves, not the error of the law
    on this schedule: hold a curve out to measure that.

    Examples
    --------
    >>> import jscale as js
    >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    >>> first = [name for name in dict.fromkeys(curves.frame["run"]) if "d01200k-b16" in name]
    >>> fit = js.fit("annealing", curves.where(first).runs())
    >>> drawn = js.laplace(fit, 200)
    >>> slow = js.schedules.wsd(586, 0.02, warmup=58, decay=0.4)
    >>> js.predict_curve(drawn, slow, steps=[300, 586]).frame.shape
    (2, 9)
    """
    if not isinstance(schedule, Schedule):
        raise PredictionError(
            f"predict_curve takes a Schedule, not {type(schedule).__name__}: "
            "js.schedules.cosine(24000, 3e-4), or js.Schedule(rates)."
        )
    fit = reference_of(source, caller="predict_curve")
    law = law_of_curves(fit)
    check_others(law, inputs)
    at = _steps(schedule) if steps is None else np.atleast_1d(np.asarray(steps))
    table = pd.DataFrame({"S1": schedule.area(at), **inputs})
    early = at < schedule.warmup
    if early.any():
        raise PredictionError(
            f"The law holds from the end of the warm-up, step {schedule.warmup}, but steps has "
            f"step {listing(at[early][:3].tolist())}. Give later steps."
        )
    if "S2" in law.inputs:
        table["S2"] = schedule.annealing_area(at, memory_of(fit, memory))
    else:
        # The law looks schedules up by code: the new one is appended, and the fit keeps its law.
        extended, code = with_schedule(law, schedule)
        table["schedule"] = float(code)
        predictor = predictor_of(source, method, seed, caller="predict_curve", point=True)
        source, method = _with_law(predictor, extended), "auto"
    # How laws of whole curves depart from the truth is not known.
    prediction = predict(source, table, level=level, method=method, seed=seed, discrepancy=False)
    frame = prediction.frame.drop(columns="schedule", errors="ignore")
    frame.insert(0, "S", at)
    return replace(prediction, frame=frame)


def _with_law(predictor: Predictor, law: Law) -> Predictor:
    """Return a predictor of one law with another in its place; raises PredictionError."""
    change = getattr(predictor, "with_law", None)
    if change is None:
        raise PredictionError(
            f"A multi-power law knows schedules by name, and this {type(predictor).__name__} "
            "cannot be given a new one. Predict from draws of one law: "
            "predict_curve(js.draws(fit), schedule)."
        )
    return change(law)


def law_of_curves(fit: Fit) -> Law:
    """Return the law of a fit to whole curves; raises PredictionError for any other."""
    law = fit.law
    if fit.settings.per:
        raise PredictionError(
            f"This fit has its own {listing(list(fit.settings.per))} for each group; a schedule is "
            "predicted from one set of parameters. Fit one group: runs.where(…), without per=."
        )
    if "S1" not in law.inputs or not {"S2", "schedule"} & set(law.inputs):
        raise PredictionError(
            "The loss of a schedule is predicted from a fit of annealing or multi_power to whole "
            f"curves, not from a fit of {law.name}: "
            "js.fit('annealing', js.Curves.from_frame(df).runs())."
        )
    return law


def check_others(law: Law, given: Mapping[str, Any]) -> None:
    """Raise PredictionError unless exactly the inputs of a law besides the schedule are given."""
    others = [x for x in law.inputs if x not in ("S1", "S2", "schedule")]
    wrong = [x for x in given if x not in others]
    missing = [x for x in others if x not in given]
    if wrong or missing:
        needs = listing([f"{x}=…" for x in others]) if others else "no other input"
        fault = f"{listing(missing)} is missing" if missing else f"{listing(wrong)} is unknown"
        raise PredictionError(f"{fault}: besides the schedule {law.name} takes {needs}.")


def memory_of(fit: Fit, given: float | None) -> float:
    """Return the decay factor of S2: the one given, or that of the fitted curves."""
    if given is not None:
        return given
    frame = fit.runs.frame
    return float(frame["memory"].iloc[0]) if "memory" in frame else MEMORY


def with_schedule(law: Law, schedule: Schedule) -> tuple[Law, int]:
    """Return a multi-power law extended by one schedule, and the code of that schedule."""
    known: Any = law.function
    return multi_power([*known.schedules, schedule], nodes=known.nodes), len(known.schedules)


def _steps(schedule: Schedule) -> np.ndarray:
    """Return evenly spaced steps from the end of the warm-up to the end."""
    first, last = max(schedule.warmup, 1), len(schedule)
    return np.unique(
        np.linspace(first, last, min(_MOST_STEPS, last - first + 1)).round().astype(int)
    )
