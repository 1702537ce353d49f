"""A law as a member of a forecast: its space, its problem and its prior, from a fit of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from jscale._precision import to_numpy
from jscale.data.runs import Runs
from jscale.discrepancy.families import SURFACE, weak_prior
from jscale.discrepancy.members import BY_ROLE, Member, make_member
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.prior import FamilyPrior, ForecastPrior
from jscale.errors import DataError, DataWarning
from jscale.fitting.build import build
from jscale.fitting.objective import huber
from jscale.fitting.problem import Problem
from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.components import curves

SURFACE_LAW = "chinchilla"
# Roles whose usual values depend on the law: their prior is centred on the fit.
FROM_FIT = ("location", "slope", "positive", "real", "fraction")
_WITHIN = 3.0
_FURTHEST = 1e3
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class LawMember:
    """A law of a forecast: its member, its observations, and the problem they make.

    ``learnt`` says whether its prior was learnt from a corpus.
    """

    law: Law
    member: Member
    observations: Observations
    problem: Problem
    runs: Runs
    learnt: bool


def member_of_fit(
    fit: Fit, runs: Runs, prior: ForecastPrior | None, space: str | None = None
) -> LawMember:
    """Return a fit's law as a member of a forecast of its runs; raises DataError with the reason.

    ``runs`` are those of the fit that have weight; the space is by default that of
    :func:`space_of`.
    """
    space = space or space_of(fit)
    problem = _problem(fit, runs, space)
    learnt = prior is not None and fit.law.name == SURFACE_LAW and SURFACE in prior.families
    family = prior.families[SURFACE] if learnt and prior is not None else weak_prior(prior)
    member = _member(fit, problem, runs, family, space, centred=not learnt)
    return LawMember(fit.law, member, observations_of(problem, runs), problem, runs, learnt)


def space_of(fit: Fit) -> str:
    """Return the space of the discrepancy: "logit" for bounded outcomes, or else "log"."""
    y = np.asarray(fit.runs[fit.law.output], dtype=np.float64)
    space = fit.settings.objective.space
    bounded = bool(((y > 0) & (y < 1)).all()) and fit.law.output != "loss"
    if space == "logit" or (bounded and _between(fit, 0.0, 1.0)):
        return "logit"
    if space == "log" or ((y > 0).all() and _between(fit, 0.0, np.inf)):
        return "log"
    raise DataError(
        f"the outcome {fit.law.output!r} is neither positive nor between 0 and 1 everywhere, so "
        "the size of departures from laws is not known."
    )


def _between(fit: Fit, low: float, high: float) -> bool:
    """Whether the law stays between two numbers at the runs, and far past them."""
    inputs = [np.asarray(fit.runs[name], dtype=np.float64) for name in fit.law.inputs]
    bounded = {*fit.law.codes, *fit.law.simplex}
    outputs = [fit.fitted]
    for factor in (1 / _FURTHEST, _FURTHEST):
        moved = [
            x * factor if name not in bounded and (x > 0).all() and x.max() > 1 else x
            for name, x in zip(fit.law.inputs, inputs, strict=True)
        ]
        outputs.append(_outputs(fit, moved))
    values = np.concatenate(outputs)
    values = values[~np.isnan(values)]
    return bool(((values > low) & (values < high)).all())


def _outputs(fit: Fit, inputs: list[np.ndarray]) -> np.ndarray:
    """Return the law's outputs at moved inputs of the runs; NaN where it has none."""
    table = fit.runs.frame.assign(**dict(zip(fit.law.inputs, inputs, strict=True)))
    with np.errstate(all="ignore"):
        return np.asarray(curves(fit, table, fit.params.to_numpy()[None])[0])


def _problem(fit: Fit, runs: Runs, space: str) -> Problem:
    if runs is fit.runs and fit.settings.objective.space == space:
        return fit.problem
    weights = fit.settings.weights
    if weights is not None and runs is not fit.runs:
        weights = weights[fit.problem.used]
    settings = replace(fit.settings, objective=huber(space=space), scale=None, weights=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return build(fit.law, runs, settings, few=True)[0]


def _member(
    fit: Fit, problem: Problem, runs: Runs, family: FamilyPrior, space: str, *, centred: bool
) -> Member:
    """Return a fit's law as a member of a forecast.

    With ``centred``, parameters whose role implies no usual value have their prior's mean at the
    fit's estimate, at most three standard deviations from the role's own.
    """
    layout, fixed = problem.layout, problem.data.fixed
    variants = len(family.variants)
    member = make_member(
        fit.law.name,
        layout,
        space,
        family,
        float(np.min(runs[runs.output])),
        fixed={name: np.repeat(np.asarray(v)[None], variants, 0) for name, v in fixed.items()},
    )
    if not centred:
        return member
    # A floor or amplitude may be estimated as zero, whose logarithm is not finite.
    natural = np.where(fit.params.to_numpy() == 0, _TINY, fit.params.to_numpy())
    values = {name: to_numpy(v) for name, v in layout.unflatten(natural).items()}
    theta = layout.coordinates(values, np.asarray(problem.data.centre))
    mean = member.mean.copy()
    for slot in layout.slots:
        if slot.role.name in FROM_FIT:
            middle, width = BY_ROLE[slot.role.name]
            low, high = middle - _WITHIN * width, middle + _WITHIN * width
            mean[:, slot.where] = np.clip(theta[slot.where], low, high)
    return replace(member, mean=mean)


def observations_of(problem: Problem, runs: Runs) -> Observations:
    """Return the observations of a problem: its real rows, with their runs and weights."""
    n = problem.n
    run = problem.units if len(np.unique(problem.units)) < n and runs.run is not None else None
    weights = problem.weights[:n]
    relative = None if np.all(weights == weights[0]) else weights.mean() / weights
    return Observations(
        tuple(np.asarray(x)[:n] for x in problem.data.inputs),
        np.asarray(problem.data.target)[:n],
        {name: np.asarray(code)[:n] for name, code in problem.data.codes.items()},
        run,
        None,
        relative,
    )
