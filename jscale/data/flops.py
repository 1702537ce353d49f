"""Rules that give training compute from parameters and tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def training_flops(N: ArrayLike, D: ArrayLike) -> np.ndarray:
    """Return training compute by the rule C = 6·N·D.

    Parameters
    ----------
    N : array_like
        Parameters.
    D : array_like
        Training tokens; broadcast against ``N``.

    Returns
    -------
    numpy.ndarray
        Training compute in FLOPs, float64.

    Notes
    -----
    Inputs are cast to float64 first: the same product of int64 numbers silently overflows past
    2⁶³.

    References
    ----------
    Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, section 2.1.

    Examples
    --------
    >>> float(training_flops(70_000_000_000, 1_400_000_000_000))
    5.88e+23
    """
    return 6.0 * np.asarray(N, dtype=np.float64) * np.asarray(D, dtype=np.float64)
