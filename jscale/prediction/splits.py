"""Splits: which runs a law is fitted to, and which it must then predict.

A scheme maps Runs to splits. What is asked of a scaling law lies beyond the runs it saw, so
the schemes that matter hold out the largest compute, once or from origin after origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, listing, nearest


@dataclass(frozen=True, eq=False)
class Split:
    """One question: from the rows in ``fit``, predict those in ``test`` (row numbers)."""

    label: Any
    fit: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Scheme:
    """A way of holding runs out; ``name`` says it, ``make`` maps Runs to splits."""

    name: str
    make: Callable[[Runs], list[Split]]

    def __repr__(self) -> str:
        return self.name


def largest(column: str = "C", share: float = 0.2) -> Scheme:
    """Hold out the runs with the largest values of a column: at least this share of them.

    Rows that are alike in the column go together. Raises DataError for a share not in (0, 1).

    >>> largest("C", 0.25)
    largest('C', 0.25)
    """
    if not 0.0 < share < 1.0:
        raise DataError(f"share={share!r} must lie strictly between 0 and 1, such as 0.2.")

    def make(runs: Runs) -> list[Split]:
        values = _numbers(runs, column)
        cut = np.sort(values)[::-1][int(np.ceil(share * len(values))) - 1]
        return [_split(runs, "held out", values < cut, values >= cut)]

    return Scheme(f"largest({column!r}, {share:g})", make)


def beyond(column: str, *, fit: float, predict: float) -> Scheme:
    """Fit the rows with ``column`` below ``fit``; predict those at or above ``predict``.

    >>> beyond("C", fit=1e20, predict=3e20)
    beyond('C', fit=1e+20, predict=3e+20)
    """
    if not fit <= predict:
        raise DataError(f"fit={fit:g} must not lie above predict={predict:g}: rows would be both.")

    def make(runs: Runs) -> list[Split]:
        values = _numbers(runs, column)
        return [_split(runs, "held out", values < fit, values >= predict)]

    return Scheme(f"beyond({column!r}, fit={fit:g}, predict={predict:g})", make)


def labelled(column: str = "split", holdout: str = "holdout") -> Scheme:
    """Hold out the rows whose ``column`` says ``holdout``; fit all others.

    >>> labelled()
    labelled('split', 'holdout')
    """

    def make(runs: Runs) -> list[Split]:
        held = (_column(runs, column).astype(str) == holdout).to_numpy()
        return [_split(runs, "held out", ~held, held)]

    return Scheme(f"labelled({column!r}, {holdout!r})", make)


def origins(column: str = "C", count: int = 6, factor: float = 1.0) -> Scheme:
    """Roll the origin forward: fit all rows up to a cut, predict those beyond ``factor`` × cut.

    The ``count`` cuts are even in the logarithm of the column, from its median to the largest
    value that leaves something to predict.

    >>> origins("C", 4, factor=3.0)
    origins('C', 4, factor=3)
    """
    if int(count) < 1 or factor < 1.0:
        raise DataError(f"count={count!r} must be 1 or more, and factor={factor!r} at least 1.")

    def make(runs: Runs) -> list[Split]:
        values = _numbers(runs, column)
        distinct = np.unique(values)
        low, high = np.median(distinct), distinct[distinct * factor < distinct[-1]][-1:]
        if not high.size or high[0] < low:
            raise DataError(
                f"{column} spans too little for origins with factor={factor:g}: nothing is left "
                "beyond the median. Use a smaller factor."
            )
        # Rounding of a cut must not put its own row on both sides, or on neither.
        cuts = np.geomspace(low, high[0], int(count)) * (1 + 1e-12)
        return [
            _split(runs, float(f"{cut:.6g}"), values <= cut, values > factor * cut) for cut in cuts
        ]

    return Scheme(f"origins({column!r}, {count}, factor={factor:g})", make)


def leave_out(column: str) -> Scheme:
    """Hold out each label of a column in turn (a family, a run), fitting all others.

    >>> leave_out("family")
    leave_out('family')
    """

    def make(runs: Runs) -> list[Split]:
        labels = _column(runs, column)
        if labels.isna().any():
            missing = labels.isna().to_numpy()
            raise DataError(
                f"column {column!r} has no label in {rows_at(runs.frame, missing, missing)}."
            )
        names = list(pd.unique(labels))
        if len(names) < 2:
            raise DataError(
                f"column {column!r} has one label, {names[0]!r}: nothing is left to fit."
            )
        return [
            _split(runs, name, (labels != name).to_numpy(), (labels == name).to_numpy())
            for name in names
        ]

    return Scheme(f"leave_out({column!r})", make)


def folds(count: int = 5, seed: int = 0) -> Scheme:
    """Hold out each of ``count`` random folds of whole runs in turn.

    This asks a law to interpolate; it says little of how it extrapolates.

    >>> folds(4)
    folds(4, seed=0)
    """

    def make(runs: Runs) -> list[Split]:
        units = _units(runs)
        many = len(np.unique(units))
        if not 2 <= count <= many:
            raise DataError(f"count={count!r} must lie between 2 and the number of runs, {many}.")
        fold = np.random.default_rng(seed).permutation(many) % count
        return [_split(runs, k, fold[units] != k, fold[units] == k) for k in range(count)]

    return Scheme(f"folds({count}, seed={seed})", make)


def as_scheme(holdout: Any) -> Scheme:
    """Return a scheme, given one or a mask (n,) of the rows to hold out."""
    if isinstance(holdout, Scheme):
        return holdout
    mask = np.asarray(holdout)
    if mask.dtype != bool or mask.ndim != 1:
        raise DataError(
            f"holdout={holdout!r} is no mask: give True or False per row, or a scheme such as "
            'js.splits.largest("C", 0.2) or js.splits.labelled("split").'
        )

    def make(runs: Runs) -> list[Split]:
        if len(mask) != len(runs):
            raise DataError(f"The mask has {len(mask)} entries, but there are {len(runs)} rows.")
        return [_split(runs, "held out", ~mask, mask)]

    return Scheme(f"a mask of {int(mask.sum())} rows", make)


def _split(runs: Runs, label: Any, fit: np.ndarray, test: np.ndarray) -> Split:
    """Check and make a split; no run may be on both sides."""
    for what, rows in (("fit", fit), ("predict", test)):
        if not rows.any():
            raise DataError(f"The split {label!r} leaves no row to {what}: move its boundary.")
    both = np.intersect1d(_units(runs)[fit], _units(runs)[test]) if runs.run is not None else []
    if len(both):
        names = pd.factorize(runs.frame[runs.run])[1]
        raise DataError(
            f"The split {label!r} has rows of run {listing([names[i] for i in both])} on both "
            "sides, so the law would have seen what it is to predict. Split by whole runs, such as "
            f"js.splits.leave_out({runs.run!r}) or js.splits.folds()."
        )
    return Split(label, np.flatnonzero(fit), np.flatnonzero(test))


def _units(runs: Runs) -> np.ndarray:
    return np.arange(len(runs)) if runs.run is None else pd.factorize(runs.frame[runs.run])[0]


def _column(runs: Runs, column: str) -> pd.Series:
    if column not in runs.frame.columns:
        columns = list(runs.frame.columns)
        raise DataError(
            f"The table has no column {column!r}.{nearest(str(column), columns)} Its columns are: "
            f"{listing(columns, 20)}."
        )
    return pd.Series(runs.frame[column])


def _numbers(runs: Runs, column: str) -> np.ndarray:
    values = np.asarray(pd.to_numeric(_column(runs, column), errors="coerce"), dtype=np.float64)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        raise DataError(
            f"{column!r} must be a positive number to split by, but is not in "
            f"{rows_at(runs.frame, bad, runs.frame[column].to_numpy())}."
        )
    return values
