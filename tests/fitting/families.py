"""Ragged families of runs of one law."""

from __future__ import annotations

import numpy as np
import pandas as pd

import jscale as js

TRUTH = {"E": 1.7, "A": 50.0, "alpha": 0.3}


def family(label: str, rows: int, seed: int, E: float = 1.7) -> pd.DataFrame:
    N = np.geomspace(1e3, 1e7, rows)
    runs = js.simulate("power_const:N", {**TRUTH, "E": E}, {"N": N}, noise=0.01, seed=seed)
    return runs.frame.assign(family=label)
