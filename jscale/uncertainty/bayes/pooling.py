"""Partial pooling: a parameter that differs by family, the families drawn from a population.

On the parameter's line (its logarithm, for a positive one) family g has mean + spread·offset_g
with standard normal offsets; mean and spread are learnt with the rest (a half-normal prior keeps
the spread from diverging). A family with few runs is shrunk towards the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.errors import DataError, LawError, listing, nearest
from jscale.fitting.diagnostics import flat_names, linearise, of_parameters
from jscale.fitting.problem import Problem, pad_rows
from jscale.fitting.result import Fit
from jscale.model.layout import Layout
from jscale.uncertainty.bayes.density import Spec

_RESERVED = ("mean", "spread")


def pooled_problem(fit: Fit, pool: Mapping[str, str]) -> Problem:
    """Return the fit's problem with the pooled parameters one per family.

    Raises LawError unless it is a mapping, and for parameters that are unknown, fixed, tied or
    per group already, DataError for a column that is missing, lacks labels, or has a single one.
    """
    if not isinstance(pool, Mapping):
        raise LawError(f'pool={pool!r} must be a mapping by parameter: pool={{"E": "<column>"}}.')
    layout, settings = fit.problem.layout, fit.settings
    for name in pool:
        _check_parameter(layout, name)
    codes, groups = dict(fit.problem.data.codes), dict(layout.groups)
    for column in dict.fromkeys(pool.values()):
        code, groups[column] = _families(fit, column, pool)
        codes[column] = pad_rows(code, fit.problem.rows)
    per = {**settings.per, **pool}
    wider = Layout.make(fit.law, fixed=layout.fixed, tie=settings.tie, per=per, groups=groups)
    model = fit.problem.model._replace(layout=wider)
    return replace(fit.problem, model=model, data=fit.problem.data._replace(codes=codes))


def _check_parameter(layout: Layout, name: str) -> None:
    free = [s.name for s in layout.slots if s.group is None]
    if name in free:
        return
    hint = ""
    if name in layout.fixed:
        why = f"{name} is fixed in the fit"
    elif name in dict(layout.ties):
        why = f"{name} is tied to {dict(layout.ties)[name]} in the fit: pool that one"
    elif layout.column(name):
        why = f"{name} is per {layout.column(name)} in the fit already; pooling needs no per="
    else:
        why, hint = f"there is no parameter {name!r}", nearest(str(name), free)
    raise LawError(
        f"pool={{{name!r}: …}}: {why}.{hint} Parameters that can be pooled: {listing(free, 24)}."
    )


def _families(fit: Fit, column: str, pool: Mapping[str, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return each row's family as a code (n,), and the families' labels."""
    frame = fit.runs.frame
    name = next(n for n, c in pool.items() if c == column)
    if column not in frame.columns:
        raise DataError(
            f"The table has no column {column!r} to pool {name} over."
            f"{nearest(str(column), map(str, frame.columns))} Its columns are "
            f'{listing(list(frame.columns), 20)}: pool={{"{name}": "<column>"}}.'
        )
    missing = frame[column].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"column {column!r} has no label in {rows_at(frame, missing, missing)}; fit without "
            f"those rows: runs.where(runs.frame[{column!r}].notna())."
        )
    code, labels = pd.factorize(frame[column].astype(str), sort=True)
    with_weight = np.unique(code[fit.problem.used])
    if len(with_weight) < 2:
        raise DataError(
            f"column {column!r} has one label only, {labels[with_weight[0]]!r}: there is nothing "
            "to pool. Use posterior(fit) without pool=."
        )
    clash = [label for label in labels if label in _RESERVED]
    if clash:
        raise DataError(
            f"column {column!r} has the label {clash[0]!r}, which names the population's own "
            f"{name}[{clash[0]}]. Give that family another label."
        )
    return code.astype(np.int32), tuple(map(str, labels))


def start_of(
    spec: Spec,
    layout: Layout,
    theta: np.ndarray,
    log_nuisance: float | None,
    spread: np.ndarray,
) -> np.ndarray:
    """Return a point z (size,) at a fit's coordinates ``theta`` (p,), families at the mean."""
    z = np.zeros(spec.size)
    for slot in layout.slots:
        wider = spec.layout.slot(slot.name)
        assert wider is not None
        if slot.name in spec.pooled:
            at = spec.population(slot.name)
            # Offsets stay zero: all families start at the common estimate.
            z[at], z[at + 1] = theta[slot.first], np.log(spread[spec.pooled.index(slot.name)])
        else:
            z[wider.where] = theta[slot.where]
    if log_nuisance is not None:
        z[-1] = log_nuisance
    return z


def fit_at(
    fit: Fit, problem: Problem, theta: np.ndarray, covariance: np.ndarray, per: Mapping[str, str]
) -> Fit:
    """Return a Fit that describes draws of another problem: their centre and covariance.

    ``theta`` (p,) and ``covariance`` (p, p) are in that problem's coordinates; ``per`` is what
    the fit's settings say of it. Predictions from the draws then run through the same code as
    those of a fit with per=. Call inside the float64 scope.
    """
    optimum = linearise(problem, theta)
    names = list(flat_names(problem.layout))
    natural = of_parameters(covariance, optimum.slope)
    weights = problem.weights[: problem.n]
    return replace(
        fit,
        settings=replace(fit.settings, per=dict(per)),
        params=pd.Series(optimum.natural, names, name="estimate"),
        stderr=pd.Series(np.sqrt(np.diag(natural)), names, name="error"),
        covariance=pd.DataFrame(natural, names, names),
        # Combinations of a law's parameters are undefined where they differ by family.
        derived=fit.derived.iloc[:0],
        objective=problem.objective.value(optimum.residual, weights),
        fitted=optimum.predicted,
        residuals=optimum.residual,
        theta=theta,
        theta_covariance=covariance,
        notes=(),
        # Passed in, since fit's own checks refuse families with fewer runs than parameters.
        given_problem=problem,
    )
