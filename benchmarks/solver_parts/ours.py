"""Our solver on the tasks: each function runs once cold, then warm, and returns the results."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import jscale as js
from benchmarks.solver_parts import work
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.fitting.solver.gauss_newton import WARM, Lanes, Status, solve
from jscale.fitting.solver.search import search
from jscale.fitting.solver.starts import automatic, hoffmann
from jscale.simulation.worlds.families import families


def timed(function: Callable[[], Any], repeats: int = 5) -> tuple[Any, dict[str, float]]:
    """Run once to compile, then several times; return the result and the least seconds."""
    begun = time.perf_counter()
    result = function()
    first = time.perf_counter() - begun
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return result, {"wall": min(walls), "cpu": min(cpus), "compile": first - min(walls)}


def golden() -> Problem:
    """Return the problem of W1 and W2."""
    runs = js.Runs.from_frame(work.points())
    return build(js.laws.get("chinchilla"), runs, Settings(js.huber()))[0]


def _found(lanes: Lanes, seconds: dict[str, float]) -> dict[str, Any]:
    share = np.mean(lanes.objective <= work.OPTIMUM * (1 + 1e-8))
    return {
        **seconds,
        "starts": len(lanes.theta),
        "excess": lanes.objective.min() / work.OPTIMUM - 1,
        "share": float(share),
        "steps": float(lanes.steps.sum()),
    }


def w1_staged() -> dict[str, Any]:
    """Solve 4500 starts of the raw grid, with halving."""
    with float64_scope():
        problem = golden()
        return _found(*timed(lambda: search(problem, hoffmann(problem))))


def w1_exhaustive() -> dict[str, Any]:
    """Solve 4500 starts of the raw grid, each to convergence."""
    with float64_scope():
        problem = golden()
        return _found(*timed(lambda: solve(problem, hoffmann(problem)), repeats=2))


def w1_automatic(count: int = 64) -> dict[str, Any]:
    """Make and solve automatic starts, each to convergence."""
    with float64_scope():
        problem = golden()
        return _found(*timed(lambda: solve(problem, automatic(problem, count))))


def w1_answer() -> dict[str, Any]:
    """Solve 16 automatic starts, the least number that we would trust on this law."""
    return w1_automatic(16)


def w1_many() -> dict[str, Any]:
    """Solve 512 automatic starts without halving, for the share at the optimum."""
    return w1_automatic(512)


def w2(count: int = 4000, checked: int = 200) -> dict[str, Any]:
    """Solve resamples from the optimum; some are checked against SciPy with tight tolerances."""
    from scipy.optimize import minimize

    with float64_scope():
        problem = golden()
        best = search(problem, automatic(problem, 64))
        starts = np.repeat(best.theta[best.best][None], count, axis=0)
        weights = work.resamples(count)
        again, seconds = timed(lambda: solve(problem, starts, weights=weights, settings=WARM))
    worst = 0.0
    table = work.points()
    natural = js.fit("chinchilla", table).params
    theta = np.array(
        [
            np.log(natural["A"]),
            np.log(natural["B"]),
            np.log(natural["E"]),
            natural["alpha"],
            natural["beta"],
        ]
    )
    for k in range(min(checked, count)):
        own = work.Objective(table, weights[k]).centred()
        found = minimize(
            own.value_and_slope,
            own.shift(theta),
            jac=True,
            method="BFGS",
            options={"gtol": 1e-11, "maxiter": 2000},
        )
        worst = max(worst, again.objective[k] / found.fun - 1)
    return {
        **seconds,
        "starts": count,
        "excess": worst,
        "share": float(np.mean(again.status == Status.CONVERGED)),
        "steps": float(again.steps.sum()),
    }


def w3(count: int = 500, starts: int = 64) -> dict[str, Any]:
    """Run fit_many from table to table; the best known optima are those of 128 starts."""
    warnings.simplefilter("ignore")
    table = families(count)
    fits, seconds = timed(
        lambda: js.fit_many("chinchilla", table, by="family", starts=starts), repeats=3
    )
    from jscale.fitting.solver import search as searching

    searching._FAMILY_STAGES = ((10, 1 / 2, 8), (20, 1 / 4, 8))
    known = js.fit_many("chinchilla", table, by="family", starts=2 * starts).summary["objective"]
    found = fits.summary["objective"]
    best = np.minimum(known, found)
    return {
        **seconds,
        "starts": count * starts,
        "excess": float((found / best - 1).max()),
        "share": float(np.mean(found <= best * (1 + 1e-8))),
    }


def influence() -> dict[str, Any]:
    """Compute the influence of all 240 points on the parameters."""
    warnings.simplefilter("ignore")
    fit = js.fit("chinchilla", work.points())
    _, seconds = timed(lambda: js.influence(fit), repeats=50)
    return {**seconds, "starts": 240}


def w1_lanes(times: int = 100) -> dict[str, Any]:
    """Solve W1 with many times the lanes (for an accelerator)."""
    with float64_scope():
        problem = golden()
        starts = np.tile(hoffmann(problem), (times, 1))
        return _found(*timed(lambda: search(problem, starts), repeats=2))


def w2_lanes(times: int = 100) -> dict[str, Any]:
    """Solve W2 with many times the lanes (for an accelerator)."""
    return w2(4000 * times, checked=20)


TASKS = {
    f.__name__: f
    for f in (
        w1_staged,
        w1_exhaustive,
        w1_automatic,
        w1_answer,
        w1_many,
        w2,
        w3,
        influence,
        w1_lanes,
        w2_lanes,
    )
}
