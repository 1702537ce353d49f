"""bootstrap: draws by refitting resampled runs, all resamples as lanes of one batch.

A resample of pairs is a row of weights (counts), so the data are never copied; a resample of
errors is a row of targets around the fitted curve. Refits start at the fit's optimum, and a
share of them elsewhere too: see :mod:`jscale.uncertainty.refits`.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_choice, check_count, check_seed
from jscale.data.resampling import Units, units_of
from jscale.errors import DataError, FitError, FitWarning, JscaleError, listing, outside
from jscale.fitting.diagnostics import flat_names, natural_parameters, near_absolute, runs_inside
from jscale.fitting.notes import Note
from jscale.fitting.progress import lane_bar
from jscale.fitting.result import Fit
from jscale.fitting.solver.gauss_newton import Status
from jscale.uncertainty.draws import Call, Draws, no_spare_runs
from jscale.uncertainty.refits import WEIGHTED, RandomResamples, Refits, refit, warn_of_failures

_KINDS = ("pairs", "bayesian", "residual", "wild")
_FEW_CLUSTERS = 8
# A switch of basin in more of the guarded resamples than this is worth a note.
_NOTABLE = 0.01


def bootstrap(
    fit: Fit,
    resamples: int = 4000,
    *,
    kind: str = "pairs",
    cluster: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Draws:
    """Refit resamples of the runs; the parameters of the refits are draws.

    Parameters
    ----------
    fit : Fit
        The fit.
    resamples : int
        The number of resamples.
    kind : {"pairs", "bayesian", "residual", "wild"}
        "pairs" draws whole runs with replacement, inputs and outputs: right whatever the errors are
        like. "bayesian" gives each run a random weight instead (exponential, adding up to the
        number
        of runs; Rubin 1981): no run is lost, and under near-absolute objectives, whose resamples by
        pairs jump from kink to kink, its intervals cover best (benchmarks/results/coverage.txt).
        "residual" keeps the inputs and adds studentised residuals, centred and drawn with
        replacement,
        to the fitted curve: sharper for few runs, if all runs have errors of one distribution and
        the
        law is right. "wild" changes the sign of each run's own residual at random (signs with sizes
        of
        Webb's six points below 12 clusters): for designs to be kept and errors that differ from run
        to
        run; too narrow under near-absolute objectives (note ``near-l1``).
    cluster : str, optional
        A column whose labels are the resampling unit: ``cluster="family"`` lets families differ.
    seed : int
        The same seed gives the same draws.
    progress : bool
        Whether to show progress.

    Returns
    -------
    Draws
        Refits that are not finite are left out and counted.

    Raises
    ------
    JscaleError
        For an unknown kind, a kind that the fit's solver or objective cannot take, or fewer than
        two
        resamples.
    DataError
        For a cluster that is not a column, rows without its label, or resamples that would lose a
        group with parameters of its own.
    FitError
        If every refit failed.

    Warns
    -----
    FitWarning
        For fewer than 8 clusters, and where over 1% of the refits failed or did not converge.

    Notes
    -----
    The resampling unit is a row, a run (where ``Runs`` knows ``run=``) or a cluster label. Drawing
    is
    within each group where ``Runs`` knows ``group=`` and within each column that parameters are
    given
    per, unless that column is the cluster.

    A scale that the fit estimated (delta="auto") is kept. Refits are made in chunks that fit in
    memory. The first 5% of each (at least 50 in all) also start at other optima of the fit and at
    automatic starts; where one ends lower, in another basin, it counts in ``switched``, and where
    more
    than 3% do, all later refits start there too. A fit by solver="lbfgs" takes "pairs" and
    "bayesian"
    alone, and its refits start at the fit alone.

    References
    ----------
    Rubin, The Bayesian bootstrap, Annals of Statistics 9, 1981.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.bootstrap(fit, resamples=64).method
    'bootstrap (pairs)'
    """
    _check(fit, kind, resamples)
    check_seed(seed)
    units = _units(fit, kind, cluster)
    notes = [*_notes_on_signs(fit, kind, units), *_notes_on_clusters(fit, kind, units, cluster)]
    for note in notes:
        if note.severity == "warning":
            warnings.warn(str(note), FitWarning, stacklevel=outside())
    total = int(resamples)
    with float64_scope(), lane_bar(total, "resamples", progress) as tick:
        lbfgs = fit.settings.solver == "lbfgs"
        resampler = RandomResamples(fit.problem, kind, units, fit.theta, seed, lbfgs)
        refits = refit(resampler, total, tick)
        good = refits.good
        if not good.any():
            raise FitError(
                f"None of {len(good)} resamples could be refitted: the objective is not finite at "
                "the fit itself. Read fit.notes, or use js.laplace(fit)."
            )
        sampled = natural_parameters(fit.problem, refits.theta)[good]
    failed = int(np.sum(~good))
    unsettled = int(np.sum(good & (refits.status != Status.CONVERGED)))
    do = "Fix or tie the parameters that fit.notes names."
    warn_of_failures(len(good), failed, unsettled, do)
    settings = {"resamples": total, "seed": seed, "kind": kind, "cluster": cluster}
    return Draws(
        fit=fit,
        values=sampled[None],
        names=flat_names(fit.problem.layout),
        method=f"bootstrap ({kind})",
        settings=settings,
        failed=failed,
        unsettled=unsettled,
        switched=int(refits.switched.sum()),
        notes=(*notes, *_notes_on_basins(refits)),
        resampled=True,
        call=Call.of(bootstrap, settings),
    )


def _check(fit: Fit, kind: str, resamples: Any) -> None:
    """Refuse kinds that the fit does not support, before anything is computed."""
    check_choice("kind", kind, _KINDS)
    check_count("resamples", resamples, "bootstrap(fit, resamples=1000)")
    if kind not in WEIGHTED and fit.settings.solver == "lbfgs":
        raise JscaleError(
            f'kind={kind!r} gives each resample its own targets, which solver="lbfgs" cannot '
            'take; use kind="pairs", or fit with solver="gauss_newton".'
        )
    if kind == "wild" and not fit.problem.objective.symmetric:
        raise JscaleError(
            'kind="wild" turns the signs of residuals, but this objective, asymmetric, treats '
            'the two sides differently, so the curve would move; use kind="residual" or "pairs".'
        )
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)


def _units(fit: Fit, kind: str, cluster: str | None) -> Units:
    """The resampling units of the rows with weight; refuses unsuitable clusters."""
    per = fit.settings.per
    varying = sorted(name for name, column in per.items() if column == cluster)
    if varying and kind in WEIGHTED:
        fault = (
            "draws whole labels, so most resamples lose one, and with it all information about"
            if kind == "pairs"
            else "weights whole labels, so the errors within one never show in"
        )
        raise DataError(
            f"cluster={cluster!r} {fault} its own {listing(varying)} (per=). Leave cluster=None "
            f"to draw runs within each {cluster}, or keep all of them: "
            f'bootstrap(fit, kind="wild", cluster={cluster!r}).'
        )
    runs = fit.runs.where(fit.problem.used)
    if kind == "wild":  # signs are drawn for each unit on its own, whatever its stratum
        runs, per = replace(runs, group=None), {}
    units = units_of(runs, per, cluster)
    parts = len(np.unique(units.stratum))
    if len(units.alone) == parts:
        what = f"cluster={cluster!r} makes" if cluster else "Drawing runs within groups leaves"
        raise DataError(
            f"{what} a single cluster of {'the whole table' if parts == 1 else 'each part'}, so "
            "every resample would be the same. Draw by a column with 8 or more labels in it, "
            "or cluster=None, or make the Runs without group=."
        )
    return units


def _notes_on_signs(fit: Fit, kind: str, units: Units) -> list[Note]:
    """A note where sizes of residuals are kept under an objective that depends mostly on signs."""
    inside, runs = runs_inside(fit.problem, fit.residuals)
    if kind != "wild" or not near_absolute(fit.problem, inside, runs):
        return []
    return [
        Note(
            "near-l1",
            "warning",
            f"The residuals of {inside} of {runs} runs lie inside "
            f"delta={fit.problem.objective.width:g}.",
            "Wild resamples keep them there, and refits move too little: measured "
            "coverage of 80% intervals of a curve was 63%.",
            # Other kinds cope worse with few clusters, so there the objective has to change.
            "Fit with objective=js.pseudo_huber(1e-2)."
            if _few(units)
            else 'Use kind="bayesian", or fit with objective=js.pseudo_huber(1e-2).',
        )
    ]


def _few(units: Units) -> bool:
    """Whether clusters of several rows are too few to tell how much they differ."""
    count = len(np.unique(units.unit))
    return count < _FEW_CLUSTERS and count < len(units.unit)


def _for_few(fit: Fit, kind: str) -> str:
    """The remedy for few clusters: "wild" is best, where the objective supports it."""
    refused = fit.settings.solver == "lbfgs" or not fit.problem.objective.symmetric
    if kind == "wild" or refused:
        return "Add clusters."
    if near_absolute(fit.problem, *runs_inside(fit.problem, fit.residuals)):
        return (
            'Add clusters, or fit with objective=js.pseudo_huber(1e-2) and take kind="wild", '
            "which copes best with few."
        )
    return 'Add clusters, or take kind="wild", which copes best with few.'


def _notes_on_clusters(fit: Fit, kind: str, units: Units, cluster: str | None) -> list[Note]:
    count, notes = len(np.unique(units.unit)), []
    what = repr(cluster or fit.runs.run)
    if _few(units):
        notes.append(
            Note(
                "few-clusters",
                "warning",
                f"There are {count} clusters, the labels of {what}.",
                "Fewer than about 8 say little about how much clusters differ: intervals are too "
                "narrow.",
                _for_few(fit, kind),
            )
        )
    parts = len(np.unique(units.stratum))
    if len(units.alone) and parts > 1:
        notes.append(
            Note(
                "lone-cluster",
                "caution",
                f"{len(units.alone)} of {parts} parts that are resampled within themselves hold a "
                "single cluster.",
                "It is drawn in every resample, so its own error is not in the intervals.",
                "Add runs there, or make the Runs without group= where parts are alike.",
            )
        )
    return notes


def _notes_on_basins(refits: Refits) -> list[Note]:
    if refits.guarded == 0:
        return [
            Note(
                "basins-unchecked",
                "info",
                'All refits started at the fit alone (solver="lbfgs").',
                "Resamples whose best optimum lies elsewhere are not found.",
                'Fit with solver="gauss_newton", whose refits also start elsewhere.',
            )
        ]
    if refits.seen <= _NOTABLE * refits.guarded:
        return []
    where = "all later refits also started there" if refits.everywhere else "the others did not"
    return [
        Note(
            "basins-switch",
            "caution",
            f"Of {refits.guarded} refits that also started elsewhere, {refits.seen} ended lower, "
            f"in another basin; {where}.",
            "The objective has several similarly good optima, and draws lie in more than one.",
            "Look at draws.to_frame() for separate clouds; take a law with fewer parameters, or "
            "fix one.",
        )
    ]
