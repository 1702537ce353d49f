"""laplace: draws from the fit's normal approximation, the cheapest of all.

The covariance is the sandwich one, its Hessian smoothed where the objective is kinked
(see :func:`jscale.fitting.diagnostics.covariance`), and tails are Student-t with
n − p degrees of freedom, since the spread itself is estimated from n runs. Where errors are
wide the logarithms skew the draws; the bootstrap, which refits, is then the better choice.
"""

from __future__ import annotations

import warnings

import numpy as np

from jscale._precision import float64_scope
from jscale.errors import FitWarning, JscaleError, listing
from jscale.fitting.approximation import t_draws
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.result import Fit
from jscale.uncertainty.draws import Draws, no_spare_runs


def laplace(fit: Fit, draws: int = 4000, *, seed: int = 0) -> Draws:
    """Draw parameters from a multivariate t around the fit, in the solver's coordinates.

    Amplitudes and exponents are drawn as logarithms, so they stay positive. The same seed
    gives the same draws. Raises JscaleError for fewer than two draws, FitError without a run
    to spare; warns with FitWarning where draws overflow.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> len(js.laplace(fit, draws=100))
    100
    """
    if int(draws) < 2:
        raise JscaleError(f"draws={draws} must be at least 2: laplace(fit, draws=4000).")
    freedom = fit.problem.freedom
    if freedom < 1:
        raise no_spare_runs(fit)
    _warn_of_what_is_unknown(fit)
    rng = np.random.default_rng(seed)
    theta = t_draws(fit.theta, fit.theta_covariance, freedom, int(draws), rng)
    with float64_scope():
        sampled = natural_parameters(fit.problem, theta)
    good = np.asarray(np.isfinite(sampled).all(axis=1))
    failed = int(np.sum(~good))
    if failed:
        warnings.warn(
            f"{failed} of {len(good)} draws overflowed and were left out: the data do not "
            "determine some parameter. See fit.notes, or use js.bootstrap(fit).",
            FitWarning,
            stacklevel=2,
        )
    settings = {"draws": int(draws), "seed": seed, "freedom": freedom}
    names = flat_names(fit.problem.layout)
    return Draws(fit, sampled[good][None], names, "laplace", settings, failed)


def _warn_of_what_is_unknown(fit: Fit) -> None:
    """Warn of coordinates that move no prediction: they are held."""
    unknown = ~np.isfinite(np.diag(fit.theta_covariance))
    if unknown.any():
        names = [x for x, lost in zip(fit.problem.layout.labels, unknown, strict=True) if lost]
        warnings.warn(
            f"The data say nothing of {listing(names, 24)}, in a term that has died: held at the "
            "fit's value in all draws. Fix it (fixed=…), or use a law without the term.",
            FitWarning,
            stacklevel=3,
        )
