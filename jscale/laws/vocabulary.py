"""The size of the vocabulary: how many parameters go to it, and how well it packs the text.

A larger vocabulary takes parameters of its own and leaves fewer tokens of the same characters.
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
# Where the parabola turns: beyond, it would have larger vocabularies give more tokens.
_TURN = -_SLOPE / (2 * _SQUARE)
# The source's code fits parameters and characters in these units.
_MILLION, _BILLION = 1e6, 1e9
_MOST_LOG = 40.0


def _parabola(log_entries: Any) -> Any:
    """Return tokens per character at a logarithm of the vocabulary (NumPy or JAX)."""
    return (_SQUARE * log_entries + _SLOPE) * log_entries + _LEVEL


def _loss(of: tuple[Any, Any, Any, Any], log_entries: Any, **p: Any) -> Any:
    """Return the loss with tokens per character taken at ``log_entries`` (JAX)."""
    N_nv, V, d, H = of
    of_vocabulary = p["A2"] * power(V, -p["alpha2"]) * power(d, -p["alpha2"])
    tokens = H * _parabola(log_entries)
    of_size = p["A1"] * power(N_nv, -p["alpha1"])
    return -p["E"] + of_size + of_vocabulary + p["B"] * power(tokens, -p["beta"])


def _in_parameters(A1: float, A2: float, B: float, E: float, alpha: float, alpha2: float) -> Any:
    """Return constants of the source's units in parameters and characters; alpha1 = beta."""
    return {
        "E": E,
        "A1": A1 * _MILLION**alpha, "alpha1": alpha,
        "A2": A2 * _MILLION**alpha2, "alpha2": alpha2,
        "B": B * _BILLION**alpha, "beta": alpha,
    }  # fmt: skip


def _of_vocabulary(p: Values, log_entries: Any, d: Any) -> Any:
    """alpha2·A2/N_v^alpha2: what the loss falls by per e-fold of the vocabulary's parameters."""
    log_parameters = log_entries + np.log(d)
    return p["alpha2"] * p["A2"] * np.exp(-p["alpha2"] * log_parameters)


def _best_entries(p: Values, d: Any, H: Any, log_unit: float) -> Any:
    """Return the vocabulary of the lowest loss at fixed N_nv, d and characters H."""

    def slope(log_entries: Any) -> Any:
        seen = log_entries - log_unit
        per_character = _parabola(seen)
        lost = (2 * _SQUARE * seen + _SLOPE) / per_character
        of_tokens = p["beta"] * p["B"] * raised(np.asarray(H) * per_character, -p["beta"])
        return -_of_vocabulary(p, log_entries, d) - of_tokens * lost

    return np.exp(first_minimum(slope, 0.0, log_unit + _TURN))


def _optimal_vocabulary(p: Values, *, d: Any, H: Any) -> Any:
    """V* where dL/dV = 0 at fixed d and characters H, found numerically; NaN where none is."""
    return _best_entries(p, d, H, 0.0)


def _optimal_vocabulary_thousands(p: Values, *, d: Any, H: Any) -> Any:
    """V* where dL/dV = 0 at fixed d and characters H, found numerically; NaN where none is."""
    return _best_entries(p, d, H, np.log(1000.0))


def _optimal_vocabulary_at_compute(p: Values, *, N_nv: Any, d: Any, C: Any) -> Any:
    """V* where dL/dV = 0 at C = 6·(N_nv + V·d)·D and fixed N_nv and d, found numerically."""

    def slope(log_entries: Any) -> Any:
        size = np.exp(log_entries + np.log(d))
        whole = N_nv + size
        of_tokens = p["beta"] * p["B"] * raised(np.asarray(C) / (6 * whole), -p["beta"])
        return -_of_vocabulary(p, log_entries, d) + of_tokens * size / whole

    return np.exp(first_minimum(slope, 0.0, _MOST_LOG))


def _vocabulary_by_derivative(p: Values, *, N_nv: Any, d: Any) -> Any:
    """3145728·(N_nv/33e6)^0.8353974/d: the source's second approach, whatever the fit."""
    anyone = np.zeros_like(p["E"], dtype=float)
    return anyone + 3145728 * raised(np.asarray(N_nv) / 33e6, 0.8353974035228025) / d


def _vocabulary_by_compute(p: Values, *, d: Any, C: Any) -> Any:
    """exp(−1.58903)·C^0.41636/d: the source's first approach (isoFLOP), whatever the fit."""
    anyone = np.zeros_like(p["E"], dtype=float)
    return anyone + np.exp(-1.589031299255507) * raised(C, 0.4163622634135234) / d


