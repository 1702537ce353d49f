"""Ensembles and their limits, and the decrease of predictive uncertainty with data."""

from __future__ import annotations

from typing import Any

from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale, Slope


def _all_members(p: Values) -> Any:
    """E: limit of many members."""
    return p["E"]


def _members(p: Values, *, loss: Any) -> Any:
    """(A/(L − E))^(1/alpha): members that reach a loss; NaN at or below E."""
    return input_of_power(loss, E=p["E"], A=p["A"], exponent=-p["alpha"])


@law(
    formula="E + A·K^(-alpha)",
    reference="arXiv:2509.14786",
    unit="nats per token",
    linear=("E", "A"),
    powers=(("A", "K", "alpha"),),
    falling=("K",),
    quantities={"limit_in_members": _all_members, "members_for_loss": _members},
    inverse=lambda loss, **p: _members(p, loss=loss),
)
def ensemble(K: Any, *, E: Floor, A: Scale, alpha: Exponent) -> Any:
    """Loss of an ensemble by its number of members, of one size and on the same data.

        L(K) = E + A·K^(−alpha)

    Parameters
    ----------
    K : array_like
        Members, whose logits are averaged, above 0.
    E : Floor
        Limit of many members, in nats per token, above 0.
    A : Scale
        Reducible loss of a single member, in nats per token, above 0.
    alpha : Exponent
        Exponent of the number of members, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E; one member alone has E + A.

    References
    ----------
    .. [1] Pre-training under infinite compute, arXiv:2509.14786.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("ensemble")
    >>> float(law(4, E=3.0, A=0.5, alpha=1.0)), float(law.invert(3.125, E=3.0, A=0.5, alpha=1.0))
    (3.125, 4.0)
    """
    return E + A * power(K, -alpha)


def _members_limit(p: Values, *, N: Any) -> Any:
    """E + A·N^(−alpha): limit of many members of size N."""
    return p["E"] + p["A"] * raised(N, -p["alpha"])


@law(
    formula="E + A·N^(-alpha) + B·N^(-gamma)·K^(-beta)",
    reference="arXiv:2509.14786",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(("A", "N", "alpha"), ("B", "N", "gamma"), ("B", "K", "beta")),
    falling=("K",),
    quantities={"limit_in_members": _members_limit, "nested_limit": _all_members},
)
def ensemble_limits(
    N: Any, K: Any, *, E: Floor, A: Scale, alpha: Exponent, B: Scale, gamma: Slope, beta: Exponent
) -> Any:
    """Loss of an ensemble by the size and the number of its members.

        L(N, K) = E + A·N^(−alpha) + B·N^(−gamma)·K^(−beta)

    Parameters
    ----------
    N : array_like
        Parameters of one member, above 0.
    K : array_like
        Members, whose logits are averaged, above 0.
    E : Floor
        Limit of many large members (the nested limit), in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of the members' term, above 0.
    gamma : Slope
        Exponent of size in the members' term, of any sign: what members gain may depend on size.
    beta : Exponent
        Exponent of the number of members, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token on a fixed amount of data, above E.

    Notes
    -----
    The limits are taken one after the other: at each N the limit in K is E + A·N^(−alpha), and the
    limit of that in N is E. The source fits the limit of each size and then a power law to those
    limits; the joint form in one step is ours.

    References
    ----------
    .. [1] Pre-training under infinite compute, arXiv:2509.14786.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("ensemble_limits")
    >>> constants = {"E": 3.0, "A": 100.0, "alpha": 0.5, "B": 0.5, "gamma": 0.0, "beta": 1.0}
    >>> round(float(law(1e8, 4, **constants)), 3)
    3.135
    """
    return E + A * power(N, -alpha) + B * power(N, -gamma) * power(K, -beta)


@law(
    formula="A·D^(-gamma)",
    reference="arXiv:2506.09648",
    unit="nats",
    output="uncertainty",
    linear=("A",),
    powers=(("A", "D", "gamma"),),
    falling=("D",),
    inverse=lambda value, *, A, gamma: input_of_power(value, A=A, exponent=-gamma),
)
def uncertainty(D: Any, *, A: Scale, gamma: Exponent) -> Any:
    """Predictive uncertainty by the amount of data.

        u(D) = A·D^(−gamma)

    Parameters
    ----------
    D : array_like
        Training examples, or another input (``uncertainty:N``), above 0.
    A : Scale
        Uncertainty at D = 1, in nats, above 0.
    gamma : Exponent
        Exponent of data, above 0; it is 1 for classical parametric models.

    Returns
    -------
    uncertainty : array
        An entropy (total, aleatoric) or a mutual information (epistemic) in nats, above 0.

    Notes
    -----
    The source fits by least squares of ln u on ln D, and writes the exponent with the opposite
    sign.

    References
    ----------
    .. [1] Scaling Laws for Uncertainty in Deep Learning, arXiv:2506.09648.

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("uncertainty")(100.0, A=5.0, gamma=0.5)), 3)
    0.5
    """
    return A * power(D, -gamma)
