"""The noise of a single new run around the curve, from the fit's residuals.

Residuals are taken in the objective's space (relative errors, for log) and studentised:
divided by √(1 − leverage), since a fit bends towards its own runs. A new run's error is
drawn from them.
"""

from __future__ import annotations

import numpy as np

from jscale._precision import float64_scope
from jscale.fitting.diagnostics import linearise
from jscale.fitting.result import Fit

_HIGHEST_LEVERAGE = 0.9


def studentised_residuals(fit: Fit) -> np.ndarray:
    """Return residuals over √(1 − leverage), in the objective's space (rows with weight only).

    Their median is taken out: the curve is the conditional median of new runs.
    """
    problem = fit.problem
    with float64_scope():
        jacobian = linearise(problem, fit.theta).jacobian
    used = problem.weights[: problem.n] > 0
    basis, _ = np.linalg.qr(jacobian[used])
    leverage = np.minimum(np.sum(basis**2, axis=1), _HIGHEST_LEVERAGE)
    residual = -fit.residuals[used] / np.sqrt(1.0 - leverage)
    return residual - np.median(residual)


def draw_noise(fit: Fit, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Draw errors of new runs, in the objective's space, of the given shape."""
    return np.random.default_rng(seed).choice(studentised_residuals(fit), size=shape)
