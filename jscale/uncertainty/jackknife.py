"""jackknife: draws from the infinitesimal jackknife, exact derivatives instead of refits.

To first order a run's weight moves the optimum by U = −H⁻¹·Σ w·psi·dr/dtheta, summed over the
run's rows, with H the objective's own Hessian, unsmoothed and with the law's own curvature. The
variance is the sum of U·Uᵀ over runs. It agrees with a bootstrap where the objective
is smooth at the scale on which resampling moves the optimum, at the cost of one factorisation.
"""

from __future__ import annotations

import warnings

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_count, check_seed
from jscale.errors import FitWarning, NotDifferentiable, outside
from jscale.fitting.diagnostics import near_absolute, runs_inside
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.fitting.second_order import SecondOrder, second_order
from jscale.fitting.statistics import sums_by
from jscale.uncertainty.draws import Call, Draws, no_spare_runs
from jscale.uncertainty.laplace import drawn


def jackknife(fit: Fit, draws: int = 4000, *, seed: int = 0) -> Draws:
    """Draw parameters from a t around the fit, with the covariance of the infinitesimal jackknife.

    In the solver's coordinates the covariance is n/(n − p)·Σ U·Uᵀ over the n independent runs, with
    U = −H⁻¹·Σ w·psi·dr/dtheta over a run's rows and H the exact Hessian of the objective, and the
    tails are those of a Student-t with n − p degrees of freedom.

    Parameters
    ----------
    fit : Fit
        The fit.
    draws : int
        The number of draws.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    Draws
        Symmetric in coordinates.

    Raises
    ------
    JscaleError
        For fewer than two draws.
    FitError
        Without a run to spare.
    NotDifferentiable
        Where the optimum has no derivative (least absolute deviations, or a singular Hessian).

    Warns
    -----
    FitWarning
        Where few residuals lie inside the kink of an objective (note ``near-l1``).

    Notes
    -----
    There the Hessian is computed from those few and the result is known to be wrong: with 39 of the
    Chinchilla replication's 240 inside, errors of log A and log B (at the mean N and D), log E,
    alpha
    and beta were 1.73, .89, 1.08, 1.60 and .77 of the bootstrap's; with pseudo_huber(1e-2) .99,
    .98,
    1.00, .99 and .96. Draws are symmetric in coordinates and the curve is not: its intervals cover
    less than their level even without a kink (benchmarks/results/coverage.txt).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=js.pseudo_huber(1e-2))
    >>> js.jackknife(fit, draws=100).method
    'jackknife'
    """
    check_count("draws", draws, "jackknife(fit, draws=4000)")
    check_seed(seed)
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)
    local = _local(fit)
    notes = _near_l1(local)
    for note in notes:
        warnings.warn(str(note), FitWarning, stacklevel=outside())
    settings = {"draws": int(draws), "seed": seed}
    call = Call.of(jackknife, settings)
    return drawn(fit, jackknife_covariance(local), "jackknife", settings, call=call, notes=notes)


def jackknife_covariance(local: SecondOrder) -> np.ndarray:
    """Return n/(n − p)·Σ U·Uᵀ over the independent runs with weight, (p, p)."""
    used = local.problem.used
    # The effect of a row's whole weight; its sign cancels in the square.
    moves = (local.by_weights() * local.weights[:, None])[used]
    # Rows of a run err together: their moves are added before they are squared.
    by_run = sums_by(moves, local.problem.units[used])
    n, p = by_run.shape
    return n / (n - p) * by_run.T @ by_run


def _local(fit: Fit) -> SecondOrder:
    try:
        with float64_scope():
            return second_order(fit.problem, fit.theta, smoothed=False)
    except NotDifferentiable as error:
        # The advice of that error is for derivatives in general: only its reason is kept.
        what = str(error).partition(" Fit with objective=")[0].partition(" Fix or tie ")[0]
        raise NotDifferentiable(
            f"A jackknife needs derivatives. {what} Use js.bootstrap(fit), or "
            "js.laplace(fit), whose Hessian is smoothed."
        ) from error


def _near_l1(local: SecondOrder) -> tuple[Note, ...]:
    """A note where few runs have residuals inside the kink, which alone determine the Hessian."""
    problem, p = local.problem, len(local.theta)
    inside, count = runs_inside(problem, local.residual)
    if not near_absolute(problem, inside, count):
        return ()
    return (
        Note(
            "near-l1",
            "warning",
            f"The residuals of {inside} of {count} runs lie inside "
            f"delta={problem.objective.width:g}; they alone determine the Hessian of {p} "
            "parameters.",
            "Jackknife errors are then wrong, by half or more in either direction.",
            "Use js.bootstrap(fit); or js.laplace(fit), whose Hessian is smoothed; or fit with "
            "objective=js.pseudo_huber(1e-2).",
        ),
    )
