"""Kaplan's laws along training: steps, the critical batch size, and the loss at any batch size.

N excludes embeddings at the source, Kaplan et al., arXiv:2001.08361; the trajectory at any batch
size follows arXiv:2403.06563. The constants printed there are unverified and not given here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.laws.kaplan import minimum_loss
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Location, Positive, Scale
from jscale.model.root import root


def _minimum_steps(p: Values, *, loss: Any, N: Any) -> Any:
    """S_min = S_c·(L − (N_c/N)^alpha_N)^(−1/alpha_S): steps to a loss at very large batches."""
    return p["S_c"] * raised(loss - minimum_loss(p, N=N), -1 / p["alpha_S"])


def _size_at_steps(p: Values, *, loss: Any, S: Any) -> Any:
    """N_c·(L − (S_c/S)^alpha_S)^(−1/alpha_N): size that reaches a loss in S steps."""
    of_steps = raised(p["S_c"] / np.asarray(S), p["alpha_S"])
    return p["N_c"] * raised(loss - of_steps, -1 / p["alpha_N"])


@law(
    formula="(N_c/N)^alpha_N + (S_c/S)^alpha_S",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"), ("S_c", "S", "alpha_S")),
    falling=("N", "S"),
    quantities={
        "minimum_loss": minimum_loss,
        "steps_for_loss": _minimum_steps,
        "size_for_loss": _size_at_steps,
    },
)
def kaplan_steps(
    N: Any, S: Any, *, N_c: Scale, alpha_N: Exponent, S_c: Scale, alpha_S: Exponent
) -> Any:
    """Loss along training on ample data, by size and steps.

        L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, above 0.
    S : array_like
        Optimiser steps at a batch far above the critical one, above 0.
    N_c : Scale
        Size at which the size term would be 1, above 0.
    alpha_N : Exponent
        Exponent of size, above 0.
    S_c : Scale
        Steps at which the step term is 1, above 0.
    alpha_S : Exponent
        Exponent of steps, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    The source writes S_min for these steps and computes them from the actual steps as S/(1 +
    B_crit(L)/B) with the law ``critical_batch``. It fits whole curves after the warm-up. For actual
    steps at any batch size use ``kaplan_trajectory``.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.6.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan_steps")
    >>> constants = {"N_c": 1e13, "alpha_N": 0.125, "S_c": 1e3, "alpha_S": 0.5}
    >>> round(float(law(1e9, 1e5, **constants)), 3)
    3.262
    """
    return power(N_c / N, alpha_N) + power(S_c / S, alpha_S)


def _loss_of_batch(B: Any, *, B_star: Any, alpha_B: Any) -> Any:
    """Return the loss at which a batch size is critical."""
    return raised(B_star / np.asarray(B), alpha_B)


@law(
    output="B",
    formula="B_star/L^(1/alpha_B)",
    reference="arXiv:2001.08361",
    unit="tokens",
    linear=("B_star",),
    positive=("loss",),
    falling=("loss",),
    start={"alpha_B": (0.1, 1.0)},
    inverse=_loss_of_batch,
)
def critical_batch(loss: Any, *, B_star: Positive, alpha_B: Exponent) -> Any:
    """Critical batch size, at which time and data are traded evenly, by the loss.

        B_crit(L) = B_star/L^(1/alpha_B)

    Parameters
    ----------
    loss : array_like
        Loss in nats per token, above 0.
    B_star : Positive
        Critical batch at a loss of 1, in tokens, above 0.
    alpha_B : Exponent
        Exponent, above 0: the batch grows as the loss to the power −1/alpha_B.

    Returns
    -------
    B : array
        Critical batch size in tokens, above 0.

    Notes
    -----
    Training at B_crit takes twice the minimum number of steps and twice the minimum number of
    tokens; S/S_min − 1 = 1/(E/E_min − 1) = B_crit/B. The source fits the noise scale measured along
    training, or contours of equal loss over batch sizes. The critical batch depends on the size of
    the model only through the loss.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.4.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("critical_batch")
    >>> float(law(2.0, B_star=1.6e7, alpha_B=0.25))
    1000000.0
    """
    return B_star * power(loss, -1 / alpha_B)


def _batch_at(p: Values, *, loss: Any) -> Any:
    """B_crit = B_star/L^(1/alpha_B): critical batch size at a loss, in tokens."""
    return p["B_star"] * raised(loss, -1 / p["alpha_B"])


def _minimum_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """S_min·B_crit: tokens to a loss at very small batches."""
    return _minimum_steps(p, loss=loss, N=N) * _batch_at(p, loss=loss)


def _steps_at_batch(p: Values, *, loss: Any, N: Any, B: Any) -> Any:
    """S = S_min·(1 + B_crit/B): steps with which a size reaches a loss at batch B."""
    return _minimum_steps(p, loss=loss, N=N) * (1 + _batch_at(p, loss=loss) / B)


def _tokens_at_batch(p: Values, *, loss: Any, N: Any, B: Any) -> Any:
    """S·B = S_min·(B + B_crit): tokens with which a size reaches a loss at batch B."""
    return _minimum_steps(p, loss=loss, N=N) * (_batch_at(p, loss=loss) + B)


def _above(x: Any, p: Values) -> Any:
    """Return the log loss that a log loss x implies through the critical batch, minus x."""
    import jax.numpy as jnp

    steps = p["alpha_S"] * jnp.logaddexp(0.0, p["batch"] - x / p["alpha_B"])
    return jnp.logaddexp(p["size"], p["steps"] + steps) - x


def _log_loss(size: Any, steps: Any, batch: Any, alpha_S: Any, alpha_B: Any) -> Any:
    """Return the log loss, given the logarithms of both terms and of B_star/B (scalars)."""
    import jax.numpy as jnp

    p = {"size": size, "steps": steps, "batch": batch, "alpha_S": alpha_S, "alpha_B": alpha_B}
    # The implied loss falls in x, and at the loss of an infinite batch it lies above the root. The
    # bounds may coincide there; the margins keep the root between them despite rounding.
    low = jnp.logaddexp(size, steps)
    return root(_above, p, low - 1e-3, low + _above(low, p) + 1e-3)


@law(
    formula="L = (N_c/N)^alpha_N + (S_c·(1 + B_star/(B·L^(1/alpha_B)))/S)^alpha_S, for L",
    reference="arXiv:2403.06563",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"), ("S_c", "S", "alpha_S")),
    axes={"B_star": "B"},
    start={"B_star": (0.2, 2.5), "alpha_B": (0.1, 1.0)},
    # A location relative to the batches tried: the critical batch at a loss of 1 is far above them.
    prior={"B_star": ("lognormal", 3.0, 3.0)},
    falling=("N", "S", "B"),
    quantities={
        "minimum_loss": minimum_loss,
        "critical_batch": _batch_at,
        "minimum_steps": _minimum_steps,
        "minimum_tokens": _minimum_tokens,
        "steps_for_loss": _steps_at_batch,
        "tokens_for_loss": _tokens_at_batch,
    },
)
def kaplan_trajectory(
    N: Any,
    S: Any,
    B: Any,
    *,
    N_c: Scale,
    alpha_N: Exponent,
    S_c: Scale,
    alpha_S: Exponent,
    B_star: Location,
    alpha_B: Exponent,
) -> Any:
    """Loss along training at any batch size, by size and steps.

        L(N, S, B) = (N_c/N)^alpha_N + (S_c·(1 + B_star/(B·L^(1/alpha_B)))/S)^alpha_S

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, above 0.
    S : array_like
        Optimiser steps, above 0.
    B : array_like
        Tokens per batch, above 0.
    N_c : Scale
        Size at which the size term would be 1, above 0.
    alpha_N : Exponent
        Exponent of size, above 0.
    S_c : Scale
        Steps at which the step term is 1 for a very large batch, above 0.
    alpha_S : Exponent
        Exponent of steps, above 0.
    B_star : Location
        Critical batch at a loss of 1, in tokens, above 0.
    alpha_B : Exponent
        Exponent of the critical batch, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token along training, above 0.

    Notes
    -----
    The loss is on both sides of the equation, because the critical batch B_star/L^(1/alpha_B) grows
    as the loss falls; it is found as a root. Large batches give ``kaplan_steps``.

    The source fits in three stages: N_c and alpha_N from converged small models, S_c and alpha_S
    from a curve at a very large batch, B_star and alpha_B from contours of equal loss. Here all are
    fitted at once. The rows of one run are not independent: give Runs ``run=``.

    References
    ----------
    .. [1] Unraveling the Mystery of Scaling Laws: Part I, arXiv:2403.06563.
    .. [2] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan_trajectory")
    >>> constants = {"N_c": 1e13, "alpha_N": 0.125, "S_c": 1e3, "alpha_S": 0.5, "B_star": 1e8,
    ...              "alpha_B": 0.25}
    >>> round(float(law(1e9, 1e5, 1e6, **constants)), 3)
    3.298
    """
    import jax.numpy as jnp

    size = alpha_N * (jnp.log(N_c) - jnp.log(N))
    steps = alpha_S * (jnp.log(S_c) - jnp.log(S))
    batch = jnp.log(B_star) - jnp.log(B)
    # The root is of scalars; rows have different equations.
    solve = jnp.vectorize(_log_loss, signature="(),(),(),(),()->()")
    return jnp.exp(solve(size, steps, batch, alpha_S, alpha_B))
