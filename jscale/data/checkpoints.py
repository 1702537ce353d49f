"""Checkpoints: which rows along a run a law may be fitted to.

A loss measured along a run follows the law only after the warm-up, and only once the learning rate
has decayed: at a high rate it lies above the loss of a run that ended there.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import fault_of_values, rows_at, to_numbers
from jscale.data.doubts import Doubt
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, listing, nearest, outside

CODE = "undecayed-checkpoints"

# Logged rates and amounts of training are rounded: equal ones must compare as equal.
_ROUNDING = 1e-9
# Measured on training runs of our own (tests/data/test_checkpoints.py).
_MEASURED = "a constant rate ended 4 to 8% above a decayed one in our runs, stdlib_lm_curves"


def checkpoints(
    runs: Runs,
    *,
    warmup: float = 0.1,
    along: str | None = None,
    learning_rate: str | None = None,
    decayed: float = 0.1,
    final_only: bool = False,
) -> Runs:
    """Keep the rows of each run that a law may be fitted to.

    Parameters
    ----------
    runs : Runs
        Runs made with ``run=``; the rows of a run are its checkpoints.
    warmup : float
        Share of a run's largest D (else C, or the column ``along``), in [0, 1); rows before it
        are left out.
    along : str, optional
        Column that measures how far a run has come; by default D, else C.
    learning_rate : str, optional
        Column of the learning rate; rows before a run's peak are left out.
    decayed : float
        Share of a run's peak learning rate, in [0, 1], up to which the rate counts as decayed.
    final_only : bool
        Whether to keep only the end of each run, the rows with its largest D.

    Returns
    -------
    Runs
        The rows kept; the end of a run is always among them. Rows left out are added to
        ``dropped``, with the reason. The doubt ``undecayed-checkpoints`` (a note of every fit)
        counts the rows before the end of their run at which the rate is above ``decayed`` times
        its peak, or unknown.

    Raises
    ------
    DataError
        For runs made without ``run=``, shares out of range, a column that is absent, not numeric
        or negative, or one that grows along no run.

    Warns
    -----
    DataWarning
        For undecayed rows.

    Notes
    -----
    Early losses follow the warm-up and not the law: [1]_ leaves out the first tenth. In
    ``stdlib_lm_curves``, runs at a constant rate ended 4 to 8% above those with a decayed one;
    on a warmup-stable-decay schedule the excess is 5 to 7% before the decay and 0.1% once the
    rate is below a tenth of its peak. Half-way along a cosine it is 1% or less. The end of a run
    is taken as it is, whatever its rate. Rows of a run stay together in a bootstrap.

    References
    ----------
    .. [1] Choshen, Zhang and Andreas, A Hitchhiker's Guide to Scaling Law Estimation,
       arXiv:2410.11840.

    Examples
    --------
    >>> import jscale as js
    >>> curves = js.datasets.load("stdlib_lm_curves")
    >>> cosine = js.Runs.from_frame(curves[curves["schedule"] == "cosine"], run="run")
    >>> ends = js.checkpoints(cosine, final_only=True)
    >>> len(cosine), len(ends), len(ends.dropped)
    (354, 4, 350)
    """
    _check(runs, warmup, decayed)
    run = pd.factorize(runs.frame[runs.run])[0]
    progress = _progress(runs, run, along)
    rate = None if learning_rate is None else _numbers(runs, "learning_rate", learning_rate)
    end = progress == _largest(progress, run)
    # A row is left out for one reason, the last that applies: early rows for being early.
    reasons = np.full(len(runs), "", dtype=object)
    if final_only:
        reasons[~end] = "not the end of its run"
    if rate is not None:
        reasons[_rising(rate, progress, run)] = f"{learning_rate} has not reached its peak"
    early = progress < warmup * _largest(progress, run) * (1.0 - _ROUNDING)
    reasons[early] = f"in the first {warmup:g} of its run"
    keep = reasons == ""
    high = ~end
    if rate is not None:
        high &= rate > decayed * _largest(rate, run) * (1.0 + _ROUNDING)
    doubts = _doubts(run, keep, high, decayed, known=rate is not None)
    for doubt in doubts:
        warnings.warn(f"{doubt.seen} {doubt.remedy}", DataWarning, stacklevel=outside())
    kept = runs.where(keep)
    # Called on its own result, the doubt of the earlier call is replaced.
    earlier = tuple(d for d in kept.doubts if d.code != CODE)
    return replace(kept, doubts=earlier + doubts, dropped=_dropped(runs, keep, reasons))


def _check(runs: Any, warmup: Any, decayed: Any) -> None:
    if not isinstance(runs, Runs) or runs.run is None:
        given = "these Runs do not" if isinstance(runs, Runs) else f"{type(runs).__name__} does not"
        raise DataError(
            f"checkpoints must know which rows belong to one run, and {given}: name the column, "
            'js.checkpoints(js.Runs.from_frame(df, run="<column>")).'
        )
    for name, value, below in (("warmup", warmup, True), ("decayed", decayed, False)):
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and 0.0 <= float(value) <= 1.0 and not (below and value == 1.0)):
            limit = "from 0 to below 1" if below else "from 0 to 1"
            raise DataError(f"{name}={value!r} must be a share, {limit}, such as 0.1.")


def _progress(runs: Runs, run: np.ndarray, along: str | None) -> np.ndarray:
    """Return how far each row is along its run (n,): D, else C, or the column ``along``."""
    measures = [name for name in ("D", "C") if name in runs.inputs]
    if along is None and not measures:
        raise DataError(
            "These Runs have neither D nor C to tell how far a run has come: name a column that "
            'does, js.checkpoints(runs, along="<column>").'
        )
    column = measures[0] if along is None else along
    progress = _numbers(runs, "along", column)
    rows = np.bincount(run)
    grows = _largest(progress, run) > -_largest(-progress, run)  # largest above smallest
    if (rows > 1).any() and not grows.any():
        names = pd.factorize(runs.frame[runs.run])[1][rows > 1]
        raise DataError(
            f"{column} is the same in all rows of each run ({listing(list(names))}), so it does "
            "not tell how far a run has come at a checkpoint: name a column that does, "
            'js.checkpoints(runs, along="<column>").'
        )
    return progress


def _numbers(runs: Runs, choice: str, column: Any) -> np.ndarray:
    """Return a column as float64 (n,); raises DataError for values not finite or below zero."""
    frame = runs.frame
    if not isinstance(column, str) or column not in frame.columns:
        columns = [str(c) for c in frame.columns]
        raise DataError(
            f"{choice}={column!r} is not a column of the table.{nearest(str(column), columns)} Its "
            f"columns are: {listing(columns, 20)}."
        )
    values = to_numbers(frame, column)
    faults = fault_of_values(frame, column, values, above=None)
    if (values < 0).any():
        faults["negative"] = values < 0
    for reason, bad in faults.items():
        raise DataError(
            f"{choice} (column {column!r}) must hold finite numbers, zero or more, but "
            f"{int(bad.sum())} of {len(frame)} are {reason}: {rows_at(frame, bad, frame[column])}."
        )
    return values


def _largest(values: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return the largest value of each row's run (n,)."""
    return pd.Series(values).groupby(run).transform("max").to_numpy()


