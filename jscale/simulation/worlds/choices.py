"""Planted worlds of laws of training choices: learning rate, batch size, mixture of data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.simulation.worlds.designs import grid
from jscale.simulation.worlds.size_and_data import crossed, over

SHARE = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])


def mixtures(domains: int, rows: int, seed: int) -> pd.DataFrame:
    """Return the corners of the simplex, then mixtures uniform over it (rows, domains)."""
    inside = np.random.default_rng(seed).dirichlet(np.ones(domains), rows - domains)
    shares = np.concatenate([np.eye(domains), inside])
    return pd.DataFrame(shares, columns=[f"r_{i}" for i in range(1, domains + 1)])


def swept() -> pd.DataFrame:
    """Sweep learning rate and batch size around the planted optimum of each size and data."""
    table = crossed(
        N=np.geomspace(2e8, 2e9, 4),
        D=np.geomspace(4e9, 1e11, 4),
        x=np.linspace(-1.6, 1.6, 5),
        y=np.linspace(-1.6, 1.6, 5),
    )
    rate = 1.8 * table["N"] ** -0.7 * table["D"] ** 0.3 * np.exp(table["x"])
    batch = 0.6 * table["D"] ** 0.57 * np.exp(table["y"])
    return table.assign(lr=rate, B=batch).loc[:, ["N", "D", "lr", "B"]]


def mixed_runs() -> pd.DataFrame:
    """Cross sizes and tokens with several mixtures of two domains."""
    table = crossed(
        N=np.geomspace(1e8, 4e9, 3),
        D=np.geomspace(2e9, 2e11, 3),
        r_1=np.array([0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0]),
    )
    return table.assign(r_2=1 - table["r_1"])


WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "optimal_learning_rate": (
        {"c": 1.8, "a": -0.7, "b": 0.3},
        grid(np.geomspace(2e8, 2e9, 5), np.geomspace(4e9, 1e11, 5)),
    ),
    "optimal_batch_size": ({"c": 0.6, "b": 0.57}, over("D", 4e9, 1e11)),
    "learning_rate_surface": (
        {"E": 1.55, "A_N": 500.0, "alpha": 0.36, "A_D": 170.0, "beta": 0.26,
         "c_lr": 1.8, "a": -0.7, "b": 0.3, "c_B": 0.6, "g": 0.57,
         "h_lr": 0.006, "h_B": 0.005, "s": 0.4},
        swept(),
    ),
    "mixing:3": ({"c": 1.9, "k_1": 0.7, "k_2": 1.4, "k_3": 2.5}, mixtures(3, 40, seed=1)),
    "mixing:5": (
        {"c": 1.9, "k_1": 0.7, "k_2": 1.4, "k_3": 2.5, "k_4": 1.1, "k_5": 1.9},
        mixtures(5, 60, seed=2),
    ),
    "mixture_additive:2": (
        {"E": 1.4, "A": 500.0, "alpha": 0.36, "B": 900.0, "beta": 0.32,
         "C_1": 1.5, "C_2": 4.0, "g_1": 0.5, "g_2": 0.25},
        mixed_runs(),
    ),
    "multilingual": (
        {"E": 1.4, "A": 400.0, "alpha": 0.35, "B": 900.0, "beta": 0.33, "gamma": 0.09},
        crossed(N=np.geomspace(8e7, 1.2e9, 5), D=np.geomspace(2e9, 1e11, 5), p=SHARE),
    ),
    "domain_continual": (
        {"E": 1.2, "A": 400.0, "alpha": 0.35, "B": 900.0, "beta": 0.33, "eta": 0.5,
         "C": 0.15, "e": 0.1, "gamma": 0.6},
        crossed(N=np.geomspace(3e8, 8e9, 4), D=np.geomspace(1e9, 5e10, 4),
                r=np.array([0.0, 0.03, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1.0])),
    ),
    "continual_change": ({"b": -0.5, "a": 0.48, "s": -0.2}, over("T", 1.0, 100.0, 40)),
    "continual_general": (
        {"b": 0.02, "rise": 0.15, "p": 1.5, "fall": 0.25, "q": 0.15}, over("T", 1.0, 100.0, 60),
    ),
    "critical_ratio": ({"b": 0.65, "a": -0.4, "s": -0.3}, over("T", 1.0, 100.0, 30)),
}  # fmt: skip

SPREAD: dict[str, float] = {}
