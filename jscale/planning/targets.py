"""Targets: the losses that a mixture is chosen for, whatever they were fitted by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jscale.errors import LawError, PredictionError, listing
from jscale.fitting.result import Fit
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws


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
class How:
    """Where draws came from."""

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def targets_of(source: Any, method: str | None, seed: int) -> tuple[list[Target], How]:
    """Return the targets of a source, all over the same shares; raises LawError."""
    if isinstance(source, FitTable):
        found, how = _of_table(source, method), How(_name_of(source, method))
    elif isinstance(source, Mapping) and source:
        parts = [_drawn(one, method, seed, place) for place, one in enumerate(source.values())]
        found = [_alone(name, *part) for name, part in zip(source, parts, strict=True)]
        how = _how([draws for _, draws in parts])
    elif isinstance(source, (Fit, Draws)):
        fit, draws = _drawn(source, method, seed)
        found, how = _of_groups(fit, draws), _how([draws])
    else:
        raise LawError(
            "best_mixture takes a Fit, Draws, a FitTable, or a mapping from targets to Fits or "
            f"Draws, not {'an empty mapping' if source == {} else type(source).__name__}."
        )
    _check_same_shares(found)
    return found, how


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


def _drawn(source: Any, method: str | None, seed: int, place: int = 0) -> tuple[Fit, Draws | None]:
    """Return a source's fit and draws, those of a Fit made by a seed of its place.

    Resamples of one seed pair the targets' runs, which share their luck; other draws of one seed
    would share nothing but random numbers, and need a seed for each target.
    """
    if isinstance(source, Draws):
        return source.fit, source
    if not isinstance(source, Fit):
        raise LawError(f"A target is a Fit or Draws, not {type(source).__name__}.")
    if method is None:
        return source, None
    drawn = make_draws(source, method, seed=seed)
    if place == 0 or drawn.method.startswith("bootstrap"):
        return source, drawn
    return source, make_draws(source, method, seed=seed + place)


def _how(drawn: list[Draws | None]) -> How:
    known = [d for d in drawn if d is not None]
    if not known:
        return How("none (point alone)")
    return How(", ".join(dict.fromkeys(d.method for d in known)), dict(known[0].settings))


def _alone(name: Any, fit: Fit, draws: Draws | None) -> Target:
    groups = [column for column, _ in fit.problem.layout.groups]
    if groups:
        raise LawError(
            f"The fit of {name!r} has parameters per {listing(groups)}: give it alone, its labels "
            "are then the targets."
        )
    return _target(name, fit, draws, None)


def _of_groups(fit: Fit, draws: Draws | None) -> list[Target]:
    """Return a target for each label that parameters differ by, or the one there is."""
    groups = fit.problem.layout.groups
    if not groups:
        return [_target(fit.law.output, fit, draws, None)]
    if len(groups) > 1:
        raise LawError(
            f"Parameters differ by {listing([c for c, _ in groups])}; a mixture is chosen for the "
            "labels of one column. Fit the others apart."
        )
    return [_target(label, fit, draws, label) for _, labels in groups for label in labels]


def _target(name: Any, fit: Fit, draws: Draws | None, label: str | None) -> Target:
    layout, places = fit.problem.layout, {p: i for i, p in enumerate(fit.params.index)}
    columns = [places[n if layout.column(n) is None else f"{n}[{label}]"] for n in fit.law.names]
    shares = [fit.runs[x] for x in fit.law.simplex]
    point = fit.params.to_numpy()[columns]
    samples = np.zeros((0, len(columns))) if draws is None else draws.flat[:, columns]
    fitted = np.array([[x.min() for x in shares], [x.max() for x in shares]])
    return Target(name, fit.law, point, samples, fitted)


def _name_of(table: FitTable, method: str | None) -> str:
    return "none (point alone)" if method is None else f"bootstrap of fit_many by {table.by}"


def _of_table(table: FitTable, method: str | None) -> list[Target]:
    if table.failures:
        raise PredictionError(
            f"{listing([repr(k) for k in table.failures])} could not be fitted: see "
            "table.failures. Mend or leave out those rows, and fit again."
        )
    if method is not None and table.draws is None:
        raise PredictionError(
            f"This table by {table.by} has no draws: fit_many(…, resamples=1000), or take the "
            "point alone by method=None."
        )
    unknown = np.full((2, len(table.law.simplex)), np.nan)
    found = []
    for i, label in enumerate(table.labels):
        point = table.params.iloc[i].to_numpy(dtype=np.float64)
        empty = np.zeros((0, len(point)))
        samples = empty if method is None or table.draws is None else table.draws[i]
        found.append(Target(label, table.law, point, samples, unknown))
    return found
