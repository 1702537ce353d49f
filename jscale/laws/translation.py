"""Laws of machine translation: sizes of encoder and decoder, and tasks that share a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale


def _encoder_share(p: Values) -> Any:
    """p_e/(p_e + p_d): encoder's optimal share of a fixed total size."""
    return p["p_e"] / (p["p_e"] + p["p_d"])


def _at_best_split(p: Values) -> Any:
    """Return A* in the lowest loss at a total size, E + A*·N^(−(p_e + p_d))."""
    share = _encoder_share(p)
    return p["A"] * raised(share, -p["p_e"]) * raised(1 - share, -p["p_d"])


def _optimal_loss(p: Values, *, N: Any) -> Any:
    """E + A·s^(−p_e)·(1 − s)^(−p_d)·N^(−(p_e+p_d)), s = p_e/(p_e + p_d): least loss at N."""
    return p["E"] + _at_best_split(p) * raised(N, -(p["p_e"] + p["p_d"]))


def _size_at_best_split(p: Values, *, loss: Any) -> Any:
    """(A·s^(−p_e)·(1 − s)^(−p_d)/(L − E))^(1/(p_e+p_d)): least total size for a loss."""
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
    """Loss of a translation model by the sizes of its encoder and its decoder.

        L(N_e, N_d) = E + A·N_e^(−p_e)·N_d^(−p_d)

    Parameters
    ----------
    N_e : array_like
        Parameters of the encoder without embeddings, above 0.
    N_d : array_like
        Parameters of the decoder without embeddings, above 0.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude, above 0.
    p_e : Exponent
        Exponent of the encoder, above 0.
    p_d : Exponent
        Exponent of the decoder, above 0.

    Returns
    -------
    loss : array
        Cross-entropy on a test set in nats per token, above E.

    Notes
    -----
    Data are ample. For a fixed total N_e + N_d the optimal share of the encoder is p_e/(p_e + p_d)
    at all sizes, and the loss then falls as N^(−(p_e + p_d)). The source fits by least squares over
    all sizes, for each direction and test set. It measures sizes relative to a reference pair,
    which changes A alone.

    References
    ----------
    .. [1] Ghorbani et al., Scaling Laws for Neural Machine Translation, arXiv:2109.07740.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("encoder_decoder")
    >>> round(float(law.quantities["encoder_share"]({"p_e": 0.2, "p_d": 0.3})), 3)
    0.4
    """
    return E + A * power(N_e, -p_e) * power(N_d, -p_d)


def _effective_fraction(p: Values, *, f: Any) -> Any:
    """f' = f + c1·f^c2·(1 − f)^c3: effective share of the model that the task has."""
    f = np.asarray(f, dtype=float)
    # Not raised(): at f = 1 the base of the second term is 0, and so is the term.
    return f + p["c1"] * np.power(f, p["c2"]) * np.power(1 - f, p["c3"])


def _effective_size(p: Values, *, N: Any, f: Any) -> Any:
    """f'·N: size of a model trained on this task alone that reaches the same loss."""
    return _effective_fraction(p, f=f) * N


def _size_for_loss(p: Values, *, loss: Any, f: Any) -> Any:
    """(A/(L − E))^(1/alpha)/f': size at which a task of weight f reaches a loss."""
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
    N: Any,
    f: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    c1: Positive,
    c2: Positive,
    c3: Positive,
) -> Any:
    """Loss of one translation task among others, by size and the task's weight.

        L(N, f) = E + A·(f'·N)^(−alpha)

    with f' = f + c1·f^c2·(1 − f)^c3.

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, of encoder and decoder together, above 0.
    f : array_like
        Weight of the task in training (the source writes p), above 0 and up to 1.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude, above 0.
    alpha : Exponent
        Exponent of effective size, above 0.
    c1 : Positive
        Amplitude of the help from other tasks, above 0; near 0, c2 and c3 are undetermined.
    c2 : Positive
        Exponent of f in that help, above 0.
    c3 : Positive
        Exponent of 1 − f in that help, above 0.

    Returns
    -------
    loss : array
        Cross-entropy of the task in nats per token, above E.

    Notes
    -----
    f'·N is the effective size, that of a model trained on the task alone (f = 1) with the same
    loss. f' = f where tasks neither help nor hinder each other, as the source finds for translation
    out of English; f' > f where they help, as it finds for translation into English.

    The source fits by least squares in two steps: alpha and E common to all weights with an
    amplitude A_f for each (``js.fit("power_const:N", runs, per={"A": "f"})``, which gives f' =
    (A_1/A_f)^(1/alpha)), then c1, c2 and c3 from those. Several tasks in one table: ``per={"E":
    "task", "A": "task", "alpha": "task"}``.

    References
    ----------
    .. [1] Scaling Laws for Multilingual Neural Machine Translation, arXiv:2302.09650.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("multilingual_translation")
    >>> share = law.quantities["effective_fraction"]({"c1": 0.2, "c2": 0.5, "c3": 1.0}, f=0.25)
    >>> round(float(share), 3)
    0.325
    """
    import jax.numpy as jnp

    fraction = f + c1 * power(f, c2) * power(1.0 - jnp.asarray(f), c3)
    return E + A * power(fraction * N, -alpha)
