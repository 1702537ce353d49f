"""Coverage of 90% confidence and prediction intervals, by method.

150 Chinchilla worlds of 60 runs, 1% normal noise, default objective; one point inside the fitted
runs, one at about 20 times their largest compute.

    python benchmarks/prediction_coverage.py
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from machine import header

import jscale as js

TRUTH = {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2100.0, "beta": 0.37}
POINTS = pd.DataFrame({"N": [1e9, 2e10], "D": [2e10, 1e12]}, index=["inside", "far"])
WORLDS, NOISE = 150, 0.01


def held(frame: pd.DataFrame, curve: np.ndarray, new: np.ndarray) -> list[np.ndarray]:
    """Return whether each interval covers the truth: the curve, then a new run, at each point."""
    return [
        frame["confidence_low"].le(curve).to_numpy()
        & frame["confidence_high"].ge(curve).to_numpy(),
        frame["prediction_low"].le(new).to_numpy() & frame["prediction_high"].ge(new).to_numpy(),
    ]


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    design = pd.DataFrame(
        {"N": 10 ** rng.uniform(7.5, 10, 60), "D": 10 ** rng.uniform(9, 11.5, 60)}
    )
    curve = js.laws.get("chinchilla")(POINTS["N"], POINTS["D"], **TRUTH)
    found: dict[str, list[list[np.ndarray]]] = {"bootstrap": [], "laplace": []}
    for seed in range(WORLDS):
        runs = js.simulate("chinchilla", TRUTH, design, noise=NOISE, seed=seed)
        fit = js.fit("chinchilla", runs, starts=4)
        z = np.random.default_rng(10_000 + seed).standard_normal(len(POINTS))
        for method, draws in (("bootstrap", js.bootstrap(fit, 300)), ("laplace", js.laplace(fit))):
            frame = js.predict(draws, POINTS).frame
            found[method].append(held(frame, curve, curve * np.exp(NOISE * z)))
    past = 6 * POINTS.prod(axis=1) / (6 * design.prod(axis=1)).max()
    print(header())
    print(", ".join(f"{k}: {v:.2g} times the largest compute" for k, v in past.items()))
    table = {
        (method, point): np.mean(rows, axis=0)[:, i]
        for method, rows in found.items()
        for i, point in enumerate(POINTS.index)
    }
    print(pd.DataFrame(table, index=["curve", "new run"]).T.round(3).to_string())
    print("Monte-Carlo error of a coverage near 0.9: 0.024")


if __name__ == "__main__":
    main()
