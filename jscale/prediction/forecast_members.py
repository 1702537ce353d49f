"""From a table of runs to a forecast's members: their laws, priors and observations."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws as registry
from jscale.data.conventions import refuse_mixed_conventions
from jscale.data.runs import Runs
from jscale.discrepancy.families import ONE_AXIS, SURFACE, axis_member, frontier_law, weak_prior
from jscale.discrepancy.members import make_member
from jscale.discrepancy.prior import FamilyPrior, ForecastPrior, default_prior
from jscale.discrepancy.response import PLAIN, response_of, to_response
from jscale.errors import DataError, DataWarning, JscaleWarning, LawError, listing
from jscale.fitting.build import as_runs, build
from jscale.fitting.fit import fit
from jscale.fitting.objective import huber
from jscale.fitting.problem import Problem
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.model.law import Law
from jscale.prediction.named_law import (
    FROM_FIT,
    SURFACE_LAW,
    LawMember,
    member_of_fit,
    observations_of,
    space_of,
)

AUTO = "auto"
LEAST_RUNS = 3
# Candidate inputs of a law of one axis, the most informative first.
_AXES = ("C", "N", "D")


def table_of(laws: Sequence[Law] | None, data: Any, columns: Mapping[str, Any]) -> Runs:
    """Return Runs with the columns that laws need; raises DataError for anything but a table."""
    if not isinstance(data, (Runs, pd.DataFrame)):
        raise DataError(f"forecast takes Runs or a pandas DataFrame, not {type(data).__name__}.")
    if laws:
        return as_runs(max(laws, key=lambda law: len(law.inputs)), data, columns)
    return data if isinstance(data, Runs) else Runs.from_frame(data, **columns)


def checked_runs(runs: Runs) -> Runs:
    """Return the runs of a forecast, without rows of weight 0.

    Raises DataError unless there are at least three independent runs, in one unit of loss.
    """
    refuse_mixed_conventions(runs.frame)
    if runs.weight is not None:
        runs = runs.where(runs[runs.weight].astype(np.float64) > 0)
    if runs.n_independent < LEAST_RUNS:
        raise DataError(
            f"A forecast needs at least {LEAST_RUNS} independent runs; there are "
            f"{runs.n_independent}. Add runs, of different sizes."
        )
    return runs


def named_laws(laws: Any) -> list[Law] | None:
    """Return the laws that ``laws=`` names, None for "auto"; raises LawError."""
    if isinstance(laws, str) and laws == AUTO:
        return None
    given = [laws] if isinstance(laws, (str, Law)) else list(laws)
    if not given:
        raise LawError('laws=[] names no law; name one or more: ["chinchilla"], or "auto".')
    chosen = [registry.get(law) for law in given]
    names = [law.name for law in chosen]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise LawError(f"{listing(twice)} is named more than once; name each law once.")
    outputs = list(dict.fromkeys(law.output for law in chosen))
    if len(outputs) > 1:
        raise LawError(
            f"The laws predict different outputs ({listing(outputs)}); a forecast has one. Name "
            "laws of one output."
        )
    return chosen


def members_of(
    laws: Sequence[Law] | None, runs: Runs, prior: ForecastPrior | None, response: str
) -> list[LawMember]:
    """Return the laws of a forecast with their members; raises DataError or LawError."""
    source = runs if response == PLAIN else _with_response(runs, response)
    if laws is None:
        return [_automatic(source, prior)]
    return _named(laws, source, prior)


def _with_response(runs: Runs, response: str) -> Runs:
    y = np.asarray(runs[runs.output], dtype=np.float64)
    return replace(runs, frame=runs.frame.assign(**{runs.output: to_response(y, response)}))


def size_of(runs: Runs) -> np.ndarray:
    """Return the size of each run: compute, or else the first input."""
    return np.asarray(runs["C"] if "C" in runs.inputs else runs[runs.inputs[0]])


def choose_response(runs: Runs, response: str) -> str:
    """Return the given response, or with "auto" the one that suits the outcomes."""
    if response != AUTO:
        return response
    y = np.asarray(runs[runs.output], dtype=np.float64)
    return response_of(y, runs.output, size_of(runs))


def _automatic(runs: Runs, prior: ForecastPrior | None) -> LawMember:
    varying = [x for x in runs.inputs if np.ptp(np.asarray(runs[x], dtype=np.float64)) > 0]
    if {"N", "D"} <= set(varying):
        law = _of_output(registry.get(SURFACE_LAW), runs.output)
        return _surface(law, runs, prior)
    axes = [x for x in _AXES if x in varying]
    axis = axes[0] if axes else (varying[0] if len(varying) == 1 else None)
    others = [x for x in varying if x not in _AXES]
    if axis is None or (others and axis not in others):
        raise DataError(
            'laws="auto" forecasts over N and D, or over one input; these runs vary in '
            f"{listing(varying) or 'no input'}. Name a law of these inputs: "
            'laws=["data_constrained"].'
        )
    return _one_axis(axis, runs, prior)


def _of_output(law: Law, output: str) -> Law:
    return law if law.output == output else replace(law, output=output)


def _surface(law: Law, runs: Runs, prior: ForecastPrior | None) -> LawMember:
    learnt = prior is not None and SURFACE in prior.families
    family = prior.families[SURFACE] if learnt and prior is not None else weak_prior(prior)
    return _law_member(law, runs, family, learnt)


def _named(laws: Sequence[Law], runs: Runs, prior: ForecastPrior | None) -> list[LawMember]:
    """Return members of laws that were named, all in one space."""
    fits = [_quick_fit(law, runs) if _needs_fit(law) else None for law in laws]
    spaces = {"log" if fitted is None else space_of(fitted) for fitted in fits}
    # One mixture has one space; bounded outcomes are bounded only if all laws keep within.
    space = spaces.pop() if len(spaces) == 1 else "log"
    return [
        _named_member(law, fitted, runs, prior, space)
        for law, fitted in zip(laws, fits, strict=True)
    ]


def _named_member(
    law: Law, fitted: Fit | None, runs: Runs, prior: ForecastPrior | None, space: str
) -> LawMember:
    if law.name == SURFACE_LAW:
        return _surface(law, runs, prior)
    if fitted is None:
        return _law_member(law, runs, weak_prior(prior), False)
    return member_of_fit(fitted, runs, prior, space)


def _needs_fit(law: Law) -> bool:
    """Whether the member of a law depends on its fit: by its space, or the places of its prior."""
    if law.name == SURFACE_LAW:
        return False
    if law.output != "loss" or law.space != "log":
        return True
    return any(parameter.role.name in FROM_FIT for parameter in law.parameters)


def _quick_fit(law: Law, runs: Runs) -> Fit | None:
    """Fit a law for the places of its prior; None where the runs are too few to fit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", JscaleWarning)
            return fit(law, runs)
    except DataError:
        return None


