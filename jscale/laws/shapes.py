"""Non-monotone scores, and losses that grow with scale.

The input is compute C unless another one is named: ``laws.get("u_shape:N")``.
"""

from __future__ import annotations

from typing import Any

from jscale.laws.closed_forms import Values, input_of_power
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Location, Positive, Real, Scale


def _turn(p: Values) -> Any:
    """C_0: compute at which the score turns."""
    return p["C_0"]


@law(
    formula="bottom + bend·ln(C/C_0)^2",
    reference="arXiv:2306.09479",
    unit="as fitted",
    output="score",
    space="linear",
    linear=("bottom", "bend"),
    # The turn is searched within the data.
    axes={"C_0": "C"},
    quantities={"turning_compute": _turn},
)
def u_shape(C: Any, *, bottom: Real, bend: Positive, C_0: Location) -> Any:
    """Score that falls to C_0 and rises after it.

        score(C) = bottom + bend·ln(C/C_0)²

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``u_shape:N``), above 0.
    bottom : Real
        Lowest score, at C_0, in the unit of the data, of any sign.
    bend : Positive
        Curvature of the score in ln C, halved, above 0.
    C_0 : Location
        Compute at which the score turns, above 0.

    Returns
    -------
    score : array
        Score in the unit of the data, at least ``bottom`` and without an upper bound.

    Notes
    -----
    The source classifies tasks by such trends; a parabola in ln C is the simplest curve for one.

    References
    ----------
    .. [1] Inverse Scaling: When Bigger Isn't Better, arXiv:2306.09479.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("u_shape")(1e20, bottom=0.4, bend=0.1, C_0=1e20))
    0.4
    """
    import jax.numpy as jnp

    return bottom + bend * jnp.square(jnp.log(C) - jnp.log(C_0))


@law(
    formula="top - bend·ln(C/C_0)^2",
    reference="arXiv:2306.09479",
    unit="as fitted",
    output="score",
    space="linear",
    linear=("top", "bend"),
    axes={"C_0": "C"},
    quantities={"turning_compute": _turn},
)
def inverted_u(C: Any, *, top: Real, bend: Positive, C_0: Location) -> Any:
    """Score that rises to C_0 and falls after it.

        score(C) = top − bend·ln(C/C_0)²

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``inverted_u:N``), above 0.
    top : Real
        Highest score, at C_0, in the unit of the data, of any sign.
    bend : Positive
        Curvature of the score in ln C, halved, above 0.
    C_0 : Location
        Compute at which the score turns, above 0.

    Returns
    -------
    score : array
        Score in the unit of the data, at most ``top`` and without a lower bound.

    Notes
    -----
    The source classifies tasks by such trends; a parabola in ln C is the simplest curve for one.

    References
    ----------
    .. [1] Inverse Scaling: When Bigger Isn't Better, arXiv:2306.09479.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("inverted_u")(1e20, top=0.4, bend=0.1, C_0=1e20))
    0.4
    """
    import jax.numpy as jnp

    return top - bend * jnp.square(jnp.log(C) - jnp.log(C_0))


@law(
    formula="E + A·C^alpha",
    reference="arXiv:2306.09479",
    unit="as fitted",
    linear=("E", "A"),
    powers=(("A", "C", "alpha", 1),),
    rising=("C",),
    inverse=lambda loss, *, E, A, alpha: input_of_power(loss, E=E, A=A, exponent=alpha),
)
def inverse_scaling(C: Any, *, E: Floor, A: Scale, alpha: Exponent) -> Any:
    """Loss that grows with scale, as a power law.

        L(C) = E + A·C^alpha

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``inverse_scaling:N``), above 0.
    E : Floor
        Loss without any compute, in the unit of the data, above 0.
    A : Scale
        Amplitude, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, above E and without an upper bound.

    Notes
    -----
    Since the law has no upper bound, do not extrapolate it far. The source reports trends; the
    power law is ours.

    References
    ----------
    .. [1] Inverse Scaling: When Bigger Isn't Better, arXiv:2306.09479.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("inverse_scaling")(16.0, E=1.0, A=0.5, alpha=0.5))
    3.0
    """
    return E + A * power(C, alpha)
