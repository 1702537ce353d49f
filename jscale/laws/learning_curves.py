"""Learning curves with two plateaus: guessing, a power law, and a floor.

The input is data D unless another one is named: ``laws.get("learning_curve:C")``.
"""

from __future__ import annotations

from typing import Any

from jscale.laws.closed_forms import raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Floor, Location, Positive, Scale
from jscale.model.root import root


def _curve_input(loss: Any, *, E: Any, height: Any, D_c: Any, beta: Any, n: Any) -> Any:
    """Return the data that reach a loss."""
    share = raised((loss - E) / height, 1.0)
    return D_c * raised(raised(share, -n) - 1, 1 / (n * beta))


@law(
    formula="E + height/(1 + (D/D_c)^(n·beta))^(1/n)",
    reference="arXiv:1712.00409",
    unit="as fitted",
    linear=("E", "height"),
    axes={"D_c": "D"},
    start={"n": (0.5, 4.0)},
    falling=("D",),
    inverse=_curve_input,
)
def learning_curve(
    D: Any, *, E: Floor, height: Scale, D_c: Location, beta: Exponent, n: Positive
) -> Any:
    """Learning curve in three regions: guessing, a power law, and a floor.

        L(D) = E + height/(1 + (D/D_c)^(n·beta))^(1/n)

    Parameters
    ----------
    D : array_like
        Training examples or tokens, above 0.
    E : Floor
        Irreducible loss, in the unit of the data, above 0.
    height : Scale
        Loss of the best guess, less E, above 0.
    D_c : Location
        Data at which the power law begins, above 0.
    beta : Exponent
        Exponent of the power law, above 0.
    n : Positive
        Sharpness of its onset, above 0.

    Returns
    -------
    loss : array
        Loss or error in the unit of the data, between E and E + height.

    Notes
    -----
    The source fits the regions separately; this smooth form is ours.

    References
    ----------
    .. [1] Hestness et al., Deep Learning Scaling is Predictable, Empirically, arXiv:1712.00409.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("learning_curve")
    >>> round(float(law(100.0, E=1.0, height=4.0, D_c=100.0, beta=0.5, n=2.0)), 3)
    3.828
    """
    import jax
    import jax.numpy as jnp

    # 1 + (D/D_c)^(n·beta) in logarithms, because the power itself overflows for a sharp onset.
    past = jax.nn.softplus(n * beta * (jnp.log(D) - jnp.log(D_c)))
    return E + height * jnp.exp(-past / n)


def _m4_equation(t: Any, args: tuple[Any, Any]) -> Any:
    """Return ln s − a·ln(1 − s) less its right-hand side, at the logit t of s."""
    import jax

    a, right = args
    return -jax.nn.softplus(-t) + a * jax.nn.softplus(t) - right


def _m4_logit(a: Any, right: Any) -> Any:
    """Return the logit of s in ln s − a·ln(1 − s) = right."""
    import jax.numpy as jnp

    # The softplus of t is at most ln 2 = 0.69… above max(t, 0), which bounds the root.
    low = jnp.minimum(right, 0.0) - 0.7 * a - 1.0
    high = jnp.maximum((right + 0.7) / a, 0.0) + 1.0
    return root(_m4_equation, (a, right), low, high)


def _m4_input(loss: Any, *, E: Any, height: Any, D_c: Any, beta: Any, a: Any) -> Any:
    """Return the data that reach a loss."""
    share = (loss - E) / height
    return D_c * raised(raised(share, 1.0) / raised(1 - share, a), -1 / beta)


@law(
    formula="E + height·s, s/(1 - s)^a = (D_c/D)^beta",
    reference="arXiv:2209.06640",
    unit="as fitted",
    linear=("E", "height"),
    axes={"D_c": "D"},
    start={"a": (0.2, 3.0)},
    falling=("D",),
    inverse=_m4_input,
)
def m4(D: Any, *, E: Floor, height: Scale, D_c: Location, beta: Exponent, a: Positive) -> Any:
    """Learning curve as a sigmoid in the logarithm of data, with one plateau at each end.

        L(D) = E + height·s, where s/(1 − s)^a = (D_c/D)^beta

    Parameters
    ----------
    D : array_like
        Training examples, or another input (``m4:C``), above 0.
    E : Floor
        Irreducible loss, in the unit of the data, above 0.
    height : Scale
        Loss of a guess, less E, above 0.
    D_c : Location
        Data at which s/(1 − s)^a is 1, above 0.
    beta : Exponent
        Exponent of the power law at large D, above 0.
    a : Positive
        Exponent of the approach to the upper plateau, above 0.

    Returns
    -------
    loss : array
        Loss or error in the unit of the data, between E and E + height.

    Notes
    -----
    The loss is on both sides of the equation and is found as a root. The source's amplitude is
    D_c^beta·height^(1−a); D_c keeps the law linear in E and height.

    References
    ----------
    .. [1] Alabdulmohsin et al., Revisiting Neural Scaling Laws in Language and Vision,
       arXiv:2209.06640 (M4).

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("m4")
    >>> round(float(law(100.0, E=1.0, height=4.0, D_c=100.0, beta=0.5, a=1.0)), 3)
    3.0
    """
    import jax
    import jax.numpy as jnp

    right = beta * (jnp.log(D_c) - jnp.log(D))
    # The root is of scalars: parameters and rows are made equally long first.
    a, right = jnp.broadcast_arrays(jnp.asarray(a, right.dtype), right)
    return E + height * jax.nn.sigmoid(jnp.vectorize(_m4_logit)(a, right))
