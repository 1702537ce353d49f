"""The predictive distribution of a forecast: mixtures of normals for the curve and for new runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jscale.discrepancy.mixture import Normals
from jscale.discrepancy.response import from_response, to_response
from jscale.fitting.objective import from_space
from jscale.uncertainty.draws import tails


@dataclass(frozen=True, eq=False)
class MixturePredictive:
    """The distributions of the curve and of new runs at m points, in the response's space."""

    curve: Normals
    new: Normals
    space: str
    response: str

    def outcome(self, values: np.ndarray) -> np.ndarray:
        """Map numbers of the space to outcomes."""
        with np.errstate(over="ignore"):
            return np.asarray(from_response(from_space(values, self.space), self.response))

    def frame(self, level: float) -> pd.DataFrame:
        """Return the median curve and both intervals, equal-tailed at ``level``, row by row."""
        columns = {"curve": self.outcome(self.curve.quantile(0.5))}
        for name, part in (("confidence", self.curve), ("prediction", self.new)):
            ends = [self.outcome(part.quantile(tail)) for tail in tails(level)]
            columns[f"{name}_low"] = np.minimum(*ends)
            columns[f"{name}_high"] = np.maximum(*ends)
        return pd.DataFrame(columns)

    def log_score(self, measured: np.ndarray) -> np.ndarray:
        """Return the log density of ln measured (m,) for new runs, in nats."""
        z, slope = self._place(measured)
        return self.new.log_density(z) + np.log(np.abs(slope))

    def pit(self, measured: np.ndarray) -> np.ndarray:
        """Return the probability (m,) of a new run at or below the measured one."""
        z, slope = self._place(measured)
        below = self.new.cdf(z)
        return np.where(slope >= 0, below, 1.0 - below)

    def slope(self, outcome: np.ndarray) -> np.ndarray:
        """Return d place in the space / d ln outcome (m,), at outcomes."""
        return self._place(outcome)[1]

    def _place(self, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return place_of(measured, self.response, self.space)


def place_of(outcome: np.ndarray, response: str, space: str) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes (m,) in the space, and d place / d ln outcome."""
    y = np.asarray(outcome, dtype=np.float64)

    def place(y: np.ndarray) -> np.ndarray:
        return np.asarray(to_space_numpy(to_response(y, response), space))

    step = 1e-6
    slope = (place(y * (1 + step)) - place(y * (1 - step))) / (2 * step)
    return place(y), slope


def to_space_numpy(values: np.ndarray, space: str) -> np.ndarray:
    """Map outputs to a space on the host, in float64."""
    if space == "log":
        return np.log(values)
    return np.log(values) - np.log1p(-values) if space == "logit" else values
