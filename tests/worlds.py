"""Worlds that tests fit: a planted law, runs of it, and fits of our own real runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

import jscale as js
from jscale.fitting.build import build
from jscale.fitting.objective import Objective
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.model.roles import Real

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
DESIGN = pd.DataFrame(
    [(n, d) for n in np.geomspace(1e7, 1e9, 5) for d in np.geomspace(1e9, 1e11, 6)],
    columns=["N", "D"],
)


@js.law
def line(x: float, *, a: Real, b: Real) -> float:
    return a + b * x


def scattered(rows: int, seed: int = 0) -> pd.DataFrame:
    """A design (N, D) of so many points, even in the logarithms."""
    rng = np.random.default_rng(seed)
    logs = rng.uniform(np.log([1e7, 1e9]), np.log([1e9, 1e11]), size=(rows, 2))
    return pd.DataFrame(np.exp(logs), columns=["N", "D"])


def chinchilla(
    design: pd.DataFrame = DESIGN,
    objective: Objective | None = None,
    *,
    noise: float = 0.01,
    seed: int = 3,
) -> Problem:
    """The problem of fitting the Chinchilla law to runs of itself."""
    runs = js.simulate("chinchilla", TRUTH, design, noise=noise, seed=seed)
    return build(js.laws.get("chinchilla"), runs, Settings(objective or js.huber()))[0]


def real_runs() -> js.Runs:
    """The runs of our own sweep that laws are fitted to."""
    table = js.datasets.load("stdlib_lm")
    return js.Runs.from_frame(table[table["split"] == "fit"])


def real_fit(objective: Objective) -> js.Fit:
    """The Chinchilla law fitted to :func:`real_runs`."""
    return js.fit("chinchilla", real_runs(), objective=objective, starts=8)
