"""Fine-tuning: loss by the number of examples, alone or together with one other scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Scale

# A loss gives back the examples 0 only up to rounding error, which is relative to D_l.
_ROUNDING = 1e-9


def _reducible(p: Values, *, loss: Any) -> Any:
    """Return (L − E)/A, the product of both powers at a loss."""
    return (np.asarray(loss) - p["E"]) / p["A"]


def _examples_at_scale(p: Values, *, loss: Any, X: Any) -> Any:
    """(A/((L − E)·X^alpha))^(1/beta): examples with which a scale X reaches a loss."""
    return raised(_reducible(p, loss=loss) * raised(X, p["alpha"]), -1 / p["beta"])


def _scale_at_examples(p: Values, *, loss: Any, D_f: Any) -> Any:
    """(A/((L − E)·D_f^beta))^(1/alpha): scale X that reaches a loss with these examples."""
    return raised(_reducible(p, loss=loss) * raised(D_f, p["beta"]), -1 / p["alpha"])


def _examples_worth(p: Values, *, factor: Any) -> Any:
    """factor^(alpha/beta): factor of examples that is equivalent to a factor of X."""
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
def fine_tuning(X: Any, D_f: Any, *, E: Floor, A: Scale, alpha: Exponent, beta: Exponent) -> Any:
    """Loss after fine-tuning, as a product of two powers.

        L(X, D_f) = E + A/(X^alpha·D_f^beta)

    Parameters
    ----------
    X : array_like
        The quantity that is scaled together with the data: parameters of the model, pre-training
        tokens, or parameters that are tuned, above 0. Each of them is one law.
    D_f : array_like
        Fine-tuning examples, above 0.
    E : Floor
        Irreducible loss on the task, in nats per token, above 0.
    A : Scale
        Amplitude of the product, above 0.
    alpha : Exponent
        Exponent of X, above 0.
    beta : Exponent
        Exponent of the examples, above 0.

    Returns
    -------
    loss : array
        Loss on the task in nats per token, above E.

    Notes
    -----
    Since the powers multiply, X larger by a factor is equivalent to factor^(alpha/beta) times the
    examples, at every loss. The law has no value without examples; ``rectified_fine_tuning`` has
    one.

    The source fits with Huber's objective and L-BFGS, with one beta for all X of a task and method
    of tuning and the other parameters separate: ``fixed={"beta": …}``, or all in one table with
    ``per={"A": "scaled", "alpha": "scaled", "E": "scaled"}``.

    References
    ----------
    .. [1] When Scaling Meets LLM Finetuning: The Effect of Data, Model and Finetuning Method,
       arXiv:2402.17193.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("fine_tuning")
    >>> constants = {"E": 0.7, "A": 60.0, "alpha": 0.2, "beta": 0.1}
    >>> float(law.quantities["examples_worth"](constants, factor=2.0))
    4.0
    """
    return E + A * power(X, -alpha) * power(D_f, -beta)


def _no_examples(p: Values) -> Any:
    """E + B/D_l: loss without any example."""
    return p["E"] + p["B"] / np.asarray(p["D_l"])


def _turning_size(p: Values) -> Any:
    """D_l^(1/beta): examples that halve the reducible loss, where the power law begins."""
    return raised(p["D_l"], 1 / np.asarray(p["beta"]))


def _rectified_examples(p: Values, *, loss: Any) -> Any:
    """(B/(L − E) − D_l)^(1/beta): examples for a loss; NaN above the loss without any."""
    added = p["B"] * raised(np.asarray(loss) - p["E"], -1.0) - p["D_l"]
    # Without this, rounding would give NaN for the loss without any examples.
    none = np.abs(added) <= _ROUNDING * np.asarray(p["D_l"])
    return np.where(none, 0.0, raised(added, 1 / np.asarray(p["beta"])))


@law(
    formula="E + B/(D_l + D_f^beta)",
    reference="arXiv:2402.02314",
    unit="nats per token",
    linear=("E", "B"),
    limits={"D_f": (0.0, np.inf)},
    falling=("D_f",),
    # D_l is in examples to the power beta, hence anything from 1 to thousands.
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
    """Loss after fine-tuning, as a power law that starts from what pre-training has learnt.

        L(D_f) = E + B/(D_l + D_f^beta)

    Parameters
    ----------
    D_f : array_like
        Fine-tuning examples, from 0 (no fine-tuning) up.
    E : Floor
        Irreducible loss on the task, in nats per token, above 0.
    B : Scale
        Amplitude of the reducible loss, above 0.
    D_l : Positive
        What the model knows before fine-tuning, in examples to the power beta, above 0.
    beta : Exponent
        Exponent of the examples, above 0.

    Returns
    -------
    loss : array
        Loss on the task in nats per token, between E and E + B/D_l, the loss without examples.

    Notes
    -----
    Up to D_l^(1/beta) examples the loss hardly falls; far above it follows E + B·D_f^(−beta). With
    D_l near 0 the law is a plain power law, which has no value at 0. D_l is undetermined without
    sizes below D_l^(1/beta) in the table, and E without sizes where the curve flattens. The loss
    without examples may lie off the curve: in most models of the source's FLAN data it is above E +
    B/D_l as fitted to sizes from 200 on, so compare fits with and without that row.

    The source fits each model and task separately, by the logarithm of the loss from a grid of
    starts, up to 1.6 million examples. Many models at once: ``js.fit_many("rectified_fine_tuning",
    table, by="model", D_f="examples")``.

    References
    ----------
    .. [1] Lin et al., Selecting Large Language Model to Fine-tune via Rectified Scaling Law,
       arXiv:2402.02314.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("rectified_fine_tuning")
    >>> constants = {"E": 1.0, "B": 60.0, "D_l": 20.0, "beta": 0.5}
    >>> float(law(0, **constants)), float(law(400, **constants))
    (4.0, 2.5)
    >>> float(law.invert(2.5, **constants))
    400.0
    """
    return E + B / (D_l + power(D_f, beta))
