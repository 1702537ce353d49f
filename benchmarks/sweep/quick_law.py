"""A quick look at the table with SciPy alone: E + A / N^a + B / D^b, fitted in log space.

`python -m benchmarks.sweep.quick_law TABLE.csv` fits the fit runs and prints the relative errors on
the held-out runs. It judges the data, it is no part of the library.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.special import logsumexp

STARTS = [
    (log_e, amplitude, alpha, amplitude, beta)
    for log_e in (-3.0, -0.7, 0.0)
    for amplitude in (2.0, 5.0)
    for alpha in (0.3, 0.6)
    for beta in (0.3, 0.6)
]


def log_loss(parameters: np.ndarray, n: np.ndarray, d: np.ndarray) -> np.ndarray:
    """The law in log space; parameters are log E, log A, a, log B, b."""
    log_e, log_a, alpha, log_b, beta = parameters
    terms = [np.full(len(n), log_e), log_a - alpha * np.log(n), log_b - beta * np.log(d)]
    return logsumexp(terms, axis=0)


def fit_law(n: np.ndarray, d: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """The best of many starts of least squares on log loss."""
    fits = [
        least_squares(lambda p: log_loss(p, n, d) - np.log(loss), start, max_nfev=5000)
        for start in STARTS
    ]
    return min(fits, key=lambda fit: fit.cost).x


def report(table: pd.DataFrame, size: str) -> None:
    """Print the law in one measure of size, its errors on the fit runs and on the held-out runs."""
    fit = table[table["split"] == "fit"]
    best = fit_law(fit[size].to_numpy(), fit["D"].to_numpy(), fit["loss"].to_numpy())
    log_e, log_a, alpha, log_b, beta = best
    print(
        f"{size}: E={np.exp(log_e):.4f} A={np.exp(log_a):.4g} a={alpha:.4f} "
        f"B={np.exp(log_b):.4g} b={beta:.4f}"
    )
    predicted = np.exp(log_loss(best, table[size].to_numpy(), table["D"].to_numpy()))
    error = 100 * (predicted / table["loss"] - 1)
    within = error[table["split"] == "fit"]
    print(f"  fit runs: rms {np.sqrt((within**2).mean()):.2f} %, worst {within.abs().max():.2f} %")
    for index in table.index[table["split"] == "holdout"]:
        row = table.loc[index]
        print(
            f"  {row['run']}: N={row['N']} D={row['D']} C={row['C']:.3g} loss={row['loss']:.4f} "
            f"predicted {predicted[index]:.4f} ({error[index]:+.2f} %)"
        )


def main() -> None:
    """Report the law with total N and with N without the embedding."""
    table = pd.read_csv(sys.argv[1])
    for size in ("N", "N_non_embedding"):
        report(table, size)


if __name__ == "__main__":
    main()
