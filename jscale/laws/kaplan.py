"""Kaplan's laws: pure powers of size, data and compute, their joint forms, and batch size.

None has an irreducible loss, so all promise too much far out. N leaves embeddings out at the
source. Kaplan et al., arXiv:2001.08361; the trajectory at any batch size follows
arXiv:2403.06563. The constants printed there are not verified, and not given here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Location, Positive, Scale
from jscale.model.root import root


def _size_inverse(loss: Any, *, N_c: Any, alpha_N: Any) -> Any:
    return N_c * raised(loss, -1 / alpha_N)


@law(
    formula="(N_c/N)^alpha_N",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"),),
    falling=("N",),
    inverse=_size_inverse,
)
def kaplan_size(N: Any, *, N_c: Scale, alpha_N: Exponent) -> Any:
    """L(N) = (N_c/N)^alpha_N: loss of a size trained to convergence on ample data.

    N: parameters without embeddings. Output: loss in nats per token, above 0; it is 1 at
    N = N_c, far outside the data. Fitted at the source by least squares of log L on log N.
    Invert it for the size that a loss takes. The same line as ``power:N``, with
    A = N_c^alpha_N. Source: Kaplan et al., arXiv:2001.08361, eq. 1.1.
    """
    return power(N_c / N, alpha_N)


def _data_inverse(loss: Any, *, D_c: Any, alpha_D: Any) -> Any:
    return D_c * raised(loss, -1 / alpha_D)


@law(
    formula="(D_c/D)^alpha_D",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("D_c", "D", "alpha_D"),),
    falling=("D",),
    inverse=_data_inverse,
)
def kaplan_data(D: Any, *, D_c: Scale, alpha_D: Exponent) -> Any:
    """L(D) = (D_c/D)^alpha_D: loss of a large model on limited data, stopped early.

    D: tokens in the training set, each seen as often as helps. Output: loss in nats per token,
    above 0. Fitted at the source by least squares of log L on log D. Invert it for the data
    that a loss takes. Source: Kaplan et al., arXiv:2001.08361, eq. 1.2.
    """
    return power(D_c / D, alpha_D)


def _compute_inverse(loss: Any, *, C_c: Any, alpha_C: Any) -> Any:
    return C_c * raised(loss, -1 / alpha_C)


@law(
    formula="(C_c/C)^alpha_C",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("C_c", "C", "alpha_C"),),
    falling=("C",),
    inverse=_compute_inverse,
)
def kaplan_compute(C: Any, *, C_c: Scale, alpha_C: Exponent) -> Any:
    """L(C) = (C_c/C)^alpha_C: the lowest loss at a compute, over sizes.

    C: training FLOPs. The source counts PF-days, of 8.64e19 FLOPs each, and at a batch far
    below the critical one; C_c is in units of C. Output: loss in nats per token, above 0.
    Fitted at the source to the lower envelope of training curves. Invert it for the compute
    that a loss takes. Source: Kaplan et al., arXiv:2001.08361, eq. 1.3.
    """
    return power(C_c / C, alpha_C)


def minimum_loss(p: Values, *, N: Any) -> Any:
    """(N_c/N)^alpha_N: the loss that a size cannot fall below, however long it trains."""
    return raised(p["N_c"] / np.asarray(N), p["alpha_N"])


def _joint_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """D_c/(L^(1/alpha_D) − (N_c/N)^(alpha_N/alpha_D)): data with which a size reaches a loss."""
    of_size = raised(p["N_c"] / np.asarray(N), p["alpha_N"] / p["alpha_D"])
    return p["D_c"] * raised(raised(loss, 1 / p["alpha_D"]) - of_size, -1.0)


def _joint_size(p: Values, *, loss: Any, D: Any) -> Any:
    """N_c·(L^(1/alpha_D) − D_c/D)^(−alpha_D/alpha_N): the size that reaches a loss with D."""
    of_size = raised(loss, 1 / p["alpha_D"]) - p["D_c"] / np.asarray(D)
    return p["N_c"] * raised(of_size, -p["alpha_D"] / p["alpha_N"])


def _joint_optimal_size(p: Values, *, C: Any) -> Any:
    """N* = (a·N_c^a·C/(6·D_c))^(1/(1+a)) at C = 6·N·D, with a = alpha_N/alpha_D."""
    a = p["alpha_N"] / p["alpha_D"]
    inner = np.log(a) + a * np.log(p["N_c"]) + np.log(np.asarray(C) / 6) - np.log(p["D_c"])
    return np.exp(inner / (1 + a))


def _joint_optimal_tokens(p: Values, *, C: Any) -> Any:
    """D* = C/(6·N*), with N* as for optimal_size."""
    return np.asarray(C) / (6 * _joint_optimal_size(p, C=C))


def _joint_optimal_loss(p: Values, *, C: Any) -> Any:
    """[(N_c/N*)^(alpha_N/alpha_D) + D_c/D*]^alpha_D: the lowest loss at C = 6·N·D."""
    N, D = _joint_optimal_size(p, C=C), _joint_optimal_tokens(p, C=C)
    of_size = raised(p["N_c"] / N, p["alpha_N"] / p["alpha_D"])
    return raised(of_size + p["D_c"] / D, p["alpha_D"])


@law(
    formula="[(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"), ("D_c", "D", "alpha_D")),
    falling=("N", "D"),
    quantities={
        "minimum_loss": minimum_loss,
        "tokens_for_loss": _joint_tokens,
        "size_for_loss": _joint_size,
        "optimal_size": _joint_optimal_size,
        "optimal_tokens": _joint_optimal_tokens,
        "optimal_loss": _joint_optimal_loss,
    },
)
def kaplan(N: Any, D: Any, *, N_c: Scale, alpha_N: Exponent, D_c: Scale, alpha_D: Exponent) -> Any:
    """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D: size and data together.

    N: parameters without embeddings. D: tokens in the training set. Output: loss in nats per
    token, above 0; with ample data it is kaplan_size, with ample size kaplan_data. Fitted at
    the source to runs stopped early. Data must grow as N^(alpha_N/alpha_D) to avoid a penalty.
    The optima at C = 6·N·D follow from this form, and are not the source's, which come from
    training curves (kaplan_steps). Source: Kaplan et al., arXiv:2001.08361, eq. 1.5.
    """
    import jax.numpy as jnp

    # In logarithms, for the ratio of exponents may be large where starts are drawn.
    of_size = alpha_N / alpha_D * (jnp.log(N_c) - jnp.log(N))
    of_data = jnp.log(D_c) - jnp.log(D)
    return jnp.exp(alpha_D * jnp.logaddexp(of_size, of_data))


def minimum_steps(p: Values, *, loss: Any, N: Any) -> Any:
    """S_min = S_c·(L − (N_c/N)^alpha_N)^(−1/alpha_S): steps to a loss at very large batches."""
    return p["S_c"] * raised(loss - minimum_loss(p, N=N), -1 / p["alpha_S"])


def _size_at_steps(p: Values, *, loss: Any, S: Any) -> Any:
    """N_c·(L − (S_c/S)^alpha_S)^(−1/alpha_N): the size that reaches a loss in S steps."""
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
        "steps_for_loss": minimum_steps,
        "size_for_loss": _size_at_steps,
    },
)
def kaplan_steps(
    N: Any, S: Any, *, N_c: Scale, alpha_N: Exponent, S_c: Scale, alpha_S: Exponent
) -> Any:
    """L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S: a training curve without end, by size.

    N: parameters without embeddings. S: optimiser steps at a batch far above the critical
    one, which the source writes S_min and computes from real steps as S/(1 + B_crit(L)/B) with
    the law critical_batch. Data are ample. Output: loss in nats per token, above 0. Fitted at
    the source to whole curves after warm-up. For real steps at any batch: kaplan_trajectory.
    Source: Kaplan et al., arXiv:2001.08361, eq. 1.6.
    """
    return power(N_c / N, alpha_N) + power(S_c / S, alpha_S)


def _loss_of_batch(B: Any, *, B_star: Any, alpha_B: Any) -> Any:
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
    """B_crit(L) = B_star/L^(1/alpha_B): the batch at which time and data are traded evenly.

    loss: nats per token, above 0. Output: tokens per batch. Training at B_crit takes twice the
    fewest steps and twice the fewest tokens; S/S_min − 1 = 1/(E/E_min − 1) = B_crit/B.
    Fitted at the source to the noise scale measured along training, or to contours of equal
    loss over batches. The critical batch does not depend on the size but through the loss.
    Source: Kaplan et al., arXiv:2001.08361, eq. 1.4.
    """
    return B_star * power(loss, -1 / alpha_B)


def _batch_at(p: Values, *, loss: Any) -> Any:
    """B_crit = B_star/L^(1/alpha_B): the critical batch size at a loss, in tokens."""
    return p["B_star"] * raised(loss, -1 / p["alpha_B"])


def _minimum_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """S_min·B_crit: tokens to a loss at very small batches, where most steps are needed."""
    return minimum_steps(p, loss=loss, N=N) * _batch_at(p, loss=loss)


def _steps_at_batch(p: Values, *, loss: Any, N: Any, B: Any) -> Any:
    """S = S_min·(1 + B_crit/B): steps with which a size reaches a loss at batch B."""
    return minimum_steps(p, loss=loss, N=N) * (1 + _batch_at(p, loss=loss) / B)


def _tokens_at_batch(p: Values, *, loss: Any, N: Any, B: Any) -> Any:
    """S·B = S_min·(B + B_crit): tokens with which a size reaches a loss at batch B."""
    return minimum_steps(p, loss=loss, N=N) * (_batch_at(p, loss=loss) + B)


def _above(x: Any, p: Values) -> Any:
    """Return log of the loss that x, a log loss, would imply through the batch, less x."""
    import jax.numpy as jnp

    steps = p["alpha_S"] * jnp.logaddexp(0.0, p["batch"] - x / p["alpha_B"])
    return jnp.logaddexp(p["size"], p["steps"] + steps) - x


def _log_loss(size: Any, steps: Any, batch: Any, alpha_S: Any, alpha_B: Any) -> Any:
    """Solve for the log loss, from the logarithms of both terms and of B_star/B (scalars)."""
    import jax.numpy as jnp

    p = {"size": size, "steps": steps, "batch": batch, "alpha_S": alpha_S, "alpha_B": alpha_B}
    # The implied loss falls in x: at the loss of an endless batch it is above the root. Both
    # ends may meet there, and rounding must not part them from it.
    low = jnp.logaddexp(size, steps)
    return root(_above, p, low - 1e-3, low + _above(low, p) + 1e-3)


@law(
    formula="L = (N_c/N)^alpha_N + (S_c·(1 + B_star/(B·L^(1/alpha_B)))/S)^alpha_S, for L",
    reference="arXiv:2403.06563",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"), ("S_c", "S", "alpha_S")),
    axes={"B_star": "B"},
    start={"B_star": (0.2, 2.5), "alpha_B": (0.1, 1.0)},
    prior={"B_star": ("lognormal", 3.0, 3.0)},
    falling=("N", "S", "B"),
    quantities={
        "minimum_loss": minimum_loss,
        "critical_batch": _batch_at,
        "minimum_steps": minimum_steps,
        "minimum_tokens": _minimum_tokens,
        "steps_for_loss": _steps_at_batch,
        "tokens_for_loss": _tokens_at_batch,
    },
)
def kaplan_trajectory(
    N: Any, S: Any, B: Any, *,
    N_c: Scale, alpha_N: Exponent, S_c: Scale, alpha_S: Exponent,
    B_star: Location, alpha_B: Exponent,
) -> Any:  # fmt: skip
    """L(N, S, B) = (N_c/N)^alpha_N + (S_c·(1 + B_star/(B·L^(1/alpha_B)))/S)^alpha_S.

    N: parameters without embeddings. S: optimiser steps. B: tokens per batch. Output: loss in
    nats per token along training, above 0; the loss is on both sides, for the critical batch
    B_star/L^(1/alpha_B) grows as the loss falls. Large batches give kaplan_steps. Fitted at the
    source in three stages: N_c, alpha_N from converged small models; S_c, alpha_S from a curve
    at a very large batch; B_star, alpha_B from contours of equal loss. Here all are fitted at
    once. Rows of one run are not independent: give Runs ``run=``.
    Source: arXiv:2403.06563, after Kaplan et al., arXiv:2001.08361.
    """
    import jax.numpy as jnp

    size = alpha_N * (jnp.log(N_c) - jnp.log(N))
    steps = alpha_S * (jnp.log(S_c) - jnp.log(S))
    batch = jnp.log(B_star) - jnp.log(B)
    solve = jnp.vectorize(_log_loss, signature="(),(),(),(),()->()")
    return jnp.exp(solve(size, steps, batch, alpha_S, alpha_B))
