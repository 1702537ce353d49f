"""Limits by variance and by resolution, and superposition: what sets the exponent.

Bahri et al., arXiv:2102.06701, tell four regimes: data or size is scarce, and what limits is
variance (a fixed exponent) or resolution (an exponent of the data's dimension).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, input_of_power
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale


@law(
    formula="E + A/D",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("E", "A"),
    positive=("D",),
    falling=("D",),
    inverse=lambda loss, **p: input_of_power(loss, exponent=-1.0, **p),
)
def variance_limited(D: Any, *, E: Floor, A: Scale) -> Any:
    """L(D) = E + A/D: a fixed model with ample data, limited by variance.

    D: training examples (or the width, ``variance_limited:width``: exponent 1 in width, hence
    1/2 in parameters). E: the loss at infinite data. Output: as the data, above E.
    Source: Bahri et al., arXiv:2102.06701.
    """
    return E + A / D


@law(
    formula="E + A/N^(1/2)",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("E", "A"),
    positive=("N",),
    falling=("N",),
    inverse=lambda loss, **p: input_of_power(loss, exponent=-0.5, **p),
)
def variance_limited_size(N: Any, *, E: Floor, A: Scale) -> Any:
    """L(N) = E + A/N^(1/2): ample size on fixed data, limited by variance.

    N: parameters, which grow as the square of the width. E: the loss at infinite width. For
    linear and random-feature models the exponent in N is 1: ``variance_limited:N``.
    Output: as the data, above E. Source: Bahri et al., arXiv:2102.06701.
    """
    return E + A * power(N, -0.5)


def _dimension(p: Values) -> Any:
    """4/alpha: the dimension of the data that the exponent implies for a smooth loss."""
    return 4 / np.asarray(p["alpha"])


@law(
    formula="A·D^(-alpha)",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("A",),
    powers=(("A", "D", "alpha"),),
    falling=("D",),
    quantities={"intrinsic_dimension": _dimension},
    inverse=lambda loss, *, A, alpha: input_of_power(loss, A=A, exponent=-alpha),
)
def resolution_limited(D: Any, *, A: Scale, alpha: Exponent) -> Any:
    """L(D) = A·D^(−alpha): scarce data (or size), limited by how finely it covers the data.

    D: training examples (or parameters, ``resolution_limited:N``). Output: loss less its limit,
    above 0. On a manifold of dimension d with a smooth loss alpha is at least 4/d, so d is
    at least 4/alpha, and about that where the bound is sharp. Source: Bahri et al.,
    arXiv:2102.06701.
    """
    return A * power(D, -alpha)


@law(
    formula="offset + A·width^(-alpha)",
    reference="arXiv:2505.10465",
    unit="nats per token",
    linear=("offset", "A"),
    powers=(("A", "width", "alpha"),),
    falling=("width",),
    inverse=lambda loss, *, offset, A, alpha: input_of_power(loss, E=offset, A=A, exponent=-alpha),
)
def superposition(width: Any, *, offset: Floor, A: Scale, alpha: Exponent) -> Any:
    """L(width) = offset + A·width^(−alpha): features share the directions of a hidden state.

    width: hidden size. offset: loss that does not depend on it. Output: nats per token, above
    offset. The theory has alpha near 1 where many features overlap strongly. The source fits one
    exponent and an offset for each family: ``js.fit("superposition", runs,
    per={"offset": "family"})``. Source: arXiv:2505.10465.
    """
    return offset + A * power(width, -alpha)
