"""Three targets over the same three shares, planted, and tables of their runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

import jscale as js

SHARES = ("r_web", "r_code", "r_books")


LAW = js.laws.get("mixing:web,code,books")


TRUTH = {
    "prose": {"c": 1.9, "k_web": 0.5, "k_code": 2.4, "k_books": 1.5},
    "programs": {"c": 0.9, "k_web": 1.8, "k_code": 0.3, "k_books": 2.5},
    "facts": {"c": 2.1, "k_web": 2.2, "k_code": 2.4, "k_books": 0.5},
}


def design(rows: int = 40, seed: int = 0) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).dirichlet(np.ones(3), rows - 3)
    return pd.DataFrame(np.concatenate([np.eye(3), drawn]), columns=list(SHARES))


def table(noise: float) -> pd.DataFrame:
    parts = []
    for i, (target, own) in enumerate(TRUTH.items()):
        runs = js.simulate(LAW, own, design(), noise=noise, seed=i)
        parts.append(runs.frame.assign(target=target))
    return pd.concat(parts, ignore_index=True)
