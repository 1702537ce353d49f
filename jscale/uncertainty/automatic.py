"""draws: a fit's draws by a method that is named, or by the one that suits the fit.

Of the cheap methods, refits of randomly weighted runs cover best (benchmarks/results/coverage.txt).
In worlds made by the fitted law, intervals of the curve and of new runs at 50, 80 and 95% were off
by at most 5 percentage points at the largest compute and by 9 (too wide) at ten times it, from 20
runs on; those of parameters covered up to 9 points more often than nominal. The normal
approximation is only for tables too long to refit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jscale.data.resampling import units_of
from jscale.fitting import draw_methods as methods
from jscale.fitting.result import Fit
from jscale.uncertainty import methods as _registered  # noqa: F401  (registers jscale's own)
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Call, Draws
from jscale.uncertainty.laplace import laplace

RESAMPLES = 1000
# Rows × resamples, beyond which refitting takes minutes.
_MOST_CELLS = 2e8

# Notes on fits whose parameters are too poorly determined for a normal approximation.
_BENT = {"unidentified", "at-edge", "dead-term", "not-converged"}


def draws(
    fit: Fit,
    method: str = "auto",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool = False,
) -> Draws:
    """Draw a fit's parameters by a method, or by the one that suits the fit.

    Parameters
    ----------
    fit : Fit
        The fit.
    method : str, default "auto"
        "bayesian" and "bootstrap" (pairs) refit, "laplace" and "jackknife" approximate; others can
        be registered by :func:`jscale.register_method`. "auto" refits randomly weighted runs
        (``bootstrap(kind="bayesian")``), or takes the normal approximation (``laplace``) where
        rows × resamples exceed 2e8 and no note says that the data leave parameters open.
    resamples : int, default 1000
        The number of draws.
    seed : int, default 0
        The seed of the draws.
    progress : bool, default False
        Whether to show a bar.

    Returns
    -------
    Draws
        The draws. Of "auto", ``settings["chosen"]`` says which method it was and why.

    Raises
    ------
    JscaleError
        For an unknown method, and whatever the method itself raises.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> draws(fit, resamples=100).settings["chosen"].partition(":")[0]
    'bootstrap (bayesian)'
    """
    if method == methods.AUTO:
        return _suited(fit, resamples, seed, progress)
    chosen = methods.get(method, others=(methods.AUTO,))
    drawn = chosen.draw(fit, resamples, seed, progress)
    # A user's method may leave it to the registry to describe its draws.
    call = drawn.call or Call(
        "js.draws",
        {"method": method, "resamples": resamples, "seed": seed},
        {method: f"the method {chosen.place}, registered by @js.register_method"},
    )
    return replace(drawn, call=call, resampled=drawn.resampled or chosen.resampled)


def _suited(fit: Fit, resamples: int, seed: int, progress: bool) -> Draws:
    """Return draws by the method that suits a fit; their settings hold the choice and why."""
    # Such fits are refitted at any length: their parameters are far from normal.
    bent = {note.code for note in fit.notes} & _BENT
    if len(fit.runs) * float(resamples) > _MOST_CELLS and not bent:
        drawn = laplace(fit, resamples, seed=seed)
        why = f"{len(fit.runs)} rows are too many to refit {resamples} times"
    else:
        cluster = _cluster_of(fit)
        drawn = bootstrap(
            fit, resamples, kind="bayesian", cluster=cluster, seed=seed, progress=progress
        )
        why = "of the cheap methods its measured coverage is closest to the nominal level"
        if cluster is not None:
            why += f"; each {cluster} holds one run, so runs are drawn across them"
    # Kept with the draws, so that a report can say why.
    settings: dict[str, Any] = {**drawn.settings, "chosen": f"{drawn.method}: {why}"}
    return replace(drawn, settings=settings)


def _cluster_of(fit: Fit) -> str | None:
    """Return the column of groups where each holds one run, so that none can vary within it."""
    runs = fit.runs.where(fit.problem.used)
    if runs.group is None or fit.settings.per:
        return None
    units = units_of(runs, {})
    return runs.group if len(units.alone) == len(np.unique(units.stratum)) > 1 else None
