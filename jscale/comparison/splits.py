"""Splits: the runs that a law is fitted to, and the runs that it must then predict.

A scheme maps Runs to splits. Scaling laws are used to extrapolate, so the schemes that matter hold
out the largest compute, once or at successive origins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.data.resampling import run_numbers
from jscale.data.runs import Runs
from jscale.errors import DataError, listing, nearest


@dataclass(frozen=True, eq=False)
class Split:
    """One question: predict the rows ``test`` from the rows ``fit``.

    Attributes
    ----------
    label : str
        What the question is called.
    fit, test : ndarray of int
        Row numbers.
    """

    label: Any
    fit: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Scheme:
    """A way of holding runs out.

    Attributes
    ----------
    name : str
        What the scheme is called.
    make : callable
        Maps Runs to splits.
    """

    name: str
    make: Callable[[Runs], list[Split]]

    def __repr__(self) -> str:
        return self.name


def largest(column: str = "C", share: float = 0.2) -> Scheme:
    """Hold out the runs with the largest values of a column.

    Parameters
    ----------
    column : str
        The column.
    share : float
        The least share of the rows that is held out; rows of equal values go together.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Raises
    ------
    DataError
        For a share outside (0, 1).

    Examples
    --------
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
    """Fit the rows below one value of a column and predict those from another value on.

    Parameters
    ----------
    column : str
        The column.
    fit : float
        Rows with smaller values are fitted.
    predict : float
        Rows with at least this value are predicted.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Examples
    --------
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
    """Hold out the rows that a column marks, and fit all others.

    Parameters
    ----------
    column : str
        The column.
    holdout : str
        The value that marks rows to hold out.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Examples
    --------
    >>> labelled()
    labelled('split', 'holdout')
    """

    def make(runs: Runs) -> list[Split]:
        held = (_column(runs, column).astype(str) == holdout).to_numpy()
        return [_split(runs, "held out", ~held, held)]

    return Scheme(f"labelled({column!r}, {holdout!r})", make)


def origins(column: str = "C", count: int = 6, factor: float = 1.0) -> Scheme:
    """Roll the origin forward: fit all rows up to a cut and predict the rows beyond it.

    Parameters
    ----------
    column : str
        The column that is cut.
    count : int
        The number of cuts, evenly spaced in the logarithm of the column, from its median to the
        largest value that leaves something to predict. Of cuts that leave the same rows to fit and
        to predict, one is kept.
    factor : float
        Only rows beyond ``factor`` times the cut are predicted.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`. A run of several rows is fitted where all of its
        rows lie up to the cut, and otherwise its rows beyond the cut are predicted.

    Examples
    --------
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
        # Rounding of a cut must not put the row that defines it on both sides, or on neither.
        cuts = np.geomspace(low, high[0], int(count)) * (1 + 1e-12)
        units = run_numbers(runs)
        ends = np.full(units.max() + 1, -np.inf)
        np.maximum.at(ends, units, values)
        unique: dict[bytes, Split] = {}
        for cut in cuts:
            split = _split(runs, float(f"{cut:.6g}"), ends[units] <= cut, values > factor * cut)
            unique.setdefault(split.fit.tobytes() + b"|" + split.test.tobytes(), split)
        return list(unique.values())

    return Scheme(f"origins({column!r}, {count}, factor={factor:g})", make)


def leave_out(column: str) -> Scheme:
    """Hold out each label of a column in turn (a family, a run), and fit all others.

    Parameters
    ----------
    column : str
        The column.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Examples
    --------
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
    """Hold out each of several random folds of whole runs in turn.

    This asks a law to interpolate; it says little about how it extrapolates.

    Parameters
    ----------
    count : int
        The number of folds.
    seed : int
        The seed of the assignment.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Examples
    --------
    >>> folds(4)
    folds(4, seed=0)
    """

    def make(runs: Runs) -> list[Split]:
        units = run_numbers(runs)
        many = len(np.unique(units))
        if not 2 <= count <= many:
            raise DataError(f"count={count!r} must lie between 2 and the number of runs, {many}.")
        fold = np.random.default_rng(seed).permutation(many) % count
        return [_split(runs, k, fold[units] != k, fold[units] == k) for k in range(count)]

    return Scheme(f"folds({count}, seed={seed})", make)


def given(pairs: Iterable[Any] | Mapping[Any, Any], *, overlapping: bool = False) -> Scheme:
    """Use folds as they are given: pairs of the rows to fit and the rows to predict.

    Parameters
    ----------
    pairs : iterable of (fit, predict), or mapping from labels to them
        Each side is a mask (n,), or an array of row numbers from 0; rows on neither side are left
        out. Without labels, folds are numbered from 0.
    overlapping : bool
        Whether two folds may predict the same row.

    Returns
    -------
    Scheme
        For ``holdout=`` of :func:`jscale.compare`.

    Raises
    ------
    DataError
        For pairs of another form and, once the runs are known, for a side that is empty or of the
        wrong length, row numbers that are out of range or repeated, and a row or a run on both
        sides.

    Examples
    --------
    >>> given([([0, 1, 2], [3]), ([1, 2, 3], [0])])
    given(2 folds)
    """
    folds = _pairs(pairs)

    def make(runs: Runs) -> list[Split]:
        masks = {
            label: (
                _as_mask(runs, fit, f"The rows to fit of fold {label!r}"),
                _as_mask(runs, test, f"The rows to predict of fold {label!r}"),
            )
            for label, (fit, test) in folds.items()
        }
        for label, (fit, test) in masks.items():
            if (fit & test).any():
                raise DataError(
                    f"The fold {label!r} both fits and predicts {_named(runs, fit & test)}, so the "
                    "law would have seen what it is to predict. Leave each row on one side."
                )
        if not overlapping:
            _check_predicted_once(runs, {label: test for label, (_, test) in masks.items()})
        return [_split(runs, label, fit, test) for label, (fit, test) in masks.items()]

    return Scheme(f"given({len(folds)} folds{', overlapping' if overlapping else ''})", make)


def as_scheme(holdout: Any) -> Scheme:
    """Return a scheme, given one or a mask (n,) of the rows to hold out."""
    if isinstance(holdout, Scheme):
        return holdout
    mask = _true_or_false(holdout)
    if mask.dtype != bool or mask.ndim != 1:
        raise DataError(
            f"holdout{_wrong(holdout, mask, bool)} is not a mask: give True or False per row, such "
            'as runs["C"] > 1e20, or a scheme such as js.splits.largest("C", 0.2) or '
            'js.splits.labelled("split").'
        )

    def make(runs: Runs) -> list[Split]:
        if len(mask) != len(runs):
            raise DataError(f"The mask has {len(mask)} entries, but there are {len(runs)} rows.")
        return [_split(runs, "held out", ~mask, mask)]

    return Scheme(f"a mask of {int(mask.sum())} rows", make)


def splits_of(
    runs: Runs, holdout: Any, by: str | None = None
) -> tuple[Scheme, list[Split], np.ndarray | None]:
    """Return the scheme, its splits (row numbers of all runs), and with ``by`` their families.

    Each family, the rows of one label of the column ``by``, is split on its own. Raises
    DataError as the scheme does, naming the family.
    """
    scheme = as_scheme(holdout)
    if by is None:
        return scheme, scheme.make(runs), None
    labels = _column(runs, by)
    if labels.isna().any():
        missing = labels.isna().to_numpy()
        raise DataError(f"column {by!r} has no label in {rows_at(runs.frame, missing, missing)}.")
    if not isinstance(holdout, Scheme) and len(np.asarray(holdout)) != len(runs):
        scheme.make(runs)  # raises with the length that the mask must have
    splits, families = [], []
    for key, rows in labels.groupby(labels, sort=False).indices.items():
        family = key.item() if isinstance(key, np.generic) else key  # 3, not np.int64(3)
        part = replace(runs, frame=runs.frame.iloc[rows], doubts=())
        splitter = scheme if isinstance(holdout, Scheme) else as_scheme(np.asarray(holdout)[rows])
        try:
            made = splitter.make(part)
        except DataError as error:
            raise DataError(f"{by}={family!r}: {error}") from error
        for split in made:
            label = family if len(made) == 1 else f"{family}, {split.label}"
            splits.append(Split(label, rows[split.fit], rows[split.test]))
            families.append(family)
    return scheme, splits, np.array(families, dtype=object)


def _split(runs: Runs, label: Any, fit: np.ndarray, test: np.ndarray) -> Split:
    """Check and make a split; no run may be on both sides."""
    for what, rows in (("fit", fit), ("predict", test)):
        if not rows.any():
            raise DataError(f"The split {label!r} leaves no row to {what}: move its boundary.")
    both = (
        np.intersect1d(run_numbers(runs)[fit], run_numbers(runs)[test])
        if runs.run is not None
        else []
    )
    if len(both):
        names = pd.factorize(runs.frame[runs.run])[1]
        raise DataError(
            f"The split {label!r} has rows of run {listing([names[i] for i in both])} on both "
            "sides, so the law would have seen what it is to predict. Split by whole runs, such as "
            f"js.splits.leave_out({runs.run!r}) or js.splits.folds()."
        )
    return Split(label, np.flatnonzero(fit), np.flatnonzero(test))


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


def _pairs(pairs: Any) -> dict[Any, tuple[np.ndarray, np.ndarray]]:
    """Return folds by label as pairs of masks or row numbers, their types checked."""
    form = "give pairs of rows, js.splits.given([(fit, predict), …]), or a mapping by label."
    if isinstance(pairs, (str, Scheme)) or not isinstance(pairs, Iterable):
        raise DataError(f"{pairs!r} is not a sequence of folds: {form}")
    folds = dict(pairs.items() if isinstance(pairs, Mapping) else enumerate(pairs))
    if not folds:
        raise DataError(f"There is no fold: {form}")
    for label, pair in folds.items():
        sized = isinstance(pair, (tuple, list, np.ndarray))
        if not sized or len(pair) != 2:
            many = f" of {len(pair)}" if sized else ""
            raise DataError(
                f"The fold {label!r} is {type(pair).__name__}{many} and no pair (fit, predict): "
                f"{form}"
            )
    return {
        label: (
            _mask_or_numbers(fit, f"The rows to fit of fold {label!r}"),
            _mask_or_numbers(test, f"The rows to predict of fold {label!r}"),
        )
        for label, (fit, test) in folds.items()
    }


def _mask_or_numbers(side: Any, called: str) -> np.ndarray:
    rows = _true_or_false(side)
    if rows.ndim == 1 and not rows.size:
        return np.zeros(0, dtype=int)
    if rows.ndim != 1 or rows.dtype.kind not in "biu":
        raise DataError(
            f"{called}{_wrong(side, rows, (bool, np.integer, int))}: give a mask of True and "
            "False, one per row, or an array of whole row numbers."
        )
    return rows


def _as_mask(runs: Runs, rows: np.ndarray, called: str) -> np.ndarray:
    """Return a mask (n,), given one or row numbers; raises DataError where they do not fit."""
    n = len(runs)
    if rows.dtype == bool:
        if len(rows) != n:
            raise DataError(f"{called}: the mask has {len(rows)} entries, but there are {n} rows.")
        return rows
    outside = [int(i) for i in rows if not 0 <= i < n]
    if outside:
        raise DataError(
            f"{called}: there is no row number {listing(outside)}; they go from 0 to {n - 1}."
        )
    numbers, times = np.unique(rows, return_counts=True)
    if (times > 1).any():
        raise DataError(
            f"{called}: the row number {listing(numbers[times > 1].tolist())} is repeated. Name "
            "each row once; a mask holds True and False, not 0 and 1."
        )
    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return mask


def _check_predicted_once(runs: Runs, tests: Mapping[Any, np.ndarray]) -> None:
    seen: dict[Any, np.ndarray] = {}
    for label, test in tests.items():
        for other, before in seen.items():
            if (test & before).any():
                raise DataError(
                    f"The folds {other!r} and {label!r} both predict "
                    f"{_named(runs, test & before)}, which would count twice. Give each row to "
                    "one fold. Where origins roll forward it is meant: js.splits.origins, or "
                    "overlapping=True."
                )
        seen[label] = test


def _named(runs: Runs, rows: np.ndarray) -> str:
    return listing([f"row {label!r}" for label in runs.frame.index[rows].tolist()])


def _true_or_false(values: Any) -> np.ndarray:
    """Return an array; one of objects that are all True or False becomes a mask."""
    array = np.asarray(values)
    truths = array.dtype == object and all(isinstance(v, (bool, np.bool_)) for v in array.ravel())
    return array.astype(bool) if truths else array


def _wrong(given: Any, array: np.ndarray, right: Any) -> str:
    """Say what is wrong with a mask: its shape, or the entries that are of another type."""
    if array.ndim == 0:
        return f"={given!r}"
    if array.ndim != 1:
        return f" of shape {array.shape}"
    labels = pd.Series(given, index=given.index if isinstance(given, pd.Series) else None)
    values = np.asarray(labels.to_numpy(), dtype=object)
    bad = np.array([not isinstance(v, right) for v in values], dtype=bool)
    kinds = dict.fromkeys("text" if isinstance(v, str) else type(v).__name__ for v in values[bad])
    text = f" (compare first: column == {values[bad][0]!r})" if "text" in kinds else ""
    return f" with {listing(list(kinds))} in {rows_at(labels.to_frame(), bad, values)}{text}"
