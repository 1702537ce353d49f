"""Shapes against the rule: scores that turn around with scale, and losses that grow with it.

The input is compute C unless another is named: ``laws.get("u_shape:N")``.
"""

from __future__ import annotations

from typing import Any

from jscale.laws.closed_forms import Values, input_of_power
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Location, Positive, Real, Scale


def _turn(p: Values) -> Any:
    """C_0: the compute at which the score turns."""
    return p["C_0"]


@law(
    formula="bottom + bend·ln(C/C_0)^2",
    reference="arXiv:2306.09479",
    unit="as fitted",
    output="score",
    space="linear",
    linear=("bottom", "bend"),
    axes={"C_0": "C"},
    quantities={"turning_compute": _turn},
)
def u_shape(C: Any, *, bottom: Real, bend: Positive, C_0: Location) -> Any:
    """score(C) = bottom + bend·ln(C/C_0)²: a score that falls to C_0 and rises after it.

    C: training FLOPs (or another input, ``u_shape:N``). bottom: the lowest score, at C_0.
    Output: a score in the unit of the data, at least bottom and without an upper bound. The
    source sorts tasks by such trends; the parabola in ln C is the plainest curve for one.
    Source: arXiv:2306.09479.
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
    """score(C) = top − bend·ln(C/C_0)²: a score that rises to C_0 and falls after it.

    C: training FLOPs (or another input, ``inverted_u:N``). top: the highest score, at C_0.
    Output: a score in the unit of the data, at most top and without a lower bound.
    Source: arXiv:2306.09479.
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
    """L(C) = E + A·C^alpha: a loss that grows with scale.

    C: training FLOPs (or another input, ``inverse_scaling:N``). E: the loss at no compute.
    Output: loss in the unit of the data, above E and without an upper bound, so not to be
    carried far out. The power is ours; the source reports trends.
    Source: arXiv:2306.09479.
    """
    return E + A * power(C, alpha)
