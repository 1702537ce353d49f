"""The noise of a single new run around the curve, from the fit's residuals.

A new run's error is drawn from the studentised residuals of the fitted runs, in the
objective's space (relative errors, for log).
"""

from __future__ import annotations

import numpy as np

from jscale._precision import float64_scope
from jscale.fitting.diagnostics import linearise, studentised
from jscale.fitting.result import Fit


def studentised_residuals(fit: Fit) -> np.ndarray:
    """Return residuals over √(1 − leverage), in the objective's space (rows with weight only)."""
    with float64_scope():
        return studentised(fit.problem, linearise(fit.problem, fit.theta))


def draw_noise(fit: Fit, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Draw errors of new runs, in the objective's space, of the given shape."""
    return np.random.default_rng(seed).choice(studentised_residuals(fit), size=shape)
