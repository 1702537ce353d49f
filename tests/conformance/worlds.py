"""Planted worlds: for each law, parameters and a design from which it can be recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd

import jscale as js

FARSEER = dict(next(iter(js.laws.get("farseer").published.values())))
CHINCHILLA = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}


def grid(N: np.ndarray, D: np.ndarray) -> pd.DataFrame:
    """Cross sizes and data."""
    return pd.DataFrame([(n, d) for n in N for d in D], columns=["N", "D"])


def compute(low: float, high: float, rows: int) -> pd.DataFrame:
    """Spread compute evenly in logarithm."""
    return pd.DataFrame({"C": np.geomspace(low, high, rows)})


SURFACE = grid(np.geomspace(1e8, 1e10, 9), np.geomspace(2e9, 2e11, 10))
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


def scattered(world: str, seed: int) -> tuple[dict[str, float], pd.DataFrame]:
    """Return a world's planted parameters, exponents and amplitudes jittered by a seed."""
    base, design = WORLDS[world]
    law = js.laws.get(world)
    rng = np.random.default_rng(1000 + seed)
    jittered = {}
    for name, value in base.items():
        spread = 0.05 if world == "farseer" else 0.2
        wobble = float(np.exp(spread * rng.uniform(-1, 1)))
        if law.role(name).name == "location":
            wobble = float(np.exp(rng.uniform(-0.5, 0.5)))
        jittered[name] = value * wobble
    return jittered, design
