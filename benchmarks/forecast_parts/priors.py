"""Priors of forecasts learnt without one data set, from answers that were kept."""

from __future__ import annotations

from pathlib import Path

import jscale as js
from benchmarks.forecast_prior import collect, templates
from jscale.prediction.learn_prior import relearnt, without


def prior_without(cache: Path, data_set: str) -> js.ForecastPrior:
    """Return the prior learnt from the kept answers of all data sets but one."""
    kept = without(collect(cache)[0], data_set)
    families = {
        name: relearnt(family, [a for a in kept if a.family == name])
        for name, family in templates().families.items()
    }
    return js.ForecastPrior(families, {})
