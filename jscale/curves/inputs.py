"""Checks of the arguments of frontier, isoflop and optima, made before anything is computed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level, check_seed
from jscale.data.runs import Runs
from jscale.errors import DataError, JscaleError, LawError, listing


def runs_with(data: Any, needed: tuple[str, ...], caller: str) -> Runs:
    """Return Runs that have the inputs ``needed``; raises DataError if the data have not."""
    if not isinstance(data, (Runs, pd.DataFrame)):
        raise DataError(
            f"{caller} takes Runs or a pandas DataFrame, not {type(data).__name__}: "
            "js.Runs.from_frame(df)."
        )
    runs = data if isinstance(data, Runs) else Runs.from_frame(data)
    missing = [name for name in needed if name not in runs.inputs]
    if missing:
        raise DataError(
            f"{caller} needs {listing(needed)} of each run; these runs have no "
            f"{listing(missing)}, they have {listing((*runs.inputs, runs.output), 20)}. Name it: "
            f'Runs.from_frame(df, {missing[0]}="<column>"); C is computed where there are N and D.'
        )
    return runs


def row_weights(runs: Runs) -> np.ndarray:
    """Return the weight of each row (n,): the column that ``Runs.weight`` names, or ones."""
    if runs.weight is None:
        return np.ones(len(runs))
    return runs[runs.weight].astype(np.float64)


def check_resampling(level: Any, resamples: Any, seed: Any) -> None:
    """Raise JscaleError for an invalid level, number of resamples or seed."""
    check_level(level)
    check_seed(seed, error=LawError)
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 2:
        raise JscaleError(f"resamples={resamples!r} must be a whole number, at least 2: 1000.")


def check_tolerance(value: Any) -> float:
    """Return a tolerance as a float; raises JscaleError unless it is a number, 0 or more."""
    if not (_is_number(value) and value >= 0):
        raise JscaleError(f"tolerance={value!r} must be a number, 0 or more, such as 0.01.")
    return float(value)


def check_within(value: Any) -> float:
    """Return a relative width as a float; raises JscaleError unless it lies in (0, 1)."""
    if not (_is_number(value) and 0 < value < 1):
        raise JscaleError(f"within={value!r} must lie strictly between 0 and 1, such as 0.1.")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
