"""Transfer of learning rate and weight decay to another batch size or width, by simple rules.

These are calculators, not fitted laws; each states what its rule is based on. Laws that can be
fitted instead are in :mod:`jscale.laws.hyperparameters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import LawError, listing, nearest

# Exponent of the batch size by optimiser.
_EXPONENTS = {"sgd": 1.0, "adam": 0.5}


def transfer_learning_rate(
    eta: Any, batch: tuple[float, float], optimizer: str = "adam", saturation: float | None = None
) -> Any:
    """Return the learning rate at another batch size, eta·(b1/b0)^q.

    Parameters
    ----------
    eta : array_like
        Learning rate at the batch size ``batch[0]``, above 0.
    batch : (float, float)
        The old and the new batch size, in the same unit, above 0.
    optimizer : {"adam", "sgd"}, optional
        The exponent q is ½ for Adam and 1 for SGD.
    saturation : float, optional
        Batch size from which on the learning rate stays constant, in the unit of ``batch``. Without
        it the rule never ends, and overestimates the rate of large batches.

    Returns
    -------
    ndarray or float
        Learning rate at the new batch size.

    Raises
    ------
    LawError
        If the optimiser is unknown or a number is not positive.

    Notes
    -----
    The source derives q from the extreme eigenvalue of the batch Hessian, which falls as the batch
    grows until the curvature of the full loss remains. Only its abstract was read: it states the
    exponents, but no value of the saturation.

    References
    ----------
    .. [1] Learning Rates as a Function of Batch Size, arXiv:2006.09092.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.transfer_learning_rate(1e-3, (256, 1024)))
    0.002
    >>> float(js.transfer_learning_rate(1e-3, (256, 1024), "sgd", saturation=512))
    0.002
    """
    if optimizer not in _EXPONENTS:
        raise LawError(
            f"optimizer={optimizer!r} has no rule; use {listing(list(_EXPONENTS))}."
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
    """Hyper-parameters of AdamW at another width, for matrices and for vector parameters.

    Parameters
    ----------
    matrix_learning_rate, matrix_weight_decay : float
        Those of matrices.
    vector_learning_rate, vector_weight_decay : float
        Those of vector parameters, such as gains and biases.
    """

    matrix_learning_rate: float
    matrix_weight_decay: float
    vector_learning_rate: float
    vector_weight_decay: float = 0.0


def transfer_width(
    learning_rate: float,
    weight_decay: float,
    width: tuple[float, float],
    *,
    vector_learning_rate: float | None = None,
) -> WidthTransfer:
    """Return AdamW's learning rate and weight decay at another width.

    Parameters
    ----------
    learning_rate : float
        Learning rate of matrices at the old width, above 0.
    weight_decay : float
        Weight decay of matrices at the old width, 0 or above.
    width : (float, float)
        The old and the new width, above 0.
    vector_learning_rate : float, optional
        Learning rate of vector parameters (gains, biases); by default that of matrices at the old
        width.

    Returns
    -------
    WidthTransfer
        With d the ratio of the widths, matrices get the learning rate eta/d and the weight decay
        lambda·√d. Vector parameters keep their learning rate and are not decayed.

    Raises
    ------
    LawError
        If a number is not positive (a weight decay may be 0).

    Notes
    -----
    The rule keeps the gain of each sub-layer. In AdamW's steady state the singular values of a
    matrix are proportional to √(eta/lambda), and the largest one to √(eta/lambda)·width^0.75, which
    then stays constant. Only the source's abstract was read; it prints these without the roots,
    which are restored here so that the two statements agree.

    References
    ----------
    .. [1] Robust Layerwise Scaling Rules by Proper Weight Decay Tuning, arXiv:2510.15262
       (abstract).

    Examples
    --------
    >>> import jscale as js
    >>> wider = js.transfer_width(0.01, 0.1, (256, 1024))
    >>> wider.matrix_learning_rate, wider.matrix_weight_decay
    (0.0025, 0.2)
    >>> wider.vector_learning_rate, wider.vector_weight_decay
    (0.01, 0.0)
    """
    old, new = _pair("width", width)
    rate = float(_positive("learning_rate", learning_rate))
    decay = float(_numbers("weight_decay", weight_decay))
    if not 0 <= decay < np.inf:
        raise LawError(f"weight_decay={weight_decay!r} must be a number, 0 or more, such as 0.1.")
    vector_rate = rate if vector_learning_rate is None else vector_learning_rate
    factor = float(new / old)
    return WidthTransfer(
        matrix_learning_rate=rate / factor,
        matrix_weight_decay=decay * factor**0.5,
        vector_learning_rate=float(_positive("vector_learning_rate", vector_rate)),
    )


def learning_rate_sensitivity(
    rates: Sequence[float], losses: Sequence[float], initial_loss: float
) -> float:
    """Return the mean excess of the loss over learning rates of a sweep.

    The excess is min(loss, initial loss) − lowest loss.

    Parameters
    ----------
    rates : sequence of float
        Learning rates of the sweep in any order, two or more, above 0.
    losses : sequence of float
        Final loss of each rate. NaN or infinity, of a run that diverged, counts as the initial
        loss.
    initial_loss : float
        Loss of the untrained model, in the same unit, above 0.

    Returns
    -------
    float
        The sensitivity, in the unit of the losses; 0 where the learning rate does not matter.

    Raises
    ------
    LawError
        If there are fewer than two rates, rates repeat or are not positive, the number of losses
        differs, or no loss is finite.

    Notes
    -----
    The mean is over ln rate between the lowest and the highest rate, by the trapezium rule, so that
    rates need not be evenly spaced. Values compare only over the same range, which at the source
    spans three decades. The integral of the source is from memory and unverified.

    References
    ----------
    .. [1] Small-scale proxies for large-scale Transformer training instabilities, arXiv:2309.14322.

    Examples
    --------
    >>> import jscale as js
    >>> losses = [3.0, 2.5, float("nan")]
    >>> round(js.learning_rate_sensitivity([1e-4, 1e-3, 1e-2], losses, initial_loss=10.5), 6)
    2.125
    """
    x = np.log(np.atleast_1d(_positive("rates", rates)))
    y = np.atleast_1d(_numbers("losses", losses))
    worst = float(_positive("initial_loss", initial_loss))
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise LawError(
            f"A sweep needs two or more rates, each with one loss; there are {x.size} rates and "
            f"{y.size} losses."
        )
    if len(np.unique(x)) < len(x):
        given = np.asarray(rates)
        repeated = sorted({float(r) for r in given if np.sum(given == r) > 1})
        raise LawError(
            f"rates {listing(repeated)} are given more than once; give one loss for each."
        )
    if not np.isfinite(y).any():
        raise LawError("No loss is finite: all runs diverged, so that there is no lowest loss.")
    # A run that diverged counts as untrained, as does one that ended above the initial loss.
    capped = np.minimum(np.where(np.isfinite(y), y, worst), worst)
    order = np.argsort(x)
    excess = capped[order] - capped.min()
    # By ln rate, so that unevenly spaced sweeps compare.
    return float(np.trapezoid(excess, x[order]) / np.ptp(x))


def _numbers(name: str, value: Any) -> np.ndarray:
    """Return numbers as float64; raise LawError for anything else."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LawError(f"{name} must be a number or numbers, not {value!r}.") from error


def _positive(name: str, value: Any) -> np.ndarray:
    """Return positive, finite numbers as float64; raise LawError for others."""
    exact = _numbers(name, value)
    bad = ~(np.isfinite(exact) & (exact > 0))
    if bad.any():
        raise LawError(
            f"{name} must be positive and finite, but is {listing(np.ravel(exact[bad]).tolist())}."
        )
    return exact


def _pair(name: str, value: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return an old and a new number, both positive; raise LawError for anything else."""
    try:
        old, new = value
    except (TypeError, ValueError) as error:
        raise LawError(
            f"{name}={value!r} must be two numbers, the old and the new: {name}=(256, 1024)."
        ) from error
    return _positive(name, old), _positive(name, new)
