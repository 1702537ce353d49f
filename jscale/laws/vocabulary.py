"""The size of the vocabulary: its parameters, and its compression of the text.

A larger vocabulary has more parameters and turns the same characters into fewer tokens.
arXiv:2407.13623.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.bisection import first_minimum
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Positive, Scale

# Tokens per character as a parabola in ln V: the source's constants for its own tokenisers.
_SQUARE, _SLOPE, _LEVEL = 0.00639222, -0.15811069, 1.20470122
# ln V at which the parabola turns; beyond it, larger vocabularies would give more tokens.
_TURN = -_SLOPE / (2 * _SQUARE)
# The source's code fits in millions of parameters and billions of characters.
_MILLION, _BILLION = 1e6, 1e9
# ln V up to which the optimum at a fixed compute is searched.
_MOST_LOG = 40.0


def _parabola(log_entries: Any) -> Any:
    """Return tokens per character at a logarithm of the vocabulary (NumPy or JAX)."""
    return (_SQUARE * log_entries + _SLOPE) * log_entries + _LEVEL


def _loss(inputs: tuple[Any, Any, Any, Any], log_entries: Any, **p: Any) -> Any:
    """Return the loss with tokens per character evaluated at ``log_entries`` (JAX)."""
    N_nv, V, d, H = inputs
    of_vocabulary = p["A2"] * power(V, -p["alpha2"]) * power(d, -p["alpha2"])
    tokens = H * _parabola(log_entries)
    of_size = p["A1"] * power(N_nv, -p["alpha1"])
    return -p["E"] + of_size + of_vocabulary + p["B"] * power(tokens, -p["beta"])


def _in_parameters(A1: float, A2: float, B: float, E: float, alpha: float, alpha2: float) -> Any:
    """Return the source's constants in units of parameters and characters; alpha1 = beta."""
    return {
        "E": E,
        "A1": A1 * _MILLION**alpha,
        "alpha1": alpha,
        "A2": A2 * _MILLION**alpha2,
        "alpha2": alpha2,
        "B": B * _BILLION**alpha,
        "beta": alpha,
    }


def _of_vocabulary(p: Values, log_entries: Any, d: Any) -> Any:
    """Return alpha2·A2/N_v^alpha2, the fall of the loss per e-fold of vocabulary parameters."""
    log_parameters = log_entries + np.log(d)
    return p["alpha2"] * p["A2"] * np.exp(-p["alpha2"] * log_parameters)


def _best_entries(p: Values, d: Any, H: Any, log_unit: float) -> Any:
    """Return the vocabulary of the lowest loss at fixed N_nv, d and characters H.

    ``log_unit`` is the logarithm of the unit in which f takes V.
    """

    def slope(log_entries: Any) -> Any:
        in_units = log_entries - log_unit
        per_character = _parabola(in_units)
        relative_slope = (2 * _SQUARE * in_units + _SLOPE) / per_character
        of_tokens = p["beta"] * p["B"] * raised(np.asarray(H) * per_character, -p["beta"])
        return -_of_vocabulary(p, log_entries, d) - of_tokens * relative_slope

    # The law does not hold beyond the turn of the parabola.
    return np.exp(first_minimum(slope, 0.0, log_unit + _TURN))


def _optimal_vocabulary(p: Values, *, d: Any, H: Any) -> Any:
    """V* of dL/dV = 0 at fixed d and characters H, found numerically; NaN if there is none."""
    return _best_entries(p, d, H, 0.0)


def _optimal_vocabulary_thousands(p: Values, *, d: Any, H: Any) -> Any:
    """V* of dL/dV = 0 at fixed d and characters H, found numerically; NaN if there is none."""
    return _best_entries(p, d, H, np.log(1000.0))


def _optimal_vocabulary_at_compute(p: Values, *, N_nv: Any, d: Any, C: Any) -> Any:
    """V* of dL/dV = 0 at C = 6·(N_nv + V·d)·D and fixed N_nv and d, found numerically."""

    def slope(log_entries: Any) -> Any:
        size = np.exp(log_entries + np.log(d))
        total = N_nv + size
        of_tokens = p["beta"] * p["B"] * raised(np.asarray(C) / (6 * total), -p["beta"])
        return -_of_vocabulary(p, log_entries, d) + of_tokens * size / total

    return np.exp(first_minimum(slope, 0.0, _MOST_LOG))


