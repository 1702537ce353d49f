"""Mixtures of experts by granularity, and by the share of the model that a token does not use.

Two forms from two sources; those in the number of experts are in experts.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.bisection import first_minimum
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale, Slope


def _fine_amplitude(p: Values, G: Any) -> Any:
    """Return g/G^gamma + a, the amplitude of the size term at a granularity."""
    return p["g"] * raised(G, -p["gamma"]) + p["a"]


def _fine_multiplier(p: Values, *, G: Any) -> Any:
    """((g + a)/(g/G^gamma + a))^(1/alpha): factor of size that G is worth, relative to G = 1."""
    return raised((p["g"] + p["a"]) / _fine_amplitude(p, G), 1 / p["alpha"])


def _fine_minimum(p: Values, *, N: Any, G: Any) -> Any:
    """c + (g/G^gamma + a)/N^alpha: lowest loss of a size, in the limit of unlimited tokens."""
    return p["c"] + _fine_amplitude(p, G) * raised(N, -p["alpha"])


def _fine_tokens(p: Values, *, loss: Any, N: Any, G: Any) -> Any:
    """(b/(L − c − (g/G^gamma + a)/N^alpha))^(1/beta): tokens with which a size reaches a loss."""
    return raised((loss - _fine_minimum(p, N=N, G=G)) / p["b"], -1 / p["beta"])


def _fine_size(p: Values, *, loss: Any, D: Any, G: Any) -> Any:
    """((g/G^gamma + a)/(L − c − b/D^beta))^(1/alpha): size that reaches a loss with D."""
    of_size = loss - p["c"] - p["b"] * raised(D, -p["beta"])
    return raised(of_size / _fine_amplitude(p, G), -1 / p["alpha"])


@law(
    formula="c + (g/G^gamma + a)/N^alpha + b/D^beta",
    reference="arXiv:2402.07871",
    unit="nats per token",
    linear=("c", "g", "a", "b"),
    powers=(("g", "G", "gamma"), ("g", "N", "alpha"), ("a", "N", "alpha"), ("b", "D", "beta")),
    limits={"G": (1.0, np.inf)},
    falling=("N", "D", "G"),
    quantities={
        "size_multiplier": _fine_multiplier,
        "minimum_loss": _fine_minimum,
        "tokens_for_loss": _fine_tokens,
        "size_for_loss": _fine_size,
    },
)
def fine_grained(
    N: Any,
    D: Any,
    G: Any,
    *,
    c: Floor,
    g: Scale,
    gamma: Exponent,
    a: Scale,
    alpha: Exponent,
    b: Scale,
    beta: Exponent,
) -> Any:
    """Loss of a mixture of experts by size, data and granularity.

        L(N, D, G) = c + (g/G^gamma + a)/N^alpha + b/D^beta

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens, above 0.
    G : array_like
        Granularity, the width of a dense layer over that of one expert, from 1 up.
    c : Floor
        Irreducible loss, in nats per token, above 0.
    g : Scale
        Part of the size term's amplitude that falls with granularity, above 0.
    gamma : Exponent
        Exponent of granularity, above 0.
    a : Scale
        Part of the amplitude that remains for very fine experts, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    b : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above c.

    Notes
    -----
    A token uses G experts, and their total number grows in proportion; the expansion rate (64 at
    the source) is the same in all runs. Finer experts lower the size term towards a/N^alpha, but
    routing costs compute that grows with G and is not part of this law.

    The source fits Huber terms from a grid of starts. Runs of a single granularity do not separate
    g from a. The source's constants are unverified and not given.

    References
    ----------
    .. [1] Scaling Laws for Fine-Grained Mixture of Experts, arXiv:2402.07871.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"c": 1.0, "g": 50.0, "gamma": 0.5, "a": 75.0, "alpha": 0.25,
    ...              "b": 1000.0, "beta": 0.25}
    >>> round(float(js.laws.get("fine_grained")(1e8, 1e12, 4, **constants)), 3)
    3.0
    """
    of_size = (g * power(G, -gamma) + a) * power(N, -alpha)
    return c + of_size + b * power(D, -beta)


def _sparse_minimum(p: Values, *, N: Any, sparsity: Any) -> Any:
    """e + a/N^alpha + c/(1 − S)^lam + d/((1 − S)^delta·N^gamma): limit of unlimited data."""
    active = 1 - np.asarray(sparsity, dtype=float)
    both = p["d"] * raised(active, -p["delta"]) * raised(N, -p["gamma"])
    return p["e"] + p["a"] * raised(N, -p["alpha"]) + p["c"] * raised(active, -p["lam"]) + both


def _sparse_tokens(p: Values, *, loss: Any, N: Any, sparsity: Any) -> Any:
    """(b/(L − L(N, ∞, S)))^(1/beta): tokens with which a size and sparsity reach a loss."""
    return raised((loss - _sparse_minimum(p, N=N, sparsity=sparsity)) / p["b"], -1 / p["beta"])


def _optimal_sparsity(p: Values, *, N: Any, C: Any) -> Any:
    """S* of the lowest loss at fixed N and C = 6·N·(1 − S)·D, numerically; NaN at a bound."""

    def slope(log_active: Any) -> Any:
        # The slope of the loss in ln(1 − S), with D = C/(6·N·(1 − S)).
        of_data = p["beta"] * p["b"] * raised(6 * np.asarray(N) / C, p["beta"])
        of_share = p["lam"] * p["c"] * np.exp(-p["lam"] * log_active)
        of_both = p["delta"] * p["d"] * raised(N, -p["gamma"]) * np.exp(-p["delta"] * log_active)
        return of_data * np.exp(p["beta"] * log_active) - of_share - of_both

    # Shares in use from one in a million to all of them.
    return 1 - np.exp(first_minimum(slope, np.log(1e-6), 0.0))


@law(
    formula="e + a/N^alpha + b/D^beta + c/(1 - sparsity)^lam + d/((1 - sparsity)^delta·N^gamma)",
    reference="arXiv:2501.12370",
    unit="nats per token",
    linear=("e", "a", "b", "c", "d"),
    powers=(("a", "N", "alpha"), ("b", "D", "beta"), ("d", "N", "gamma")),
    # 1 − S is raised to powers of either sign, so S = 1 has no loss.
    limits={"sparsity": (0.0, 0.999999)},
    falling=("N", "D"),
    start={"lam": (-0.6, 0.6), "delta": (-0.6, 0.6)},
    quantities={
        "minimum_loss": _sparse_minimum,
        "tokens_for_loss": _sparse_tokens,
        "optimal_sparsity": _optimal_sparsity,
    },
)
def sparse(
    N: Any,
    D: Any,
    sparsity: Any,
    *,
    e: Floor,
    a: Scale,
    alpha: Exponent,
    b: Scale,
    beta: Exponent,
    c: Scale,
    lam: Slope,
    d: Scale,
    delta: Slope,
    gamma: Exponent,
) -> Any:
    """Loss of a mixture of experts by total size, data and sparsity.

        L(N, D, S) = e + a/N^alpha + b/D^beta + c/(1 − S)^lam + d/((1 − S)^delta·N^gamma)

    Parameters
    ----------
    N : array_like
        All parameters, including those that a token does not use, above 0.
    D : array_like
        Training tokens, above 0.
    sparsity : array_like
        S, the share of experts that a token does not use, from 0 (dense) to below 1.
    e : Floor
        Irreducible loss, in nats per token, above 0.
    a : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    b : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    c : Scale
        Amplitude of the sparsity term, above 0.
    lam : Slope
        Exponent of sparsity, the source's lambda, of any sign.
    d : Scale
        Amplitude of the joint term of sparsity and size, above 0.
    delta : Slope
        Exponent of sparsity in the joint term, of any sign.
    gamma : Exponent
        Exponent of size in the joint term, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above e.

    Notes
    -----
    Since lam and delta may have either sign, the loss may rise or fall in S at fixed N.
    ``optimal_sparsity`` is for a fixed N and training FLOPs of 6 per token and parameter in use.

    The source fits Huber terms of log L. With few different sparsities, the ten parameters are not
    all identified (c and d not separately from e and a): read the notes of the fit. The form is
    unverified, and so are the source's constants, which are not given.

    References
    ----------
    .. [1] Parameters vs FLOPs: Scaling Laws for Optimal Sparsity for Mixture-of-Experts Language
       Models, arXiv:2501.12370.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"e": 1.0, "a": 100.0, "alpha": 0.25, "b": 1000.0, "beta": 0.25, "c": 0.1,
    ...              "lam": -0.5, "d": 0.0, "delta": 0.0, "gamma": 0.25}
    >>> round(float(js.laws.get("sparse")(1e8, 1e12, 0.75, **constants)), 3)
    3.05
    """
    import jax.numpy as jnp

    active = 1.0 - jnp.asarray(sparsity)
    of_both = d * power(active, -delta) * power(N, -gamma)
    of_size = a * power(N, -alpha)
    return e + of_size + b * power(D, -beta) + c * power(active, -lam) + of_both
