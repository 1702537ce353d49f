"""Coverage and width of intervals for one scenario and method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.coverage_parts import batch, one_by_one
from benchmarks.coverage_parts.answers import LEVELS, Answers, log_curves
from benchmarks.coverage_parts.scenarios import SCALES, Scenario
from benchmarks.coverage_parts.sets import Worlds

# The level whose intervals are compared in width.
_WIDTH = LEVELS.index(0.8)


def measure(worlds: Worlds, method: str, draws: int) -> pd.DataFrame:
    """Fit all worlds and return a row for each quantity: coverage at each level, and width.

    ``width`` is the median width of 80% intervals divided by that of an oracle who knows the
    distribution of the estimates around the truth and, for new runs, the noise as well.
    """
    scenario = worlds.scenario
    answers = (batch if method in batch.METHODS else one_by_one).answer(worlds, method, draws)
    found = pd.DataFrame(list(_rows(worlds, answers)))
    names = ("scenario", "law", "noise", "runs", "right", "method")
    about = (scenario.name, scenario.law, scenario.noise_name, scenario.count, scenario.right)
    for k, (name, value) in enumerate(zip(names, (*about, method), strict=True)):
        found.insert(k, name, value)
    refused = worlds.count - found["worlds"]
    return found.assign(refused=refused, draws=draws, warned=answers.warned)


def _rows(worlds: Worlds, answers: Answers) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(worlds.seed + 1)
    truths = _truths(worlds.scenario, worlds.count, rng)
    estimates = _estimates(worlds, answers, rng)
    for quantity, ends in answers.ends.items():
        yield _row(quantity, ends, truths[quantity], _width(estimates[quantity]))


def _truths(scenario: Scenario, worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return what intervals should cover: parameters, log curve and log new runs (worlds,)."""
    found: dict[str, Any] = {}
    if scenario.right:
        found = {f"parameter {name}": value for name, value in scenario.params.items()}
    errors = scenario.new_errors(worlds, rng)
    for k, (scale, truth) in enumerate(zip(SCALES, np.log(scenario.true_curve()), strict=True)):
        found[f"curve {scale:g}x"], found[f"new run {scale:g}x"] = truth, truth + errors[:, k]
    return found


def _estimates(worlds: Worlds, answers: Answers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the point estimates of each quantity (worlds,); those of new runs have an error."""
    names, own = js.laws.get(worlds.scenario.law).names, answers.estimates
    found = {f"parameter {name}": own[:, k] for k, name in enumerate(names)}
    curves, errors = log_curves(worlds.scenario, own), worlds.scenario.new_errors(len(own), rng)
    for k, scale in enumerate(SCALES):
        found[f"curve {scale:g}x"] = curves[:, k]
        found[f"new run {scale:g}x"] = curves[:, k] + errors[:, k]
    return found


def _width(values: np.ndarray) -> float:
    low, high = np.nanquantile(values, (0.1, 0.9))
    return float(high - low)


def _row(quantity: str, ends: np.ndarray, truth: Any, oracle: float) -> dict[str, Any]:
    """Return the coverage of a truth (or one per world) by intervals (levels, 2, worlds).

    Worlds in which the method refused to give an interval are left out.
    """
    row: dict[str, Any] = {"quantity": quantity}
    made = ~np.isnan(ends).any(axis=(0, 1))
    ends, truth = ends[..., made], np.broadcast_to(truth, made.shape)[made]
    for level, (low, high) in zip(LEVELS, ends, strict=True):
        row[f"{100 * level:g}%"] = 100 * float(np.mean((low <= truth) & (truth <= high)))
    with np.errstate(invalid="ignore"):
        row["width"] = float(np.nanmedian(ends[_WIDTH, 1] - ends[_WIDTH, 0])) / oracle
    row["worlds"] = int(made.sum())
    return row
