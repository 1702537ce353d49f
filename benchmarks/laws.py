"""How long each law of the catalogue takes to fit, and how many of its starts end at the optimum.

For every law's planted world (jscale.simulation.worlds), with 1% noise: the time of the first fit
(including compilation) and of the next (warm, the median of three), and the share of automatic
starts that end within 1e-8 and within 1% of the best objective if all run to convergence.

Run: python -m benchmarks.laws [law …]
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.machine import header
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.objective import as_objective
from jscale.fitting.settings import Settings
from jscale.fitting.solver.gauss_newton import solve
from jscale.fitting.solver.starts import automatic
from jscale.simulation.worlds import WORLDS, scattered

NOISE = 0.01


def runs_of(world: str) -> tuple[js.Law, js.Runs]:
    """Return a law and runs planted with noise."""
    law = js.laws.get(world)
    planted, design = scattered(world, 0)
    exact = law(*(design[x].to_numpy() for x in law.inputs), **planted)
    error = NOISE * np.random.default_rng(0).standard_normal(len(design))
    size = float(np.std(exact)) if law.space == "linear" else exact
    frame = design.assign(**{law.output: exact + error * size})
    columns = {x: x for x in law.inputs}
    return law, js.Runs.from_frame(frame, **columns, output=law.output, loss_unit="other")


def seconds(law: js.Law, runs: js.Runs) -> float:
    began = time.perf_counter()
    js.fit(law, runs)
    return time.perf_counter() - began


def shares(law: js.Law, runs: js.Runs) -> tuple[float, float]:
    """Return the shares of starts within 1e-8 and within 1% of the best, without halving."""
    with float64_scope():
        problem, _ = build(law, runs, Settings(as_objective("huber", law.space)))
        found = solve(problem, automatic(problem, law.starts)).objective
    best = np.nanmin(found)
    return tuple(float(np.mean(found <= best * (1 + t))) for t in (1e-8, 1e-2))


def row(world: str) -> dict[str, object]:
    law, runs = runs_of(world)
    cold = seconds(law, runs)
    warm = float(np.median([seconds(law, runs) for _ in range(3)]))
    exact, near = shares(law, runs)
    return {
        "law": world,
        "p": len(law.names),
        "rows": len(runs),
        "starts": law.starts,
        "first fit (s)": round(cold, 2),
        "warm (s)": round(warm, 3),
        "at optimum": round(exact, 2),
        "within 1%": round(near, 2),
    }


def main() -> None:
    warnings.simplefilter("ignore", js.JscaleWarning)
    table = pd.DataFrame([row(world) for world in sys.argv[1:] or WORLDS])
    print(header())
    print(table.to_string(index=False))
    print(f"\nslowest warm: {table['warm (s)'].max():.3f} s")


if __name__ == "__main__":
    main()
