"""Language families in one training set: loss by a family's share, and the best shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale


def _alone(p: Values, N: Any, D: Any) -> Any:
    """Return E + A/N^alpha + B/D^beta, the loss of a family that has all tokens."""
    return p["E"] + p["A"] * raised(N, -p["alpha"]) + p["B"] * raised(D, -p["beta"])


def _monolingual_loss(p: Values, *, N: Any, D: Any) -> Any:
    """E + A/N^alpha + B/D^beta: loss at a share of 1."""
    return _alone(p, N, D)


def _share_for_loss(p: Values, *, loss: Any, N: Any, D: Any) -> Any:
    """((E + A/N^alpha + B/D^beta)/L)^(1/gamma): share that reaches a loss; NaN above 1."""
    share = raised(_alone(p, N, D) / loss, 1 / np.asarray(p["gamma"]))
    return np.where(share <= 1, share, np.nan)


@law(
    formula="(E + A/N^alpha + B/D^beta)·p^(-gamma)",
    reference="arXiv:2410.12883",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(
        ("A", "N", "alpha"),
        ("B", "D", "beta"),
        ("E", "p", "gamma"),
        ("A", "p", "gamma"),
        ("B", "p", "gamma"),
    ),
    limits={"p": (0.0, 1.0)},
    falling=("N", "D", "p"),
    quantities={"monolingual_loss": _monolingual_loss, "share_for_loss": _share_for_loss},
)
def multilingual(
    N: Any,
    D: Any,
    p: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    gamma: Exponent,
) -> Any:
    """Loss of one language family among others, by size, data and the family's share.

        L(N, D, p) = (E + A/N^alpha + B/D^beta)·p^(−gamma)

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens of all families together, above 0.
    p : array_like
        The family's share of the tokens, above 0 and up to 1.
    E : Floor
        Irreducible loss with all tokens, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of data, above 0.
    gamma : Exponent
        Exponent of the share, above 0.

    Returns
    -------
    loss : array
        Cross-entropy of the family in nats per token, above E at p = 1.

    Notes
    -----
    The source finds that the division of the remaining tokens among the other families does not
    matter, and that the best shares (:func:`jscale.best_language_shares`) hardly depend on N. It
    fits in steps, with Huber's loss of logarithms and gamma from sweeps of p. Several families in
    one table: ``js.fit_many("multilingual", table, by="family")``. Derived: the loss with all
    tokens, and the share that reaches a loss.

    References
    ----------
    .. [1] Scaling Laws for Multilingual Language Models, arXiv:2410.12883.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("multilingual")
    >>> constants = {"E": 1.0, "A": 100.0, "alpha": 0.25, "B": 1000.0, "beta": 0.25, "gamma": 0.25}
    >>> round(float(law(1e8, 1e12, 0.0625, **constants)), 3)
    6.0
    """
    return (E + A * power(N, -alpha) + B * power(D, -beta)) * power(p, -gamma)


def best_language_shares(
    losses: Sequence[float], gammas: Sequence[float], weights: Sequence[float] | None = None
) -> np.ndarray:
    """Return the shares of language families that minimise their weighted loss.

    They minimise Σ_i w_i·L_i·p_i^(−gamma_i) subject to Σ_i p_i = 1.

    Parameters
    ----------
    losses : sequence of float
        L_i, the loss of each family with all tokens (``monolingual_loss`` of the law
        ``multilingual`` at one N and D), above 0.
    gammas : sequence of float
        Exponent of the share of each family, above 0.
    weights : sequence of float, optional
        w_i, the weight of each family, 0 or above; by default all are 1. A family of weight 0 gets
        no share.

    Returns
    -------
    ndarray
        The shares p_i, which add up to 1.

    Raises
    ------
    LawError
        If the lists differ in length, losses or gammas are not positive, weights are negative, or
        all weights are 0.

    Notes
    -----
    At the optimum w_i·gamma_i·L_i·p_i^(−gamma_i − 1) is the same number mu for all i, so that ln mu
    is the root of a single falling function.

    References
    ----------
    .. [1] Scaling Laws for Multilingual Language Models, arXiv:2410.12883 (the law; its minimum
       follows by calculus).

    Examples
    --------
    >>> import jscale as js
    >>> js.best_language_shares([2.0, 2.0], [0.2, 0.2]).round(6).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import brentq

    loss, gamma = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (losses, gammas))
    weight = np.ones_like(loss) if weights is None else np.asarray(weights, dtype=np.float64)
    if loss.ndim != 1 or not loss.shape == gamma.shape == weight.shape:
        raise LawError(
            f"losses, gammas and weights must be equally long lists, but have shapes {loss.shape}, "
            f"{gamma.shape} and {weight.shape}."
        )
    for name, values in (("losses", loss), ("gammas", gamma)):
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            raise LawError(
                f"{name} must be positive and finite, not {listing(values[bad].tolist())}."
            )
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise LawError(
            f"weights must be 0 or more, at least one above 0, not {listing(weight.tolist())}."
        )
    # A family of weight 0 has no share at the optimum, and an undefined logarithm.
    counts = weight > 0
    # ln p_i = (height_i − ln mu)/(1 + gamma_i), from equal slopes of the weighted losses.
    height = np.log(weight[counts] * gamma[counts] * loss[counts])
    power_ = 1 + gamma[counts]

    def excess(log_mu: float) -> float:
        return float(np.logaddexp.reduce((height - log_mu) / power_))

    # At the lower bound one share alone reaches 1; at the upper bound no share exceeds 1/n.
    low, high = height.max(), (height + power_ * np.log(counts.sum())).max()
    root: Any = low if low == high else brentq(excess, low, high, xtol=1e-14)
    shares = np.zeros_like(loss)
    shares[counts] = np.exp((height - root) / power_)
    # The root is exact only to rounding.
    return shares / shares.sum()