def _vocabulary_by_derivative(p: Values, *, N_nv: Any, d: Any) -> Any:
    """3145728·(N_nv/33e6)^0.8353974/d: the source's second approach, independent of the fit."""
    zero = np.zeros_like(p["E"], dtype=float)  # gives the result the shape of the draws
    return zero + 3145728 * raised(np.asarray(N_nv) / 33e6, 0.8353974035228025) / d


def _vocabulary_by_compute(p: Values, *, d: Any, C: Any) -> Any:
    """exp(−1.58903)·C^0.41636/d: the source's first approach (isoFLOP), independent of the fit."""
    zero = np.zeros_like(p["E"], dtype=float)
    return zero + np.exp(-1.589031299255507) * raised(C, 0.4163622634135234) / d


def _tokens_per_character(p: Values, *, V: Any) -> Any:
    """f(V) = 0.00639222·ln²V − 0.15811069·ln V + 1.20470122, independent of the fit."""
    return np.zeros_like(p["E"], dtype=float) + _parabola(np.log(V))


def _lowest_loss(p: Values, *, N_nv: Any, V: Any, d: Any) -> Any:
    """−E + A1/N_nv^alpha1 + A2/(V·d)^alpha2: limit of unlimited text."""
    of_vocabulary = p["A2"] * raised(np.asarray(V) * d, -p["alpha2"])
    return -p["E"] + p["A1"] * raised(N_nv, -p["alpha1"]) + of_vocabulary


# What the two laws declare in common.
_DECLARED: dict[str, Any] = {
    "reference": "arXiv:2407.13623",
    "unit": "nats per token, less a unigram model's",
    "output": "unigram_normalised_loss",
    "space": "linear",
    "linear": ("E", "A1", "A2", "B"),
    "powers": (
        ("A1", "N_nv", "alpha1"),
        ("A2", "V", "alpha2"),
        ("A2", "d", "alpha2"),
        ("B", "H", "beta"),
    ),
    "falling": ("N_nv", "d", "H"),
}


@law(
    **_DECLARED,
    limits={"V": (1.0, float(np.exp(_TURN)))},
    formula="-E + A1/N_nv^alpha1 + A2/(V·d)^alpha2 + B/(H·f(V))^beta",
    quantities={
        "tokens_per_character": _tokens_per_character,
        "optimal_vocabulary": _optimal_vocabulary,
        "optimal_vocabulary_at_compute": _optimal_vocabulary_at_compute,
        "vocabulary_by_derivative": _vocabulary_by_derivative,
        "vocabulary_by_compute": _vocabulary_by_compute,
        "minimum_loss": _lowest_loss,
    },
)
def vocabulary(
    N_nv: Any,
    V: Any,
    d: Any,
    H: Any,
    *,
    E: Positive,
    A1: Scale,
    alpha1: Exponent,
    A2: Scale,
    alpha2: Exponent,
    B: Scale,
    beta: Exponent,
) -> Any:
    """Loss relative to a unigram model, by size, vocabulary and text.

        L_u = −E + A1/N_nv^alpha1 + A2/(V·d)^alpha2 + B/(H·f(V))^beta

    Parameters
    ----------
    N_nv : array_like
        Parameters outside the vocabulary, above 0.
    V : array_like
        Entries of the vocabulary, from 1 to about 235 thousand, where f turns.
    d : array_like
        Width of the embedding, above 0; V·d are the vocabulary's parameters.
    H : array_like
        Characters of training text, above 0.
    E : Positive
        −E is the irreducible loss relative to a unigram model, in nats per token; E is above 0.
    A1 : Scale
        Amplitude of the size term, above 0.
    alpha1 : Exponent
        Exponent of size, above 0.
    A2 : Scale
        Amplitude of the vocabulary term, above 0.
    alpha2 : Exponent
        Exponent of vocabulary parameters, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of tokens, above 0.

    Returns
    -------
    unigram_normalised_loss : array
        Loss less that of a unigram model, in nats per token, below 0 and above −E.

    Notes
    -----
    f(V) = a·ln²V + b·ln V + c is the number of tokens per character, with the source's constants a
    = 0.00639222, b = −0.15811069 and c = 1.20470122 for its tokenisers; other tokenisers have
    others. The output compares models across vocabularies. It is negative, hence the law is fitted
    to plain residuals.

    A larger V reduces the third term and increases the fourth, so that the loss has a minimum in V:
    at fixed text, or at a fixed compute of 6·(N_nv + V·d)·H·f(V). The source derives the optimum in
    two further ways, as powers of N_nv and of compute; these are quantities too.

    The source fits with ``tie=("alpha1", "beta")`` by the sum of Huber terms (delta 1e-3) of plain
    residuals, to runs of at least 2.18e17 FLOPs, with alpha2 kept below 1. Its own code evaluates f
    at V in thousands: the printed constants belong to ``vocabulary_thousands``. Here its runs give
    an alpha2 slightly above 1 if it is free.

    References
    ----------
    .. [1] Scaling Laws with Vocabulary: Larger Models Deserve Larger Vocabularies,
       arXiv:2407.13623.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("vocabulary")
    >>> tokens = law.quantities["tokens_per_character"]({"E": 5.5}, V=32_000)
    >>> round(float(tokens), 3)
    0.252
    """
    import jax.numpy as jnp

    p = {"E": E, "A1": A1, "alpha1": alpha1, "A2": A2, "alpha2": alpha2, "B": B, "beta": beta}
    return _loss((N_nv, V, d, H), jnp.log(V), **p)


