"""laplace: draws from the fit's normal approximation, the cheapest of all.

The covariance is the sandwich one, its Hessian smoothed where the objective is kinked
(see :func:`jscale.fitting.diagnostics.covariance`), and tails are Student-t with
n − p degrees of freedom, since the spread itself is estimated from n runs.
"""

from __future__ import annotations

import numpy as np

from jscale._precision import float64_scope
from jscale.errors import JscaleError
from jscale.fitting.diagnostics import flat_names
from jscale.fitting.result import Fit
from jscale.uncertainty.draws import Draws
from jscale.uncertainty.natural import natural_draws


def laplace(fit: Fit, draws: int = 4000, *, seed: int = 0) -> Draws:
    """Draw parameters from a multivariate t around the fit, in the solver's coordinates.

    Amplitudes and exponents are drawn as logarithms, so they stay positive. The same seed
    gives the same draws. Raises JscaleError for fewer than two draws.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> len(js.laplace(fit, draws=100))
    100
    """
    if int(draws) < 2:
        raise JscaleError(f"draws={draws} must be at least 2: laplace(fit, draws=4000).")
    rng = np.random.default_rng(seed)
    freedom = max(fit.runs.n_independent - len(fit.theta), 1)
    values, vectors = np.linalg.eigh(fit.theta_covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = rng.standard_normal((int(draws), len(fit.theta)))
    wide = np.sqrt(freedom / rng.chisquare(freedom, size=(int(draws), 1)))
    theta = fit.theta + (z * wide) @ root.T
    with float64_scope():
        sampled = natural_draws(fit.problem, theta)
    settings = {"draws": int(draws), "seed": seed, "freedom": freedom}
    return Draws(fit, sampled[None], flat_names(fit.problem.layout), "laplace", settings)
