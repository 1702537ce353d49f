"""The Fit that describes draws of a chain: the composed law at an estimate, with its residuals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, listing
from jscale.fitting.build import build
from jscale.fitting.diagnostics import flat_names, linearise
from jscale.fitting.objective import as_objective
from jscale.fitting.problem import Problem, pad_rows
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.model.layout import Layout
from jscale.model.supports import to_line
from jscale.uncertainty.chain.table import Parts


def describe(
    parts: Parts,
    runs: Runs,
    objective: str,
    stages: Sequence[Fit],
    samples: pd.DataFrame,
    estimate: pd.Series,
) -> Fit:
    """Return the composed law's Fit at an estimate, its errors those of samples of it.

    ``stages`` are the fits that it came from. The inner law's parameters are fixed there, since
    the scores did not determine them: residuals are those of the scores around the composed curve,
    and only the link's parameters were fitted to them.
    """
    kind = as_objective(objective, parts.composed.space)
    problem, per = _held(parts, runs, kind, stages, estimate)
    names = list(flat_names(problem.layout))
    estimate, samples = estimate.loc[names], samples.loc[:, names]
    theta, spread = _coordinates(problem, estimate, samples)
    with float64_scope():
        optimum = linearise(problem, theta)
    # The search of the stage whose starts agree least is the one to be wary of.
    weakest = min(stages, key=lambda stage: stage.agree[0] / max(stage.agree[1], 1))
    settings = replace(
        stages[-1].settings,
        objective=kind,
        fixed=_numbers(problem),
        tie=(),
        per=per,
        starts="auto",
        scale=None,
    )
    covariance = samples.cov()
    return replace(
        stages[-1],
        law=parts.composed,
        runs=runs,
        settings=settings,
        params=estimate.rename("estimate").rename_axis("parameter"),
        stderr=samples.std().rename("error").rename_axis("parameter"),
        covariance=covariance,
        derived=pd.DataFrame(columns=["estimate", "error"]),
        objective=kind.value(optimum.residual, problem.weights[: problem.n]),
        fitted=optimum.predicted,
        residuals=optimum.residual,
        theta=theta,
        theta_covariance=spread,
        agree=weakest.agree,
        search=weakest.search,
        condition=max(stage.condition for stage in stages),
        notes=tuple(
            replace(note, seen=f"{stage.law.name}: {note.seen}")
            for stage in stages
            for note in stage.notes
        ),
        # Passed in, since settings cannot express parameters fixed at a value per group.
        given_problem=problem,
    )


def _held(
    parts: Parts, runs: Runs, kind: Any, stages: Sequence[Fit], estimate: pd.Series
) -> tuple[Problem, dict[str, str]]:
    """Return the composed law's problem with the inner law's parameters fixed, and its ``per``."""
    groups = _labels(stages)
    held: dict[str, np.ndarray] = {}
    for name in (*parts.inner.names, *(n for n in parts.fixed if n not in parts.inner.names)):
        column = parts.per.get(name)
        entries = [f"{name}[{label}]" for label in groups[column]] if column else [name]
        held[name] = estimate.loc[entries].to_numpy() if column else np.asarray(estimate[name])
    single = {n: float(np.ravel(v)[0]) for n, v in held.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        problem, _ = build(parts.composed, runs, Settings(kind, fixed=single))
    if not parts.per:
        return problem, {}
    # Fixed values may differ by group too, which fit() cannot express.
    per = dict(parts.per)
    layout = Layout(parts.composed, tuple(held), (), tuple(per.items()), tuple(groups.items()))
    codes = {c: pad_rows(_codes(runs, c, labels), problem.rows) for c, labels in groups.items()}
    data = problem.data._replace(fixed=held, codes=codes)
    return replace(problem, model=problem.model._replace(layout=layout), data=data), per


def _labels(stages: Sequence[Fit]) -> dict[str, tuple[str, ...]]:
    """Return the labels of each column that parameters differ by, the same in all stages."""
    by_column: dict[str, tuple[str, ...]] = {}
    for stage in stages:
        for column, labels in stage.problem.layout.groups:
            if by_column.setdefault(column, labels) != labels:
                lone = sorted(set(by_column[column]) ^ set(labels))
                raise DataError(
                    f"Parameters of both laws differ by {column!r}, but {listing(lone)} has losses "
                    "or scores alone. Leave its rows out, or share the link's parameters."
                )
    return by_column


def _codes(runs: Runs, column: str, labels: tuple[str, ...]) -> np.ndarray:
    unknown = ~runs.frame[column].astype(str).isin(labels).to_numpy()
    if unknown.any():
        raise DataError(
            f"Parameters differ by {column!r}, but no row they were fitted to has the label of "
            f"{rows_at(runs.frame, unknown, runs.frame[column])}. Leave those rows out."
        )
    return pd.Categorical(runs.frame[column].astype(str), labels).codes.astype(np.int32)


def _numbers(problem: Problem) -> dict[str, float]:
    """The parameters fixed at one number, as in settings."""
    return {n: float(v) for n, v in problem.data.fixed.items() if np.ndim(v) == 0}


def _coordinates(
    problem: Problem, estimate: pd.Series, samples: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return the free coordinates of an estimate (p,), and their covariance over samples (p, p).

    Free are the link's parameters, none of which is centred.
    """
    labels = problem.layout.labels
    supports = [slot.role.support for slot in problem.layout.slots for _ in range(slot.size)]
    theta = [to_line(estimate[n], s) for n, s in zip(labels, supports, strict=True)]
    columns = [to_line(samples[n], s) for n, s in zip(labels, supports, strict=True)]
    return np.array(theta, dtype=np.float64), np.atleast_2d(np.cov(np.stack(columns)))
