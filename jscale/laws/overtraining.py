"""The law of over-training: loss by compute and by tokens per parameter.

It is chinchilla_tied seen along other axes: M = D/N says how far a model is trained past the
point where compute is best spent. Gadre et al., arXiv:2403.08540.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale, Slope


def _at(p: Values, M: Any) -> Any:
    """a·M^eta + b·M^(−eta): the reducible loss at C = 1."""
    return p["a"] * raised(M, p["eta"]) + p["b"] * raised(M, -p["eta"])


def _tokens_per_parameter(p: Values) -> Any:
    """M* = (b/a)^(1/(2·eta)): tokens per parameter at which compute is best spent."""
    return raised(p["b"] / p["a"], 1 / (2 * p["eta"]))


def _optimal_loss(p: Values, *, C: Any) -> Any:
    """E + 2·√(a·b)·C^(−eta): the lowest loss at a compute, reached at M*."""
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
    """((a·M^eta + b·M^(−eta))/(2·√(a·b)))^(1/eta): compute over the least for any same loss."""
    return raised(_at(p, M) / (2 * raised(p["a"] * p["b"], 0.5)), 1 / p["eta"])


def _compute_for_loss(p: Values, *, loss: Any, M: Any) -> Any:
    """((a·M^eta + b·M^(−eta))/(L − E))^(1/eta): compute to a loss at M tokens per parameter."""
    return raised((loss - p["E"]) / _at(p, M), -1 / p["eta"])


def _least_compute_for_loss(p: Values, *, loss: Any) -> Any:
    """(2·√(a·b)/(L − E))^(1/eta): compute to a loss at M*, the least there is."""
    return raised((loss - p["E"]) / (2 * raised(p["a"] * p["b"], 0.5)), -1 / p["eta"])


@law(
    formula="E + (a·M^eta + b·M^(-eta))·C^(-eta)",
    reference="arXiv:2403.08540",
    unit="nats per token",
    linear=("E", "a", "b"),
    powers=(
        ("a", "C", "eta"), ("a", "M", "eta", +1),
        ("b", "C", "eta"), ("b", "M", "eta", -1),
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
        "arXiv:2403.08540, C4 (its code run again on its five runs)": {
            "E": 1.508261, "a": 141.277255, "b": 189.515521, "eta": 0.121236,
        },
        "arXiv:2403.08540, RedPajama (its code run again on its five runs)": {
            "E": 1.836648, "a": 212.236121, "b": 366.687198, "eta": 0.136425,
        },
        "arXiv:2403.08540, RefinedWeb (its code run again on its five runs)": {
            "E": 1.734462, "a": 157.116285, "b": 246.206686, "eta": 0.127197,
        },
    },
)  # fmt: skip
def overtraining(C: Any, M: Any, *, E: Floor, a: Scale, b: Scale, eta: Exponent) -> Any:
    """L(C, M) = E + (a·M^eta + b·M^(−eta))·C^(−eta): at a fixed M, a power law of compute.

    C: training FLOPs, 6·N·D. M: training tokens per parameter, D/N, as a column of its own:
    ``frame.assign(M=frame.D / frame.N)``. N counts embeddings at the source. Output: loss in
    nats per token, above E. The lines of loss over compute at several M are parallel in
    logarithms. The same law as chinchilla_tied, with eta = alpha/2, a = A·6^eta, b = B·6^eta.
    Fitted at the source by least squares of L, from a grid of starts, to five small runs. The
    source's code fits it in other symbols: overtraining_code.
    Source: Gadre et al., arXiv:2403.08540.
    """
    return E + (a * power(M, eta) + b * power(M, -eta)) * power(C, -eta)


def _code_tokens_per_parameter(p: Values) -> Any:
    """M* = (beta·6^(b/2)/alpha)^(−1/b): tokens per parameter at which compute is best spent."""
    return raised(p["beta"] * raised(6.0, p["b"] / 2) / p["alpha"], -1 / p["b"])


def _code_eta(p: Values) -> Any:
    """eta = −b/2 of the law in C and M."""
    return -p["b"] / 2


def _code_a(p: Values) -> Any:
    """a = alpha·6^eta, with eta = −b/2, of the law in C and M."""
    return p["alpha"] * raised(6.0, -p["b"] / 2)


def _code_b(p: Values) -> Any:
    """b = beta of the law in C and M: the code's beta already has the factor 6^eta."""
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
    """L(N, M) = E + alpha·N^b + beta·6^(b/2)·(M·N)^b: the law of over-training as coded.

    N: parameters. M: training tokens per parameter, D/N. Output: loss in nats per token, above
    E. It is the law ``overtraining`` in the symbols of the source's published code, so that its
    printed fits can be read: b is negative, and its alpha and beta are not the article's a and
    b alike. eta = −b/2, a = alpha·6^eta, but b of the article = beta: the factor 6^(b/2) is
    written out for one term and not for the other. Fitted at the source by least squares of L
    from alpha, beta in {1e2, 3e2, 1e3, 3e3}, b in {−0.1, −0.3}, E in {0, 1, 2, 10}.
    Source: the code of Gadre et al., arXiv:2403.08540.
    """
    return E + alpha * power(N, b) + beta * power(6.0, b / 2) * power(M * N, b)
