"""Planted worlds of laws of size, data, steps and batch size, other than chinchilla."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from jscale.simulation.worlds.designs import SURFACE, compute


def crossed(**axes: np.ndarray) -> pd.DataFrame:
    """Cross the values of several inputs."""
    return pd.DataFrame(list(product(*axes.values())), columns=list(axes))


def over(name: str, low: float, high: float, rows: int = 30) -> pd.DataFrame:
    """Return values of one input, evenly spaced in the logarithm."""
    return pd.DataFrame({name: np.geomspace(low, high, rows)})


def repeated() -> pd.DataFrame:
    """Cross sizes and unique tokens with 1 to 64 epochs."""
    table = crossed(
        N=np.geomspace(5e7, 8e9, 6), U=np.geomspace(1e9, 6e10, 4), epochs=np.geomspace(1, 64, 5)
    )
    return table.assign(D=table["U"] * table["epochs"]).loc[:, ["N", "D", "U"]]


SIZES = np.geomspace(3e6, 3e9, 7)
MULTIPLIER = crossed(C=np.geomspace(1e18, 1e22, 8), M=np.geomspace(5, 640, 8))

WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "kaplan_size": ({"N_c": 8e13, "alpha_N": 0.076}, over("N", 1e6, 3e9)),
    "kaplan_data": ({"D_c": 5e13, "alpha_D": 0.095}, over("D", 2e7, 2e10)),
    "kaplan_compute": ({"C_c": 2.5e28, "alpha_C": 0.05}, compute(1e15, 1e22, 30)),
    "kaplan": ({"N_c": 6e13, "alpha_N": 0.076, "D_c": 2e13, "alpha_D": 0.1}, SURFACE),
    "kaplan_steps": (
        {"N_c": 6.5e13, "alpha_N": 0.077, "S_c": 2e3, "alpha_S": 0.75},
        crossed(N=SIZES, S=np.geomspace(1e3, 3e5, 10)),
    ),
    "critical_batch": ({"B_star": 2e8, "alpha_B": 0.21}, over("loss", 2.2, 6.0)),
    "kaplan_trajectory": (
        {"N_c": 6.5e13, "alpha_N": 0.077, "S_c": 2e3, "alpha_S": 0.75,
         "B_star": 2e8, "alpha_B": 0.21},
        crossed(N=SIZES, S=np.geomspace(1e3, 3e5, 5), B=np.geomspace(3e4, 8e6, 5)),
    ),
    "overtraining": ({"E": 1.5, "a": 140.0, "b": 190.0, "eta": 0.12}, MULTIPLIER),
    "overtraining_code": (
        {"E": 1.5, "alpha": 115.0, "beta": 190.0, "b": -0.24},
        crossed(N=np.geomspace(1e7, 7e9, 8), M=np.geomspace(5, 640, 8)),
    ),
    "data_constrained": (
        {"E": 1.87, "A": 520.0, "alpha": 0.35, "B": 1500.0, "beta": 0.35,
         "R_D_star": 15.0, "R_N_star": 5.0},
        repeated(),
    ),
    "encoder_decoder": (
        {"E": 1.1, "A": 3000.0, "p_e": 0.18, "p_d": 0.31},
        crossed(N_e=np.geomspace(1e7, 2e9, 6), N_d=np.geomspace(1e7, 2e9, 6)),
    ),
    "multilingual_translation": (
        {"E": 1.0, "A": 200.0, "alpha": 0.3, "c1": 0.15, "c2": 0.5, "c3": 1.2},
        crossed(N=np.geomspace(2e7, 1e9, 7),
                f=np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0])),
    ),
}  # fmt: skip

SPREAD: dict[str, float] = {}
