"""Planted worlds of laws of one input, of ensembles, shapes and regimes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.simulation.worlds.designs import compute


def axis(name: str, low: float, high: float, rows: int) -> pd.DataFrame:
    """Return values of one input, evenly spaced in the logarithm."""
    return pd.DataFrame({name: np.geomspace(low, high, rows)})


ENSEMBLES = pd.DataFrame(
    [(n, k) for n in np.geomspace(1e8, 3e9, 8) for k in (1.0, 2.0, 3.0, 5.0, 8.0, 16.0)],
    columns=["N", "K"],
)

WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "power_shift": (
        {"E": 0.2, "A": 4e5, "B": 1e18, "alpha": 0.3},
        compute(1e16, 1e22, 60),
    ),
    "log_linear": ({"a": 0.2, "b": 0.05}, axis("C", 1e3, 1e6, 30)),
    "stretched": ({"A": 2.0, "alpha": 0.4}, axis("k", 1.0, 1e4, 40)),
    "learning_curve": (
        {"E": 0.1, "height": 4.0, "D_c": 1e4, "beta": 0.35, "n": 1.5},
        axis("D", 1e1, 1e9, 60),
    ),
    "m4": (
        {"E": 0.1, "height": 0.8, "D_c": 1e5, "beta": 0.5, "a": 1.0},
        axis("D", 1e1, 1e9, 60),
    ),
    "u_shape": ({"bottom": 0.3, "bend": 0.01, "C_0": 1e20}, compute(1e18, 1e22, 40)),
    "inverted_u": ({"top": 0.7, "bend": 0.01, "C_0": 1e20}, compute(1e18, 1e22, 40)),
    "inverse_scaling": ({"E": 0.5, "A": 1e-3, "alpha": 0.15}, compute(1e17, 1e22, 40)),
    "ensemble": ({"E": 3.0, "A": 1.5, "alpha": 0.6}, axis("K", 1.0, 16.0, 30)),
    "ensemble_limits": (
        {"E": 3.0, "A": 3e3, "alpha": 0.5, "B": 20.0, "gamma": 0.2, "beta": 1.0},
        ENSEMBLES,
    ),
    "uncertainty": ({"A": 5.0, "gamma": 0.4}, axis("D", 1e3, 1e7, 30)),
    "superposition": ({"offset": 1.8, "A": 300.0, "alpha": 0.9}, axis("width", 128, 8192, 30)),
    "variance_limited": ({"E": 0.5, "A": 2e3}, axis("D", 1e2, 1e4, 30)),
    "variance_limited_size": ({"E": 0.5, "A": 3e2}, axis("N", 1e4, 1e8, 30)),
    "resolution_limited": ({"A": 5.0, "alpha": 0.3}, axis("D", 1e3, 1e7, 30)),
}

SPREAD: dict[str, float] = {}
