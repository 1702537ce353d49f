"""Closed forms that several laws share, in NumPy; results are NaN where they are undefined.

A derived quantity is a function of ``p``, a mapping from parameter names to numbers or arrays of
draws, and of keyword inputs that broadcast with them. The first line of its docstring is its
formula and its meaning, which ``jscale laws NAME`` shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Values = Mapping[str, Any]


def raised(base: Any, exponent: Any) -> np.ndarray:
    """Return base^exponent where the base is positive, and NaN without a warning elsewhere.

    Parameters
    ----------
    base, exponent : array_like
        Numbers that broadcast with each other.

    Returns
    -------
    ndarray
        The power, in float64.

    Examples
    --------
    >>> from jscale.laws.closed_forms import raised
    >>> raised([4.0, -1.0], 0.5).tolist()
    [2.0, nan]
    """
    base, exponent = np.broadcast_arrays(np.asarray(base, float), np.asarray(exponent, float))
    legal = base > 0
    with np.errstate(over="ignore", under="ignore"):
        # A base of 1 stands in where the power is undefined, so that nothing warns.
        power = np.where(legal, base, 1.0) ** exponent
    return np.where(legal, power, np.nan)


def input_of_power(value: Any, *, A: Any, exponent: Any, E: Any = 0.0) -> np.ndarray:
    """Return the x at which E + A·x^exponent takes a value, ((value − E)/A)^(1/exponent).

    Parameters
    ----------
    value : array_like
        The value to reach.
    A, exponent, E : array_like
        Amplitude, exponent and floor of the power law; they broadcast with ``value``.

    Returns
    -------
    ndarray
        The input; NaN where no input gives the value.

    Examples
    --------
    >>> from jscale.laws.closed_forms import input_of_power
    >>> input_of_power([3.0, 0.5], E=1.0, A=8.0, exponent=-2.0).tolist()
    [2.0, nan]
    """
    return raised((np.asarray(value) - E) / A, 1 / np.asarray(exponent))


def exponents(p: Values) -> tuple[Any, Any]:
    """Return the exponents of size and of data; a tied law has one for both."""
    return p["alpha"], p["beta"] if "beta" in p else p["alpha"]


def minimum_loss(p: Values, *, N: Any) -> Any:
    """E + A/N^alpha: lowest loss of a size, in the limit of unlimited tokens."""
    return p["E"] + p["A"] * raised(N, -p["alpha"])


def tokens_for_loss(p: Values, *, loss: Any, N: Any) -> Any:
    """(B/(L − E − A/N^alpha))^(1/beta): tokens with which a size reaches a loss."""
    _, beta = exponents(p)
    return raised((loss - minimum_loss(p, N=N)) / p["B"], -1 / beta)


def size_for_loss(p: Values, *, loss: Any, D: Any) -> Any:
    """(A/(L − E − B/D^beta))^(1/alpha): size that reaches a loss with these tokens."""
    alpha, beta = exponents(p)
    return raised((loss - p["E"] - p["B"] * raised(D, -beta)) / p["A"], -1 / alpha)


def _ratio(p: Values) -> Any:
    """Return G = (alpha·A/(beta·B))^(1/(alpha+beta)), which divides compute into size and data."""
    alpha, beta = exponents(p)
    return raised(alpha * p["A"] / (beta * p["B"]), 1 / (alpha + beta))


def optimal_size(p: Values, *, C: Any) -> Any:
    """N* = G·(C/6)^(beta/(alpha+beta)) at C = 6·N·D, G = (alpha·A/(beta·B))^(1/(alpha+beta))."""
    alpha, beta = exponents(p)
    return _ratio(p) * raised(np.asarray(C) / 6, beta / (alpha + beta))


def optimal_tokens(p: Values, *, C: Any) -> Any:
    """D* = (C/6)^(alpha/(alpha+beta))/G at C = 6·N·D, with G as for optimal_size."""
    alpha, beta = exponents(p)
    return raised(np.asarray(C) / 6, alpha / (alpha + beta)) / _ratio(p)


def _frontier(p: Values) -> Any:
    """Return K in the lowest loss at a compute, E + K·(C/6)^(−alpha·beta/(alpha+beta))."""
    alpha, beta = exponents(p)
    G = _ratio(p)
    return p["A"] * raised(G, -alpha) + p["B"] * raised(G, beta)


def optimal_loss(p: Values, *, C: Any) -> Any:
    """E + (A·G^(−alpha) + B·G^beta)·(C/6)^(−alpha·beta/(alpha+beta)): lowest loss at C."""
    alpha, beta = exponents(p)
    slope = -alpha * beta / (alpha + beta)
    return p["E"] + _frontier(p) * raised(np.asarray(C) / 6, slope)


def compute_for_loss(p: Values, *, loss: Any) -> Any:
    """6·((A·G^(−alpha) + B·G^beta)/(L − E))^((alpha+beta)/(alpha·beta)): least compute for L."""
    # The lowest loss of a compute, solved for the compute.
    alpha, beta = exponents(p)
    power = -(alpha + beta) / (alpha * beta)
    return 6 * raised((loss - p["E"]) / _frontier(p), power)


# The derived quantities of E + A/N^alpha + B/D^beta, by name.
ADDITIVE = {
    "minimum_loss": minimum_loss,
    "tokens_for_loss": tokens_for_loss,
    "size_for_loss": size_for_loss,
    "optimal_size": optimal_size,
    "optimal_tokens": optimal_tokens,
    "optimal_loss": optimal_loss,
    "compute_for_loss": compute_for_loss,
}
