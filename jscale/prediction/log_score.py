"""log_score: the log density of measurements under samples of the predictive distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.prediction.quantiles import quantiles


def log_score(samples: Any, measured: Any) -> np.ndarray:
    """Return the log density of ln measured under samples of new runs (R, m): (m,), in nats.

    A kernel estimate with Silverman's width, in logarithms; its tails are those of a
    Student-t with 4 degrees of freedom, so that a miss costs much but not everything. Samples
    that are not positive numbers count as misses.
    """
    from scipy.special import gammaln, logsumexp

    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.asarray(samples, dtype=np.float64))
    y = np.log(np.asarray(measured, dtype=np.float64))
    usable = np.isfinite(logs)
    R = np.maximum(usable.sum(axis=0), 1)
    quartiles = quantiles(np.where(usable, logs, np.nan), (0.25, 0.75))
    spread = (quartiles[1] - quartiles[0]) / 1.349
    width = np.maximum(np.nan_to_num(1.06 * spread * R**-0.2), 1e-12)
    u = (y - np.where(usable, logs, 0.0)) / width
    constant = gammaln(2.5) - gammaln(2.0) - 0.5 * np.log(4.0 * np.pi)
    terms = np.where(usable, constant - 2.5 * np.log1p(u * u / 4.0), -np.inf)
    return logsumexp(terms, axis=0) - np.log(len(logs)) - np.log(width)
