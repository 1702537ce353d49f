"""Floating-point formats in training: bits of exponent and mantissa, and shared scales.

Rounding in training adds a term that grows with the data and falls with the size, so that beyond a
critical amount more data make a model worse. arXiv:2501.02423.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale

_BITS = (1.0, np.inf)


def _format_loss(p: Values, exponent_bits: Any, mantissa_bits: Any, block: Any) -> Any:
    """Return log2(block)/(gamma·(E + 1/2)^delta·(M + 1/2)^nu), the term at D^beta = N^alpha."""
    kept = raised(np.asarray(exponent_bits) + 0.5, p["delta"])
    kept = kept * raised(np.asarray(mantissa_bits) + 0.5, p["nu"])
    return np.log2(block) / (p["gamma"] * kept)


def _critical_data(p: Values, *, N: Any, exponent_bits: Any, mantissa_bits: Any, block: Any) -> Any:
    """[d·gamma·N^alpha·(E + 1/2)^delta·(M + 1/2)^nu/log2(block)]^(1/(2·beta)): D of least loss."""
    worse = _format_loss(p, exponent_bits, mantissa_bits, block)
    return raised(worse * raised(N, -p["alpha"]) / p["d"], -1 / (2 * p["beta"]))


def _lowest_loss(p: Values, *, N: Any, exponent_bits: Any, mantissa_bits: Any, block: Any) -> Any:
    """epsilon + n/N^alpha + 2·(d·q/N^alpha)^(1/2), with the term q·D^beta/N^alpha: least over D."""
    of_size = raised(N, -p["alpha"])
    worse = _format_loss(p, exponent_bits, mantissa_bits, block)
    return p["epsilon"] + p["n"] * of_size + 2 * np.sqrt(p["d"] * worse * of_size)


def _exponent_share(p: Values) -> Any:
    """Return the share of a format's bits, less a half bit each, that the exponent should have."""
    return p["delta"] / (p["delta"] + p["nu"])


def _best_exponent_bits(p: Values, *, bits: Any) -> Any:
    """delta·P/(delta + nu) − 1/2: exponent bits of the best format with P = E + M + 1 bits."""
    return _exponent_share(p) * bits - 0.5


def _best_mantissa_bits(p: Values, *, bits: Any) -> Any:
    """nu·P/(delta + nu) − 1/2: mantissa bits of the best format with P = E + M + 1 bits."""
    return (1 - _exponent_share(p)) * bits - 0.5


def _one_bit_loss(p: Values, block: Any) -> Any:
    """Return K in the term of the best split of P bits, K·P^(−(delta + nu))·D^beta/N^alpha."""
    share = _exponent_share(p)
    kept = p["gamma"] * raised(share, p["delta"]) * raised(1 - share, p["nu"])
    return np.log2(block) / kept


def _optimum(p: Values, block: Any, C: Any, k: Any) -> tuple[Any, Any, Any]:
    """Return N, D and P of the lowest loss at C = k·N·D·P, with each format split optimally.

    The slopes of the loss in ln N, ln D and ln P are equal there. This determines q =
    K·P^(−s)·D^beta, the loss due to the format at N = 1, and makes N and P powers of D (s = delta +
    nu).
    """
    alpha, beta, s = p["alpha"], p["beta"], p["delta"] + p["nu"]
    # Equal slopes in ln N and ln P.
    q = alpha * p["n"] / (s - alpha)
    # Equal slopes in ln D and ln P give N = of_size·D^(beta/alpha).
    of_size = raised((s + beta) * q / (beta * p["d"]), 1 / alpha)
    # q = K·P^(−s)·D^beta gives P = of_bits·D^(beta/s).
    of_bits = raised(_one_bit_loss(p, block) / q, 1 / s)
    # These in C = k·N·D·P.
    D = raised(np.asarray(C) / (k * of_size * of_bits), 1 / (1 + beta / alpha + beta / s))
    return of_size * raised(D, beta / alpha), D, of_bits * raised(D, beta / s)


def _optimal_size(p: Values, *, C: Any, k: Any, block: Any) -> Any:
    """N* of the lowest loss at C = k·N·D·P, over size, data and bits P, in closed form."""
    return _optimum(p, block, C, k)[0]


def _optimal_tokens(p: Values, *, C: Any, k: Any, block: Any) -> Any:
    """D* of the lowest loss at C = k·N·D·P, over size, data and bits P, in closed form."""
    return _optimum(p, block, C, k)[1]


def _optimal_bits(p: Values, *, C: Any, k: Any, block: Any) -> Any:
    """P* of the lowest loss at C = k·N·D·P, over size, data and bits P, in closed form."""
    return _optimum(p, block, C, k)[2]