@law(
    **_DECLARED,
    limits={"V": (1.0, 1000 * float(np.exp(_TURN)))},
    formula="-E + A1/N_nv^alpha1 + A2/(V·d)^alpha2 + B/(H·f(V/1000))^beta",
    quantities={
        "optimal_vocabulary": _optimal_vocabulary_thousands,
        "optimal_vocabulary_at_compute": _optimal_vocabulary_at_compute,
        "minimum_loss": _lowest_loss,
    },
    published={
        "https://github.com/sail-sg/scaling-with-vocab (optimal_Nv_predict.py)": _in_parameters(
            A1=1.8313851559554126,
            A2=0.19584238398665638,
            B=2.1241123120064955,
            E=5.5327846803337435,
            alpha=0.44660634152009615,
            alpha2=0.6707374679896795,
        )
    },
)
def vocabulary_thousands(
    N_nv: Any,
    V: Any,
    d: Any,
    H: Any,
    *,
    E: Positive,
    A1: Scale,
    alpha1: Exponent,
    A2: Scale,
    alpha2: Exponent,
    B: Scale,
    beta: Exponent,
) -> Any:
    """Loss relative to a unigram model, with f evaluated at V in thousands, as published.

        L_u = −E + A1/N_nv^alpha1 + A2/(V·d)^alpha2 + B/(H·f(V/1000))^beta

    Parameters
    ----------
    N_nv : array_like
        Parameters outside the vocabulary, above 0.
    V : array_like
        Entries of the vocabulary (not thousands), from 1 to about 235 million, where f(V/1000)
        turns.
    d : array_like
        Width of the embedding, above 0; V·d are the vocabulary's parameters.
    H : array_like
        Characters of training text, above 0.
    E : Positive
        −E is the irreducible loss relative to a unigram model, in nats per token; E is above 0.
    A1 : Scale
        Amplitude of the size term, above 0.
    alpha1 : Exponent
        Exponent of size, above 0.
    A2 : Scale
        Amplitude of the vocabulary term, above 0.
    alpha2 : Exponent
        Exponent of vocabulary parameters, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of tokens, above 0.

    Returns
    -------
    unigram_normalised_loss : array
        Loss less that of a unigram model, in nats per token, below 0 and above −E.

    Notes
    -----
    The source's code evaluates f, that of ``vocabulary``, at V/1000, and its constants are right
    only with it. f then gives 0.6 to 1 token per character, where real tokenisers give about 0.3,
    and alpha2 becomes 0.67 instead of about 1. Both laws fit the source's runs about equally well.
    Use this law to read the source's constants, and ``vocabulary`` for new fits. The optimum at a
    fixed compute counts tokens and does not use f; that at fixed text does.

    References
    ----------
    .. [1] Scaling Laws with Vocabulary: Larger Models Deserve Larger Vocabularies,
       arXiv:2407.13623, and its code.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("vocabulary_thousands")
    >>> constants = next(iter(law.published.values()))
    >>> V = law.quantities["optimal_vocabulary_at_compute"](constants, N_nv=3e9, d=3200, C=1e21)
    >>> 1e4 < float(V) < 1e5
    True
    """
    import jax.numpy as jnp

    p = {"E": E, "A1": A1, "alpha1": alpha1, "A2": A2, "alpha2": alpha2, "B": B, "beta": beta}
    return _loss((N_nv, V, d, H), jnp.log(V) - jnp.log(1000.0), **p)
