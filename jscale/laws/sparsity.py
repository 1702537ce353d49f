"""Pruned models: most weights are zero, and each remaining weight is worth more.

arXiv:2309.08520.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale


def _amplitude(p: Values, sparsity: Any) -> Any:
    """Return a_S·(1 − S)^b_S + c_S, the amplitude of the size term at a sparsity."""
    return p["a_S"] * raised(1 - np.asarray(sparsity, dtype=float), p["b_S"]) + p["c_S"]


def _size_multiplier(p: Values, *, sparsity: Any) -> Any:
    """((a_S + c_S)/(a_S·(1 − S)^b_S + c_S))^(1/b_N): worth of a weight, in dense weights."""
    return raised((p["a_S"] + p["c_S"]) / _amplitude(p, sparsity), 1 / p["b_N"])


def _most_multiplier(p: Values) -> Any:
    """((a_S + c_S)/c_S)^(1/b_N): highest worth of a weight, as S goes to 1."""
    return raised((p["a_S"] + p["c_S"]) / p["c_S"], 1 / p["b_N"])


def _equivalent_dense_size(p: Values, *, N: Any, sparsity: Any) -> Any:
    """N·((a_S + c_S)/(a_S·(1 − S)^b_S + c_S))^(1/b_N): dense size with the same loss."""
    return N * _size_multiplier(p, sparsity=sparsity)


def _minimum_loss(p: Values, *, N: Any, sparsity: Any) -> Any:
    """c + (a_S·(1 − S)^b_S + c_S)/N^b_N: limit of unlimited data."""
    return p["c"] + _amplitude(p, sparsity) * raised(N, -p["b_N"])


def _tokens_for_loss(p: Values, *, loss: Any, N: Any, sparsity: Any) -> Any:
    """a_D·(L − c − (a_S·(1 − S)^b_S + c_S)/N^b_N)^(−1/b_D): tokens that reach a loss."""
    return p["a_D"] * raised(loss - _minimum_loss(p, N=N, sparsity=sparsity), -1 / p["b_D"])


def _size_for_loss(p: Values, *, loss: Any, D: Any, sparsity: Any) -> Any:
    """((a_S·(1 − S)^b_S + c_S)/(L − c − (a_D/D)^b_D))^(1/b_N): weights that reach a loss."""
    of_size = loss - p["c"] - raised(p["a_D"] / np.asarray(D), p["b_D"])
    return raised(of_size / _amplitude(p, sparsity), -1 / p["b_N"])


@law(
    formula="c + (a_S·(1 - sparsity)^b_S + c_S)/N^b_N + (a_D/D)^b_D",
    reference="arXiv:2309.08520",
    unit="nats per token",
    linear=("c", "a_S", "c_S"),
    powers=(("a_S", "N", "b_N"), ("c_S", "N", "b_N")),
    inside=(("a_D", "D", "b_D"),),
    # At S = 1 there are no weights.
    limits={"sparsity": (0.0, 0.999999)},
    falling=("N", "D", "sparsity"),
    start={"b_S": (0.1, 3.0)},
    quantities={
        "size_multiplier": _size_multiplier,
        "largest_size_multiplier": _most_multiplier,
        "equivalent_dense_size": _equivalent_dense_size,
        "minimum_loss": _minimum_loss,
        "tokens_for_loss": _tokens_for_loss,
        "size_for_loss": _size_for_loss,
    },
)
def pruned(
    N: Any,
    D: Any,
    sparsity: Any,
    *,
    c: Floor,
    a_S: Scale,
    b_S: Exponent,
    c_S: Scale,
    b_N: Exponent,
    a_D: Scale,
    b_D: Exponent,
) -> Any:
    """Loss of a pruned model by its remaining weights, its data and its sparsity.

        L(N, D, S) = c + (a_S·(1 − S)^b_S + c_S)/N^b_N + (a_D/D)^b_D

    Parameters
    ----------
    N : array_like
        Parameters that are not zero in the end, above 0.
    D : array_like
        Training tokens, above 0.
    sparsity : array_like
        S, the share of parameters that are zero, from 0 (dense) to below 1; the model before
        pruning has N/(1 − S).
    c : Floor
        Irreducible loss, in nats per token, above 0.
    a_S : Scale
        Part of the size term's amplitude that falls with sparsity, above 0.
    b_S : Exponent
        Exponent of the share of weights that remain, above 0.
    c_S : Scale
        Part of the amplitude that remains for very sparse models, above 0.
    b_N : Exponent
        Exponent of the remaining weights, above 0.
    a_D : Scale
        Tokens at which the data term is 1, above 0.
    b_D : Exponent
        Exponent of data, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above c.

    Notes
    -----
    At the same N a sparser model is better, but comes from a larger one. The worth of a remaining
    weight, in dense weights, depends on S alone. Runs of a single sparsity do not separate a_S from
    c_S. The form follows a secondary account, which gives neither the source's method of fitting
    nor its constants.

    References
    ----------
    .. [1] Scaling Laws for Sparsely-Connected Foundation Models, arXiv:2309.08520.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("pruned")
    >>> constants = {"a_S": 15.0, "b_S": 1.0, "c_S": 5.0, "b_N": 0.25}
    >>> float(law.quantities["largest_size_multiplier"](constants))
    256.0
    """
    import jax.numpy as jnp

    amplitude = a_S * power(1.0 - jnp.asarray(sparsity), b_S) + c_S
    return c + amplitude * power(N, -b_N) + power(a_D / D, b_D)
