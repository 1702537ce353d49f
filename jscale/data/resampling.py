"""Resampling: which rows are drawn together, within which strata, and how often.

A *unit* is what a bootstrap draws: a row, all rows of a run, or all rows with one label in a
column. A *stratum* is a part of the table within which units are drawn, as many as it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, listing, nearest


class Units(NamedTuple):
    """The unit and the stratum of each row (n,), numbered from 0."""

    unit: np.ndarray
    stratum: np.ndarray

    @property
    def alone(self) -> np.ndarray:
        """Strata with a single unit, which is drawn in every resample."""
        pairs = np.unique(np.stack([self.stratum, self.unit]), axis=1)
        return np.flatnonzero(np.bincount(pairs[0]) == 1)


def run_numbers(runs: Runs) -> np.ndarray:
    """Return the number of each row's independent run (n,): by its ``run``, else one per row."""
    return np.arange(len(runs)) if runs.run is None else pd.factorize(runs.frame[runs.run])[0]


def units_of(runs: Runs, per: Mapping[str, str], cluster: str | None = None) -> Units:
    """Number the units of resampling, and the strata within which they are drawn.

    Units are the labels of the column ``cluster``, else runs, else rows. Strata are the groups and
    the values of every column that has parameters of its own (``per``), except ``cluster`` itself.
    Raises DataError for a missing column, rows without a label, or labels that lie in several
    strata.
    """
    if cluster is not None:
        check_cluster(runs, cluster)
    unit = run_numbers(runs) if cluster is None else pd.factorize(runs.frame[cluster])[0]
    columns = [c for c in (runs.group, *per.values()) if c is not None and c != cluster]
    columns = list(dict.fromkeys(columns))
    stratum = np.zeros(len(runs), dtype=int)
    if columns:
        stratum = runs.frame.groupby(columns, sort=False).ngroup().to_numpy()
    if cluster is not None:
        _check_within(pd.Series(runs.frame[cluster]), unit, stratum, columns)
    return Units(unit, stratum)


def resample_counts(
    runs: Runs,
    per: Mapping[str, str],
    resamples: int,
    seed: int | np.random.Generator,
    cluster: str | None = None,
) -> np.ndarray:
    """Return how often each row is drawn in each resample (resamples, n).

    Units (see :func:`units_of`) are drawn with replacement within their stratum, as many as it has.
    """
    return count_units(units_of(runs, per, cluster), resamples, np.random.default_rng(seed))


def count_units(
    units: Units, resamples: int, rng: np.random.Generator, *, smooth: bool = False
) -> np.ndarray:
    """Return how often each row is drawn in each resample (resamples, n).

    With ``smooth``, weights come from a flat Dirichlet distribution instead, with the same sum:
    every row has some weight, and no two resamples are alike (Rubin, Annals of Statistics 9,
    1981).
    """
    counts = np.zeros((resamples, len(units.unit)))
    for stratum in np.unique(units.stratum):
        rows = np.flatnonzero(units.stratum == stratum)
        members, member_of_row = np.unique(units.unit[rows], return_inverse=True)
        k = len(members)
        if smooth:
            drawn = k * rng.dirichlet(np.ones(k), size=resamples)
        else:
            # How often each of k units comes up in k draws with replacement.
            drawn = rng.multinomial(k, np.full(k, 1.0 / k), size=resamples)
        counts[:, rows] = drawn[:, member_of_row]
    return counts


def check_cluster(runs: Runs, cluster: str) -> None:
    """Raise DataError unless the table has the column ``cluster``, with a label in every row."""
    columns = list(runs.frame.columns)
    if cluster not in columns:
        hint = nearest(str(cluster), columns)
        raise DataError(
            f"The table has no column {cluster!r} to draw clusters by.{hint} Its columns are: "
            f"{listing(columns, 20)}. Leave cluster=None to draw whole runs, or rows."
        )
    missing = runs.frame[cluster].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"cluster={cluster!r}: column {cluster!r} has no label in "
            f"{rows_at(runs.frame, missing, runs.frame[cluster])}; leave those rows out before the "
            f"fit, runs.where(runs.frame[{cluster!r}].notna()), or give each of them a label."
        )


def _check_within(
    labels: pd.Series, unit: np.ndarray, stratum: np.ndarray, columns: list[str]
) -> None:
    """Raise DataError if rows with the same label lie in several strata."""
    # Each distinct pair once: a unit in two pairs lies in two strata.
    pairs = np.unique(np.stack([unit, stratum]), axis=1)
    spread = np.flatnonzero(np.bincount(pairs[0]) > 1)
    if spread.size:
        names = listing([labels.iloc[np.argmax(unit == u)] for u in spread])
        strata, cluster = " and ".join(map(repr, columns)), labels.name
        raise DataError(
            f"cluster={cluster!r}: rows labelled {names} lie in several strata by {strata}, but "
            "each stratum is resampled separately. If equal labels mean different things there, "
            f"make them distinct, df[{columns[0]!r}] + '-' + df[{cluster!r}].astype(str); if not, "
            f"make the Runs without group={columns[0]!r}, or share the parameters."
        )
