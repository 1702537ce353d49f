"""How cost grows: with starts, rows, resamples, families and parameters."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.solver_parts import work
from benchmarks.solver_parts.ours import golden, timed
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.settings import Settings
from jscale.fitting.solver.gauss_newton import WARM, solve
from jscale.fitting.solver.search import search
from jscale.fitting.solver.starts import automatic
from jscale.simulation.worlds.families import families

SIZES = {
    "grow_starts": (64, 512, 2000, 20_000),
    "grow_rows": (20, 200, 2000, 20_000),
    "grow_resamples": (100, 1000, 4000, 20_000),
    "grow_families": (1, 10, 100, 1000, 10_000),
    "grow_parameters": (3, 5, 6, 9, 12),
}
UNITS = {name: name.removeprefix("grow_") for name in SIZES}
_BY_PARAMETERS = {3: "power_const", 5: "chinchilla", 6: "broken:1", 9: "broken:2", 12: "broken:3"}


def grow_starts(count: int) -> dict[str, Any]:
    """Search the 240 points from automatic starts."""
    with float64_scope():
        problem = golden()
        starts = automatic(problem, count)
        _, seconds = timed(lambda: search(problem, starts), repeats=2)
    return seconds


def grow_rows(count: int) -> dict[str, Any]:
    """Solve a synthetic table of a given number of rows from 64 automatic starts."""
    rng = np.random.default_rng(0)
    logs = rng.uniform(np.log([1e7, 1e9]), np.log([1e10, 1e12]), size=(count, 2))
    design = pd.DataFrame(np.exp(logs), columns=["N", "D"])
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    runs = js.simulate("chinchilla", truth, design, noise=0.01)
    with float64_scope():
        problem = build(js.laws.get("chinchilla"), runs, Settings(js.huber()))[0]
        _, seconds = timed(lambda: solve(problem, automatic(problem, 64)), repeats=2)
    return seconds


def grow_resamples(count: int) -> dict[str, Any]:
    """Solve resamples of the 240 points from their optimum."""
    with float64_scope():
        problem = golden()
        best = solve(problem, automatic(problem, 16))
        starts = np.repeat(best.theta[best.best][None], count, axis=0)
        weights = work.resamples(count)
        _, seconds = timed(
            lambda: solve(problem, starts, weights=weights, settings=WARM), repeats=2
        )
    return seconds


def grow_families(count: int) -> dict[str, Any]:
    """fit_many on families of 30 to 100 runs, 64 starts each."""
    warnings.simplefilter("ignore")
    table = families(count)
    _, seconds = timed(lambda: js.fit_many("chinchilla", table, by="family", starts=64), repeats=1)
    return seconds


def grow_parameters(count: int) -> dict[str, Any]:
    """Solve 64 starts of laws with a given number of parameters on 150 rows."""
    law = js.laws.get(_BY_PARAMETERS[count])
    C = np.geomspace(1e16, 1e24, 150)
    loss = (1.0 + 2000.0 * C**-0.15) * np.exp(0.01 * np.random.default_rng(0).standard_normal(150))
    table = pd.DataFrame(
        {"C": C, "N": C**0.5, "D": C**0.5 * 20 ** (np.arange(150) % 3), "loss": loss}
    )
    with float64_scope():
        warnings.simplefilter("ignore")
        problem = build(law, js.Runs.from_frame(table), Settings(js.huber()))[0]
        lanes, seconds = timed(lambda: solve(problem, automatic(problem, 64)), repeats=2)
    return {**seconds, "each": 1e9 * seconds["cpu"] / (150 * float(lanes.steps.sum()))}


TASKS = {
    f.__name__: f for f in (grow_starts, grow_rows, grow_resamples, grow_families, grow_parameters)
}
