"""Noise: how simulated runs scatter around their law."""

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
    """Noise of the log output: error = sd·(C/C0)^trend·z + shared effects.

    z is a standard normal or Student-t variable drawn per row, and C0 the geometric mean of the
    runs' compute.

    Parameters
    ----------
    sd : float
        Standard deviation ("normal") or scale ("student_t") of the log output, zero or more.
    distribution : {"normal", "student_t"}
        Distribution of z.
    freedom : float
        Degrees of freedom of the Student-t distribution.
    trend : float
        Exponent of compute: above zero, noise grows with compute; below, it shrinks.
    outliers : float
        Share of rows that are outliers, in [0, 1]. These lie too high, as badly trained runs do.
    outlier_size : float
        How far outliers lie too high, in units of ``sd``.
    shared : mapping of str to float
        Standard deviation of the effect that all rows with the same value in a column share:
        ``{"seed": 0.01}``, or ``{"run": 0.01}`` for checkpoints of a run (see
        :func:`jscale.designs.seeds` and :func:`jscale.designs.checkpoints`). ``trend`` does not
        apply to these.

    Raises
    ------
    DataError
        If a number is out of range.

    Examples
    --------
    >>> import jscale as js
    >>> js.Noise(sd=0.01, outliers=0.05).outlier_size
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
        """Draw errors of the log output for the rows of a design.

        Parameters
        ----------
        frame : pandas.DataFrame
            The design (n rows), with its compute if ``trend`` is not zero.
        rng : numpy.random.Generator
            Source of the random numbers.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Errors of the log output.

        Raises
        ------
        DataError
            If the design lacks the columns of shared effects, labels in them, or compute.

        Examples
        --------
        >>> import jscale as js, numpy as np
        >>> design = js.designs.grid([1e7, 1e8], [1e9, 1e10])
        >>> js.Noise(sd=0.01).draw(design, np.random.default_rng(0)).shape
        (4,)
        """
        error = self.sd * self._growth(frame) * self._standard_errors(len(frame), rng)
        self._check_shared(frame)
        for column, sd in self.shared.items():
            codes, labels = pd.factorize(frame[column])
            error = error + sd * rng.standard_normal(len(labels))[codes]
        return error

    def quantiles(self, frame: pd.DataFrame, at: Sequence[float]) -> np.ndarray:
        """Return quantiles of the error of a new run, shared effects included.

        They are those of 200000 draws with a fixed seed (20000 per row where noise changes with
        compute).

        Parameters
        ----------
        frame : pandas.DataFrame
            The design (n rows).
        at : sequence of float
            Probabilities of the quantiles.

        Returns
        -------
        numpy.ndarray, shape (len(at), n)
            Quantiles of the error of the log output.

        Raises
        ------
        DataError
            If the design lacks the columns of shared effects, labels in them, or compute.

        Examples
        --------
        >>> import jscale as js
        >>> design = js.designs.grid([1e7, 1e8], [1e9, 1e10])
        >>> js.Noise(sd=0.01).quantiles(design, [0.05, 0.95]).round(3)[:, 0].tolist()
        [-0.016, 0.016]
        """
        self._check_shared(frame)
        rng = np.random.default_rng(0)
        sd = np.broadcast_to(self.sd * self._growth(frame), len(frame))
        distinct, place = np.unique(sd, return_inverse=True)
        # Each distinct scale needs quantiles of its own: fewer draws keep that affordable.
        count = _DRAWS if len(distinct) == 1 else _DRAWS // 10
        standard, normal = self._standard_errors(count, rng), rng.standard_normal(count)
        shared = np.sqrt(sum(sd**2 for sd in self.shared.values()))
        quantiles = [np.quantile(scale * standard + shared * normal, at) for scale in distinct]
        return np.stack(quantiles, axis=1)[:, place]

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
                    f"shared names {column!r}, but the design has no label in "
                    f"{rows_at(frame, missing, frame[column])}: give each row one."
                )

    def _standard_errors(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the errors of single rows, in units of ``sd``."""
        normal = self.distribution == "normal"
        z = rng.standard_normal(count) if normal else rng.standard_t(self.freedom, count)
        return z + self.outlier_size * (rng.random(count) < self.outliers) if self.outliers else z

    def _growth(self, frame: pd.DataFrame) -> Any:
        """Return (C/C0)^trend for each row (n,), or 1 without a trend."""
        if not self.trend:
            return 1.0
        if "C" in frame:
            C = frame["C"].to_numpy(dtype=np.float64)
        elif {"N", "D"} <= set(frame):
            C = training_flops(frame["N"].to_numpy(float), frame["D"].to_numpy(float))
        else:
            raise DataError("trend needs the compute of each run: give the design C, or N and D.")
        # Relative to the geometric mean of compute, so that ``sd`` is the noise of a middling run.
        return np.exp(self.trend * (np.log(C) - np.log(C).mean()))


def _check(name: str, value: Any, low: float, high: float, example: str) -> None:
    """Raise DataError unless a value is a finite number within its bounds."""
    if not (isinstance(value, Real) and np.isfinite(float(value)) and low <= float(value) <= high):
        bound = {0.0: "zero or more", 1e-3: "positive"}.get(low, "any size")
        bound = "between 0 and 1" if high == 1.0 else bound
        raise DataError(f"{name}={value!r} must be a finite number, {bound}, such as {example}.")
