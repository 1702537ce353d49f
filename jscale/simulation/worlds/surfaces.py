"""Planted worlds of power laws, chinchilla, broken power laws and farseer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale import laws
from jscale.simulation.worlds.designs import SURFACE, compute, grid

FARSEER = dict(next(iter(laws.get("farseer").published.values())))
CHINCHILLA = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}

WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "power": ({"A": 50.0, "alpha": 0.07}, compute(1e17, 1e22, 30)),
    "power_const": ({"E": 1.7, "A": 900.0, "alpha": 0.15}, compute(1e17, 1e22, 30)),
    "chinchilla": (CHINCHILLA, SURFACE),
    "chinchilla_tied": ({"E": 1.69, "A": 250.0, "B": 450.0, "alpha": 0.3}, SURFACE),
    "broken:1": (
        {"a": 1.0, "b": 2000.0, "c0": 0.15, "c1": 0.25, "d1": 1e19, "f1": 0.3},
        compute(1e16, 1e23, 100),
    ),
    "broken:2": (
        {"a": 1.0, "b": 2000.0, "c0": 0.15, "c1": 0.25, "d1": 1e19, "f1": 0.3,
         "c2": -0.2, "d2": 1e21, "f2": 0.2},
        compute(1e16, 1e24, 150),
    ),
    "farseer": (FARSEER, grid(np.geomspace(2e8, 6e9, 12), np.geomspace(2e9, 2e11, 14))),
}  # fmt: skip

SPREAD = {"farseer": 0.05}