def _tokens_per_character(p: Values, *, V: Any) -> Any:
    """f(V) = 0.00639222·ln²V − 0.15811069·ln V + 1.20470122, whatever the fit."""
    return np.zeros_like(p["E"], dtype=float) + _parabola(np.log(V))


def _lowest_loss(p: Values, *, N_nv: Any, V: Any, d: Any) -> Any:
    """−E + A1/N_nv^alpha1 + A2/(V·d)^alpha2: the limit of ample text."""
    of_vocabulary = p["A2"] * raised(np.asarray(V) * d, -p["alpha2"])
    return -p["E"] + p["A1"] * raised(N_nv, -p["alpha1"]) + of_vocabulary


_DECLARED: dict[str, Any] = {
    "reference": "arXiv:2407.13623",
    "unit": "nats per token, less a unigram model's",
    "output": "unigram_normalised_loss",
    "space": "linear",
    "linear": ("E", "A1", "A2", "B"),
    "powers": (
        ("A1", "N_nv", "alpha1"), ("A2", "V", "alpha2"), ("A2", "d", "alpha2"), ("B", "H", "beta"),
    ),
    "falling": ("N_nv", "d", "H"),
}  # fmt: skip


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
    N_nv: Any, V: Any, d: Any, H: Any, *,
    E: Positive, A1: Scale, alpha1: Exponent, A2: Scale, alpha2: Exponent,
    B: Scale, beta: Exponent,
) -> Any:  # fmt: skip
    """L_u = −E + A1/N_nv^alpha1 + A2/(V·d)^alpha2 + B/(H·f(V))^beta: size, vocabulary and text.

    N_nv: parameters outside the vocabulary. V: entries of the vocabulary, from 1 to about 235
    thousand, where f turns. d: width of the embedding, so that V·d are the vocabulary's
    parameters. H: characters of training text. f(V) = a·ln²V + b·ln V + c are tokens per character,
    with the source's constants a = 0.00639222, b = −0.15811069, c = 1.20470122 for its tokenisers:
    other tokenisers have others. Output: loss less that of a unigram model, in nats per token,
    which is below zero and above −E, and compares models across vocabularies; hence the law
    is fitted to plain residuals.

    A larger V takes from the third term and adds to the fourth, so the loss has a minimum in V:
    at fixed text, or at fixed compute 6·(N_nv + V·d)·H·f(V). The source gives the optimum in two
    further ways, as powers of N_nv and of compute; these are quantities too.

    Fitted at the source with ``tie=("alpha1", "beta")`` by the sum of Huber terms (delta 1e-3) of
    plain residuals, to runs of at least 2.18e17 FLOPs, with alpha2 kept below 1. The source's own
    code takes f at V in thousands: its printed constants belong to ``vocabulary_thousands``. Here
    its runs give an alpha2 a little above 1 if it is free.
    Source: arXiv:2407.13623.
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
            1.8313851559554126, 0.19584238398665638, 2.1241123120064955, 5.5327846803337435,
            0.44660634152009615, 0.6707374679896795,
        )
    },
)  # fmt: skip
def vocabulary_thousands(
    N_nv: Any, V: Any, d: Any, H: Any, *,
    E: Positive, A1: Scale, alpha1: Exponent, A2: Scale, alpha2: Exponent,
    B: Scale, beta: Exponent,
) -> Any:  # fmt: skip
    """L_u = that of ``vocabulary``, but with f at V in thousands: the law as published.

    N_nv, V, d, H and the output are those of ``vocabulary``, in parameters, entries and
    characters; V/1000 goes into f. The source's code does so, and its constants are right only
    with it; f then gives 0.6 to 1 token per character, where real tokenisers give about 0.3, and
    alpha2 comes out at 0.67 and not near 1. Both fit its runs about equally well. Use this law to
    read the source's constants, and ``vocabulary`` for new fits. The optimum at fixed compute
    counts tokens and does not use f; that at fixed text does.
    Source: arXiv:2407.13623, and its code.
    """
    import jax.numpy as jnp

    p = {"E": E, "A1": A1, "alpha1": alpha1, "A2": A2, "alpha2": alpha2, "B": B, "beta": beta}
    return _loss((N_nv, V, d, H), jnp.log(V) - jnp.log(1000.0), **p)
