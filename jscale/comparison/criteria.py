"""Criteria: the accuracy of predictions against measurements, each with a standard error.

A criterion that is a mean over rows has a standard error over clusters of rows (runs of one
family, checkpoints of one run): errors within a cluster are correlated, so it counts once.
Errors are of the logarithm or relative, since losses of different runs differ in size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import DataError, JscaleError

# Criteria that are means over rows, by name; the others are computed from all rows together.
MEANS = (
    "absolute_error",
    "bias",
    "coverage",
    "interval_score",
    "width",
    "width_over_oracle",
    "log_score",
)


def relative_error(predicted: Any, measured: Any) -> np.ndarray:
    """Return predicted/measured − 1, of the arrays' shape.

    >>> relative_error([2.2], [2.0]).round(3)
    array([0.1])
    """
    predicted, measured = _pair(predicted, measured)
    return predicted / measured - 1.0


def rmsle(predicted: Any, measured: Any) -> float:
    """Return √(mean (ln predicted − ln measured)²); raises DataError for a number ≤ 0.

    >>> round(rmsle([2.2, 2.0], [2.0, 2.2]), 4)
    0.0953
    """
    ratio = _log_ratio(predicted, measured)
    return float(np.sqrt(np.mean(ratio**2)))


def r2(predicted: Any, measured: Any) -> float:
    """Return 1 − Σ(measured − predicted)²/Σ(measured − mean)²; NaN where all are alike.

    Below zero, the mean of the measured numbers would have been the better prediction.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    """
    predicted, measured = _pair(predicted, measured)
    total = float(np.sum((measured - measured.mean()) ** 2))
    with np.errstate(over="ignore"):  # a law that diverges is infinitely wrong
        left = float(np.sum((measured - predicted) ** 2))
    return 1.0 - left / total if total > 0 else np.nan


def interval_score(low: Any, high: Any, measured: Any, level: float) -> np.ndarray:
    """Return Winkler's score per row: the width, plus 2/(1 − level) times the distance outside.

    In the unit of the output; lower is better, and infinite where there is no interval (NaN).
    The interval that minimises it on average is the
    true one at ``level`` (Gneiting and Raftery 2007, doi:10.1198/016214506000001437).

    >>> interval_score([1.0], [2.0], [2.1], 0.9).round(3)
    array([3.])
    """
    if not 0.0 < level < 1.0:
        raise JscaleError(f"level={level!r} must lie strictly between 0 and 1, such as 0.9.")
    low, measured = _pair(low, measured)
    high = np.asarray(high, dtype=np.float64)
    outside = np.maximum(low - measured, 0.0) + np.maximum(measured - high, 0.0)
    with np.errstate(invalid="ignore"):
        score = high - low + 2.0 / (1.0 - level) * outside
    return np.where(np.isnan(score), np.inf, score)


def standard_error(values: Any, clusters: Any = None) -> float:
    """Return the standard error of the mean of values (n,), rows of a cluster taken together.

    ``clusters`` (n,) labels them; None takes each row alone. NaN with fewer than two clusters.

    >>> round(standard_error([1.0, 2.0, 3.0]), 4)
    0.5774
    """
    values = np.asarray(values, dtype=np.float64)
    codes = np.arange(len(values)) if clusters is None else pd.factorize(np.asarray(clusters))[0]
    count = codes.max(initial=-1) + 1
    if count < 2:
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.bincount(codes, values - values.mean(), minlength=count)
        return float(np.sqrt(count / (count - 1) * np.sum(sums**2)) / len(values))


def by_row(
    frame: pd.DataFrame, measured: Any, level: float, *, oracle: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return a row per prediction: its error and, with intervals, their scores.

    ``frame`` is that of a :class:`~jscale.Prediction` (``curve``, ``prediction_low``,
    ``prediction_high``). Columns: ``absolute_error`` and ``bias`` (relative, of the curve),
    ``coverage`` (whether the run lies in its prediction interval, 0 or 1), ``interval_score``
    and ``width`` over the measured number, and with an ``oracle``'s intervals (such as those of
    :func:`jscale.oracle`, row for row) ``width_over_oracle``.
    """
    curve, measured = _pair(frame["curve"], measured)
    error = relative_error(curve, measured)
    rows = {"absolute_error": np.abs(error), "bias": error}
    if "prediction_low" in frame:
        low, high = (frame[f"prediction_{side}"].to_numpy() for side in ("low", "high"))
        rows["coverage"] = ((low <= measured) & (measured <= high)).astype(np.float64)
        rows["interval_score"] = interval_score(low, high, measured, level) / measured
        rows["width"] = (high - low) / measured
        if oracle is not None:
            best = oracle["prediction_high"].to_numpy() - oracle["prediction_low"].to_numpy()
            rows["width_over_oracle"] = (high - low) / best
    return pd.DataFrame(rows, index=frame.index)


