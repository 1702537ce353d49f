"""Answers: the intervals of a method in each of many worlds, in a common form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.coverage_parts.scenarios import SCALES, Scenario

LEVELS = (0.5, 0.8, 0.95)
_BEYOND = 1e30
# Notes of a fit that tell a user beforehand not to trust the intervals.
WARNINGS = {"few-runs", "no-spare-runs", "unidentified", "not-converged", "residuals-patterned"}


@dataclass(frozen=True, eq=False)
class Answers:
    """The intervals of a method: by quantity, their ends (levels, 2, worlds).

    ``estimates`` (worlds, parameters) are the method's point estimates. ``warned`` is the share of
    worlds with a note that the intervals are not reliable. An end is NaN if the method refused to
    give an interval.
    """

    ends: dict[str, np.ndarray]
    estimates: np.ndarray
    warned: float


def from_draws(
    scenario: Scenario, draws: np.ndarray, estimates: np.ndarray, noises: list[Any], warned: float
) -> Answers:
    """Return the intervals of draws (worlds, R, q), given the noise of new runs in each world."""
    names, points = js.laws.get(scenario.law).names, scenario.points()
    ends = {}
    if scenario.right:
        ends = {f"parameter {name}": _ends(draws[:, :, k]) for k, name in enumerate(names)}
    curves = log_curves(scenario, draws)
    new = np.stack(
        [
            curve + noise.draw(curve, points, world)
            for world, (curve, noise) in enumerate(zip(curves, noises, strict=True))
        ]
    )
    for k, scale in enumerate(SCALES):
        ends[f"curve {scale:g}x"] = _ends(curves[:, :, k])
        ends[f"new run {scale:g}x"] = _ends(new[:, :, k])
    return Answers(ends, estimates, warned)


def log_curves(scenario: Scenario, params: np.ndarray) -> np.ndarray:
    """Return the logarithm of the fitted law at the points, (…, 3), for parameters (…, q)."""
    law = js.laws.get(scenario.law)
    named = {name: params[..., k, None] for k, name in enumerate(law.names)}
    points: pd.DataFrame = scenario.points()
    with np.errstate(all="ignore"):
        return np.log(np.asarray(law(*(points[x].to_numpy() for x in scenario.inputs), **named)))


def _ends(draws: np.ndarray) -> np.ndarray:
    """Return equal-tailed ends of draws (worlds, R); draws that overflow lie beyond all others.

    Weibull's plotting positions make a further draw lie between the ends with the probability of
    the level, however few draws there are. The ends are NaN in a world without draws.
    """
    usable = np.where(np.isnan(draws), _BEYOND, np.clip(draws, -_BEYOND, _BEYOND))
    at = [((1 - level) / 2, (1 + level) / 2) for level in LEVELS]
    found = np.quantile(usable, np.ravel(at), axis=1, method="weibull")
    found[found > _BEYOND / len(draws.T)] = np.inf
    found[:, np.isnan(draws).all(axis=1)] = np.nan
    return found.reshape(len(LEVELS), 2, -1)
