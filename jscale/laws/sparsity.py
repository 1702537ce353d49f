"""Pruned models: most weights are zero, and those left are worth more.

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
    """a_S·(1 − S)^b_S + c_S: the amplitude of the size term at a sparsity."""
    return p["a_S"] * raised(1 - np.asarray(sparsity, dtype=float), p["b_S"]) + p["c_S"]


def _size_multiplier(p: Values, *, sparsity: Any) -> Any:
    """((a_S + c_S)/(a_S·(1 − S)^b_S + c_S))^(1/b_N): what a weight left is worth in dense ones."""
    return raised((p["a_S"] + p["c_S"]) / _amplitude(p, sparsity), 1 / p["b_N"])


def _most_multiplier(p: Values) -> Any:
    """((a_S + c_S)/c_S)^(1/b_N): what a weight left is worth at most, as S goes to 1."""
    return raised((p["a_S"] + p["c_S"]) / p["c_S"], 1 / p["b_N"])


def _equivalent_dense_size(p: Values, *, N: Any, sparsity: Any) -> Any:
    """N·((a_S + c_S)/(a_S·(1 − S)^b_S + c_S))^(1/b_N): the dense size of the same loss."""
    return N * _size_multiplier(p, sparsity=sparsity)


def _minimum_loss(p: Values, *, N: Any, sparsity: Any) -> Any:
    """c + (a_S·(1 − S)^b_S + c_S)/N^b_N: the limit of ample data."""
    return p["c"] + _amplitude(p, sparsity) * raised(N, -p["b_N"])


def _tokens_for_loss(p: Values, *, loss: Any, N: Any, sparsity: Any) -> Any:
    """a_D·(L − c − (a_S·(1 − S)^b_S + c_S)/N^b_N)^(−1/b_D): tokens that reach a loss."""
    return p["a_D"] * raised(loss - _minimum_loss(p, N=N, sparsity=sparsity), -1 / p["b_D"])


def _size_for_loss(p: Values, *, loss: Any, D: Any, sparsity: Any) -> Any:
    """((a_S·(1 − S)^b_S + c_S)/(L − c − (a_D/D)^b_D))^(1/b_N): weights left that reach a loss."""
    left = loss - p["c"] - raised(p["a_D"] / np.asarray(D), p["b_D"])
    return raised(left / _amplitude(p, sparsity), -1 / p["b_N"])


@law(
    formula="c + (a_S·(1 - sparsity)^b_S + c_S)/N^b_N + (a_D/D)^b_D",
    reference="arXiv:2309.08520",
    unit="nats per token",
    linear=("c", "a_S", "c_S"),
    powers=(("a_S", "N", "b_N"), ("c_S", "N", "b_N")),
    inside=(("a_D", "D", "b_D"),),
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
    N: Any, D: Any, sparsity: Any, *,
    c: Floor, a_S: Scale, b_S: Exponent, c_S: Scale, b_N: Exponent, a_D: Scale, b_D: Exponent,
) -> Any:  # fmt: skip
    """L(N, D, S) = c + (a_S·(1 − S)^b_S + c_S)/N^b_N + (a_D/D)^b_D: models with most weights zero.

    N: parameters that are not zero in the end. D: training tokens. sparsity: S, the
    share of parameters that are zero, from 0 (dense) to below 1; the model before pruning has
    N/(1 − S). Output: loss in nats per token, above c. At the same N a sparser model is better,
    but comes from a larger one; what a weight left is worth in dense ones depends on S alone.
    Runs of one sparsity do not tell a_S from c_S. The form is after a secondary account, which
    does not say how the source fitted it nor its constants. Source: arXiv:2309.08520.
    """
    import jax.numpy as jnp

    amplitude = a_S * power(1.0 - jnp.asarray(sparsity), b_S) + c_S
    return c + amplitude * power(N, -b_N) + power(a_D / D, b_D)
