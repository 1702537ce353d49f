"""Synthetic families of runs, each with its own planted Chinchilla parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd

TRUTHS = {"E": (1.5, 2.0), "alpha": (0.25, 0.45), "beta": (0.25, 0.45)}


def families(count: int = 500, seed: int = 0) -> pd.DataFrame:
    """Return synthetic Chinchilla families with 1% noise and 30 to 100 runs each."""
    return planted_families(count, seed)[0]


def planted_families(count: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the runs of :func:`families`, and the planted parameters of each family."""
    rng = np.random.default_rng(seed)
    parts, truths = [], []
    for family in range(count):
        n = int(rng.integers(30, 101))
        N = np.exp(rng.uniform(np.log(1e7), np.log(1e10), n))
        D = N * np.exp(rng.uniform(np.log(2), np.log(200), n))
        p = {name: rng.uniform(*span) for name, span in TRUTHS.items()}
        A, B = np.exp(rng.uniform(4.5, 6.5)), np.exp(rng.uniform(5.5, 7.5))
        loss = p["E"] + A * N ** -p["alpha"] + B * D ** -p["beta"]
        loss *= np.exp(0.01 * rng.standard_normal(n))
        parts.append(pd.DataFrame({"N": N, "D": D, "loss": loss, "family": family}))
        truths.append({**p, "A": A, "B": B})
    return pd.concat(parts, ignore_index=True), pd.DataFrame(truths)
