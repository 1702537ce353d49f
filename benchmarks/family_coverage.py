"""Coverage of the intervals of fit_many's curves: delta method and bootstrap.

500 Chinchilla families of 30 to 100 runs, 1% normal noise, default objective, nominal 90%. The
largest run of most families has 1e22 to 1e23 FLOPs.

    python -m benchmarks.family_coverage
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.machine import header
from jscale.simulation.worlds.families import planted_families

POINTS = {"N": [1e9, 1e10, 3e10, 1e11], "D": [2e10, 2e11, 6e11, 2e12]}


def main() -> None:
    """Print the table."""
    print(header())
    warnings.simplefilter("ignore")
    table, truths = planted_families(500)
    count = len(POINTS["N"])
    planted = {k: np.repeat(v.to_numpy(), count) for k, v in truths.items()}
    rows = {}
    for name, resamples in (("delta method", 0), ("bootstrap, 500 resamples", 500)):
        fits = js.fit_many("chinchilla", table, by="family", resamples=resamples)
        frame = fits.predict(**POINTS)
        N, D = frame["N"], frame["D"]
        true = planted["E"] + planted["A"] * N ** -planted["alpha"]
        true += planted["B"] * D ** -planted["beta"]
        inside = (frame["confidence_low"] <= true) & (true <= frame["confidence_high"])
        width = (frame["confidence_high"] - frame["confidence_low"]) / true
        for k in range(count):
            C = 6 * POINTS["N"][k] * POINTS["D"][k]
            at = slice(k, None, count)
            rows[name, f"C = {C:.1e}"] = {
                "covered": inside[at].mean(),
                "median width %": 100 * width[at].median(),
            }
    print(pd.DataFrame(rows).T.to_string(float_format=lambda v: f"{v:.3f}"))


if __name__ == "__main__":
    main()
