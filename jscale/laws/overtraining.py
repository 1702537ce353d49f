"""The law of over-training: loss by compute and by tokens per parameter.

It is ``chinchilla_tied`` in other inputs: M = D/N measures how far a model is trained beyond the
compute-optimal point. Gadre et al., arXiv:2403.08540.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale, Slope


def _at(p: Values, M: Any) -> Any:
    """Return a·M^eta + b·M^(−eta), the reducible loss at C = 1."""
    return p["a"] * raised(M, p["eta"]) + p["b"] * raised(M, -p["eta"])


def _tokens_per_parameter(p: Values) -> Any:
    """M* = (b/a)^(1/(2·eta)): compute-optimal tokens per parameter."""
    return raised(p["b"] / p["a"], 1 / (2 * p["eta"]))


def _optimal_loss(p: Values, *, C: Any) -> Any:
    """E + 2·√(a·b)·C^(−eta): lowest loss at a compute, reached at M*."""
    return p["E"] + 2 * raised(p["a"] * p["b"], 0.5) * raised(C, -p["eta"])


def _optimal_size(p: Values, *, C: Any) -> Any:
    """N* = √(C/(6·M*)), with M* as for tokens_per_parameter."""
    return raised(np.asarray(C) / (6 * _tokens_per_parameter(p)), 0.5)


def _optimal_tokens(p: Values, *, C: Any) -> Any:
    """D* = √(C·M*/6), with M* as for tokens_per_parameter."""
    return raised(np.asarray(C) * _tokens_per_parameter(p) / 6, 0.5)


def _penalty(p: Values, *, C: Any, M: Any) -> Any:
    """(√(a·M^eta) − √(b·M^(−eta)))²·C^(−eta): loss above the lowest at the same compute."""
    apart = raised(p["a"] * raised(M, p["eta"]), 0.5) - raised(p["b"] * raised(M, -p["eta"]), 0.5)
    return apart**2 * raised(C, -p["eta"])


def _compute_factor(p: Values, *, M: Any) -> Any:
    """((a·M^eta + b·M^(−eta))/(2·√(a·b)))^(1/eta): factor of compute over M*, at any L."""
    return raised(_at(p, M) / (2 * raised(p["a"] * p["b"], 0.5)), 1 / p["eta"])


def _compute_for_loss(p: Values, *, loss: Any, M: Any) -> Any:
    """((a·M^eta + b·M^(−eta))/(L − E))^(1/eta): compute to a loss at M tokens per parameter."""
    return raised((loss - p["E"]) / _at(p, M), -1 / p["eta"])


def _least_compute_for_loss(p: Values, *, loss: Any) -> Any:
    """(2·√(a·b)/(L − E))^(1/eta): least compute to a loss, at M*."""
    return raised((loss - p["E"]) / (2 * raised(p["a"] * p["b"], 0.5)), -1 / p["eta"])


_RERUN = {
    "C4": {"E": 1.508261, "a": 141.277255, "b": 189.515521, "eta": 0.121236},
    "RedPajama": {"E": 1.836648, "a": 212.236121, "b": 366.687198, "eta": 0.136425},
    "RefinedWeb": {"E": 1.734462, "a": 157.116285, "b": 246.206686, "eta": 0.127197},
}


@law(
    formula="E + (a·M^eta + b·M^(-eta))·C^(-eta)",
    reference="arXiv:2403.08540",
    unit="nats per token",
    linear=("E", "a", "b"),
    powers=(
        ("a", "C", "eta"),
        ("a", "M", "eta", +1),
        ("b", "C", "eta"),
        ("b", "M", "eta", -1),
    ),
    falling=("C",),
    quantities={
        "tokens_per_parameter": _tokens_per_parameter,
        "optimal_loss": _optimal_loss,
        "optimal_size": _optimal_size,
        "optimal_tokens": _optimal_tokens,
        "overtraining_penalty": _penalty,
        "compute_factor": _compute_factor,
        "compute_for_loss": _compute_for_loss,
        "least_compute_for_loss": _least_compute_for_loss,
    },
    published={
        f"arXiv:2403.08540, {corpus} (its code, rerun on its five runs)": constants
        for corpus, constants in _RERUN.items()
    },
)
def overtraining(C: Any, M: Any, *, E: Floor, a: Scale, b: Scale, eta: Exponent) -> Any:
    """Loss by compute and tokens per parameter: at a fixed ratio, a power law of compute.

        L(C, M) = E + (a·M^eta + b·M^(−eta))·C^(−eta)

    Parameters
    ----------
    C : array_like
        Training FLOPs, 6·N·D, above 0.
    M : array_like
        Training tokens per parameter, D/N, as a column of its own: ``frame.assign(M=frame.D /
        frame.N)``. N includes embeddings at the source.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    a : Scale
        Amplitude of the size term, above 0.
    b : Scale
        Amplitude of the data term, above 0.
    eta : Exponent
        Exponent of compute, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    The lines of reducible loss over compute at several M are parallel in logarithms. The law is the
    same as ``chinchilla_tied`` with eta = alpha/2, a = A·6^eta and b = B·6^eta. The source fits by
    least squares of L, from a grid of starts, to five small runs; its code does so in other symbols
    (``overtraining_code``). The constants given here are a rerun of that code on those runs.

    References
    ----------
    .. [1] Gadre et al., Language models scale reliably with over-training and on downstream tasks,
       arXiv:2403.08540.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("overtraining")
    >>> c4 = law.published["arXiv:2403.08540, C4 (its code, rerun on its five runs)"]
    >>> round(float(law.quantities["tokens_per_parameter"](c4)), 2)
    3.36
    >>> round(float(law.quantities["compute_factor"](c4, M=320.0)), 2)
    3.32
    """
    return E + (a * power(M, eta) + b * power(M, -eta)) * power(C, -eta)


def _code_tokens_per_parameter(p: Values) -> Any:
    """M* = (beta·6^(b/2)/alpha)^(−1/b): compute-optimal tokens per parameter."""
    return raised(p["beta"] * raised(6.0, p["b"] / 2) / p["alpha"], -1 / p["b"])


def _code_eta(p: Values) -> Any:
    """eta = −b/2 of the law in C and M."""
    return -p["b"] / 2


def _code_a(p: Values) -> Any:
    """a = alpha·6^eta, with eta = −b/2, of the law in C and M."""
    return p["alpha"] * raised(6.0, -p["b"] / 2)


def _code_b(p: Values) -> Any:
    """b = beta, of the law in C and M: the code's beta already includes the factor 6^eta."""
    return p["beta"] * np.ones_like(p["b"], dtype=float)


