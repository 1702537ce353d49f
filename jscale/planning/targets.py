"""Targets: the losses that a mixture is chosen for, from any kind of fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jscale.errors import LawError, PredictionError, listing
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.prediction.components import Component
from jscale.prediction.predictor import Predictor, only_law
from jscale.prediction.sources import predictor_of

_CALLER = "best_mixture"
_ALSO = "a FitTable, a mapping from targets to predictors, "


@dataclass(frozen=True, eq=False)
class Target:
    """One loss: its law, the estimate (q,) and draws (R, q) of the law's parameters.

    ``fitted`` holds the lowest and the highest share of each domain among the fitted runs
    (2, k), NaN where that is unknown.
    """

    name: Any
    law: Law
    point: np.ndarray
    samples: np.ndarray
    fitted: np.ndarray


@dataclass(frozen=True)
class Origin:
    """The source of draws: in words, and as the settings that reproduce them."""

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def targets_of(source: Any, method: str | None, seed: int) -> tuple[list[Target], Origin]:
    """Return the targets of a source, all over the same shares.

    Parameters
    ----------
    source : Fit, Draws, Predictor, FitTable or mapping
        What ``best_mixture`` was given.
    method : str or None
        How a Fit is drawn; None takes the point estimates alone.
    seed : int
        The seed of those draws.

    Returns
    -------
    tuple of list of Target, Origin
        The targets, and where their draws came from.

    Raises
    ------
    LawError
        For laws without shares, shares that differ, or parameters that differ by several columns.
    PredictionError
        For other sources, and tables with failures or without draws.
    """
    if isinstance(source, FitTable):
        targets, origin = _of_table(source, method), Origin(_name_of(source, method))
    elif isinstance(source, Mapping):
        if not source:
            raise PredictionError(
                f"{_CALLER} takes a mapping from targets to fits, not an empty one."
            )
        parts = [_drawn(one, method, seed, place) for place, one in enumerate(source.values())]
        targets = [_alone(name, _law(part)) for name, part in zip(source, parts, strict=True)]
        origin = _origin(parts)
    else:
        predictor = _drawn(source, method, seed)
        targets, origin = _of_groups(_law(predictor)), _origin([predictor])
    _check_same_shares(targets)
    return targets, origin


def _check_same_shares(targets: list[Target]) -> None:
    without = [t for t in targets if not t.law.simplex]
    if without:
        raise LawError(
            f"{without[0].law.name} has no shares of a mixture. Fit a law that declares a "
            "simplex, such as mixing:web,code."
        )
    first = targets[0].law
    for target in targets[1:]:
        if target.law.simplex != first.simplex:
            raise LawError(
                f"{target.name!r} has the shares {listing(target.law.simplex, 20)}, but "
                f"{targets[0].name!r} has {listing(first.simplex, 20)}; all targets need the same."
            )


def _drawn(source: Any, method: str | None, seed: int, place: int = 0) -> Predictor:
    """Return a source as a predictor, a Fit drawn by a seed of its place.

    Resamples with one seed pair the targets' runs, whose errors are shared; other draws with one
    seed would share only random numbers, so each target needs its own seed.
    """
    predictor = predictor_of(source, method, seed, caller=_CALLER, point=True, also=_ALSO)
    if place == 0 or predictor.resamples is not None:
        return predictor
    return predictor_of(source, method, seed + place, caller=_CALLER, point=True)


def _law(predictor: Predictor) -> Component:
    """Return the predictor's only law; raises PredictionError where there are several."""
    return only_law(predictor, _CALLER, "Give a fit, or draws of one law, for each target.")


def _origin(predictors: list[Predictor]) -> Origin:
    """Return where the draws of predictors came from, points left out unless all are points."""
    drawn = [p for p in predictors if len(p.components[0].flat)] or predictors[:1]
    return Origin(", ".join(dict.fromkeys(p.method for p in drawn)), dict(drawn[0].settings))


def _alone(name: Any, component: Component) -> Target:
    """Return the one target of a law that is alike for all runs; raises LawError for others."""
    groups = [column for column, _ in component.fit.problem.layout.groups]
    if groups:
        raise LawError(
            f"The fit of {name!r} has parameters per {listing(groups)}: give it alone, its labels "
            "are then the targets."
        )
    return _target(name, component, None)


def _of_groups(component: Component) -> list[Target]:
    """Return a target for each label that parameters differ by, or the only one."""
    fit = component.fit
    groups = fit.problem.layout.groups
    if not groups:
        return [_target(fit.law.output, component, None)]
    if len(groups) > 1:
        raise LawError(
            f"Parameters differ by {listing([c for c, _ in groups])}; a mixture is chosen for the "
            "labels of one column. Fit the others apart."
        )
    return [_target(label, component, label) for _, labels in groups for label in labels]


def _target(name: Any, component: Component, label: str | None) -> Target:
    fit = component.fit
    layout, places = fit.problem.layout, {p: i for i, p in enumerate(fit.params.index)}
    columns = [places[n if layout.column(n) is None else f"{n}[{label}]"] for n in fit.law.names]
    shares = [fit.runs[x] for x in fit.law.simplex]
    fitted = np.array([[x.min() for x in shares], [x.max() for x in shares]])
    samples = component.flat[:, columns]
    return Target(name, fit.law, component.point[columns], samples, fitted)


def _name_of(table: FitTable, method: str | None) -> str:
    return "none (point alone)" if method is None else f"bootstrap of fit_many by {table.by}"


def _of_table(table: FitTable, method: str | None) -> list[Target]:
    if table.failures:
        raise PredictionError(
            f"{listing([repr(k) for k in table.failures])} could not be fitted: see "
            "table.failures. Correct or leave out those rows, and fit again."
        )
    if method is not None and table.draws is None:
        raise PredictionError(
            f"This table by {table.by} has no draws: fit_many(…, resamples=1000), or take the "
            "point alone by method=None."
        )
    unknown = np.full((2, len(table.law.simplex)), np.nan)
    targets = []
    for i, label in enumerate(table.labels):
        point = table.params.iloc[i].to_numpy(dtype=np.float64)
        empty = np.zeros((0, len(point)))
        samples = empty if method is None or table.draws is None else table.draws[i]
        targets.append(Target(label, table.law, point, samples, unknown))
    return targets
