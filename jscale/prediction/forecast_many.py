"""forecast_many: a forecast for each family of runs, all in one batch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.errors import FitWarning, JscaleError, outside
from jscale.fitting.batch import families_of
from jscale.prediction.forecast_choices import DRAWS
from jscale.prediction.forecast_members import AUTO, named_laws, table_of
from jscale.prediction.forecast_sets import forecast_sets
from jscale.prediction.forecast_table import ForecastTable


def forecast_many(
    data: Runs | pd.DataFrame,
    laws: Sequence[Any] | Any = AUTO,
    *,
    by: str,
    prior: Any = "default",
    response: str = AUTO,
    draws: int = DRAWS,
    seed: int = 0,
    known_error: str | None = None,
    **columns: Any,
) -> ForecastTable:
    """Forecast each family of runs on its own, all in one batch.

    Parameters
    ----------
    data : Runs or DataFrame
        The runs of all families.
    laws : "auto", or one or more laws or names
        As for :func:`jscale.forecast`; "auto" chooses for each family by what varies in it.
    by : str
        The column whose labels are the families.
    prior, response, draws, seed, known_error : optional
        As for :func:`jscale.forecast`.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    ForecastTable
        One row per family. A family that cannot be forecast (fewer than three runs, no law that
        fits what varies) keeps its reason in ``failures``, and the others are as without it.

    Raises
    ------
    DataError
        For runs that cannot be forecast at all, or a column of families that is not there.
    LawError
        For a law that is not known, laws of different outputs, or one named twice.

    Warns
    -----
    FitWarning
        Once, with how many families could not be forecast.

    Notes
    -----
    A forecast of 60 runs holds about 2 MB; thirty of them take about a second of CPU time once
    programs are compiled (benchmarks/results/forecast_many.txt).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> found = js.forecast_many(table[table["split"] == "fit"], by="part")
    >>> found.labels
    ('grid', 'isoflop')
    >>> found["grid"].weights.index.tolist()
    ['chinchilla']
    """
    runs = table_of(named_laws(laws), data, columns)
    codes, labels = families_of(runs, by)
    sets = [np.flatnonzero(codes == k) for k in range(len(labels))]
    each_set = forecast_sets(
        runs,
        sets,
        laws,
        prior=prior,
        response=response,
        draws=draws,
        seed=seed,
        known_error=known_error,
    )
    found = dict(zip(labels, each_set, strict=True))
    failures = {k: str(each) for k, each in found.items() if isinstance(each, JscaleError)}
    forecasts = {k: each for k, each in found.items() if not isinstance(each, JscaleError)}
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(labels)} families could not be forecast: see table.failures.",
            FitWarning,
            stacklevel=outside(),
        )
    return ForecastTable(by, labels, forecasts, failures)
