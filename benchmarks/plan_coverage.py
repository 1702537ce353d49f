"""Coverage of the intervals of plans: optimal size and loss, crossings, required amounts.

Simulated worlds in which the optimal choice is known, from the fitted law and from laws that it
cannot represent. Each world is fitted and drawn as a user would (200 refits of randomly weighted
runs), then planned for budgets at 1, 10 and 100 times its largest compute. D* is C/(6·N*), so its
intervals cover the truth where those of N* do. Two recipes are compared by runs of each; their true
curves cross once.

    python -m benchmarks.plan_coverage [--worlds 300] [--table benchmarks/results/plan_coverage.csv]
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

import jscale as js
from benchmarks.coverage_parts.scenarios import SCALES, Scenario, scenarios
from benchmarks.machine import header

LEVELS = (0.5, 0.8, 0.95)
DRAWS = 200
SURFACES = (
    "chinchilla, normal, 20 runs",
    "chinchilla, normal, 60 runs",
    "chinchilla, normal, 240 runs",
    "chinchilla, student-t, 60 runs",
    "chinchilla, growing, 60 runs",
    "chinchilla, outliers, 60 runs",
    "chinchilla, checkpoints, 60 runs",
    "farseer fitted by chinchilla, normal, 60 runs",
)
# Recipes of C: one starts behind and falls faster. With a break, the fitted law is wrong.
_SLOW = {"E": 1.7, "A": 30.0, "alpha": 0.1}
_BREAK = {"a": 1.7, "b": 30.0, "c0": 0.1, "c1": 0.05, "d1": 1e19, "f1": 0.5}
_LARGEST = 1e20


@dataclass(frozen=True)
class Crossing:
    """Two recipes whose curves cross once, at ``past`` times the largest compute of the runs."""

    name: str
    truth: str
    slow: dict[str, float]
    fast: dict[str, float]
    count: int

    def gap(self, log_c: float) -> float:
        """Return the slow recipe's loss minus the fast one's."""
        law = js.laws.get(self.truth)
        C = np.exp([log_c])
        return float((law(C, **self.slow) - law(C, **self.fast))[0])

    def place(self) -> float:
        return float(np.exp(brentq(self.gap, np.log(1e17), np.log(1e24))))

    def runs(self, which: dict[str, float], seed: int) -> js.Runs:
        design = {"C": np.geomspace(1e16, _LARGEST, self.count)}
        return js.simulate(self.truth, which, design, noise=0.005, seed=seed)


def crossings() -> Iterator[Crossing]:
    """Yield pairs of recipes that cross at the largest compute, and at ten times it."""
    for past in (1.0, 10.0):
        A = 30.0 * (past * _LARGEST) ** (0.15 - 0.1)
        fast = {"E": 1.7, "A": A, "alpha": 0.15}
        for count in (10, 30):
            name = f"two power laws of {count} runs, crossing at {past:g}x"
            yield Crossing(name, "power_const", _SLOW, fast, count)
        steep = {**_BREAK, "b": A, "c0": 0.15}
        yield Crossing(
            f"two broken laws of 30 runs fitted by power_const, crossing at {past:g}x",
            "broken:1",
            _BREAK,
            steep,
            30,
        )


def quantity(name: str, samples: list[Any], truth: float) -> dict[str, Any]:
    """Return a row: the coverage of equal-tailed intervals of samples, one array per world."""
    row: dict[str, Any] = {"quantity": name, "truth": truth}
    for level in LEVELS:
        tails = (0.5 - level / 2, 0.5 + level / 2)
        ends = np.array([np.quantile(own, tails, method="inverted_cdf") for own in samples])
        row[f"{100 * level:g}%"] = 100 * np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
        if level == 0.8:
            with np.errstate(invalid="ignore"):  # both may be infinite: as wide as can be
                ratios = np.nan_to_num(ends[:, 1] / ends[:, 0], nan=np.inf, posinf=np.inf)
            row["high/low"] = float(np.median(ratios))
    middles = np.array([np.median(own) for own in samples])
    return {**row, "median/truth": float(np.median(middles)) / truth, "worlds": len(samples)}


def drawn(law: str, runs: js.Runs, seed: int) -> js.Draws:
    return js.bootstrap(js.fit(law, runs), DRAWS, kind="bayesian", seed=seed)


def budgets_of(scenario: Scenario) -> np.ndarray:
    compute = 6.0 * scenario.design["N"] * scenario.design["D"]
    return float(compute.max()) * np.array(SCALES)


def best(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Return the true optimum at each budget: N*, and the loss there."""
    exact = js.fit(scenario.truth, js.simulate(scenario.truth, scenario.params, scenario.design))
    plan = js.allocate(js.laplace(exact, 2), budgets_of(scenario))
    found = plan.planner.optima(np.array([list(scenario.params.values())]), budgets_of(scenario))
    return found.inputs[0, :, 0], found.output[0]


def surface_rows(scenario: Scenario, worlds: int) -> Iterator[dict[str, Any]]:
    sizes, losses = best(scenario)
    names = list(js.laws.get(scenario.truth).names)
    assert names == list(scenario.params), "planted parameters must be in the law's order"
    table = scenario.runs(worlds, seed=0)
    plans, needs = [], []
    top = losses[1]
    tokens = budgets_of(scenario)[1] / (6.0 * sizes[1])
    for world, rows in enumerate(np.split(np.arange(len(table)), worlds)):
        mask = np.zeros(len(table), dtype=bool)
        mask[rows] = True
        draws = drawn(scenario.law, table.where(mask), world)
        plans.append(js.allocate(draws, budgets_of(scenario)))
        needs.append(js.required(draws, "D", loss=top, N=sizes[1]).samples[:, 0])
    for k, scale in enumerate(SCALES):
        yield quantity(f"N* at {scale:g}x", [p.samples[:, k, 0] for p in plans], sizes[k])
        yield quantity(f"loss* at {scale:g}x", [p.outputs[:, k] for p in plans], losses[k])
    yield quantity("D to reach loss* of 10x at its N*", needs, tokens)


def crossing_rows(pair: Crossing, worlds: int) -> Iterator[dict[str, Any]]:
    truth, found = pair.place(), []
    for world in range(worlds):
        a, b = (
            drawn("power_const", pair.runs(which, 2 * world + k), 2 * world + k)
            for k, which in enumerate((pair.slow, pair.fast))
        )
        found.append(js.crossover(a, b))
    row: dict[str, Any] = {"quantity": "crossing", "truth": truth}
    samples = [each.samples for each in found]
    yield {**row, **quantity("crossing", samples, truth)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    known = {s.name: s for s in scenarios()}
    parts = [(name, surface_rows(known[name], options.worlds)) for name in SURFACES]
    parts += [(pair.name, crossing_rows(pair, options.worlds)) for pair in crossings()]
    rows = []
    for name, found in parts:
        rows += [{"scenario": name, **row} for row in found]
        print(name, file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    if options.table:
        table.to_csv(options.table, index=False, float_format="%.6g")
    print(header())
    print(
        f"{options.worlds} worlds each; Monte-Carlo error near 80%: "
        f"{40 / np.sqrt(options.worlds):.1f} points; high/low: median ratio of the ends of 80% "
        "intervals\n"
    )
    for name, own in table.groupby("scenario", sort=False):
        print(name)
        print(
            own.drop(columns=["scenario", "worlds"]).to_string(
                index=False, float_format=lambda v: f"{v:.4g}"
            ),
            end="\n\n",
        )


if __name__ == "__main__":
    main()
