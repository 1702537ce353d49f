"""predict_curve: the loss along a run whose learning rate takes another schedule."""

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
from jscale.prediction.predict import Prediction, predict
from jscale.uncertainty.draws import Draws

_AT_MOST = 200


def predict_curve(
    source: Draws | Fit,
    schedule: Schedule,
    *,
    steps: Any = None,
    memory: float | None = None,
    level: float = 0.9,
    method: str | None = "auto",
    seed: int = 0,
    **inputs: Any,
) -> Prediction:
    """Predict the loss along a run of another schedule, with confidence and prediction intervals.

    ``source`` is a fit of ``annealing``, ``annealing_size`` or :func:`jscale.multi_power` to
    :meth:`jscale.Curves.runs`, or draws of one. ``steps`` are those asked for; without, some 200
    from the end of the warm-up to the end. ``memory`` of S2 is that of the fitted curves, unless
    given. ``inputs`` are a law's others, such as N. The table has a column S for the step.

    Intervals hold what noise along the fitted curves leaves open, not how wrong the law is on
    this schedule: hold a curve out to see that.
    Raises PredictionError for another law, inputs that are missing or unknown, and steps within
    the warm-up, where no such law holds; DataError for steps that the schedule does not have.

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
    fit = source.fit if isinstance(source, Draws) else source
    law = law_of_curves(fit)
    check_others(law, inputs)
    asked = _steps(schedule) if steps is None else np.atleast_1d(np.asarray(steps))
    table = pd.DataFrame({"S1": schedule.area(asked), **inputs})
    early = asked < schedule.warmup
    if early.any():
        raise PredictionError(
            f"The law holds from the end of the warm-up, step {schedule.warmup}, but asked for is "
            f"step {listing(asked[early][:3].tolist())}. Ask for later steps."
        )
    if "S2" in law.inputs:
        table["S2"] = schedule.annealing_area(asked, memory_of(fit, memory))
    else:
        extended, code = with_schedule(law, schedule)
        table["schedule"] = float(code)
        new = replace(fit, law=extended)
        source = replace(source, fit=new) if isinstance(source, Draws) else new
    found = predict(source, table, level=level, method=method, seed=seed)
    frame = found.frame.drop(columns="schedule", errors="ignore")
    frame.insert(0, "S", asked)
    return replace(found, frame=frame)


def law_of_curves(fit: Any) -> Law:
    """Return the law of a fit to whole curves; raises PredictionError for any other."""
    law = fit.law if isinstance(fit, Fit) else None
    if isinstance(fit, Fit) and fit.settings.per:
        raise PredictionError(
            f"This fit has its own {listing(list(fit.settings.per))} for each group; a schedule is "
            "predicted from one set of parameters. Fit one group: runs.where(…), without per=."
        )
    if law is None or "S1" not in law.inputs or not {"S2", "schedule"} & set(law.inputs):
        what = type(fit).__name__ if law is None else f"a fit of {law.name}"
        raise PredictionError(
            "A schedule's loss is predicted from a fit of annealing or multi_power to whole "
            f"curves, not from {what}: js.fit('annealing', js.Curves.from_frame(df).runs())."
        )
    return law


def check_others(law: Law, given: Mapping[str, Any]) -> None:
    """Raise PredictionError unless the inputs given are a law's own beside the schedule's."""
    others = [x for x in law.inputs if x not in ("S1", "S2", "schedule")]
    wrong = [x for x in given if x not in others]
    missing = [x for x in others if x not in given]
    if wrong or missing:
        needs = listing([f"{x}=…" for x in others]) if others else "no other input"
        what = f"{listing(missing)} is missing" if missing else f"{listing(wrong)} is unknown"
        raise PredictionError(f"{what}: beside the schedule {law.name} takes {needs}.")


def memory_of(fit: Fit, given: float | None) -> float:
    """Return the memory of S2: one given, or that of the curves that were fitted."""
    if given is not None:
        return given
    kept = fit.runs.frame
    return float(kept["memory"].iloc[0]) if "memory" in kept else MEMORY


def with_schedule(law: Law, schedule: Schedule) -> tuple[Law, int]:
    """Return a multi-power law that knows one schedule more, and the code of that schedule."""
    known: Any = law.function
    return multi_power([*known.schedules, schedule], nodes=known.nodes), len(known.schedules)


def _steps(schedule: Schedule) -> np.ndarray:
    first, last = max(schedule.warmup, 1), len(schedule)
    return np.unique(np.linspace(first, last, min(_AT_MOST, last - first + 1)).round().astype(int))
