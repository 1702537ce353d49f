"""Variance-limited and resolution-limited laws, and superposition: the origin of the exponent.

Bahri et al., arXiv:2102.06701, distinguish four regimes: data or size is scarce, and the limit is
variance (a fixed exponent) or resolution (an exponent set by the dimension of the data).
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
    """Loss of a fixed model on ample data, limited by variance.

        L(D) = E + A/D

    Parameters
    ----------
    D : array_like
        Training examples, or the width of the model (``variance_limited:width``: exponent 1 in
        width, hence 1/2 in parameters), above 0.
    E : Floor
        Loss at infinite data, in the unit of the data, above 0.
    A : Scale
        Amplitude, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, above E.

    References
    ----------
    .. [1] Bahri et al., Explaining Neural Scaling Laws, arXiv:2102.06701.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("variance_limited")(100.0, E=1.0, A=50.0))
    1.5
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
    """Loss of an ample model on fixed data, limited by variance.

        L(N) = E + A/N^(1/2)

    Parameters
    ----------
    N : array_like
        Parameters, which grow as the square of the width, above 0.
    E : Floor
        Loss at infinite width, in the unit of the data, above 0.
    A : Scale
        Amplitude, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, above E.

    Notes
    -----
    For linear and random-feature models the exponent in N is 1: use ``variance_limited:N``.

    References
    ----------
    .. [1] Bahri et al., Explaining Neural Scaling Laws, arXiv:2102.06701.

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("variance_limited_size")(1e4, E=1.0, A=50.0)), 3)
    1.5
    """
    return E + A * power(N, -0.5)


def _dimension(p: Values) -> Any:
    """4/alpha: dimension of the data implied by the exponent for a smooth loss."""
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
    """Loss on scarce data (or of a scarce size), limited by how finely it covers the data.

        L(D) = A·D^(−alpha)

    Parameters
    ----------
    D : array_like
        Training examples, or parameters (``resolution_limited:N``), above 0.
    A : Scale
        Loss at D = 1, less its limit, in the unit of the data, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    loss : array
        Loss less its limit, in the unit of the data, above 0.

    Notes
    -----
    On a manifold of dimension d and with a smooth loss, alpha is at least 4/d. Hence d is at least
    4/alpha, and close to that where the bound is sharp.

    References
    ----------
    .. [1] Bahri et al., Explaining Neural Scaling Laws, arXiv:2102.06701.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("resolution_limited")
    >>> float(law.quantities["intrinsic_dimension"]({"alpha": 0.5}))
    8.0
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
    """Loss by the width of the hidden state, in which features share directions.

        L(width) = offset + A·width^(−alpha)

    Parameters
    ----------
    width : array_like
        Hidden size, above 0.
    offset : Floor
        Loss that does not depend on the width, in nats per token, above 0.
    A : Scale
        Amplitude, above 0.
    alpha : Exponent
        Exponent, above 0; near 1 in theory where many features overlap strongly.

    Returns
    -------
    loss : array
        Loss in nats per token, above the offset.

    Notes
    -----
    The source fits one exponent and an offset for each family: ``js.fit("superposition", runs,
    per={"offset": "family"})``.

    References
    ----------
    .. [1] Superposition Yields Robust Neural Scaling, arXiv:2505.10465.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("superposition")(1000.0, offset=2.0, A=500.0, alpha=1.0).round(3))
    2.5
    """
    return offset + A * power(width, -alpha)
