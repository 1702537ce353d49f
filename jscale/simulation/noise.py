"""Scatter: how simulated runs lie around their law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_choice
from jscale.data.checks import rows_at
from jscale.data.flops import training_flops
from jscale.errors import DataError, listing

_DISTRIBUTIONS = ("normal", "student_t")
_DRAWS = 200_000


@dataclass(frozen=True)
class Noise:
    """Noise of the log output, drawn per row and summed.

    ``sd`` is the standard deviation ("normal") or the scale of a Student-t with ``freedom``
    degrees of freedom ("student_t"); it is multiplied by (C/C0)^``trend``, C0 the geometric mean
    of the runs' compute, so it grows with compute above zero and shrinks below. A share
    ``outliers`` of rows is ``outlier_size`` standard deviations too high, as runs that were
    trained badly are. ``shared`` maps columns to standard deviations of an effect that all rows
    of one value share: ``{"seed": 0.01}``, or ``{"run": 0.01}`` for checkpoints of a run (see
    :func:`designs.seeds` and :func:`designs.checkpoints`); ``trend`` leaves these alone.

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
        check_choice("distribution", self.distribution, _DISTRIBUTIONS, error=DataError)
        for name, value in (("noise", self.sd), ("outlier_size", self.outlier_size)):
            _check(name, value, 0.0, np.inf, "0.01")
        _check("freedom", self.freedom, 1e-3, np.inf, "3.0")
        _check("trend", self.trend, -np.inf, np.inf, "0.1")
        _check("outliers", self.outliers, 0.0, 1.0, "0.05")
        if not isinstance(self.shared, Mapping):
            raise DataError(
                f"shared={self.shared!r} must map columns to standard deviations: "
                'shared={"run": 0.01}.'
            )
        for column, sd in self.shared.items():
            _check(f"shared[{column!r}]", sd, 0.0, np.inf, "0.01")

    def draw(self, frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return errors of the log output (n,) for the rows of a design."""
        error = self.sd * self._growth(frame) * self._own(len(frame), rng)
        self._check_shared(frame)
        for column, own in self.shared.items():
            codes, labels = pd.factorize(frame[column])
            error = error + own * rng.standard_normal(len(labels))[codes]
        return error

    def quantiles(self, frame: pd.DataFrame, at: Sequence[float]) -> np.ndarray:
        """Return quantiles of a new row's error (len(at), n): its own and shared ones together.

        From 200000 draws with a fixed seed (20000 for each row where noise changes with compute).
        """
        self._check_shared(frame)
        rng = np.random.default_rng(0)
        sd = np.broadcast_to(self.sd * self._growth(frame), len(frame))
        distinct, place = np.unique(sd, return_inverse=True)
        count = _DRAWS if len(distinct) == 1 else _DRAWS // 10
        own, other = self._own(count, rng), rng.standard_normal(count)
        shared = np.sqrt(sum(each**2 for each in self.shared.values()))
        found = np.stack([np.quantile(one * own + shared * other, at) for one in distinct], axis=1)
        return found[:, place]

    def _check_shared(self, frame: pd.DataFrame) -> None:
        for column in self.shared:
            if column not in frame:
                raise DataError(
                    f"shared names {column!r}, but the design has no such column: it has "
                    f"{listing(list(frame.columns), 20)}."
                )
            missing = frame[column].isna().to_numpy()
            if missing.any():
                raise DataError(
                    f"shared names {column!r}, but the design has no label there in "
                    f"{rows_at(frame, missing, frame[column])}: give each row one."
                )

    def _own(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw rows' own errors, in units of ``sd``."""
        normal = self.distribution == "normal"
        z = rng.standard_normal(count) if normal else rng.standard_t(self.freedom, count)
        return z + self.outlier_size * (rng.random(count) < self.outliers) if self.outliers else z

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
