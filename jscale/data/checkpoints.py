"""Checkpoints: which rows along a run a law may be fitted to.

A loss along a run is that of a law only after the warm-up, and only where the learning rate has
decayed: at a high rate it lies above what a run that ended there would have reached.
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

# Rates and amounts of training carry rounding: equal ones must count as equal.
_ROUNDING = 1e-9
# Measured on our own runs (tests/data/test_checkpoints.py).
_MEASURED = "a constant rate ended 4 to 8 % above a decayed one in our runs, stdlib_lm_curves"


def checkpoints(
    runs: Runs,
    *,
    warmup: float = 0.1,
    along: str | None = None,
    learning_rate: str | None = None,
    decayed: float = 0.1,
    final_only: bool = False,
) -> Runs:
    """Keep the rows of each run that a law may be fitted to, and note what is doubtful of them.

    ``runs`` know their ``run``, a run's rows being checkpoints of it. Left out are rows before
    the share ``warmup`` of the run's largest D (else C, or the column ``along``): early losses
    follow the warm-up and not the law (arXiv:2410.11840 leaves out the first tenth). Where
    ``learning_rate`` names a column, rows before the run's peak of it are left out too, and with
    ``final_only=True`` all rows but the end of each run. The end, the rows with the run's
    largest D, is always kept. Rows left out join ``runs.dropped``, with the reason.

    The doubt ``undecayed-checkpoints`` (a note of every fit to them) says how many rows are no
    end of their run while the rate is above ``decayed`` times the run's peak, or unknown. In
    ``stdlib_lm_curves`` runs at a constant rate ended 4 to 8 % above those with a decayed one;
    on a warmup-stable-decay schedule the excess is 5 to 7 % before the decay, 0.1 % once the
    rate is below a tenth. Half-way along a cosine it is 1 % or less. An end is taken as it is,
    whatever its rate. Rows of a run stay together in a bootstrap.

    Raises DataError for runs made without ``run=``, shares out of range, a column that is
    absent, not numeric or below zero, or one that grows along no run; warns with DataWarning
    for undecayed rows.

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
    earlier = tuple(d for d in kept.doubts if d.code != CODE)
    return replace(kept, doubts=earlier + doubts, dropped=_dropped(runs, keep, reasons))


def _check(runs: Any, warmup: Any, decayed: Any) -> None:
    if not isinstance(runs, Runs) or runs.run is None:
        given = "these Runs do not" if isinstance(runs, Runs) else f"{type(runs).__name__} does not"
        raise DataError(
            f"checkpoints must know which rows are of one run, and {given}: name the column, "
            'js.checkpoints(js.Runs.from_frame(df, run="<column>")).'
        )
    for name, value, below in (("warmup", warmup, True), ("decayed", decayed, False)):
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and 0.0 <= float(value) <= 1.0 and not (below and value == 1.0)):
            limit = "from 0 to below 1" if below else "from 0 to 1"
            raise DataError(f"{name}={value!r} must be a share, {limit}, such as 0.1.")


def _progress(runs: Runs, run: np.ndarray, along: str | None) -> np.ndarray:
    """Return how far its run has come at each row (n,): D, else C, or the column named."""
    found = [name for name in ("D", "C") if name in runs.inputs]
    if along is None and not found:
        raise DataError(
            "These Runs have neither D nor C to say how far a run has come: name a column that "
            'does, js.checkpoints(runs, along="<column>").'
        )
    column = found[0] if along is None else along
    progress = _numbers(runs, "along", column)
    rows = np.bincount(run)
    grows = _largest(progress, run) > -_largest(-progress, run)
    if (rows > 1).any() and not grows.any():
        names = pd.factorize(runs.frame[runs.run])[1][rows > 1]
        raise DataError(
            f"{column} is the same in all rows of each run ({listing(list(names))}), so it does "
            "not say how far a run has come at a checkpoint: name a column that does, "
            'js.checkpoints(runs, along="<column>").'
        )
    return progress


def _numbers(runs: Runs, choice: str, column: Any) -> np.ndarray:
    """Return a column as float64 (n,); raises DataError unless all are finite, zero or more."""
    frame = runs.frame
    if not isinstance(column, str) or column not in frame.columns:
        columns = [str(c) for c in frame.columns]
        raise DataError(
            f"{choice}={column!r} is no column of the table.{nearest(str(column), columns)} Its "
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
    """Return for each row (n,) the largest value of its run."""
    return pd.Series(values).groupby(run).transform("max").to_numpy()


def _rising(rate: np.ndarray, progress: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return which rows (n,) lie before their run's learning rate has reached its peak."""
    at_peak = rate >= _largest(rate, run) * (1.0 - _ROUNDING)
    first = -_largest(np.where(at_peak, -progress, -np.inf), run)
    return progress < first


def _doubts(
    run: np.ndarray, keep: np.ndarray, high: np.ndarray, decayed: float, known: bool
) -> tuple[Doubt, ...]:
    rows = keep & high
    if not rows.any():
        return ()
    ends = "js.checkpoints(runs, final_only=True)"
    if known:
        why = f"their learning rate is above {decayed:g} of the run's peak; such"
        remedy = f"Keep the ends only, {ends}, or fit a law that takes the schedule."
    else:
        why = "whether their learning rate has decayed is unknown; where it has not, such"
        remedy = (
            'Name the column of the rate, js.checkpoints(runs, learning_rate="<column>"), or keep '
            f"the ends only, {ends}."
        )
    seen = (
        f"{int(rows.sum())} of {int(keep.sum())} rows, of {len(np.unique(run[rows]))} of "
        f"{len(np.unique(run))} runs, are no end of their run, and {why} a loss lies above what a "
        f"run that ended there with a decayed rate would reach ({_MEASURED})."
    )
    return (Doubt(CODE, seen, remedy),)


def _dropped(runs: Runs, keep: np.ndarray, reasons: np.ndarray) -> pd.DataFrame:
    new = runs.frame.loc[~keep].assign(reason=reasons[~keep])
    both = [frame for frame in (runs.dropped, new) if len(frame)]
    return pd.concat(both) if both else runs.dropped
