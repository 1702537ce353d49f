"""Extrapolation: distances past the fitted runs, and the common warning about large ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.flops import training_flops
from jscale.errors import ExtrapolationWarning, outside
from jscale.fitting.result import Fit

FAR = 10.0
# What warnings about plans advise, of intervals that include the chance that laws bend.
CHECK_FAR = (
    "Intervals include the chance that the truth departs from the law, as far as it did in past "
    "sweeps. Train a run on the way, and plan again."
)


def is_far(past: Any) -> np.ndarray:
    """Return which distances are more than ten times past the runs, up to rounding."""
    return np.nan_to_num(np.asarray(past, dtype=np.float64), posinf=0.0) > FAR * (1 + 1e-9)


def warn_if_far(past: Any, what: str, axis: str, advice: str) -> None:
    """Warn with ExtrapolationWarning where ``what`` lies far past the largest fitted ``axis``."""
    far = is_far(past)
    if far.any():
        most = np.max(np.asarray(past, dtype=np.float64)[far])
        warnings.warn(
            f"{int(far.sum())} of {far.size} {what} lie more than {FAR:g} times past the largest "
            f"fitted {axis} (up to {most:.3g} times). {advice}",
            ExtrapolationWarning,
            stacklevel=outside(),
        )


def extrapolation(fit: Fit, table: pd.DataFrame) -> np.ndarray:
    """Return how many times each row lies past the largest fitted compute (or input).

    NaN where the runs have no compute and no input is positive throughout.
    """
    largest = fit.largest
    if largest is not None and "C" in table:
        return table["C"].to_numpy(dtype=np.float64) / largest
    if largest is not None and {"N", "D"} <= set(table):
        return training_flops(table["N"], table["D"]) / largest
    measures = [x for x in fit.law.inputs if x not in fit.law.codes]
    positive = [x for x in measures if (fit.runs[x] > 0).all()]
    ratios = [table[x].to_numpy() / fit.runs[x].max() for x in positive]
    return np.max(ratios, axis=0) if ratios else np.full(len(table), np.nan)
