"""laplace: draws from the fit's normal approximation, the cheapest method.

The covariance is the sandwich one, its Hessian smoothed where the objective is kinked
(see :func:`jscale.fitting.diagnostics.covariance`), and tails are Student-t with
n − p degrees of freedom, since the spread itself is estimated from n runs. Where errors
are wide, logarithms skew the draws; the bootstrap, which refits, is then the better choice.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_choice, check_count, check_seed
from jscale.errors import FitWarning, listing, outside
from jscale.fitting.diagnostics import (
    Optimum,
    flat_names,
    linearise,
    natural_parameters,
    smoothed_curvature,
)
from jscale.fitting.notes import Note
from jscale.fitting.problem import Problem
from jscale.fitting.result import Fit
from jscale.fitting.statistics import floored
from jscale.fitting.t_draws import t_draws
from jscale.uncertainty.draws import Call, Draws, no_spare_runs

_KINDS = ("sandwich", "hessian")


def laplace(fit: Fit, draws: int = 4000, *, kind: str = "sandwich", seed: int = 0) -> Draws:
    """Draw parameters from a multivariate t around the fit, in the solver's coordinates.

    Amplitudes and exponents are drawn as logarithms, so that they stay positive.

    Parameters
    ----------
    fit : Fit
        The fit.
    draws : int
        The number of draws.
    kind : {"sandwich", "hessian"}
        "sandwich" takes the fit's own covariance, n/(n − p)·H⁻¹ K H⁻¹ with K the squares of the
        runs'
        scores: right also where errors differ from run to run or are shared within one. "hessian"
        takes n/(n − p)·phi·H⁻¹, with phi = Σ w·psi²/Σ w·c the scale of the residuals (s² for
        squares)
        and c the smoothed curvatures in H = Σ w·c·(dr/dtheta)(dr/dtheta)ᵀ: it assumes that rows are
        independent and errors alike, and is then steadier for few runs.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    Draws
        The draws, with n − p degrees of freedom.

    Raises
    ------
    JscaleError
        For fewer than two draws, or an unknown kind.
    FitError
        Without a run to spare.

    Warns
    -----
    FitWarning
        Where draws overflow.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> len(js.laplace(fit, draws=100))
    100
    """
    check_count("draws", draws, "laplace(fit, draws=4000)")
    check_seed(seed)
    check_choice("kind", kind, _KINDS)
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)
    settings = {"draws": int(draws), "seed": seed, "kind": kind}
    call = Call.of(laplace, settings)
    if kind == "sandwich":
        return drawn(fit, fit.theta_covariance, "laplace", settings, call=call)
    with float64_scope():
        spread = hessian_covariance(fit.problem, linearise(fit.problem, fit.theta))
    notes = _notes_on_runs(fit.problem)
    return drawn(fit, spread, "laplace (hessian)", settings, call=call, notes=notes)


def drawn(
    fit: Fit,
    covariance: np.ndarray,
    method: str,
    settings: Mapping[str, Any],
    *,
    call: Call,
    notes: tuple[Note, ...] = (),
) -> Draws:
    """Draw from a t around a fit; warns about draws that overflow."""
    freedom = fit.problem.freedom
    _warn_of_what_is_unknown(fit, covariance)
    rng = np.random.default_rng(settings["seed"])
    theta = t_draws(fit.theta, covariance, freedom, settings["draws"], rng)
    with float64_scope():
        sampled = natural_parameters(fit.problem, theta)
    good = np.asarray(np.isfinite(sampled).all(axis=1))
    failed = int(np.sum(~good))
    if failed:
        warnings.warn(
            f"{failed} of {len(good)} draws overflowed and were left out: the data do not "
            "determine some parameter. See fit.notes, or use js.bootstrap(fit).",
            FitWarning,
            stacklevel=outside(),
        )
    settings = {**settings, "freedom": freedom}
    names = flat_names(fit.problem.layout)
    values = sampled[good][None]
    return Draws(fit, values, names, method, settings, failed, notes=notes, call=call)


def hessian_covariance(problem: Problem, optimum: Optimum) -> np.ndarray:
    """Return n/(n−p)·(Σ w·psi²/Σ w·c)·H⁻¹ (p, p), c and H smoothed where the objective is kinked.

    The scale is such that Var psi = phi·E c: for a likelihood at its own scale it is one.
    Coordinates that move no prediction have infinite variance.
    """
    used = problem.used
    J, r = optimum.jacobian[used], optimum.residual[used]
    w = problem.weights[: problem.n][used]
    psi = problem.objective(r).psi
    curvature = smoothed_curvature(problem.objective, r)
    # Coordinates that move nothing have no information: they are left out of H, not regularised.
    moving = np.any(J != 0, axis=0) & np.isfinite(J).all(axis=0)
    J = J[:, moving]
    size = np.abs(J).max(axis=0)
    # Columns scaled to unit size first: the condition of H is the square of that of J.
    values, vectors = np.linalg.eigh((J / size).T @ (J / size * (w * curvature)[:, None]))
    values = floored(values)
    n, p = problem.freedom + problem.layout.size, problem.layout.size
    phi = n / (n - p) * np.sum(w * psi**2) / np.sum(w * curvature)
    root = vectors * np.sqrt(phi / values) / size[:, None]
    # Infinite on the diagonal alone: the others stay independent of them.
    whole = np.diag(np.where(moving, 0.0, np.inf))
    whole[np.ix_(moving, moving)] = root @ root.T
    return whole


def _notes_on_runs(problem: Problem) -> tuple[Note, ...]:
    rows, runs = int(problem.used.sum()), len(np.unique(problem.units[problem.used]))
    if rows == runs:
        return ()
    return (
        Note(
            "rows-not-independent",
            "caution",
            f"{rows} rows come from {runs} independent runs.",
            'kind="hessian" treats every row as a run of its own: errors may be too small.',
            'Use laplace(fit), kind="sandwich", or js.bootstrap(fit).',
        ),
    )


def _warn_of_what_is_unknown(fit: Fit, covariance: np.ndarray) -> None:
    """Warn about coordinates that move no prediction, which stay fixed."""
    unknown = ~np.isfinite(np.diag(covariance))
    if unknown.any():
        names = [x for x, lost in zip(fit.problem.layout.labels, unknown, strict=True) if lost]
        warnings.warn(
            f"The data say nothing about {listing(names, 24)}, in a term that has died: fixed at "
            "the fit's value in all draws. Fix it (fixed=…), or use a law without the term.",
            FitWarning,
            stacklevel=outside(),
        )
