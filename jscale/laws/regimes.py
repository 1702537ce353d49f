"""Limits by variance and by resolution, and superposition: what sets the exponent.

Bahri et al., arXiv:2102.06701, tell four regimes: data or size is scarce, and what limits is
variance (a fixed exponent) or resolution (an exponent of the data's dimension).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale


def _variance_inverse(loss: Any, *, E: Any, A: Any) -> Any:
    return raised((np.asarray(loss) - E) / A, -1.0)


@law(
    formula="E + A/D",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("E", "A"),
    positive=("D",),
    falling=("D",),
    inverse=_variance_inverse,
)
def variance_limited(D: Any, *, E: Floor, A: Scale) -> Any:
    """L(D) = E + A/D: a fixed model with ample data, limited by variance.

    D: training examples (or the width, ``variance_limited:width``: exponent 1 in width, hence
    1/2 in parameters). E: the loss at infinite data. Output: as the data, above E.
    Source: Bahri et al., arXiv:2102.06701.
    """
    return E + A / D


def _root_inverse(loss: Any, *, E: Any, A: Any) -> Any:
    return raised((np.asarray(loss) - E) / A, -2.0)


@law(
    formula="E + A/N^(1/2)",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("E", "A"),
    positive=("N",),
    falling=("N",),
    inverse=_root_inverse,
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


def _resolution_inverse(loss: Any, *, A: Any, alpha: Any) -> Any:
    return raised(np.asarray(loss) / A, -1 / alpha)


@law(
    formula="A·D^(-alpha)",
    reference="arXiv:2102.06701",
    unit="as fitted",
    linear=("A",),
    powers=(("A", "D", "alpha"),),
    falling=("D",),
    quantities={"intrinsic_dimension": _dimension},
    inverse=_resolution_inverse,
)
def resolution_limited(D: Any, *, A: Scale, alpha: Exponent) -> Any:
    """L(D) = A·D^(−alpha): scarce data (or size), limited by how finely it covers the data.

    D: training examples (or parameters, ``resolution_limited:N``). Output: loss less its limit,
    above 0. On a manifold of dimension d with a smooth loss alpha is at least 4/d, so d is
    at least 4/alpha, and about that where the bound is sharp. Source: Bahri et al.,
    arXiv:2102.06701.
    """
    return A * power(D, -alpha)


def _width_inverse(loss: Any, *, offset: Any, A: Any, alpha: Any) -> Any:
    return raised((np.asarray(loss) - offset) / A, -1 / alpha)


@law(
    formula="offset + A·width^(-alpha)",
    reference="arXiv:2505.10465",
    unit="nats per token",
    linear=("offset", "A"),
    powers=(("A", "width", "alpha"),),
    falling=("width",),
    inverse=_width_inverse,
)
def superposition(width: Any, *, offset: Floor, A: Scale, alpha: Exponent) -> Any:
    """L(width) = offset + A·width^(−alpha): features share the directions of a hidden state.

    width: hidden size. offset: loss that does not depend on it. Output: nats per token, above
    offset. The theory has alpha near 1 where many features overlap strongly. The source fits one
    exponent and an offset for each family: ``js.fit("superposition", runs,
    per={"offset": "family"})``. Source: Liu et al., arXiv:2505.10465.
    """
    return offset + A * power(width, -alpha)