def _rising(rate: np.ndarray, progress: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Mark the rows (n,) at which their run's learning rate has not yet reached its peak."""
    at_peak = rate >= _largest(rate, run) * (1.0 - _ROUNDING)
    # The smallest progress at the peak: minus the largest of its negatives.
    first = -_largest(np.where(at_peak, -progress, -np.inf), run)
    return progress < first


def _doubts(
    run: np.ndarray, keep: np.ndarray, high: np.ndarray, decayed: float, known: bool
) -> tuple[Doubt, ...]:
    rows = keep & high
    if not rows.any():
        return ()
    ends_only = "js.checkpoints(runs, final_only=True)"
    if known:
        why = f"their learning rate is above {decayed:g} of the run's peak; such"
        remedy = f"Keep only the ends, {ends_only}, or fit a law of the schedule."
    else:
        why = "whether their learning rate has decayed is unknown; where it has not, such"
        remedy = (
            'Name the column of the rate, js.checkpoints(runs, learning_rate="<column>"), or keep '
            f"only the ends, {ends_only}."
        )
    seen = (
        f"{int(rows.sum())} of {int(keep.sum())} rows, from {len(np.unique(run[rows]))} of "
        f"{len(np.unique(run))} runs, are not the end of their run, and {why} a loss lies above "
        f"that of a run that ended there with a decayed rate ({_MEASURED})."
    )
    return (Doubt(CODE, seen, remedy),)


def _dropped(runs: Runs, keep: np.ndarray, reasons: np.ndarray) -> pd.DataFrame:
    added = runs.frame.loc[~keep].assign(reason=reasons[~keep])
    parts = [frame for frame in (runs.dropped, added) if len(frame)]
    return pd.concat(parts) if parts else runs.dropped
