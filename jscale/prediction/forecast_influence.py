"""The influence of runs on a forecast: what moves it, and what it would be wider without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.discrepancy.sensitivity import sensitivity
from jscale.fitting.points import Points
from jscale.prediction.forecast_reference import reference_of


def influence_on(forecast: Any, table: pd.DataFrame) -> pd.DataFrame:
    """Return the influence of each fitted run on a forecast's curve at a table's rows."""
    rows, m = len(forecast.runs), len(table)
    slopes, wider, variance = np.zeros((m, rows)), np.zeros((m, rows)), np.zeros(m)
    for member, solved, logs in zip(
        forecast.laws, forecast.experts, forecast.log_weights, strict=True
    ):
        points = Points.in_table(reference_of(member, solved, forecast.runs), table)
        each = sensitivity(solved, np.exp(logs), points.inputs, points.codes)
        # Runs that a large table was thinned by have no influence.
        used = solved.observations.rows
        used = np.arange(rows) if used is None else used
        slopes[:, used] += each.slopes
        wider[:, used] += each.wider
        variance += each.variance
    predictive = forecast.mixture(table)
    median = predictive.outcome(predictive.curve.quantile(0.5))
    measured = np.asarray(forecast.runs[forecast.runs.output], dtype=np.float64)
    # From the space of the laws to logarithms of outcomes, at both ends.
    slopes *= predictive.slope(measured) / predictive.slope(median)[:, None]
    index = pd.MultiIndex.from_product([table.index, forecast.runs.frame.index])
    index = index.set_names(["point", "run"])
    narrowing = wider / (variance[:, None] + wider)
    return pd.DataFrame({"derivative": slopes.ravel(), "narrowing": narrowing.ravel()}, index=index)
