"""The standard errors of a fit compared with the true spread, and their coverage.

Chinchilla worlds of random designs, 1% noise, default objective; 150 fits for each scenario.
"ratio" is the median error divided by the standard deviation of the estimates, "covered" how often
estimate ± t·error (nominal 90%, n − 5 degrees of freedom) covers the truth.

    python benchmarks/standard_errors.py
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from machine import header
from scipy.stats import t

import jscale as js

TRUTH = {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2100.0, "beta": 0.37}
NAMES = ["E", "alpha", "beta"]
WORLDS = 150


def design(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return runs at random over two and a half decades of N and of D."""
    return pd.DataFrame(
        {"N": 10 ** rng.uniform(7.5, 10, rows), "D": 10 ** rng.uniform(9, 11.5, rows)}
    )


def scenario(table: pd.DataFrame, distribution: str) -> pd.DataFrame:
    """Fit the worlds of one scenario and compare the errors with the spread of the estimates."""
    fits = [
        js.fit(
            "chinchilla",
            js.simulate("chinchilla", TRUTH, table, noise=0.01, seed=s, distribution=distribution),
            starts=4,
        )
        for s in range(WORLDS)
    ]
    estimates = pd.DataFrame([f.params[NAMES] for f in fits])
    errors = pd.DataFrame([f.stderr[NAMES] for f in fits])
    half = t.ppf(0.95, len(table) - len(TRUTH)) * errors.to_numpy()
    truth = np.array([TRUTH[n] for n in NAMES])
    covered = (np.abs(estimates.to_numpy() - truth) <= half).mean(axis=0)
    ratio = errors.median() / estimates.std()
    return pd.DataFrame({"ratio": ratio.to_numpy(), "covered": covered}, index=NAMES)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    parts = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in (40, 60, 300):
            table = design(rows, rng)
            for distribution in ("normal", "student_t"):
                parts[rows, distribution] = scenario(table, distribution).stack()
    result = pd.DataFrame(parts).T.rename_axis(["runs", "noise"])
    print(header())
    print(result.to_string(float_format=lambda v: f"{v:.2f}"))
    print("Monte-Carlo error of a coverage near 0.9: 0.024")


if __name__ == "__main__":
    main()