def summarise(
    rows: pd.DataFrame, predicted: Any, measured: Any, clusters: Any = None
) -> Mapping[str, float]:
    """Return all criteria of rows of :func:`by_row`: means, RMSLE and R², with ``…_error``.

    RMSLE is infinite where a law predicts nothing above zero. Its error and that of R² are
    jackknifed over clusters: NaN with fewer than three.
    """
    predicted = np.asarray(predicted, dtype=np.float64)
    scores: dict[str, float] = {"rows": len(rows), "rmsle": np.inf}
    if (predicted > 0).all():
        scores["rmsle"] = rmsle(predicted, measured)
    scores["r2"] = r2(predicted, measured)
    scores |= _jackknifed(predicted, np.asarray(measured, dtype=np.float64), clusters)
    for name in (name for name in MEANS if name in rows):
        scores[name] = float(np.mean(rows[name].to_numpy()))
        scores[f"{name}_error"] = standard_error(rows[name], clusters)
    return scores


def _jackknifed(predicted: np.ndarray, measured: np.ndarray, clusters: Any) -> dict[str, float]:
    """Standard errors of RMSLE and R² over clusters, each left out in turn (from three on)."""
    n = len(measured)
    codes = np.arange(n) if clusters is None else pd.factorize(np.asarray(clusters))[0]
    count = int(codes.max(initial=-1)) + 1
    if count < 3:
        return {"rmsle_error": np.nan, "r2_error": np.nan}

    def without(values: np.ndarray) -> np.ndarray:
        return values.sum() - np.bincount(codes, values, minlength=count)

    with np.errstate(all="ignore"):
        rows = without(np.ones(n))
        rmsle_each = np.sqrt(without(np.log(predicted / measured) ** 2) / rows)
        centred = measured - measured.mean()
        total = without(centred**2) - without(centred) ** 2 / rows
        r2_each = 1.0 - without((measured - predicted) ** 2) / total
        share = (count - 1) / count
        errors = [
            float(np.sqrt(share * np.sum((each - each.mean()) ** 2)))
            for each in (rmsle_each, r2_each)
        ]
    return dict(zip(("rmsle_error", "r2_error"), errors, strict=True))


def _pair(predicted: Any, measured: Any) -> tuple[np.ndarray, np.ndarray]:
    one, other = (np.asarray(x, dtype=np.float64) for x in (predicted, measured))
    if one.shape != other.shape:
        raise DataError(
            f"{one.shape} predictions and {other.shape} measured numbers: give one for each."
        )
    return one, other


def _log_ratio(predicted: Any, measured: Any) -> np.ndarray:
    predicted, measured = _pair(predicted, measured)
    bad = ~((predicted > 0) & (measured > 0))
    if bad.any():
        raise DataError(
            f"RMSLE needs positive numbers, but row {int(np.argmax(bad))} has "
            f"{predicted[bad][0]:g} predicted and {measured[bad][0]:g} measured."
        )
    return np.log(predicted / measured)
