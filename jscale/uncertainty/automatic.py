"""draws: a fit's draws by the method that was asked for, or by the one that suits the fit.

Of the cheap methods, refits of randomly weighted runs cover best (benchmarks/results/coverage.txt).
In worlds that the fitted law made, intervals of the curve and of new runs at 50, 80 and 95 % were
off by at most 5 percentage points at the largest compute and by 9 (too many held) at ten times it,
20 runs or more; those of parameters held up to 9 points more often than they say. The normal
approximation is only for tables too long to refit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from jscale.arguments import check_choice
from jscale.data.resampling import units_of
from jscale.fitting.result import Fit
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws
from jscale.uncertainty.jackknife import jackknife
from jscale.uncertainty.laplace import laplace

RESAMPLES = 1000
# Rows × resamples, beyond which refitting takes minutes.
_MOST_CELLS = 2e8

# Notes on fits whose parameters are too far from determined for a normal approximation.
_BENT = {"unidentified", "at-edge", "dead-term", "not-converged"}

METHODS = ("auto", "bayesian", "bootstrap", "laplace", "jackknife")


def draws(
    fit: Fit, method: str = "auto", *, resamples: int = RESAMPLES, seed: int = 0,
    progress: bool = False,
) -> Draws:  # fmt: skip
    """Draw a fit's parameters by a method, or by the one that suits the fit.

    ``method="auto"`` refits randomly weighted runs (``bootstrap(kind="bayesian")``), or takes
    the normal approximation (``laplace``) where rows × resamples exceed 2e8 and no note says that
    the data leave parameters open; the draws'
    ``settings["chosen"]`` says which and why. "bayesian" and "bootstrap" (pairs) refit,
    "laplace" and "jackknife" approximate; ``resamples`` is the number of draws.

    Raises JscaleError for an unknown method, and whatever the method itself raises.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> draws(fit, resamples=100).settings["chosen"].partition(":")[0]
    'bootstrap (bayesian)'
    """
    cluster = _together(fit) if method == "auto" else None
    known: dict[str, Callable[[], Draws]] = {
        "bayesian": lambda: bootstrap(
            fit, resamples, kind="bayesian", cluster=cluster, seed=seed, progress=progress
        ),
        "bootstrap": lambda: bootstrap(fit, resamples, seed=seed, progress=progress),
        "laplace": lambda: laplace(fit, resamples, seed=seed),
        "jackknife": lambda: jackknife(fit, resamples, seed=seed),
    }
    if method != "auto":
        return known[check_choice("method", method, METHODS)]()
    short, why = _choice(fit, resamples)
    found = known[short]()
    if cluster is not None and short == "bayesian":
        why += f"; each {cluster} holds one run, so runs are drawn across them"
    settings: dict[str, Any] = {**found.settings, "chosen": f"{found.method}: {why}"}
    return replace(found, settings=settings)


def _together(fit: Fit) -> str | None:
    """Return the column of groups where each holds one run, so that none can vary within it."""
    runs = fit.runs.where(fit.problem.used)
    if runs.group is None or fit.settings.per:
        return None
    units = units_of(runs, {})
    return runs.group if len(units.alone) == len(np.unique(units.stratum)) > 1 else None


def _choice(fit: Fit, resamples: int) -> tuple[str, str]:
    """Return the method that suits a fit, and why."""
    bent = {note.code for note in fit.notes} & _BENT
    if len(fit.runs) * float(resamples) > _MOST_CELLS and not bent:
        return "laplace", f"{len(fit.runs)} rows are too many to refit {resamples} times"
    return "bayesian", "of the cheap methods its measured coverage is nearest to what it states"
