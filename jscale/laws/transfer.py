"""Transfer: learning rate and weight decay moved to another batch size or width, by plain rules.

These are calculators and no fitted laws. Each says what its rule rests on. Where a law can be
fitted instead, :mod:`jscale.laws.hyperparameters` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import LawError, listing, nearest

_EXPONENTS = {"sgd": 1.0, "adam": 0.5}


def transfer_learning_rate(
    eta: Any, batch: tuple[float, float], optimizer: str = "adam", saturation: float | None = None
) -> Any:
    """Return the learning rate eta·(b1/b0)^q at another batch size, q = 1 for SGD and ½ for Adam.

    ``eta``: the rate at the batch size ``batch[0]``; the other size is ``batch[1]``, in the same
    unit. ``saturation``: the batch size from which on the rate stays as it is, in that unit too;
    without it the rule has no end, and overestimates the rate of large batches. The source derives
    q from the extreme eigenvalue of the batch Hessian, which falls as the batch grows until the
    curvature of the full loss remains. Only its abstract was read: the exponents stand there, a
    value of the saturation does not. Raises LawError for another optimiser, and for numbers that
    are not positive.
    Source: arXiv:2006.09092.

    >>> float(transfer_learning_rate(1e-3, (256, 1024)))
    0.002
    >>> float(transfer_learning_rate(1e-3, (256, 1024), "sgd", saturation=512))
    0.002
    """
    if optimizer not in _EXPONENTS:
        raise LawError(
            f"optimizer={optimizer!r} has no rule here; use {listing(list(_EXPONENTS))}."
            f"{nearest(str(optimizer), _EXPONENTS)}"
        )
    rate = _positive("eta", eta)
    old, new = _pair("batch", batch)
    if saturation is not None:
        limit = _positive("saturation", saturation)
        old, new = np.minimum(old, limit), np.minimum(new, limit)
    return rate * (new / old) ** _EXPONENTS[optimizer]


@dataclass(frozen=True)
class WidthTransfer:
    """Hyper-parameters of AdamW at another width, for matrices and for vector parameters."""

    matrix_learning_rate: float
    matrix_weight_decay: float
    vector_learning_rate: float
    vector_weight_decay: float = 0.0


def transfer_width(
    learning_rate: float, weight_decay: float, width: tuple[float, float], *,
    vector_learning_rate: float | None = None,
) -> WidthTransfer:  # fmt: skip
    """Return AdamW's learning rate and weight decay at another width.

    With d = ``width[1]``/``width[0]``: learning rates of matrices become eta/d, their weight decay
    lambda·√d. Vector parameters (gains, biases) keep their rate, by default that of
    the matrices at the old width, and are not decayed. The rule keeps the gain of each sub-layer:
    in AdamW's steady state the singular values of a matrix go as √(eta/lambda), and the largest as
    √(eta/lambda)·width^0.75, which then stays as it is. Only the source's abstract was read; it
    prints these without the roots, which are put back so that the two statements agree.
    Raises LawError for numbers that are not positive (a weight decay may be 0).
    Source: Robust Layerwise Scaling Rules by Proper Weight Decay Tuning (2025), abstract.

    >>> transfer_width(0.01, 0.1, (256, 1024))
    WidthTransfer(matrix_learning_rate=0.0025, matrix_weight_decay=0.2, vector_learning_rate=0.01,
    vector_weight_decay=0.0)
    """
    old, new = _pair("width", width)
    rate = float(_positive("learning_rate", learning_rate))
    decay = float(_numbers("weight_decay", weight_decay))
    if not 0 <= decay < np.inf:
        raise LawError(f"weight_decay={weight_decay!r} must be a number, 0 or more, such as 0.1.")
    vectors = rate if vector_learning_rate is None else vector_learning_rate
    wider = float(new / old)
    return WidthTransfer(
        matrix_learning_rate=rate / wider,
        matrix_weight_decay=decay * wider**0.5,
        vector_learning_rate=float(_positive("vector_learning_rate", vectors)),
    )


def learning_rate_sensitivity(
    rates: Sequence[float], losses: Sequence[float], initial_loss: float
) -> float:
    """Return the mean of min(loss, initial loss) − lowest loss over learning rates.

    ``rates``: the learning rates of a sweep, in any order. ``losses``: their final losses, where a
    run that diverged may have NaN or infinity and then counts as the initial loss.
    ``initial_loss``: that of the untrained model, in the same unit. Output: in that unit, 0 where
    the rate does not matter. The mean is over ln rate between the lowest and the highest rate, by
    the trapezium rule, so rates need not be evenly spaced; numbers compare only over the same
    range, which at the source spans three decades.
    Raises LawError for fewer than two rates, rates that repeat or are not positive, losses of
    another number, and a sweep without a finite loss.
    Source: arXiv:2309.14322; its integral as remembered, unverified.

    >>> round(learning_rate_sensitivity([1e-4, 1e-3, 1e-2], [3.0, 2.5, float("nan")], 10.5), 6)
    2.125
    """
    x = np.log(np.atleast_1d(_positive("rates", rates)))
    y = np.atleast_1d(_numbers("losses", losses))
    worst = float(_positive("initial_loss", initial_loss))
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise LawError(
            f"A sweep needs two or more rates, with a loss each; there are {x.size} rates and "
            f"{y.size} losses."
        )
    if len(np.unique(x)) < len(x):
        again = sorted({float(r) for r in np.asarray(rates) if np.sum(np.asarray(rates) == r) > 1})
        raise LawError(f"rates {listing(again)} come more than once; give one loss for each.")
    if not np.isfinite(y).any():
        raise LawError("No loss is finite: all runs diverged, so there is no lowest loss.")
    capped = np.minimum(np.where(np.isfinite(y), y, worst), worst)
    order = np.argsort(x)
    excess = capped[order] - capped.min()
    return float(np.trapezoid(excess, x[order]) / np.ptp(x))


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LawError(f"{name} must be a number or numbers, not {value!r}.") from error


def _positive(name: str, value: Any) -> np.ndarray:
    """Return positive, finite numbers; raises LawError for others."""
    exact = _numbers(name, value)
    bad = ~(np.isfinite(exact) & (exact > 0))
    if bad.any():
        raise LawError(
            f"{name} must be positive and finite, but is {listing(np.ravel(exact[bad]).tolist())}."
        )
    return exact


def _pair(name: str, value: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        old, new = value
    except (TypeError, ValueError) as error:
        raise LawError(
            f"{name}={value!r} must be two numbers, the old and the new: {name}=(256, 1024)."
        ) from error
    return _positive(name, old), _positive(name, new)
