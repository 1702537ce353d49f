"""Compound scaling of convolutional networks: factors of depth, width and resolution.

A calculator, not a law: nothing is fitted. FLOPs are proportional to depth·width²·resolution²,
parameters to depth·width², activations to depth·width·resolution², and run time to activations.
Fast and Accurate Model Scaling, arXiv:2103.06877.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from jscale.errors import LawError


@dataclass(frozen=True)
class CompoundScaling:
    """Factors by which the dimensions and costs of a network are multiplied.

    Parameters
    ----------
    depth, width, resolution : float
        Factors of the number of layers, of channels, and of pixels per side.
    parameters, activations, flops : float
        Factors of the costs.
    """

    depth: float
    width: float
    resolution: float
    parameters: float
    activations: float
    flops: float


def compound_scaling(s: float, alpha: float = 0.8) -> CompoundScaling:
    """Return the factors of a network that is scaled to a multiple of its FLOPs.

    Parameters
    ----------
    s : float
        Factor of the FLOPs, above 0. Values below 1 shrink the network.
    alpha : float, optional
        Share of ln s that goes to width, 0 to 1: width² grows as s^alpha, depth and resolution²
        each as s^((1 − alpha)/2).

    Returns
    -------
    CompoundScaling
        Factors of depth, width and resolution, and of parameters, activations and FLOPs.

    Raises
    ------
    LawError
        If ``s`` is not a positive number, or ``alpha`` lies outside [0, 1].

    Notes
    -----
    Activations grow as s^(1 − alpha/2): as s^0.6 for the default of 0.8 (mostly width), as s^0.5
    for 1 (width alone) and as s for 0 (depth and resolution alone). Parameters grow as s^((1 +
    alpha)/2). Rounding the result to whole layers, channels and pixels changes the costs slightly.

    References
    ----------
    .. [1] Fast and Accurate Model Scaling, arXiv:2103.06877.

    Examples
    --------
    >>> import jscale as js
    >>> factors = js.compound_scaling(16.0)
    >>> round(factors.width, 3), round(factors.activations / 16**0.6, 12)
    (3.031, 1.0)
    """
    s = _number("s", s, "the factor of the FLOPs, such as 4.0")
    alpha = _number("alpha", alpha, "the share that goes to width, such as 0.8")
    if not 0 < s < np.inf:
        raise LawError(f"s={s!r} must be above 0 and finite: it is the factor of the FLOPs.")
    if not 0 <= alpha <= 1:
        raise LawError(
            f"alpha={alpha!r} must be between 0 and 1: it is the share that goes to width; depth "
            "and resolution get equal parts of the rest."
        )
    # Width and resolution enter the FLOPs squared: half of their shares are their exponents.
    rest = (1 - alpha) / 2
    depth, width, resolution = s**rest, s ** (alpha / 2), s ** (rest / 2)
    return CompoundScaling(
        depth=depth,
        width=width,
        resolution=resolution,
        parameters=depth * width**2,
        activations=depth * width * resolution**2,
        flops=depth * width**2 * resolution**2,
    )


def _number(name: str, value: object, meaning: str) -> float:
    """Return a number as a float; raise LawError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise LawError(f"{name}={value!r} must be one number: {meaning}.")
    return float(value)
