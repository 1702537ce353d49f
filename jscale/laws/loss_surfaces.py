"""The loss as a surface over parameters N and data D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jscale.laws.closed_forms import ADDITIVE, Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, LogScale, Scale, Slope


def _tokens_per_parameter(p: Mapping[str, float], C: float) -> float:
    """Return D*/N* at 6·N·D = C, the optimum of Hoffmann et al., arXiv:2203.15556, eq. 4."""
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
    """Loss as a floor, a power of size and a power of data (Hoffmann's third approach).

        L(N, D) = E + A/N^alpha + B/D^beta

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
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

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    The source fits by the sum of Huber terms (delta 1e-3) of the residuals of log L, from a grid of
    starts. Under C = 6·N·D the optimum is N* = G·(C/6)^(beta/(alpha+beta)) and D* =
    (C/6)^(alpha/(alpha+beta))/G with G = (alpha·A/(beta·B))^(1/(alpha+beta)). Tie the exponents
    with ``tie=("alpha", "beta")``.

    The published constants are those of the replication, from points read off the source's figure.
    The replication finds that the source's own constants do not minimise its objective; they are
    not given here.

    References
    ----------
    .. [1] Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv:2203.15556, eq. 2.
    .. [2] Besiroglu et al., Chinchilla Scaling: A replication attempt, arXiv:2404.10102.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("chinchilla")
    >>> replication = next(iter(law.published.values()))
    >>> round(float(law(70e9, 1.4e12, **replication)), 3)
    1.973
    >>> float(law.quantities["optimal_size"](replication, C=5.88e23)) > 5e10
    True
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
    """Loss as a floor and powers of size and data with the same exponent.

        L(N, D) = E + A/N^alpha + B/D^alpha

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    alpha : Exponent
        Exponent of size and of data, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    Both terms fall alike, so that the optimal D*/N* is the same at all compute. The law of
    over-training L(C, M) = E + (a·M^eta + b·M^(−eta))·C^(−eta), with M = D/N and C = 6·N·D, is the
    same law: eta = alpha/2, a = A·6^eta, b = B·6^eta. The source fits by least squares of L from a
    grid of starts.

    References
    ----------
    .. [1] Gadre et al., Language models scale reliably with over-training and on downstream tasks,
       arXiv:2403.08540 (the law of over-training).

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("chinchilla_tied")
    >>> round(float(law(1e8, 1e12, E=1.5, A=100.0, B=1000.0, alpha=0.25)), 3)
    3.5
    """
    return E + A * power(N, -alpha) + B * power(D, -alpha)


def _farseer_minimum(p: Values, *, N: Any) -> Any:
    """exp(a3·N^gamma + b3): lowest loss of a size, in the limit of unlimited tokens."""
    return np.exp(p["a3"] * raised(N, p["gamma"]) + p["b3"])


def _farseer_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """(exp(a2·N^beta + b2)/(L − exp(a3·N^gamma + b3)))^(1/exp(a1·N^alpha + b1)): tokens for L."""
    exponent = np.exp(p["a1"] * raised(N, p["alpha"]) + p["b1"])
    amplitude = np.exp(p["a2"] * raised(N, p["beta"]) + p["b2"])
    return raised((loss - _farseer_minimum(p, N=N)) / amplitude, -1 / exponent)


_FARSEER = {
    "a3": -0.021, "gamma": 0.169, "b3": -0.091,
    "a2": 88.01, "beta": -0.1, "b2": -6.287,
    "a1": -0.124, "alpha": 0.123, "b1": 0.424,
}  # fmt: skip


@law(
    formula="exp(a3·N^gamma + b3) + exp(a2·N^beta + b2)·D^(-exp(a1·N^alpha + b1))",
    reference="arXiv:2506.10972",
    unit="bits per character",
    linear=("b3", "b2"),
    # b and a of b + a·N^p offset each other; value and slope at the centre of the data do not.
    offset_powers=(
        ("b3", "a3", "N", "gamma"),
        ("b2", "a2", "N", "beta"),
        ("b1", "a1", "N", "alpha"),
    ),
    falling=("D",),
    quantities={"minimum_loss": _farseer_minimum, "tokens_for_loss": _farseer_tokens},
    start={"b1": (-2.3, 0.2), "alpha": (-0.4, 0.4), "beta": (-0.4, 0.4), "gamma": (-0.4, 0.4)},
    published={"arXiv:2506.10972, eq. 15": _FARSEER},
)
def farseer(
    N: Any,
    D: Any,
    *,
    a3: Slope,
    gamma: Slope,
    b3: LogScale,
    a2: Slope,
    beta: Slope,
    b2: LogScale,
    a1: Slope,
    alpha: Slope,
    b1: Slope,
) -> Any:
    """Loss whose data term changes in size and exponent with the parameters.

        L(N, D) = exp(a3·N^gamma + b3) + exp(a2·N^beta + b2)·D^(−exp(a1·N^alpha + b1))

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, above 0.
    D : array_like
        Training tokens, above 0.
    a3 : Slope
        Amplitude of size in the logarithm of the floor, of any sign.
    gamma : Slope
        Exponent of size in the floor, of any sign.
    b3 : LogScale
        Constant in the logarithm of the floor, of any sign.
    a2 : Slope
        Amplitude of size in the logarithm of the data term, of any sign.
    beta : Slope
        Exponent of size in the data term, of any sign.
    b2 : LogScale
        Constant in the logarithm of the data term, of any sign.
    a1 : Slope
        Amplitude of size in the logarithm of the exponent of data, of any sign.
    alpha : Slope
        Exponent of size in the exponent of data, of any sign.
    b1 : Slope
        Constant in the logarithm of the exponent of data, of any sign.

    Returns
    -------
    loss : array
        Loss, at the source in bits per character, above 0.

    Notes
    -----
    The loss falls in D for all parameters, in N for those of the source. The source fits piecewise,
    by differences of the loss along D. Nine parameters and many local minima: combinations are
    often undetermined, so read the notes of the fit. The tokens for a loss have a closed form; the
    optimum at a compute has none, and D*/N* rises with compute at the source: see
    :func:`jscale.allocate`. The printed constants are rounded to three decimals, which alone moves
    the loss by up to several per cent.

    References
    ----------
    .. [1] Farseer: A Refined Scaling Law in Large Language Models, arXiv:2506.10972, eq. 3
       (constants: eq. 15).

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("farseer")
    >>> round(float(law(1e9, 1e11, **law.published["arXiv:2506.10972, eq. 15"])), 3)
    0.499
    """
    import jax.numpy as jnp

    floor = jnp.exp(a3 * power(N, gamma) + b3)
    exponent = jnp.exp(a1 * power(N, alpha) + b1)
    return floor + jnp.exp(a2 * power(N, beta) + b2) * power(D, -exponent)
