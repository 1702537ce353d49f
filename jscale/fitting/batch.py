"""fit_many: one law fitted to many families of runs in one batch."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, JscaleError, listing, nearest, outside
from jscale.fitting import draw_methods as methods
from jscale.fitting.build import as_runs
from jscale.fitting.fit import chosen_devices
from jscale.fitting.objective import Objective, as_objective
from jscale.fitting.row_sets import RowSets, Sampling, fit_sets
from jscale.fitting.settings import Settings
from jscale.fitting.table import FitTable
from jscale.model.law import Law

_UNSETTLED_SHARE = 0.01


def fit_many(
    law: Law | str,
    data: Runs | pd.DataFrame,
    *,
    by: str,
    objective: Objective | str = "huber",
    weights: Any = None,
    fixed: Mapping[str, float] | None = None,
    tie: Sequence[Any] = (),
    starts: Any = "auto",
    start: Mapping[str, tuple[float, float]] | None = None,
    resamples: int = 0,
    method: str = "bootstrap",
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> FitTable:
    """Fit a law to each family of runs on its own, all in one batch.

    Parameters
    ----------
    law : Law or str
        The law, or its name.
    data : Runs or DataFrame
        The runs of all families.
    by : str
        The column whose labels are the families.
    objective, weights, fixed, tie, starts, start : optional
        As for :func:`jscale.fit`.
    resamples : int
        The number of draws of each family; 0 for none.
    method : str
        How families are drawn: "bootstrap" refits resampled runs, "bayesian" refits randomly
        weighted
        ones (see :func:`jscale.bootstrap`), and "laplace" is the t-tailed normal approximation.
    seed : int
        The seed of starts and draws.
    devices : "all" or sequence of jax.Device, optional
        The devices that lanes are shared among; None is the default device. Memory is bounded: at
        most 32768 lanes are solved at a time.
    progress : bool
        Whether to show progress.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    FitTable
        One row per family. A family that cannot be fitted (fewer runs than parameters, no finite
        start) keeps its row with status "failed".

    Raises
    ------
    DataError
        For runs that cannot be fitted at all.
    LawError
        For a law, or choices, that are not usable.

    Warns
    -----
    FitWarning
        Once, with how many families failed or did not converge.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> js.fit_many("chinchilla", small, by="part", starts=16).labels
    ('grid', 'isoflop')
    """
    law = laws.get(law)
    law = law.with_starts(start) if start else law
    runs = as_runs(law, data, columns)
    settings = Settings(
        objective=as_objective(objective, law.space),
        fixed={} if fixed is None else fixed,
        tie=tie,
        weights=weights,
        starts=starts,
        seed=seed,
    )
    _check_own_choices(settings.objective, resamples, method)
    codes, labels = families_of(runs, by)
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(codes, minlength=len(labels)))[:-1])
    table = fit_sets(
        law,
        runs,
        RowSets(rows, labels, by),
        settings,
        sampling=Sampling(int(resamples), method),
        devices=chosen_devices(devices),
        progress=progress,
    )
    _warn(table)
    return table


def _check_own_choices(objective: Objective, resamples: Any, method: Any) -> None:
    methods.get_batched(method)
    if objective.auto:
        raise JscaleError(
            f"fit_many takes a number for delta, not {objective}: families would each have "
            f"their own. Fit one by one, or give the number: {objective.at(0.01).code}."
        )
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 0:
        raise JscaleError(
            f"resamples={resamples!r} must be a whole number, 0 for none; intervals want 1000."
        )


def families_of(runs: Runs, by: str) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Return each row's family as a number (n,), and the families' labels."""
    if by not in runs.frame.columns:
        columns = list(runs.frame.columns)
        raise DataError(
            f"The table has no column {by!r} to tell families apart.{nearest(str(by), columns)} "
            f'Its columns are: {listing(columns, 20)}. Say which: by="<column>".'
        )
    missing = runs.frame[by].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"column {by!r} has no label in {rows_at(runs.frame, missing, missing)}; "
            f"leave those rows out: runs.where(runs.frame[{by!r}].notna())."
        )
    codes, labels = pd.factorize(runs.frame[by], sort=True)
    return codes, tuple(labels)


def _warn(table: FitTable) -> None:
    status = table.summary["status"]
    failed = int(np.sum(status == "failed"))
    unsettled = int(np.sum(~status.isin(["failed", "converged"])))
    if failed + unsettled:
        warnings.warn(
            f"{failed} of {len(table)} families could not be fitted and {unsettled} did not "
            "converge: see table.failures, and table.summary['status'].",
            FitWarning,
            stacklevel=outside(),
        )
    if table.draws is not None:
        many = table.summary["unsettled"] > _UNSETTLED_SHARE * table.draws.shape[1]
        if many.any():
            warnings.warn(
                f"In {int(many.sum())} of {len(table)} families over 1% of the resamples failed "
                "or did not converge, and their intervals may be off: see "
                "table.summary['unsettled'].",
                FitWarning,
                stacklevel=outside(),
            )
