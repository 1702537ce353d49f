"""Parallel streams: the same weights applied several times in parallel, in place of more weights.

Each stream receives its own learnt variant of the input, and the outputs are averaged with learnt
weights. arXiv:2505.10475.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale


def _size_multiplier(p: Values, *, P: Any) -> Any:
    """k·ln P + 1: factor of size that P streams are worth, relative to one."""
    return p["k"] * np.log(P) + 1


def _equivalent_size(p: Values, *, N: Any, P: Any) -> Any:
    """N·(k·ln P + 1): size of a model with one stream that reaches the same loss."""
    return N * _size_multiplier(p, P=P)


def _streams_for_size(p: Values, *, N: Any, larger: Any) -> Any:
    """exp((larger/N − 1)/k): streams with which N matches a larger model with one stream."""
    ratio = np.asarray(larger, dtype=float) / N
    # A much larger model takes more streams than a float holds: infinity is right.
    with np.errstate(over="ignore"):
        return np.where(ratio >= 1, np.exp((ratio - 1) / p["k"]), np.nan)


def _size_for_loss(p: Values, *, loss: Any, P: Any) -> Any:
    """A·(L − E)^(−1/alpha)/(k·ln P + 1): size that reaches a loss with P streams."""
    return p["A"] * raised(loss - p["E"], -1 / p["alpha"]) / _size_multiplier(p, P=P)


def _streams_for_loss(p: Values, *, loss: Any, N: Any) -> Any:
    """exp((A·(L − E)^(−1/alpha)/N − 1)/k): streams with which a size reaches a loss."""
    return _streams_for_size(p, N=N, larger=_size_for_loss(p, loss=loss, P=1.0))


_REFITTED = {
    "Stack-V2-Python": {"E": 0.69119148, "A": 11306907.6, "alpha": 0.18934907, "k": 0.39347243},
    "Pile": {"E": 1.28856945, "A": 197532611.0, "alpha": 0.19627556, "k": 0.33444705},
}


@law(
    formula="E + (A/(N·(k·ln P + 1)))^alpha",
    reference="arXiv:2505.10475",
    unit="nats per token",
    linear=("E",),
    inside=(("A", "N", "alpha"),),
    limits={"P": (1.0, np.inf)},
    falling=("N", "P"),
    start={"k": (0.05, 2.0)},
    quantities={
        "size_multiplier": _size_multiplier,
        "equivalent_size": _equivalent_size,
        "streams_for_size": _streams_for_size,
        "streams_for_loss": _streams_for_loss,
        "size_for_loss": _size_for_loss,
    },
    published={
        f"arXiv:2505.10475, {corpus} (the losses in its code, refitted)": constants
        for corpus, constants in _REFITTED.items()
    },
)
def parallel(N: Any, P: Any, *, E: Floor, A: Scale, alpha: Exponent, k: Positive) -> Any:
    """Loss of a model run in parallel streams, by size and number of streams.

        L(N, P) = E + (A/(N·(k·ln P + 1)))^alpha

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, including the few that the streams add, above 0.
    P : array_like
        Streams, from 1 up.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Size at which the reducible loss is 1, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    k : Positive
        Worth of the streams, above 0; at 0 they would be worth nothing.

    Returns
    -------
    loss : array
        Loss in nats per token after a fixed number of training tokens, above E.

    Notes
    -----
    P streams are worth k·ln P + 1 times the parameters. They cost P times the compute per token,
    but hardly more memory for weights, and run in parallel. The number of streams that matches a
    larger model grows exponentially with the ratio of sizes.

    The source fits by the sum of Huber terms (delta 1e-3) of the residuals of log L, from a grid of
    starts, to models of 0.5 to 4.4 billion parameters with up to 8 streams; the law is not tested
    far beyond. The constants given here are a refit to the losses in the source's code.

    References
    ----------
    .. [1] Parallel Scaling Law for Language Models, arXiv:2505.10475.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("parallel")
    >>> stack = next(iter(law.published.values()))
    >>> round(float(law.quantities["size_multiplier"](stack, P=8)), 3)
    1.818
    """
    import jax.numpy as jnp

    return E + power(A / (N * (k * jnp.log(P) + 1.0)), alpha)
