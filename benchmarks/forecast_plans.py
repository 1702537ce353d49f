"""Coverage of plans where the law of a forecast is wrong: N*, D* and the loss there.

In simulated worlds the best split of a budget into N and D is known. Each world's runs are planned
from by the forecast, whose draws are whole functions with their discrepancy, and by draws of
Hoffmann's law alone (refits of randomly weighted runs), for budgets at 1, 10 and 100 times the
largest compute. D* is C/(6·N*), so its intervals cover the truth where those of N* do.

    python -m benchmarks.forecast_plans [--worlds 60] [--cache FILE]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

import jscale as js
from benchmarks.forecast_parts.priors import prior_without
from benchmarks.forecast_parts.world_sets import (
    SCALES,
    WorldSet,
    chinchilla_worlds,
    wrong_surfaces,
)
from benchmarks.machine import header

LEVELS = (0.5, 0.8, 0.95)
_DRAWS = 200
# Sizes between which the true optimum is searched.
_SIZES = (1e6, 1e13)
Way = Callable[[pd.DataFrame], Any]


def loss_along(worlds: WorldSet, world: int, log_size: np.ndarray, budget: float) -> np.ndarray:
    """Return the true loss of models of given sizes that a budget buys."""
    N = np.exp(log_size)
    return worlds.curve(world, pd.DataFrame({"N": N, "D": budget / (6.0 * N)}))


def best(worlds: WorldSet, world: int, budget: float) -> tuple[float, float]:
    """Return ln N* and the loss there."""
    grid = np.linspace(*np.log(_SIZES), 400)
    loss = loss_along(worlds, world, grid, budget)
    # Farseer's law falls again for tiny and huge models: the valley is what counts.
    valleys = 1 + np.flatnonzero((loss[1:-1] < loss[:-2]) & (loss[1:-1] <= loss[2:]))
    place = int(valleys[np.argmin(loss[valleys])])
    found = minimize_scalar(
        lambda x: float(loss_along(worlds, world, np.array([x]), budget)[0]),
        bounds=(grid[place - 1], grid[place + 1]), method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    return float(found.x), float(found.fun)


def rows_of(worlds: WorldSet, ways: Mapping[str, Way]) -> pd.DataFrame:
    """Return a row per world, way and budget."""
    budgets, rows = float(worlds.compute.max()) * np.array(SCALES), []
    for world, table in enumerate(worlds.runs()):
        truth = [best(worlds, world, budget) for budget in budgets]
        for name, way in ways.items():
            plan = js.allocate(way(table), budgets)
            for k, scale in enumerate(SCALES):
                size, loss = truth[k]
                planned = np.log(plan.frame["N"].to_numpy()[k : k + 1])
                reached = loss_along(worlds, world, planned, budgets[k])[0]
                rows.append(
                    {
                        "way": name, "scale": scale,
                        **_inside("N*, D*", np.log(plan.samples[:, k, 0]), size),
                        **_inside("loss*", np.log(plan.outputs[:, k]), np.log(loss)),
                        "N*/true": np.exp(planned[0] - size),
                        "lost %": 100 * (reached / loss - 1.0),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def _inside(name: str, samples: np.ndarray, truth: float) -> dict[str, float]:
    found = {}
    for level in LEVELS:
        low, high = np.nanquantile(samples, (0.5 - level / 2, 0.5 + level / 2))
        found[f"{name} in {100 * level:g}%"] = float(low <= truth <= high)
        if level == 0.8:
            found[f"{name} high/low"] = float(np.exp(high - low))
    return found


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage (mean) and widths, errors and losses (medians) by way and budget."""
    groups = rows.groupby(["way", "scale"], sort=False)
    shares = [c for c in rows if "in " in c]
    middles = [c for c in rows if c not in (*shares, "way", "scale")]
    table = pd.concat([groups[shares].mean(), groups[middles].median()], axis=1)
    return table[[c for c in rows if c in table]]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=60)
    parser.add_argument("--cache", type=Path, help="answers that benchmarks.forecast_prior kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(header())
    print(
        f"{options.worlds} worlds each, 60 runs, noise 1 %; a share of 80 % is known to "
        f"{100 * np.sqrt(0.16 / options.worlds):.1f} points; lost: how far the loss of the planned "
        "N lies above the best one of the valley (Farseer's law falls again for huge models)"
    )
    # Of Farseer's worlds nothing is known from Farseer's sweep.
    prior = "default" if options.cache is None else prior_without(options.cache, "farseer")
    ways = {
        "forecast": lambda table: js.forecast(table, prior=prior, draws=_DRAWS),
        "forecast, weak prior": lambda table: js.forecast(
            table, ["chinchilla"], prior="weak", draws=_DRAWS
        ),
        "within chinchilla": lambda table: js.bootstrap(
            js.fit("chinchilla", table), _DRAWS, kind="bayesian"
        ),
    }
    count = options.worlds
    for worlds in (*wrong_surfaces(60, 0.01, count), chinchilla_worlds(60, 0.01, count)):
        started = time.perf_counter()
        table = shown(rows_of(worlds, ways))
        print(f"\n{worlds.name} ({time.perf_counter() - started:.0f} s)")
        print(table.to_string(float_format=lambda v: f"{v:.3g}"), flush=True)


if __name__ == "__main__":
    main()
