"""Families of runs that differ in one parameter, planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

FAMILIES, SPREAD, NOISE = 8, 0.12, 0.01
LABELS = [f"f{g}" for g in range(FAMILIES)]


def world(seed: int, noise: float = NOISE) -> tuple[pd.DataFrame, np.ndarray]:
    """Families with an E of their own around 1.7, the first with two runs; and those E."""
    rng = np.random.default_rng(seed)
    E = 1.7 * np.exp(SPREAD * rng.standard_normal(FAMILIES))
    parts = []
    for g in range(FAMILIES):
        C = 10.0 ** rng.uniform(17, 22, 2 if g == 0 else 10)
        loss = (E[g] + 900.0 * C**-0.15) * np.exp(noise * rng.standard_normal(len(C)))
        parts.append(pd.DataFrame({"C": C, "loss": loss, "family": LABELS[g]}))
    return pd.concat(parts, ignore_index=True), E
