"""Laws of the loss as a surface over parameters N and data D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jscale.laws.closed_forms import ADDITIVE, Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, LogScale, Scale, Slope


def _tokens_per_parameter(p: Mapping[str, float], C: float) -> float:
    """D*/N* where 6·N·D = C: the optimum of Hoffmann et al., arXiv:2203.15556, eq. 4."""
    total = p["alpha"] + p["beta"]
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / total)
    return (C / 6) ** ((p["alpha"] - p["beta"]) / total) / G**2


@law(
    formula="E + A/N^alpha + B/D^beta",
    reference="arXiv:2203.15556",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    falling=("N", "D"),
    quantities=ADDITIVE,
    derived={
        "N* exponent, beta/(alpha+beta)": lambda p, C: p["beta"] / (p["alpha"] + p["beta"]),
        "tokens per parameter at C={C}": _tokens_per_parameter,
    },
    published={
        "arXiv:2404.10102 (replication; standard errors: A 124.52, B 1293.28, E 0.02566, "
        "alpha 0.01540, beta 0.02060)": {
            "E": 1.81686,
            "A": 482.01,
            "alpha": 0.34781,
            "B": 2085.43,
            "beta": 0.36585,
        }
    },
)
def chinchilla(
    N: Any, D: Any, *, E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent
) -> Any:
    """L(N, D) = E + A/N^alpha + B/D^beta: Hoffmann's third approach.

    N: parameters. D: training tokens. Output: loss in nats per token, above E, which is the
    irreducible loss. Fitted at the source by the sum of Huber terms (delta 1e-3) of the
    residuals of log L, from a grid of starts. Under C = 6·N·D the optimum is
    N* = G·(C/6)^(beta/(alpha+beta)), D* = (C/6)^(alpha/(alpha+beta))/G with
    G = (alpha·A/(beta·B))^(1/(alpha+beta)). Tie the exponents with ``tie=("alpha", "beta")``.
    The constants given are those of the replication, from points read off the source's figure; it
    finds that the source's own do not minimise its objective, and they are not given here.
    Source: Hoffmann et al., arXiv:2203.15556, eq. 2; replication: arXiv:2404.10102.
    """
    return E + A * power(N, -alpha) + B * power(D, -beta)


@law(
    formula="E + A/N^alpha + B/D^alpha",
    reference="arXiv:2403.08540",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(("A", "N", "alpha"), ("B", "D", "alpha")),
    falling=("N", "D"),
    quantities=ADDITIVE,
    derived={"tokens per parameter": lambda p, C: (p["B"] / p["A"]) ** (1 / p["alpha"])},
)
def chinchilla_tied(N: Any, D: Any, *, E: Floor, A: Scale, B: Scale, alpha: Exponent) -> Any:
    """L(N, D) = E + A/N^alpha + B/D^alpha: both terms fall alike, so D*/N* is the same at all C.

    N: parameters. D: training tokens. Output: loss in nats per token, above E. The law of
    over-training L(C, M) = E + (a·M^eta + b·M^(−eta))·C^(−eta), with M = D/N and C = 6·N·D, is
    this one: eta = alpha/2, a = A·6^eta, b = B·6^eta. Fitted at the source by least squares of L
    from a grid of starts. Source: Gadre et al., arXiv:2403.08540 (the law of over-training).
    """
    return E + A * power(N, -alpha) + B * power(D, -alpha)


def _farseer_minimum(p: Values, *, N: Any) -> Any:
    """exp(a3·N^gamma + b3): the loss that a size cannot fall below."""
    return np.exp(p["a3"] * raised(N, p["gamma"]) + p["b3"])


def _farseer_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """(exp(a2·N^beta + b2)/(L − exp(a3·N^gamma + b3)))^(1/exp(a1·N^alpha + b1)): tokens."""
    exponent = np.exp(p["a1"] * raised(N, p["alpha"]) + p["b1"])
    amplitude = np.exp(p["a2"] * raised(N, p["beta"]) + p["b2"])
    return raised((loss - _farseer_minimum(p, N=N)) / amplitude, -1 / exponent)


@law(
    formula="exp(a3·N^gamma + b3) + exp(a2·N^beta + b2)·D^(-exp(a1·N^alpha + b1))",
    reference="arXiv:2506.10972",
    unit="bits per character",
    linear=("b3", "b2"),
    offset_powers=(
        ("b3", "a3", "N", "gamma"),
        ("b2", "a2", "N", "beta"),
        ("b1", "a1", "N", "alpha"),
    ),
    falling=("D",),
    quantities={"minimum_loss": _farseer_minimum, "tokens_for_loss": _farseer_tokens},
    start={"b1": (-2.3, 0.2), "alpha": (-0.4, 0.4), "beta": (-0.4, 0.4), "gamma": (-0.4, 0.4)},
    published={
        "arXiv:2506.10972, eq. 15": {
            "a3": -0.021, "gamma": 0.169, "b3": -0.091,
            "a2": 88.01, "beta": -0.1, "b2": -6.287,
            "a1": -0.124, "alpha": 0.123, "b1": 0.424,
        }
    },
)  # fmt: skip
def farseer(
    N: Any, D: Any, *,
    a3: Slope, gamma: Slope, b3: LogScale,
    a2: Slope, beta: Slope, b2: LogScale,
    a1: Slope, alpha: Slope, b1: Slope,
) -> Any:  # fmt: skip
    """L(N, D) = exp(a3·N^gamma + b3) + exp(a2·N^beta + b2)·D^(−exp(a1·N^alpha + b1)).

    N: parameters without embeddings. D: training tokens. Output at the source: bits per
    character. The data term's size and exponent both change with N, as stretched
    exponentials. Fitted at the source piecewise, by differences of loss along D. Nine
    parameters and many local minima: combinations are often undetermined; read the notes. The
    tokens for a loss have a closed form; the optimum at a compute has none, and D*/N* rises
    with compute at the source: see allocate. The loss falls in D for all parameters, in N for
    the source's.
    Source: arXiv:2506.10972, eq. 3 (constants: eq. 15).
    """
    import jax.numpy as jnp

    floor = jnp.exp(a3 * power(N, gamma) + b3)
    exponent = jnp.exp(a1 * power(N, alpha) + b1)
    return floor + jnp.exp(a2 * power(N, beta) + b2) * power(D, -exponent)
