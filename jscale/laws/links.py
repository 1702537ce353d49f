"""Links: laws from a loss to a score, to be put after a loss law with ``then``."""

from __future__ import annotations

from typing import Any

from jscale.model.declare import law
from jscale.model.roles import Exponent, Fraction, Positive


@law(
    output="error",
    formula="epsilon - k·exp(-gamma·L)",
    reference="arXiv:2403.08540",
    unit="error rate",
)
def exponential_link(loss: Any, *, epsilon: Fraction, k: Positive, gamma: Exponent) -> Any:
    """Err(L) = epsilon − k·exp(−gamma·L): average top-1 error from loss.

    L: loss in nats per token. Output: error rate, below epsilon, the error of chance.
    Source: Gadre et al., arXiv:2403.08540, eq. 5.
    """
    import jax.numpy as jnp

    return epsilon - k * jnp.exp(-gamma * loss)


@law(
    output="score",
    formula="floor + rise/(1 + exp(k·(L - L0)))",
    reference="arXiv:2412.04403",
    unit="score in (0, 1)",
)
def sigmoid_link(loss: Any, *, floor: Fraction, rise: Fraction, k: Positive, L0: Positive) -> Any:
    """Score(L) = floor + rise/(1 + exp(k·(L − L0))): accuracy from loss.

    L: loss. Output: a score between floor (chance) and floor + rise. Source: the second step of
    the OLMo task-scaling ladder, arXiv:2412.04403.
    """
    import jax

    return floor + rise * jax.nn.sigmoid(-k * (loss - L0))