def _law_member(law: Law, runs: Runs, family: FamilyPrior, learnt: bool) -> LawMember:
    problem = _problem(law, runs)
    level = float(np.min(runs[runs.output]))
    member = make_member(law.name, problem.layout, "log", family, level)
    return LawMember(law, member, observations_of(problem, runs), problem, runs, learnt)


def _one_axis(axis: str, runs: Runs, prior: ForecastPrior | None) -> LawMember:
    learnt = prior is not None and ONE_AXIS in prior.families
    source = prior if learnt and prior is not None else default_prior()
    law = frontier_law(axis, runs.output)
    family = source.families[ONE_AXIS]
    if not learnt:
        broad = tuple(v.name.startswith("broad") for v in family.variants)
        keep = np.flatnonzero(broad)
        family = replace(
            family,
            variants=tuple(family.variants[i] for i in keep),
            variant_bias=family.variant_bias[keep],
        )
    x = np.asarray(runs[axis], dtype=np.float64)
    y = np.asarray(runs[runs.output], dtype=np.float64)
    member = axis_member(law, x, y, "log", family)
    problem = _problem(law, runs, fixed={"place": 0.0, "width": 1.0})
    return LawMember(law, member, observations_of(problem, runs), problem, runs, learnt)


def _problem(law: Law, runs: Runs, fixed: Mapping[str, float] | None = None) -> Problem:
    with warnings.catch_warnings():
        # With a prior, inputs need not vary in these runs.
        warnings.simplefilter("ignore", DataWarning)
        return build(law, runs, Settings(huber(), fixed=fixed or {}), few=True)[0]