@law(
    formula="E + alpha·N^b + beta·6^(b/2)·(M·N)^b",
    reference="arXiv:2403.08540",
    unit="nats per token",
    linear=("E", "alpha", "beta"),
    powers=(("alpha", "N", "b", +1), ("beta", "N", "b", +1), ("beta", "M", "b", +1)),
    start={"b": (-0.6, -0.1)},
    quantities={
        "tokens_per_parameter": _code_tokens_per_parameter,
        "eta": _code_eta,
        "a": _code_a,
        "b": _code_b,
    },
)
def overtraining_code(N: Any, M: Any, *, E: Floor, alpha: Scale, beta: Scale, b: Slope) -> Any:
    """Law of over-training by size and tokens per parameter, in the symbols of the source's code.

        L(N, M) = E + alpha·N^b + beta·6^(b/2)·(M·N)^b

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    M : array_like
        Training tokens per parameter, D/N, above 0.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    alpha : Scale
        Amplitude of the size term, above 0.
    beta : Scale
        Amplitude of the data term times 6^(−b/2), above 0.
    b : Slope
        Exponent of size and of data, negative.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    This is the law ``overtraining`` as the source's published code writes it, so that its printed
    fits can be read. The code's alpha and beta do not correspond to the article's a and b in the
    same way: eta = −b/2 and a = alpha·6^eta, but the article's b = beta, because the factor 6^(b/2)
    is written out for one term and not for the other. The source fits by least squares of L from
    alpha, beta in {1e2, 3e2, 1e3, 3e3}, b in {−0.1, −0.3} and E in {0, 1, 2, 10}.

    References
    ----------
    .. [1] Gadre et al., Language models scale reliably with over-training and on downstream tasks,
       arXiv:2403.08540 (its code).

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("overtraining_code")
    >>> constants = {"E": 1.5, "alpha": 100.0, "beta": 200.0, "b": -0.25}
    >>> round(float(law(1e8, 100.0, **constants)), 3)
    3.006
    >>> round(float(law.quantities["eta"](constants)), 3)
    0.125
    """
    return E + alpha * power(N, b) + beta * power(6.0, b / 2) * power(M * N, b)
