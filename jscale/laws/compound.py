"""Compound scaling of convolutional networks: by what to multiply depth, width and resolution.

A calculator and no law: nothing in it is fitted. FLOPs go as depth·width²·resolution²,
parameters as depth·width², activations as depth·width·resolution², and run time follows the
activations. Fast and Accurate Model Scaling, arXiv:2103.06877.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from jscale.errors import LawError


@dataclass(frozen=True)
class CompoundScaling:
    """Factors by which a scaled network's dimensions and costs are multiplied."""

    depth: float
    width: float
    resolution: float
    parameters: float
    activations: float
    flops: float


def compound_scaling(s: float, alpha: float = 0.8) -> CompoundScaling:
    """Return the factors of a network scaled to ``s`` times its FLOPs.

    ``alpha`` is the share of ln s that goes to width: width² grows as s^alpha, depth and
    resolution² each as s^((1 − alpha)/2). Activations then grow as s^(1 − alpha/2): 0.8, mostly
    width, gives s^0.6; 1, width alone, s^0.5; 0, depth and resolution alone, s. Parameters grow
    as s^((1 + alpha)/2). An ``s`` below 1 shrinks the network. Whole layers, channels and pixels
    come from rounding the result, which moves the costs a little.

    Raises LawError for an ``s`` that is not a positive number, or an ``alpha`` outside [0, 1].
    Source: arXiv:2103.06877.

    >>> factors = compound_scaling(16.0)
    >>> round(factors.width, 3), round(factors.activations / 16**0.6, 12)
    (3.031, 1.0)
    """
    s = _number("s", s, "the factor of the FLOPs, such as 4.0 for four times as many")
    alpha = _number("alpha", alpha, "the share that goes to width, such as 0.8")
    if not 0 < s < np.inf:
        raise LawError(f"s={s!r} must be above 0 and finite: it is the factor of the FLOPs.")
    if not 0 <= alpha <= 1:
        raise LawError(
            f"alpha={alpha!r} must be between 0 and 1: it is the share that goes to width, of "
            "which depth and resolution get the rest in equal parts."
        )
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
    if isinstance(value, bool) or not isinstance(value, Real):
        raise LawError(f"{name}={value!r} must be one number: {meaning}.")
    return float(value)
