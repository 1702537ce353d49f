"""Resampling: how often each row of a table is drawn in each resample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jscale.data.runs import Runs


def resample_counts(runs: Runs, per: Mapping[str, str], resamples: int, seed: int) -> np.ndarray:
    """Return how often each row is drawn in each resample: (resamples, n).

    Units (runs, or rows) are drawn with replacement within each stratum (group, and every
    column that parameters are given per), as many as it has.
    """
    units = np.arange(len(runs)) if runs.run is None else pd.factorize(runs.frame[runs.run])[0]
    columns = [c for c in (runs.group, *per.values()) if c is not None]
    strata = np.zeros(len(runs), dtype=int)
    if columns:
        strata = runs.frame.groupby(list(dict.fromkeys(columns)), sort=False).ngroup().to_numpy()
    rng = np.random.default_rng(seed)
    counts = np.zeros((resamples, len(runs)))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        members, place = np.unique(units[rows], return_inverse=True)
        share = np.full(len(members), 1.0 / len(members))
        counts[:, rows] = rng.multinomial(len(members), share, size=resamples)[:, place]
    return counts
