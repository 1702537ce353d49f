"""bootstrap: draws by refitting resampled runs, all resamples as lanes of one batch.

A resample is a row of weights (counts), so the data are never copied. Refits start at the
fit's optimum.
"""

from __future__ import annotations

import warnings

import numpy as np

from jscale._precision import float64_scope
from jscale.data.resampling import resample_counts
from jscale.errors import FitError, FitWarning, JscaleError, listing
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.gauss_newton import WARM, Status, descend
from jscale.fitting.lbfgs import descend_lbfgs
from jscale.fitting.progress import lane_bar
from jscale.fitting.result import Fit
from jscale.uncertainty.draws import Draws, no_spare_runs

_KINDS = ("pairs",)


def bootstrap(
    fit: Fit, resamples: int = 4000, *, kind: str = "pairs", seed: int = 0, progress: bool = False
) -> Draws:
    """Refit ``resamples`` resamples of the runs; return the parameters as draws.

    ``kind="pairs"`` draws whole runs with replacement: rows, or all rows of a run together
    where ``Runs`` knows ``run=``; within each group where it knows ``group=``. The same seed
    gives the same draws. A scale that the fit found (delta="auto") is kept. Resamples whose
    refit is not finite are left out and counted.

    Raises JscaleError for an unknown kind or fewer than two resamples, FitError if every
    refit failed; warns with FitWarning when over 1 % failed or did not converge.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.bootstrap(fit, resamples=64).method
    'bootstrap (pairs)'
    """
    if kind not in _KINDS:
        raise JscaleError(f"kind={kind!r} is not known; use {listing(_KINDS)}.")
    if int(resamples) < 2:
        raise JscaleError(
            f"resamples={resamples} must be at least 2; intervals want 1000 or more: "
            "bootstrap(fit, resamples=1000)."
        )
    problem = fit.problem
    if problem.freedom < 1:
        raise no_spare_runs(fit)
    counts = np.zeros((int(resamples), problem.n))
    weighted = fit.runs.where(problem.used)
    counts[:, problem.used] = resample_counts(weighted, fit.settings.per, int(resamples), seed)
    weights = counts * problem.weights[: problem.n]
    starts = np.repeat(fit.theta[None], int(resamples), axis=0)
    with float64_scope(), lane_bar(int(resamples), "resamples", progress) as tick:
        if fit.settings.solver == "lbfgs":
            lanes = descend_lbfgs(problem, starts, weights=weights, progress=tick)
        else:
            lanes = descend(problem, starts, weights=weights, settings=WARM, progress=tick)
        good = np.isfinite(lanes.objective) & np.isfinite(lanes.theta).all(axis=1)
        if not good.any():
            raise FitError(
                f"None of {len(good)} resamples could be refitted: the objective is not finite at "
                "the fit itself. Read fit.notes, or use js.laplace(fit)."
            )
        sampled = natural_parameters(problem, lanes.theta)[good]
    unsettled = int(np.sum(good & (lanes.status != Status.CONVERGED)))
    failed = int(np.sum(~good))
    if failed + unsettled > 0.01 * len(good):
        warnings.warn(
            f"{failed} of {len(good)} resamples failed and {unsettled} did not converge: the "
            "intervals may be off. Fix or tie the parameters that fit.notes names.",
            FitWarning,
            stacklevel=2,
        )
    settings = {"resamples": int(resamples), "seed": seed, "kind": kind}
    names = flat_names(problem.layout)
    return Draws(fit, sampled[None], names, f"bootstrap ({kind})", settings, failed, unsettled)
