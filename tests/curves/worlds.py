"""Worlds for this folder: slices of a planted surface, and its optimum in closed form."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

import jscale as js
from tests.worlds import TRUTH

BUDGETS = np.geomspace(1e18, 1e21, 4)
SYMMETRIC = {**TRUTH, "alpha": 0.3, "beta": 0.3}
STEEP = {"E": 1.7, "A": 3000.0, "alpha": 0.45, "B": 60.0, "beta": 0.2}
_PLANTED = {"truth": TRUTH, "symmetric": SYMMETRIC, "steep": STEEP}


def best_size(params: Mapping[str, float], C: np.ndarray) -> np.ndarray:
    """N* = G (C/6)^(beta/(alpha+beta)): Hoffmann et al., eq. 4."""
    A, alpha, B, beta = (params[name] for name in ("A", "alpha", "B", "beta"))
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return G * (C / 6) ** (beta / (alpha + beta))


def slices(
    params: Mapping[str, float] = TRUTH,
    *,
    C: np.ndarray = BUDGETS,
    count: int = 9,
    width: float = 8.0,
    off: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
) -> js.Runs:
    """Runs at ``count`` sizes from 1/width to width times ``off`` times the best, per budget."""
    spread = off * np.geomspace(1 / width, width, count)
    design = pd.concat([js.designs.isoflop(c, best_size(params, c) * spread) for c in C])
    return js.simulate("chinchilla", params, design, noise=noise, seed=seed)


@lru_cache(maxsize=4)
def surface(planted: str = "truth") -> js.Fit:
    """A planted surface, fitted to runs that are all but free of noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return js.fit("chinchilla", slices(_PLANTED[planted], noise=1e-7))
