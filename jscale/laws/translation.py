"""Laws of machine translation: sizes of encoder and decoder, and sharing among languages."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale


def _encoder_share(p: Values) -> Any:
    """p_e/(p_e + p_d): the encoder's share of a fixed size at which the loss is lowest."""
    return p["p_e"] / (p["p_e"] + p["p_d"])


def _at_best_split(p: Values) -> Any:
    """A* of the lowest loss at a total size, E + A*·N^(−(p_e + p_d))."""
    share = _encoder_share(p)
    return p["A"] * raised(share, -p["p_e"]) * raised(1 - share, -p["p_d"])


def _optimal_loss(p: Values, *, N: Any) -> Any:
    """E + A·s^(−p_e)·(1 − s)^(−p_d)·N^(−(p_e+p_d)), s = p_e/(p_e + p_d): best split of N."""
    return p["E"] + _at_best_split(p) * raised(N, -(p["p_e"] + p["p_d"]))


def _size_at_best_split(p: Values, *, loss: Any) -> Any:
    """(A·s^(−p_e)·(1 − s)^(−p_d)/(L − E))^(1/(p_e+p_d)): the least total size for a loss."""
    return raised((loss - p["E"]) / _at_best_split(p), -1 / (p["p_e"] + p["p_d"]))


@law(
    formula="E + A·N_e^(-p_e)·N_d^(-p_d)",
    reference="arXiv:2109.07740",
    unit="nats per token",
    linear=("E", "A"),
    powers=(("A", "N_e", "p_e"), ("A", "N_d", "p_d")),
    falling=("N_e", "N_d"),
    quantities={
        "encoder_share": _encoder_share,
        "optimal_loss": _optimal_loss,
        "size_for_loss": _size_at_best_split,
    },
)
def encoder_decoder(N_e: Any, N_d: Any, *, E: Floor, A: Scale, p_e: Exponent, p_d: Exponent) -> Any:
    """L(N_e, N_d) = E + A·N_e^(−p_e)·N_d^(−p_d): translation by an encoder and a decoder.

    N_e, N_d: parameters of encoder and decoder, without embeddings. Output: cross-entropy in
    nats per token on a test set, above E. Data are ample. For a fixed total N_e + N_d the best
    encoder has the share p_e/(p_e + p_d) at all sizes, and the loss then falls as
    N^(−(p_e + p_d)). Fitted at the source by least squares over all sizes, for each direction
    and test set; sizes there are relative to a reference pair, which only changes A.
    Source: Ghorbani et al., arXiv:2109.07740.
    """
    return E + A * power(N_e, -p_e) * power(N_d, -p_d)


def _effective_fraction(p: Values, *, f: Any) -> Any:
    """f' = f + c1·f^c2·(1 − f)^c3: the share of the model that the task has to itself."""
    f = np.asarray(f, dtype=float)
    # At f = 1 the second term is 0, which raised leaves undefined.
    return f + p["c1"] * np.power(f, p["c2"]) * np.power(1 - f, p["c3"])


def _effective_size(p: Values, *, N: Any, f: Any) -> Any:
    """f'·N: the size of a model of this task alone that reaches the same loss."""
    return _effective_fraction(p, f=f) * N


def _size_for_loss(p: Values, *, loss: Any, f: Any) -> Any:
    """(A/(L − E))^(1/alpha)/f': the size at which a task of weight f reaches a loss."""
    alone = raised((loss - p["E"]) / p["A"], -1 / p["alpha"])
    return alone / _effective_fraction(p, f=f)


@law(
    formula="E + A·(f'·N)^(-alpha), f' = f + c1·f^c2·(1 − f)^c3",
    reference="arXiv:2302.09650",
    unit="nats per token",
    linear=("E", "A"),
    powers=(("A", "N", "alpha"),),
    positive=("f",),
    limits={"f": (0.0, 1.0)},
    falling=("N",),
    start={"c1": (0.03, 1.0), "c2": (0.2, 2.0), "c3": (0.2, 3.0)},
    quantities={
        "effective_fraction": _effective_fraction,
        "effective_size": _effective_size,
        "size_for_loss": _size_for_loss,
    },
)
def multilingual_translation(
    N: Any, f: Any, *,
    E: Floor, A: Scale, alpha: Exponent, c1: Positive, c2: Positive, c3: Positive,
) -> Any:  # fmt: skip
    """L(N, f) = E + A·(f'·N)^(−alpha) with f' = f + c1·f^c2·(1 − f)^c3: one task among others.

    N: parameters without embeddings, of encoder and decoder together. f: the task's weight in
    training, above 0 and up to 1, which the source writes p. Output: cross-entropy of the task
    in nats per token, above E. f'·N is the size in effect: that of a model trained on the task
    alone (f = 1) with the same loss. f' = f where tasks neither help nor hinder each other, as
    the source finds out of English; f' > f where they help, as it finds into English. c1 near 0
    makes c2 and c3 undetermined.

    Fitted at the source by least squares in two steps: alpha and E common to all weights, an
    amplitude A_f for each (``js.fit("power_const:N", runs, per={"A": "f"})``, which gives
    f' = (A_1/A_f)^(1/alpha)), then c1, c2, c3 from those. Several tasks in one table:
    ``per={"E": "task", "A": "task", "alpha": "task"}``.
    Source: arXiv:2302.09650.
    """
    import jax.numpy as jnp

    fraction = f + c1 * power(f, c2) * power(1.0 - jnp.asarray(f), c3)
    return E + A * power(fraction * N, -alpha)
