"""From the arguments of a plan, checked, to its planner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.errors import PredictionError, listing, nearest
from jscale.fitting.notes import Note
from jscale.fitting.points import Points, input_table
from jscale.fitting.result import Fit
from jscale.planning.costs import Cost, as_cost, check_rising
from jscale.planning.domain import domain_of, stand_ins
from jscale.planning.optimum import Choice
from jscale.planning.search import Planner
from jscale.prediction.components import Component, component_of, estimate
from jscale.prediction.predictor import Predictor

# How far a plan searches beyond the inputs of the runs, at similar budgets.
_BEYOND = 100.0
_RATIO = "D/N"


def planner_of(
    fit: Fit,
    cost: Any,
    variables: Sequence[str] | None,
    bounds: Mapping[str, Any],
    others: Mapping[str, Any],
) -> Planner:
    """Check the inputs to choose and the cost, and return the planner.

    The planner is that of the fit's own law at its estimate; :meth:`Planner.of` makes that of any
    other component. Raises PredictionError.
    """
    law, price = fit.law, as_cost(cost)
    chosen = tuple(variables) if variables is not None else price.inputs
    _check_chosen(fit, price, chosen, bounds, others)
    table = input_table(fit, {**stand_ins(fit, chosen), **others}, {})
    row = Points.in_table(fit, table)
    fixed = {x: float(v[0]) for x, v in zip(law.inputs, row.inputs, strict=True) if x not in chosen}
    unknown = [x for x in price.inputs if x not in chosen and x not in fixed]
    if unknown:
        raise PredictionError(
            f"{price!r} needs {listing(unknown)}, which {law.name} does not have."
        )
    limits = np.array([_limits(fit, x, bounds) for x in chosen])
    ratio = _ratio(bounds, chosen)
    wrong = [x for x in bounds if x not in (*chosen, _RATIO)]
    if wrong:
        raise PredictionError(f"bounds name {listing(wrong)}, but chosen are {listing(chosen)}.")
    check_rising(price, dict(zip(chosen, limits, strict=True)), fixed)
    falling = not set(chosen) & set(law.rising)
    component = component_of(fit, np.empty((0, len(fit.params))))
    return Planner(
        fit=fit,
        component=component,
        choice=Choice(component.function, chosen, price, falling),
        bounds=limits,
        wide=np.array([float(x not in bounds) for x in chosen]),
        hard=np.array([domain_of(law, x, fixed) for x in chosen]),
        spent=_spent(fit, price, fixed),
        others=fixed,
        row=table,
        ratio=ratio,
    )


def planned(
    predictor: Predictor, planner: Planner
) -> tuple[Planner, tuple[Component, ...], tuple[Note, ...]]:
    """Return the planner of a predictor's estimate, the components to plan with, and notes.

    A component whose law does not take each chosen input cannot tell one choice from another (a
    law of compute, asked for N and D); it is left out, and a note says so. Raises PredictionError
    where none is left.
    """
    chosen = set(planner.choice.variables)
    every = predictor.components  # once: a predictor may make them anew each time
    kept = [c for c in every if chosen <= set(c.fit.law.inputs)]
    if not kept:
        raise PredictionError(
            f"No law of this {type(predictor).__name__} takes all of "
            f"{listing(planner.choice.variables)}, so it cannot choose between them. Add a law "
            "that does, such as chinchilla."
        )
    lost = [c for c in every if c not in kept]
    return planner.of(estimate(kept)), tuple(kept), tuple(_notes_on_lost(lost, kept, planner))


def _notes_on_lost(
    lost: Sequence[Component], kept: Sequence[Component], planner: Planner
) -> Iterator[Note]:
    """Yield a note on components that are left out of a plan."""
    if lost:
        share = sum(c.weight for c in lost) / sum(c.weight for c in (*lost, *kept))
        variables = listing(planner.choice.variables)
        yield Note(
            "laws-left-out",
            "caution",
            f"{listing([c.name for c in lost])}, with {100 * share:.0f}% of the weight, cannot "
            f"tell one choice of {variables} from another.",
            "The plan and its intervals are those of the other laws.",
            "Read how the laws compare before you rely on the plan.",
        )


def _check_chosen(
    fit: Fit, cost: Cost, chosen: tuple[str, ...], bounds: Any, others: Mapping[str, Any]
) -> None:
    """Raise PredictionError for inputs that cannot be chosen under this cost."""
    law = fit.law
    missing = [x for x in chosen if x not in law.inputs]
    if missing or len(chosen) < 2:
        hint = nearest(missing[0], law.inputs) if missing else ""
        raise PredictionError(
            f"allocate chooses at least two inputs of {law.name} ({listing(law.inputs, 12)}), not "
            f'{listing(chosen) or "none"}.{hint} Name them, variables=("N", "D"), and give a '
            "cost of them."
        )
    twice = [x for x in chosen if chosen.count(x) > 1 or x in others]
    if twice:
        raise PredictionError(
            f"{twice[0]} is chosen by the plan, and cannot be given or named again. Leave it out, "
            f"or hold it within bounds={{{twice[0]!r}: (low, high)}}; for what a certain size "
            f"costs see plan.excess({twice[0]}=…)."
        )
    if not isinstance(bounds, Mapping):
        raise PredictionError(f"bounds={bounds!r} must be a mapping: {{'D': (1e9, 2e12)}}.")
    if len(chosen) > 2 and chosen[-1] in bounds:
        raise PredictionError(
            f"Of three inputs or more the last, {chosen[-1]}, follows from the others and cannot "
            f"be held within bounds; name it first: variables={(chosen[-1], *chosen[:-1])!r}."
        )
    unpriced = [x for x in chosen if x not in cost.inputs]
    if unpriced:
        raise PredictionError(
            f"{cost!r} does not depend on {listing(unpriced)}, so that there can be any amount of "
            f"it. Give it a value, {unpriced[0]}=…, or another cost."
        )


def _ratio(bounds: Mapping[str, Any], chosen: tuple[str, ...]) -> tuple[float, float] | None:
    """Return the limits of D/N, or the one number that it is held at, twice; None without."""
    if _RATIO not in bounds:
        return None
    try:
        low, high = (float(x) for x in np.broadcast_to(bounds[_RATIO], 2))
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if set(chosen) != {"N", "D"} or not 0 < low <= high < np.inf:
        raise PredictionError(
            f"bounds['D/N']={bounds[_RATIO]!r} must be a positive number, or two, low and high, in "
            "a plan of N and D."
        )
    return low, high


def _limits(fit: Fit, name: str, bounds: Mapping[str, Any]) -> tuple[float, float]:
    """Return the bounds of an input: those given, or a hundred times past the runs."""
    seen = fit.runs[name]
    low, high = seen.min() / _BEYOND, seen.max() * _BEYOND
    if name in bounds:
        try:
            low, high = (float(x) for x in bounds[name])
        except (TypeError, ValueError):
            low, high = np.nan, np.nan
    if not 0 < low < high < np.inf:
        raise PredictionError(
            f"bounds[{name!r}]={bounds.get(name)!r} must be two positive numbers, low and high."
        )
    return float(low), float(high)


def _spent(fit: Fit, cost: Cost, fixed: Mapping[str, float]) -> tuple[float, float]:
    """Return the costs of the cheapest and of the most expensive of the fitted runs."""
    known = {x: fixed[x] if x in fixed else fit.runs[x] for x in cost.inputs}
    with float64_scope():
        spent = np.broadcast_to(np.asarray(cost(**known), dtype=np.float64), len(fit.runs))
    return float(spent.min()), float(spent.max())
