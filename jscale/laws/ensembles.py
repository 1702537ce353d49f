"""Ensembles and their limits, and how uncertainty falls with data."""

from __future__ import annotations

from typing import Any

from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale, Slope


def _all_members(p: Values) -> Any:
    """E: the limit of ever more members."""
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
    """L(K) = E + A·K^(−alpha): loss of an ensemble of K models of one size on the same data.

    K: members, whose logits are averaged. Output: loss in nats per token, above E, the limit of
    ever more members; E + A is the loss of one. Source: arXiv:2509.14786.
    """
    return E + A * power(K, -alpha)


def _members_limit(p: Values, *, N: Any) -> Any:
    """E + A·N^(−alpha): the limit of ever more members of size N."""
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
    """L(N, K) = E + A·N^(−alpha) + B·N^(−gamma)·K^(−beta): ensembles of K models of size N.

    N: parameters of one member; K: members, whose logits are averaged. Output: loss in nats per
    token on a fixed amount of data, above E. Members first: at each N the limit in K is
    E + A·N^(−alpha); then size: E is the nested limit. The source fits the limits of each size
    and then a power law to those; the joint form in one step, with gains of members that may
    depend on size (gamma, of any sign), is ours. Source: arXiv:2509.14786.
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
    """u(D) = A·D^(−gamma): how predictive uncertainty falls with data.

    D: training examples (or another input, ``uncertainty:N``). Output: an entropy (total,
    aleatoric) or a mutual information (epistemic) in nats, above 0. gamma is 1 for classical
    parametric models. Fitted at the source by least squares of ln u on ln D; it writes the
    exponent with the other sign. Source: arXiv:2506.09648.
    """
    return A * power(D, -gamma)
