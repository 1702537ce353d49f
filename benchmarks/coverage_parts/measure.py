"""How often intervals hold the truth, and how wide they are, for one scenario and method."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.coverage_parts.scenarios import SCALES, Scenario
from jscale.fitting.batch import fit_sets
from jscale.fitting.objective import as_objective
from jscale.fitting.table import FitTable
from jscale.uncertainty.student import Errors
from jscale.uncertainty.trend import log_axis, trend_along

LEVELS = (0.5, 0.8, 0.95)
METHODS = ("bayesian", "bootstrap", "laplace")
# Notes that tell a user beforehand not to trust the intervals.
WARNINGS = ("few-runs", "no-spare-runs", "unidentified", "not-converged", "residuals-patterned")


def measure(
    scenario: Scenario, method: str, worlds: int, resamples: int, seed: int = 0
) -> pd.DataFrame:
    """Fit all worlds and return a row for each quantity: coverage at each level, and width.

    ``width`` is the median width of 80 % intervals over that of the estimates themselves around
    the truth: what an oracle of the estimator's distribution would state. For new runs that
    oracle knows the noise as well.
    """
    runs = scenario.runs(worlds, seed)
    sets = np.split(np.arange(len(runs)), worlds)
    law = js.laws.get(scenario.law)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = fit_sets(
            law, runs, sets, list(range(worlds)), by="world", objective=as_objective("huber"),
            resamples=resamples, method=method, seed=seed,
        )  # fmt: skip
    rng = np.random.default_rng(seed + 1)
    rows = [*_parameters(scenario, table), *_curves(scenario, table, rng)]
    found = pd.DataFrame(rows)
    names = ("scenario", "law", "noise", "runs", "right")
    about = (scenario.name, scenario.law, scenario.noise_name, scenario.count, scenario.right)
    for k, (name, value) in enumerate(zip(names, about, strict=True)):
        found.insert(k, name, value)
    found.insert(5, "method", method)
    return found.assign(worlds=worlds, warned=_warned(table))


def _warned(table: FitTable) -> float:
    """The share of fits with a note that says not to trust the intervals."""
    notes = table.summary["notes"].str.split(", ")
    return float(np.mean([bool(set(each) & set(WARNINGS)) for each in notes]))


def _parameters(scenario: Scenario, table: FitTable) -> Iterator[dict[str, Any]]:
    if not scenario.right or table.draws is None:
        return
    for k, name in enumerate(js.laws.get(scenario.law).names):
        truth = scenario.params[name]
        yield _row(
            f"parameter {name}", table.draws[:, :, k], truth, _width(table.params[name].to_numpy())
        )


def _curves(
    scenario: Scenario, table: FitTable, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    assert table.draws is not None
    points, truth = scenario.points(), np.log(scenario.true_curve())
    errors = scenario.new_errors(len(table), rng)
    others = scenario.new_errors(len(table), rng)
    noise = _errors(scenario, table, table.draws.shape[:2], rng)
    for k, scale in enumerate(SCALES):
        at = [points[x].to_numpy()[k] for x in scenario.inputs]
        drawn = _log_curve(scenario.law, table.draws, at)
        own = _log_curve(scenario.law, table.params.to_numpy(), at)
        yield _row(f"curve {scale:g}x", drawn, truth[k], _width(own))
        new = drawn + noise[k]
        yield _row(f"new run {scale:g}x", new, truth[k] + errors[:, k], _width(own + others[:, k]))


def _log_curve(law: str, params: np.ndarray, at: list[float]) -> np.ndarray:
    found = js.laws.get(law)
    named = {name: params[..., k] for k, name in enumerate(found.names)}
    with np.errstate(all="ignore"):
        return np.log(np.asarray(found(*at, **named)))


def _errors(
    scenario: Scenario, table: FitTable, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Draw errors of new runs at each point as predict does, (points, worlds, draws)."""
    own = log_axis(scenario.design, "C")
    points = scenario.points()
    units = scenario.design["run"].to_numpy() if scenario.clustered else np.arange(len(own))
    spare = scenario.count - len(table.law.names)
    found = np.empty((len(points), *shape))
    for world, errors in enumerate(table.noise):
        trend = trend_along(own, errors, units, "C")
        if trend is not None:
            errors = errors / trend.factor(own)
        shares = np.full(len(errors), 1.0 / len(errors))
        drawn = Errors.of(errors, shares, spare, scenario.count).draw((shape[1], len(points)), rng)
        if trend is not None:
            drawn = drawn * trend.draw(points, shape[1], rng)
        found[:, world] = drawn.T
    return found


def _width(values: np.ndarray) -> float:
    low, high = np.nanquantile(values, (0.1, 0.9))
    return float(high - low)


def _row(quantity: str, draws: np.ndarray, truth: Any, oracle: float) -> dict[str, Any]:
    """Coverage of equal-tailed intervals of draws (worlds, draws) of a truth (or one each)."""
    row: dict[str, Any] = {"quantity": quantity}
    for level in LEVELS:
        low, high = _ends(draws, level)
        row[f"{100 * level:g}%"] = 100 * float(np.mean((low <= truth) & (truth <= high)))
    low, high = _ends(draws, 0.8)
    row["width"] = float(np.nanmedian(high - low)) / oracle
    return row


def _ends(draws: np.ndarray, level: float) -> np.ndarray:
    """Ends of equal-tailed intervals (2, worlds); draws that overflow lie beyond all others."""
    usable = np.where(np.isnan(draws), np.inf, np.clip(draws, -1e30, 1e30))
    return np.quantile(usable, ((1 - level) / 2, (1 + level) / 2), axis=1, method="nearest")