def _optimal_bits_at_tokens(p: Values, *, D: Any, block: Any) -> Any:
    """[(s − alpha)·K·D^beta/(alpha·n)]^(1/s), s = delta + nu: P* at fixed D and any C = k·N·D·P."""
    alpha, s = p["alpha"], p["delta"] + p["nu"]
    lost = _one_bit_loss(p, block) * raised(D, p["beta"])
    return raised((s - alpha) * lost / (alpha * p["n"]), 1 / s)


@law(
    formula="n/N^alpha + d/D^beta + epsilon"
    " + (D^beta/N^alpha)·log2(block)/(gamma·(E + 1/2)^delta·(M + 1/2)^nu)",
    reference="arXiv:2501.02423",
    unit="nats per token",
    linear=("n", "d", "epsilon"),
    # gamma divides the last term, so that the signs of its powers are reversed.
    powers=(
        ("n", "N", "alpha"),
        ("d", "D", "beta"),
        ("gamma", "D", "beta", -1),
        ("gamma", "N", "alpha", +1),
    ),
    positive=("block",),
    limits={"exponent_bits": _BITS, "mantissa_bits": _BITS, "block": (1.0, np.inf)},
    falling=("N", "exponent_bits", "mantissa_bits"),
    rising=("block",),
    start={"gamma": (0.03, 30.0), "delta": (0.5, 6.0), "nu": (0.5, 6.0)},
    quantities={
        "critical_data": _critical_data,
        "lowest_loss": _lowest_loss,
        "best_exponent_bits": _best_exponent_bits,
        "best_mantissa_bits": _best_mantissa_bits,
        "optimal_size": _optimal_size,
        "optimal_tokens": _optimal_tokens,
        "optimal_bits": _optimal_bits,
        "optimal_bits_at_tokens": _optimal_bits_at_tokens,
    },
    published={
        "arXiv:2501.02423, table 2": {
            "n": 69.2343,
            "alpha": 0.2368,
            "d": 68973.0621,
            "beta": 0.5162,
            "epsilon": 1.9061,
            "gamma": 11334.5197,
            "delta": 3.1926,
            "nu": 2.9543,
        }
    },
)
def floating_point_quantization(
    N: Any,
    D: Any,
    exponent_bits: Any,
    mantissa_bits: Any,
    block: Any,
    *,
    n: Scale,
    alpha: Exponent,
    d: Scale,
    beta: Exponent,
    epsilon: Floor,
    gamma: Positive,
    delta: Exponent,
    nu: Exponent,
) -> Any:
    """Loss after training in a floating-point format, by size, data, bits and block.

        L = n/N^alpha + d/D^beta + epsilon + (D^beta/N^alpha)·log2(B)/(gamma·(E+½)^delta·(M+½)^nu)

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
    exponent_bits : array_like
        E, exponent bits of the format that numbers are rounded to in training, from 1 up.
    mantissa_bits : array_like
        M, mantissa bits of the format, from 1 up; with the sign it has P = E + M + 1 bits.
    block : array_like
        B, the number of values that share a scale, from 1 up.
    n : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    d : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    epsilon : Floor
        Irreducible loss, in nats per token, above 0.
    gamma : Positive
        Divisor of the format's term, above 0.
    delta : Exponent
        Exponent of E + ½, above 0.
    nu : Exponent
        Exponent of M + ½, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above epsilon.

    Notes
    -----
    The last term is due to the format. It grows with the data, so that the loss turns at
    ``critical_data``, and it is 0 where each number has its own scale. The optimal split of P bits
    gives E and M shares in the ratio of delta to nu, less a half bit each. The quantities
    ``optimal_…`` minimise the loss at a cost C = k·N·D·P, which equals 6·N·D at 16 bits for k =
    6/16.

    The source fits in two steps, chinchilla on runs in 16 bits and then gamma, delta and nu
    (``fixed=…``), to models of 41 to 679 million parameters trained on 10 to 100 billion tokens.
    The published constants are those of its table 2; they reproduce its critical data.

    References
    ----------
    .. [1] Scaling Laws for Floating Point Quantization Training, arXiv:2501.02423.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("floating_point_quantization")
    >>> constants = law.published["arXiv:2501.02423, table 2"]
    >>> e4m3 = {"exponent_bits": 4, "mantissa_bits": 3, "block": 128}
    >>> print(f'{law.quantities["critical_data"](constants, N=1e9, **e4m3):.3g}')
    2.73e+13
    """
    import jax.numpy as jnp

    kept = power(exponent_bits + 0.5, delta) * power(mantissa_bits + 0.5, nu)
    of_format = power(D, beta) * power(N, -alpha) * jnp.log2(block) / (gamma * kept)
    return n * power(N, -alpha) + d * power(D, -beta) + epsilon + of_format
