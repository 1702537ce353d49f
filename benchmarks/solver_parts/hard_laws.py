"""Hard laws: whether the planted optimum, or a better one, is found from automatic starts.

For each seed, parameters are perturbed, runs are simulated with 1% noise, and the fit's objective
is compared with that of a lane with many more steps that starts at the planted parameters.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale import Exponent, Floor, Positive, Scale
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.settings import Settings
from jscale.fitting.solver.gauss_newton import SolveSettings, solve
from jscale.fitting.solver.search import search
from jscale.fitting.solver.starts import automatic
from jscale.simulation.worlds import scattered

NAMES = ("farseer", "broken:2", "quantised")
_NOISE = 0.01
_PATIENT = SolveSettings(damping=0.01, steps=3000)


@js.law(
    name="quantised",
    linear=("E", "A", "B", "Q"),
    powers=(("A", "N", "alpha"), ("B", "D", "beta"), ("Q", "N", "alpha"), ("Q", "D", "beta", 1)),
    start={"delta": (0.5, 6.0), "nu": (0.5, 6.0)},
)
def quantised(
    N: Any,
    D: Any,
    exponent: Any,
    mantissa: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    Q: Scale,
    delta: Positive,
    nu: Positive,
) -> Any:
    """Floating-point quantisation, arXiv:2501.02423, one block size: Q stands for log2(b)/gamma."""
    lost = Q * js.power(exponent + 0.5, -delta) * js.power(mantissa + 0.5, -nu)
    return (
        E
        + A * js.power(N, -alpha)
        + B * js.power(D, -beta)
        + lost * js.power(D, beta) * js.power(N, -alpha)
    )


def _world(name: str, seed: int) -> tuple[js.Law, dict[str, float], pd.DataFrame]:
    if name != "quantised":
        return js.laws.get(name), *scattered(name, seed)
    rng = np.random.default_rng(1000 + seed)
    # arXiv:2501.02423, table 2, at a block of 128: Q = log2(128)/gamma.
    base = {
        "E": 1.9061,
        "A": 69.2343,
        "alpha": 0.2368,
        "B": 68973.0621,
        "beta": 0.5162,
        "Q": 7.0 / 11334.5197,
        "delta": 3.1926,
        "nu": 2.9543,
    }
    planted = {k: v * float(np.exp(0.1 * rng.uniform(-1, 1))) for k, v in base.items()}
    rows = [
        (n, d, e, m)
        for n in np.geomspace(4.1e7, 6.8e8, 5)
        for d in np.geomspace(1e10, 1e11, 5)
        for e, m in ((1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (4, 3), (5, 2), (2, 4), (4, 5))
    ]
    return quantised, planted, pd.DataFrame(rows, columns=["N", "D", "exponent", "mantissa"])


def hard(which: int, first: int, last: int) -> dict[str, Any]:
    """Return the seeds that a law misses from first to last, and the seconds of one warm search."""
    warnings.simplefilter("ignore")
    name = NAMES[which]
    missed, walls = [], []
    for seed in range(first, last):
        law, planted, design = _world(name, seed)
        runs = js.simulate(law, planted, design, noise=_NOISE, seed=seed)
        with float64_scope():
            problem, _ = build(law, runs, Settings(js.huber()))
            begun = time.perf_counter()
            found = search(problem, automatic(problem, law.starts)).objective.min()
            walls.append(time.perf_counter() - begun)
            theta = problem.layout.coordinates(planted, problem.data.centre)
            known = solve(problem, theta[None], settings=_PATIENT).objective.min()
        if not found <= known * (1 + 1e-8):
            missed.append([seed, float(found / known - 1)])
    return {"missed": missed, "wall": float(np.median(walls)), "starts": law.starts}


TASKS = {"hard": hard}
