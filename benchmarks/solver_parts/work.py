"""The tasks of all tools: W1, W2 and W3, and the objective in plain NumPy.

W1: 4500 starts of Hoffmann et al. on the 240 points of the Chinchilla replication; W2: 4000
pairs-bootstrap resamples of them; W3: 500 synthetic families of 30 to 100 runs × 64 starts.
The objective is the sum of Huber terms (delta 1e-3) of log residuals. Coordinates are
(ln A, ln B, ln E, alpha, beta) with N and D not centred, as in the replication's code.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

import jscale as js

DELTA = 1e-3
OPTIMUM = 0.0010182740178005989


def points() -> pd.DataFrame:
    """Return the 240 points (needs JSCALE_DATA_DIR or a network)."""
    table = js.datasets.load("chinchilla_epoch")
    return table[table["outlier_top5"] == 0]


def grid() -> np.ndarray:
    """Return Hoffmann's 4500 starts, (4500, 5): ln A, ln B, ln E, alpha, beta."""
    amplitudes, exponents = np.arange(0, 30, 5.0), [0.0, 0.5, 1.0, 1.5, 2.0]
    floors = [-1.0, -0.5, 0.0, 0.5, 1.0]
    return np.array(list(product(amplitudes, amplitudes, floors, exponents, exponents)))


def resamples(count: int = 4000, n: int = 240) -> np.ndarray:
    """Return the counts of each row in each resample, (count, n)."""
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), count).astype(float)


class Objective:
    """F and its analytic gradient, in logarithms, for one table and one set of weights."""

    def __init__(self, table: pd.DataFrame, weights: np.ndarray | None = None) -> None:
        self.log_n, self.log_d = np.log(table["N"].to_numpy()), np.log(table["D"].to_numpy())
        self.target = np.log(table["loss"].to_numpy())
        self.weights = np.ones(len(table)) if weights is None else weights
        self.centre = np.zeros(2)

    def centred(self) -> Objective:
        """Return the same with N and D divided by their geometric means; ln A and ln B shift."""
        other = object.__new__(Objective)
        other.__dict__.update(self.__dict__)
        other.centre = np.array([self.log_n.mean(), self.log_d.mean()])
        other.log_n, other.log_d = self.log_n - other.centre[0], self.log_d - other.centre[1]
        return other

    def shift(self, theta: np.ndarray) -> np.ndarray:
        """Return coordinates (…, 5) of the original table in those of this one."""
        moved = np.array(theta, dtype=float)
        moved[..., 0] -= moved[..., 3] * self.centre[0]
        moved[..., 1] -= moved[..., 4] * self.centre[1]
        return moved

    def value(self, theta: np.ndarray) -> float:
        """Return F."""
        return self.value_and_slope(theta)[0]

    def value_and_slope(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return F and dF/dtheta (5,)."""
        a, b, e, alpha, beta = theta
        with np.errstate(over="ignore", invalid="ignore"):
            A, B = np.exp(a - alpha * self.log_n), np.exp(b - beta * self.log_d)
            E = np.exp(e)
            total = E + A + B
            r = np.log(total) - self.target
            size = np.abs(r)
            inside = size <= DELTA
            rho = np.where(inside, 0.5 * r * r, DELTA * (size - 0.5 * DELTA))
            u = self.weights * np.where(inside, r, DELTA * np.sign(r)) / total
            uA, uB = u * A, u * B
            slope = [uA.sum(), uB.sum(), E * u.sum(), -uA @ self.log_n, -uB @ self.log_d]
        return float(self.weights @ rho), np.array(slope)
