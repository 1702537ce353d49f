"""A broken power law alone along one input, by least squares with a bootstrap: the plain way."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts.others import Asked
from benchmarks.forecast_parts.scores import LEVELS
from jscale.prediction.log_score import log_score

LAW, SIMPLER = "broken:1:D", "power_const:D"
_RESAMPLES, _ERRORS = 200, 5


def broken_rows(asked: Sequence[Asked]) -> pd.DataFrame:
    """Return rows by the broken law of every curve; its errors are those of its residuals.

    Where it has no run to spare, its curve stands, with intervals of a power law and a constant.
    """
    table = pd.concat([each.small.assign(curve=str(i)) for i, each in enumerate(asked)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = {law: _fitted(law, table) for law in (LAW, SIMPLER)}
        parts = [_rows(each, str(i), fits) for i, each in enumerate(asked)]
    return pd.concat(parts, ignore_index=True)


def _fitted(law: str, table: pd.DataFrame) -> js.FitTable:
    print(f"fitting {law} to {table['curve'].nunique()} curves", file=sys.stderr)
    return js.fit_many(law, table, by="curve", resamples=_RESAMPLES, method="bayesian")


def _rows(asked: Asked, label: str, fits: dict[str, js.FitTable]) -> pd.DataFrame:
    x = asked.large["D"].to_numpy()
    broken = fits[LAW]
    failed = label in broken.failures
    median, samples = _samples(fits[SIMPLER] if failed else broken, label, x)
    if failed:
        exact = js.fit(LAW, asked.small)
        median = np.log(js.predict(exact, D=x, method=None).frame["curve"].to_numpy())
    measured = np.log(asked.large["loss"].to_numpy())
    rows = pd.DataFrame({"measured": measured, "median": median})
    rows["log_score"] = log_score(np.exp(samples), np.exp(measured))
    for level in LEVELS:
        ends = np.nanquantile(samples, (0.5 - level / 200, 0.5 + level / 200), axis=0)
        rows[f"low{level}"], rows[f"high{level}"] = ends
    rows["distance"] = x / asked.small["D"].max()
    return asked.labelled(rows)


def _samples(fits: js.FitTable, label: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ln y of the curve (m,), and samples of ln y of new runs at x (R, m)."""
    place = fits.labels.index(label)
    assert fits.draws is not None
    rng = np.random.default_rng(place)
    names = list(fits.params)
    with np.errstate(all="ignore"):
        curve = fits.law(x, **dict(zip(names, fits.params.iloc[place], strict=True)))
        drawn = np.stack(
            [fits.law(x, **dict(zip(names, row, strict=True))) for row in fits.draws[place]]
        )
        logs = np.tile(np.log(drawn), (_ERRORS, 1))
    residuals = fits.noise[place]
    return np.log(curve), logs + rng.choice(residuals, logs.shape)
