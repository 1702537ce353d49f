"""Precision: the cost of fewer bits per number, in training and after it.

Bits in training act as a share of the parameters; rounding afterwards, or with a scale for each
group, adds a term that grows with the data. Floating-point formats are in floating_point.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.bisection import first_minimum
from jscale.laws.closed_forms import ADDITIVE, Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale

_BITS = (1.0, np.inf)


def _kept(p: Values, P: Any, which: str) -> Any:
    """Return 1 − e^(−P/gamma), the share of the parameters that P bits keep."""
    # expm1 keeps the digits of 1 − e^(−x) for small x.
    return -np.expm1(-np.asarray(P) / p[f"gamma_{which}"])


def _effective_size(p: Values, *, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """N·(1 − e^(−P_w/gamma_w))·(1 − e^(−P_a/gamma_a))·(1 − e^(−P_kv/gamma_kv)): effective size."""
    return N * _kept(p, P_w, "w") * _kept(p, P_a, "a") * _kept(p, P_kv, "kv")


def _precision_minimum(p: Values, *, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """E + A/N_eff^alpha: lowest loss of a size in these bits, in the limit of unlimited tokens."""
    size = _effective_size(p, N=N, P_w=P_w, P_a=P_a, P_kv=P_kv)
    return ADDITIVE["minimum_loss"](p, N=size)


def _precision_tokens(p: Values, *, loss: Any, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """(B/(L − E − A/N_eff^alpha))^(1/beta): tokens with which a size reaches a loss."""
    size = _effective_size(p, N=N, P_w=P_w, P_a=P_a, P_kv=P_kv)
    return ADDITIVE["tokens_for_loss"](p, loss=loss, N=size)


def _best_bits(p: Values) -> Any:
    """P*, the same bits for all three, at which N_eff/P is largest: found numerically.

    At a cost k·N·D·P it is the optimal precision, whatever the cost, size and data.
    """

    def slope(log_bits: Any) -> Any:
        bits = np.exp(log_bits)
        # P·d ln N_eff/dP falls from 3 to 0 and equals 1 where N_eff/P is largest.
        return 1 - sum(
            bits / p[f"gamma_{which}"] / np.expm1(bits / p[f"gamma_{which}"])
            for which in ("w", "a", "kv")
        )

    # At many bits the exponential is infinite and its share of the slope 0, which is right.
    with np.errstate(over="ignore"):
        return np.exp(first_minimum(slope, np.log(1e-2), np.log(1e3)))


@law(
    formula="E + A/N_eff^alpha + B/D^beta, N_eff = N·(1 - e^(-P_w/gamma_w))"
    "·(1 - e^(-P_a/gamma_a))·(1 - e^(-P_kv/gamma_kv))",
    reference="arXiv:2411.04330",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    limits={"P_w": _BITS, "P_a": _BITS, "P_kv": _BITS},
    falling=("N", "D", "P_w", "P_a", "P_kv"),
    start={"gamma_w": (0.3, 8.0), "gamma_a": (0.3, 8.0), "gamma_kv": (0.3, 8.0)},
    quantities={
        "effective_size": _effective_size,
        "minimum_loss": _precision_minimum,
        "tokens_for_loss": _precision_tokens,
        "optimal_bits": _best_bits,
    },
)
def precision(
    N: Any,
    D: Any,
    P_w: Any,
    P_a: Any,
    P_kv: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    gamma_w: Positive,
    gamma_a: Positive,
    gamma_kv: Positive,
) -> Any:
    """Loss after training in few bits, by size, data and bits.

        L = E + A/N_eff^alpha + B/D^beta

    with N_eff = N·(1 − e^(−P_w/gamma_w))·(1 − e^(−P_a/gamma_a))·(1 − e^(−P_kv/gamma_kv)).

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
    P_w : array_like
        Bits of the weights in training, from 1 up.
    P_a : array_like
        Bits of the activations in training, from 1 up.
    P_kv : array_like
        Bits of the attention's keys and values in training, from 1 up.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    gamma_w : Positive
        Bits of the weights at which 63% of the parameters are kept, above 0.
    gamma_a : Positive
        The same for activations, above 0.
    gamma_kv : Positive
        The same for keys and values, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    Fewer bits act as fewer parameters, independently in the three. At a cost k·N·D·P with the same
    P for all three, the optimal P maximises N_eff/P and depends on the gammas alone. The source
    fits Huber terms of log L. The form is unverified, and so are the source's constants, which are
    not given. For rounding after training use ``post_training``.

    References
    ----------
    .. [1] Scaling Laws for Precision, arXiv:2411.04330.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("precision")
    >>> gammas = {"gamma_w": 2.0, "gamma_a": 2.0, "gamma_kv": 1.0}
    >>> size = law.quantities["effective_size"](gammas, N=1e9, P_w=4, P_a=8, P_kv=8)
    >>> round(float(size) / 1e9, 3)
    0.849
    >>> round(float(law.quantities["optimal_bits"](gammas)), 2)
    3.05
    """
    import jax.numpy as jnp

    # Π(1 − e^(−x)) = −Π expm1(−x) for three factors.
    kept = -jnp.expm1(-P_w / gamma_w) * jnp.expm1(-P_a / gamma_a) * jnp.expm1(-P_kv / gamma_kv)
    return E + A * power(N * kept, -alpha) + B * power(D, -beta)


def _turn(p: Values, worse: Any, N: Any) -> Any:
    """Return D where B/D^beta + worse·D^gamma_D/N^gamma_N is lowest."""
    # The slopes of both terms in ln D are equal and opposite there.
    falls = p["beta"] * p["B"] * raised(N, p["gamma_N"])
    return raised(falls / (p["gamma_D"] * worse), 1 / (p["beta"] + p["gamma_D"]))


def _post_degradation(p: Values, *, N: Any, D: Any, P_post: Any) -> Any:
    """C_T·D^gamma_D/N^gamma_N·e^(−P_post/gamma_post): loss added by rounding after training."""
    grown = p["C_T"] * raised(D, p["gamma_D"]) * raised(N, -p["gamma_N"])
    return grown * np.exp(-np.asarray(P_post) / p["gamma_post"])


def _post_critical(p: Values, *, N: Any, P_post: Any) -> Any:
    """D of the lowest loss after rounding to P_post bits; more data increase the loss."""
    return _turn(p, p["C_T"] * np.exp(-np.asarray(P_post) / p["gamma_post"]), N)


@law(
    formula="E + A/N^alpha + B/D^beta + C_T·D^gamma_D/N^gamma_N·e^(-P_post/gamma_post)",
    reference="arXiv:2411.04330",
    unit="nats per token",
    linear=("E", "A", "B", "C_T"),
    powers=(
        ("A", "N", "alpha"),
        ("B", "D", "beta"),
        ("C_T", "D", "gamma_D", +1),
        ("C_T", "N", "gamma_N", -1),
    ),
    limits={"P_post": _BITS},
    falling=("N", "P_post"),
    start={"gamma_post": (0.2, 5.0)},
    quantities={"degradation": _post_degradation, "critical_data": _post_critical},
)
def post_training(
    N: Any,
    D: Any,
    P_post: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    C_T: Scale,
    gamma_D: Exponent,
    gamma_N: Exponent,
    gamma_post: Positive,
) -> Any:
    """Loss after rounding a trained model's weights, by size, data and bits.

        L = E + A/N^alpha + B/D^beta + C_T·D^gamma_D/N^gamma_N·e^(−P_post/gamma_post)

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
    P_post : array_like
        Bits that the weights are rounded to after training, from 1 up.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    C_T : Scale
        Amplitude of the loss added by rounding, above 0.
    gamma_D : Exponent
        Exponent of data in that loss, above 0.
    gamma_N : Exponent
        Exponent of size in that loss, above 0.
    gamma_post : Positive
        Bits over which that loss falls by a factor of e, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token after rounding, above E.

    Notes
    -----
    The law is for models trained in ample bits; the source has a further factor for training in few
    bits, which is unverified and left out. The last term grows with the data, so that the loss
    turns at ``critical_data``. The source fits Huber terms. The form is unverified, and so are the
    source's constants, which are not given.

    References
    ----------
    .. [1] Scaling Laws for Precision, arXiv:2411.04330.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"E": 1.0, "A": 100.0, "alpha": 0.25, "B": 1000.0, "beta": 0.25, "C_T": 0.5,
    ...              "gamma_D": 0.5, "gamma_N": 0.5, "gamma_post": 1.0}
    >>> round(float(js.laws.get("post_training")(1e8, 1e12, 4, **constants)), 3)
    3.916
    """
    import jax.numpy as jnp

    added = power(D, gamma_D) * power(N, -gamma_N) * jnp.exp(-P_post / gamma_post)
    return E + A * power(N, -alpha) + B * power(D, -beta) + C_T * added


def _aware_degradation(p: Values, *, N: Any, D: Any, G: Any) -> Any:
    """k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N: loss added by training in few bits."""
    grown = p["k"] * raised(D, p["gamma_D"]) * raised(N, -p["gamma_N"])
    return grown * raised(np.log2(G), p["gamma_G"])


def _aware_critical(p: Values, *, N: Any, G: Any) -> Any:
    """D of the lowest loss at a size and group; more data increase the loss."""
    return _turn(p, p["k"] * raised(np.log2(G), p["gamma_G"]), N)


@law(
    formula="E + A/N^alpha + B/D^beta + k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N",
    reference="arXiv:2505.14302",
    unit="nats per token",
    linear=("E", "A", "B", "k"),
    powers=(
        ("A", "N", "alpha"),
        ("B", "D", "beta"),
        ("k", "D", "gamma_D", +1),
        ("k", "N", "gamma_N", -1),
    ),
    positive=("G",),
    limits={"G": (1.0, np.inf)},
    falling=("N",),
    rising=("G",),
    quantities={"degradation": _aware_degradation, "critical_data": _aware_critical},
)
def quantization_aware(
    N: Any,
    D: Any,
    G: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    k: Scale,
    gamma_D: Exponent,
    gamma_G: Exponent,
    gamma_N: Exponent,
) -> Any:
    """Loss after training in few bits with shared scales, by size, data and group.

        L = E + A/N^alpha + B/D^beta + k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, all in few bits, above 0.
    G : array_like
        Group, the number of values that share a scale, from 1 up.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    k : Scale
        Amplitude of the loss added by few bits, above 0.
    gamma_D : Exponent
        Exponent of data in that loss, above 0.
    gamma_G : Exponent
        Exponent of log2 G in that loss, above 0.
    gamma_N : Exponent
        Exponent of size in that loss, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    Each bit width has its own k and gammas (``per={"k": "bits"}``); the source finds that the
    losses added by weights and by activations in 4 bits nearly sum. The last term grows with the
    data, so that the loss turns at ``critical_data``. The form follows a secondary account, which
    does not give the source's constants.

    References
    ----------
    .. [1] Scaling Law for Quantization-Aware Training, arXiv:2505.14302.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"E": 1.0, "A": 100.0, "alpha": 0.25, "B": 1000.0, "beta": 0.25, "k": 1e-3,
    ...              "gamma_D": 0.5, "gamma_G": 1.0, "gamma_N": 0.5}
    >>> round(float(js.laws.get("quantization_aware")(1e8, 1e12, 128, **constants)), 3)
    3.7
    """
    import jax.numpy as jnp

    added = power(D, gamma_D) * power(N, -gamma_N) * power(jnp.log2(G), gamma_G)
    return E + A * power(N, -alpha) + B * power(D, -beta) + k * added
