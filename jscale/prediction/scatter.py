"""Scatter: how simulated runs lie around their law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.flops import training_flops
from jscale.errors import DataError, listing, nearest

_DISTRIBUTIONS = ("normal", "student_t")


@dataclass(frozen=True)
class Noise:
    """Noise of the log output, drawn per row and summed.

    ``sd`` is the standard deviation ("normal") or the scale of a Student-t with ``freedom``
    degrees of freedom ("student_t"); it is multiplied by (C/C0)^``trend``, C0 the geometric mean
    of the runs' compute, so it grows with compute above zero and shrinks below. A share
    ``outliers`` of rows is ``outlier_size`` standard deviations too high, as runs that were
    trained badly are. ``shared`` maps columns to standard deviations of an effect that all rows
    of one value share: ``{"seed": 0.01}``, or ``{"run": 0.01}`` for checkpoints of a run.

    Raises DataError for numbers out of range.

    >>> Noise(sd=0.01, outliers=0.05).outlier_size
    10.0
    """

    sd: float = 0.0
    distribution: str = "normal"
    freedom: float = 3.0
    trend: float = 0.0
    outliers: float = 0.0
    outlier_size: float = 10.0
    shared: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.distribution not in _DISTRIBUTIONS:
            hint = nearest(str(self.distribution), _DISTRIBUTIONS)
            raise DataError(
                f"distribution={self.distribution!r} is not known.{hint} "
                f"Use {listing(_DISTRIBUTIONS)}."
            )
        for name, value in (("noise", self.sd), ("outlier_size", self.outlier_size)):
            _check(name, value, 0.0, np.inf, "0.01")
        _check("freedom", self.freedom, 1e-3, np.inf, "3.0")
        _check("trend", self.trend, -np.inf, np.inf, "0.1")
        _check("outliers", self.outliers, 0.0, 1.0, "0.05")
        for column, sd in self.shared.items():
            _check(f"shared[{column!r}]", sd, 0.0, np.inf, "0.01")

    def draw(self, frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return errors of the log output (n,) for the rows of a design."""
        n = len(frame)
        normal = self.distribution == "normal"
        z = rng.standard_normal(n) if normal else rng.standard_t(self.freedom, n)
        sd = self.sd * self._growth(frame)
        error = sd * z
        if self.outliers:
            error = error + sd * self.outlier_size * (rng.random(n) < self.outliers)
        for column, own in self.shared.items():
            if column not in frame:
                raise DataError(
                    f"shared names {column!r}, but the design has no such column: it has "
                    f"{listing(list(frame.columns), 20)}."
                )
            codes, labels = pd.factorize(frame[column])
            error = error + own * rng.standard_normal(len(labels))[codes]
        return error

    def _growth(self, frame: pd.DataFrame) -> Any:
        if not self.trend:
            return 1.0
        if "C" in frame:
            C = frame["C"].to_numpy(dtype=np.float64)
        elif {"N", "D"} <= set(frame):
            C = training_flops(frame["N"].to_numpy(float), frame["D"].to_numpy(float))
        else:
            raise DataError("trend needs the compute of each run: give the design C, or N and D.")
        return np.exp(self.trend * (np.log(C) - np.log(C).mean()))


def _check(name: str, value: Any, low: float, high: float, example: str) -> None:
    if not (isinstance(value, Real) and np.isfinite(float(value)) and low <= float(value) <= high):
        bound = {0.0: "zero or more", 1e-3: "positive"}.get(low, "any size")
        bound = "between 0 and 1" if high == 1.0 else bound
        raise DataError(f"{name}={value!r} must be a finite number, {bound}, such as {example}.")
