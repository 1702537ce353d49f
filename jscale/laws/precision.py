"""Precision: what fewer bits per number cost, in training and after it.

Bits in training act as a share of the parameters; rounding afterwards, or with a scale for each
group, adds a term that grows with the data. Formats of floating point are in floating_point.py.
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
    return -np.expm1(-np.asarray(P) / p[f"gamma_{which}"])


def _effective_size(p: Values, *, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """N·(1 − e^(−P_w/gamma_w))·(1 − e^(−P_a/gamma_a))·(1 − e^(−P_kv/gamma_kv)): size in effect."""
    return N * _kept(p, P_w, "w") * _kept(p, P_a, "a") * _kept(p, P_kv, "kv")


def _precision_minimum(p: Values, *, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """E + A/N_eff^alpha: the loss that a size in these bits cannot fall below."""
    size = _effective_size(p, N=N, P_w=P_w, P_a=P_a, P_kv=P_kv)
    return ADDITIVE["minimum_loss"](p, N=size)


def _precision_tokens(p: Values, *, loss: Any, N: Any, P_w: Any, P_a: Any, P_kv: Any) -> Any:
    """(B/(L − E − A/N_eff^alpha))^(1/beta): tokens with which a size reaches a loss."""
    size = _effective_size(p, N=N, P_w=P_w, P_a=P_a, P_kv=P_kv)
    return ADDITIVE["tokens_for_loss"](p, loss=loss, N=size)


def _best_bits(p: Values) -> Any:
    """P*, the same bits for all three, at which N_eff/P is largest: found numerically.

    At a cost k·N·D·P it is the best precision at any cost, size and data.
    """

    def slope(log_bits: Any) -> Any:
        bits = np.exp(log_bits)
        # P·d ln N_eff/dP falls from 3 to 0, and is 1 where N_eff/P is largest.
        return 1 - sum(
            bits / p[f"gamma_{which}"] / np.expm1(bits / p[f"gamma_{which}"])
            for which in ("w", "a", "kv")
        )

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
    N: Any, D: Any, P_w: Any, P_a: Any, P_kv: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent,
    gamma_w: Positive, gamma_a: Positive, gamma_kv: Positive,
) -> Any:  # fmt: skip
    """L = E + A/N_eff^alpha + B/D^beta with N_eff = N·Π(1 − e^(−P/gamma)) over w, a and kv.

    N: parameters. D: training tokens. P_w, P_a, P_kv: bits of weights, activations and
    attention's keys and values in training, from 1 up. Output: loss in nats per token, above E.
    Fewer bits act as fewer parameters, independently in the three; each gamma is the number of
    bits at which 63 % of them are kept. At a cost k·N·D·P with the same P for all three, the best
    P maximises N_eff/P and depends on the gammas alone. Fitted at the source by Huber terms of
    log L. The form is unverified, and so are the source's constants, which are not given. For
    rounding after training: ``post_training``.
    Source: arXiv:2411.04330.
    """
    import jax.numpy as jnp

    kept = -jnp.expm1(-P_w / gamma_w) * jnp.expm1(-P_a / gamma_a) * jnp.expm1(-P_kv / gamma_kv)
    return E + A * power(N * kept, -alpha) + B * power(D, -beta)


def _turn(p: Values, worse: Any, N: Any) -> Any:
    """Return D where B/D^beta + worse·D^gamma_D/N^gamma_N is lowest."""
    falls = p["beta"] * p["B"] * raised(N, p["gamma_N"])
    return raised(falls / (p["gamma_D"] * worse), 1 / (p["beta"] + p["gamma_D"]))


def _post_degradation(p: Values, *, N: Any, D: Any, P_post: Any) -> Any:
    """C_T·D^gamma_D/N^gamma_N·e^(−P_post/gamma_post): what rounding after training adds."""
    grown = p["C_T"] * raised(D, p["gamma_D"]) * raised(N, -p["gamma_N"])
    return grown * np.exp(-np.asarray(P_post) / p["gamma_post"])


def _post_critical(p: Values, *, N: Any, P_post: Any) -> Any:
    """D of the lowest loss after rounding to P_post bits: more data make it worse."""
    return _turn(p, p["C_T"] * np.exp(-np.asarray(P_post) / p["gamma_post"]), N)


@law(
    formula="E + A/N^alpha + B/D^beta + C_T·D^gamma_D/N^gamma_N·e^(-P_post/gamma_post)",
    reference="arXiv:2411.04330",
    unit="nats per token",
    linear=("E", "A", "B", "C_T"),
    powers=(
        ("A", "N", "alpha"), ("B", "D", "beta"),
        ("C_T", "D", "gamma_D", +1), ("C_T", "N", "gamma_N", -1),
    ),
    limits={"P_post": _BITS},
    falling=("N", "P_post"),
    start={"gamma_post": (0.2, 5.0)},
    quantities={"degradation": _post_degradation, "critical_data": _post_critical},
)  # fmt: skip
def post_training(
    N: Any, D: Any, P_post: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent,
    C_T: Scale, gamma_D: Exponent, gamma_N: Exponent, gamma_post: Positive,
) -> Any:  # fmt: skip
    """L = E + A/N^alpha + B/D^beta + C_T·D^gamma_D/N^gamma_N·e^(−P_post/gamma_post).

    N: parameters. D: training tokens. P_post: bits that the weights are rounded to after
    training, from 1 up. Output: loss in nats per token after rounding, above E. It is for
    models trained in ample bits; the source has a further factor for training in few, which is
    not verified and left out. The last term grows with the data, so that the loss turns at
    ``critical_data``. Fitted at the source by Huber terms. The form is unverified, and so are the
    source's constants, which are not given. Source: arXiv:2411.04330.
    """
    import jax.numpy as jnp

    added = power(D, gamma_D) * power(N, -gamma_N) * jnp.exp(-P_post / gamma_post)
    return E + A * power(N, -alpha) + B * power(D, -beta) + C_T * added


def _aware_degradation(p: Values, *, N: Any, D: Any, G: Any) -> Any:
    """k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N: what training in few bits adds."""
    grown = p["k"] * raised(D, p["gamma_D"]) * raised(N, -p["gamma_N"])
    return grown * raised(np.log2(G), p["gamma_G"])


def _aware_critical(p: Values, *, N: Any, G: Any) -> Any:
    """D of the lowest loss at a size and group: more data make it worse."""
    return _turn(p, p["k"] * raised(np.log2(G), p["gamma_G"]), N)


@law(
    formula="E + A/N^alpha + B/D^beta + k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N",
    reference="arXiv:2505.14302",
    unit="nats per token",
    linear=("E", "A", "B", "k"),
    powers=(
        ("A", "N", "alpha"), ("B", "D", "beta"),
        ("k", "D", "gamma_D", +1), ("k", "N", "gamma_N", -1),
    ),
    positive=("G",),
    limits={"G": (1.0, np.inf)},
    falling=("N",),
    rising=("G",),
    quantities={"degradation": _aware_degradation, "critical_data": _aware_critical},
)  # fmt: skip
def quantization_aware(
    N: Any, D: Any, G: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent,
    k: Scale, gamma_D: Exponent, gamma_G: Exponent, gamma_N: Exponent,
) -> Any:  # fmt: skip
    """L = E + A/N^alpha + B/D^beta + k·D^gamma_D·(log2 G)^gamma_G/N^gamma_N.

    N: parameters. D: training tokens, all in few bits. G: group, how many numbers share a scale,
    from 1 up. Output: loss in nats per token, above E. One set of k and gamma for each bit width
    (``per={"k": "bits"}``); the source finds that what weights and activations add in 4 bits
    nearly sum. The last term grows with the data, so that the loss turns at ``critical_data``. The
    form is after a secondary account, which does not say the source's constants.
    Source: arXiv:2505.14302.
    """
    import jax.numpy as jnp

    added = power(D, gamma_D) * power(N, -gamma_N) * power(jnp.log2(G), gamma_G)
    return E + A * power(N, -alpha) + B * power(D, -beta) + k * added
