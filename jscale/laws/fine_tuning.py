"""Fine-tuning: loss from the number of examples, alone or together with one other scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale

# The reducible loss at no examples comes back from a loss only to rounding, relative to D_l.
_ROUNDING = 1e-9


def _reducible(p: Values, *, loss: Any) -> Any:
    """(L − E)/A: the product of both powers at a loss."""
    return (np.asarray(loss) - p["E"]) / p["A"]


def _examples_at_scale(p: Values, *, loss: Any, X: Any) -> Any:
    """(A/((L − E)·X^alpha))^(1/beta): the examples with which a scale X reaches a loss."""
    return raised(_reducible(p, loss=loss) * raised(X, p["alpha"]), -1 / p["beta"])


def _scale_at_examples(p: Values, *, loss: Any, D_f: Any) -> Any:
    """(A/((L − E)·D_f^beta))^(1/alpha): the scale X that reaches a loss with these examples."""
    return raised(_reducible(p, loss=loss) * raised(D_f, p["beta"]), -1 / p["alpha"])


def _examples_worth(p: Values, *, factor: Any) -> Any:
    """factor^(alpha/beta): how many times the examples X is worth when it grows by a factor."""
    return raised(factor, p["alpha"] / np.asarray(p["beta"]))


@law(
    formula="E + A·X^(-alpha)·D_f^(-beta)",
    reference="arXiv:2402.17193",
    unit="nats per token",
    linear=("E", "A"),
    powers=(("A", "X", "alpha"), ("A", "D_f", "beta")),
    falling=("X", "D_f"),
    quantities={
        "examples_for_loss": _examples_at_scale,
        "scale_for_loss": _scale_at_examples,
        "examples_worth": _examples_worth,
    },
)
def fine_tuning(
    X: Any, D_f: Any, *, E: Floor, A: Scale, alpha: Exponent, beta: Exponent
) -> Any:  # fmt: skip
    """L(X, D_f) = E + A/(X^alpha·D_f^beta): loss after fine-tuning, as a product of two powers.

    X: what is scaled beside the data: parameters of the model, its pre-training tokens, or the
    parameters that are tuned; one law for each of them. D_f: fine-tuning examples, above 0.
    Output: loss on the task in nats per token, above E. The powers multiply, so a larger X makes
    examples worth factor^(alpha/beta) times as many, at every loss. Without examples the law
    has no value: ``rectified_fine_tuning`` has.

    Fitted at the source by Huber's objective with L-BFGS, with one beta for all X of a task and
    method of tuning, the rest for each: ``fixed={"beta": …}``, or all in one table
    with ``per={"A": "scaled", "alpha": "scaled", "E": "scaled"}``.
    Source: arXiv:2402.17193.

    >>> import jscale as js
    >>> law = js.laws.get("fine_tuning")
    >>> own = {"E": 0.7, "A": 60.0, "alpha": 0.2, "beta": 0.1}
    >>> float(law.quantities["examples_worth"](own, factor=2.0))
    4.0
    """
    return E + A * power(X, -alpha) * power(D_f, -beta)


def _no_examples(p: Values) -> Any:
    """E + B/D_l: the loss without any example."""
    return p["E"] + p["B"] / np.asarray(p["D_l"])


def _turning_size(p: Values) -> Any:
    """D_l^(1/beta): the examples that halve the reducible loss, where the power law sets in."""
    return raised(p["D_l"], 1 / np.asarray(p["beta"]))


def _rectified_examples(p: Values, *, loss: Any) -> Any:
    """(B/(L − E) − D_l)^(1/beta): examples for a loss; 0 for that of none, NaN beyond it."""
    added = p["B"] * raised(np.asarray(loss) - p["E"], -1.0) - p["D_l"]
    none = np.abs(added) <= _ROUNDING * np.asarray(p["D_l"])
    return np.where(none, 0.0, raised(added, 1 / np.asarray(p["beta"])))


@law(
    formula="E + B/(D_l + D_f^beta)",
    reference="arXiv:2402.02314",
    unit="nats per token",
    linear=("E", "B"),
    limits={"D_f": (0.0, np.inf)},
    falling=("D_f",),
    start={"D_l": (1.0, 3e4), "beta": (0.1, 1.5)},
    prior={"D_l": ("lognormal", 4.0, 3.0)},
    quantities={
        "loss_without_examples": _no_examples,
        "turning_size": _turning_size,
        "examples_for_loss": _rectified_examples,
    },
    inverse=lambda loss, **p: _rectified_examples(p, loss=loss),
)
def rectified_fine_tuning(D_f: Any, *, E: Floor, B: Scale, D_l: Positive, beta: Exponent) -> Any:
    """L(D_f) = E + B/(D_l + D_f^beta): a power law that starts from what pre-training has learnt.

    D_f: fine-tuning examples, from 0 (no fine-tuning) up. Output: loss on the task in nats per
    token, above E and up to E + B/D_l, the loss without examples. D_l, in examples to the power
    beta, stands for what the model knows before: up to D_l^(1/beta) examples the loss hardly
    falls, and far above it as E + B·D_f^(−beta). D_l near 0 is a plain power law, which has no
    value at 0. Without sizes below D_l^(1/beta) in the table D_l is undetermined, and without
    sizes where the curve flattens E is. The loss of no examples may lie off the curve: in most
    models of the source's FLAN data it is above E + B/D_l of the sizes from 200 on, so compare
    fits with and without that row.

    Fitted at the source for each model and task alone, by the logarithm of the loss from a grid
    of starts, up to 1.6 million examples; many models at once:
    ``js.fit_many("rectified_fine_tuning", table, by="model", D_f="examples")``.
    Source: Lin et al., arXiv:2402.02314.

    >>> import jscale as js
    >>> law = js.laws.get("rectified_fine_tuning")
    >>> own = {"E": 1.0, "B": 60.0, "D_l": 20.0, "beta": 0.5}
    >>> float(law(0, **own)), float(law(400, **own)), float(law.invert(2.5, **own))
    (4.0, 2.5, 400.0)
    """
    return E + B / (D_l + power(D_f, beta))
