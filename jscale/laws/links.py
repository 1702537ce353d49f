"""Links: laws from a loss to a score (or another loss), to be put after a loss law by ``then``.

``chinchilla.then(sigmoid_link)`` is a law from N and D to a score; :func:`jscale.chain` fits both
parts of it to losses and scores. Scores and errors are shares, between 0 and 1. The inverse of a
link says which loss a score asks for. ``bleu_log`` goes from pre-training data to a score directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Fraction, Location, Positive, Scale

# Below 0 these forms have no value; there they are taken so small that a fit turns back.
_LEAST = 1e-6


def _gadre(epsilon: float, k: float, gamma: float) -> dict[str, float]:
    return {"epsilon": epsilon, "k": k, "gamma": gamma}


def _loss_for_error(error: Any, *, epsilon: Any, k: Any, gamma: Any) -> Any:
    """Return the loss at which the error is reached, ln(k/(epsilon − Err))/gamma."""
    left = epsilon - error
    return np.where(left > 0, np.log(k / np.where(left > 0, left, 1.0)) / gamma, np.nan)


@law(
    output="error",
    formula="epsilon - k·exp(-gamma·L)",
    reference="arXiv:2403.08540",
    unit="error rate",
    space="linear",
    linear=("k",),
    start={"gamma": (0.1, 4.0)},
    limits={"error": (0.0, 1.0)},
    rising=("loss",),
    published={
        "arXiv:2403.08540, C4, 17 tasks": _gadre(0.84974201, 2.07890716, 0.75612088),
        "arXiv:2403.08540, RedPajama, 17 tasks": _gadre(0.85699193, 2.20649009, 0.71459055),
        "arXiv:2403.08540, RefinedWeb, 17 tasks": _gadre(0.86527954, 2.21481484, 0.7070485),
        "arXiv:2403.08540, C4, 46 tasks": _gadre(0.75894944, 1.28851604, 0.97216429),
        "arXiv:2403.08540, RedPajama, 46 tasks": _gadre(0.76084951, 1.3228989, 0.89070785),
        "arXiv:2403.08540, RefinedWeb, 46 tasks": _gadre(0.76767921, 1.12807423, 0.8215226),
    },
    inverse=_loss_for_error,
)
def exponential_link(loss: Any, *, epsilon: Fraction, k: Positive, gamma: Exponent) -> Any:
    """Err(L) = epsilon − k·exp(−gamma·L): average top-1 error from loss.

    L: loss in nats per token (at the source: of C4's validation set). Output: an error averaged
    over tasks, between 0 and 1, which rises with the loss towards epsilon, the error of chance.
    Below the loss ln(k/epsilon)/gamma the form turns negative and means nothing: the inverse of
    an error of 0 is where it ends. Fitted at the source by least squares of the error on six
    models, after the law of over-training (``chinchilla_tied``) on five. The published constants
    are those of the source's own code on its own data, by training set and by the tasks averaged.
    Source: Gadre et al., arXiv:2403.08540, eq. 5.
    """
    import jax.numpy as jnp

    return epsilon - k * jnp.exp(-gamma * loss)


def _loss_for_score(score: Any, *, floor: Any, rise: Any, k: Any, L0: Any) -> Any:
    """Return the loss at which the score is reached, L0 + ln(rise/(Score − floor) − 1)/k."""
    share = (score - floor) / rise
    inside = (share > 0) & (share < 1)
    share = np.where(inside, share, 0.5)
    return np.where(inside, L0 + np.log((1.0 - share) / share) / k, np.nan)


@law(
    output="score",
    formula="floor + rise/(1 + exp(k·(L - L0)))",
    reference="arXiv:2412.04403",
    unit="score in [0, 1]",
    space="linear",
    start={"k": (0.3, 15.0), "L0": (0.3, 8.0)},
    limits={"score": (0.0, 1.0)},
    falling=("loss",),
    inverse=_loss_for_score,
)
def sigmoid_link(loss: Any, *, floor: Fraction, rise: Fraction, k: Positive, L0: Positive) -> Any:
    """Score(L) = floor + rise/(1 + exp(k·(L − L0))): accuracy from loss.

    L: loss (at the source: of the task's right answers, in bits per byte). Output: a score between
    floor (that of chance) and floor + rise. L0 is the loss half-way, k the steepness there,
    k·rise/4 of score per unit of loss. Fitted at the source by least squares of the accuracy, after
    E + A/N^alpha + B/D^beta for the task's loss by Huber's. Runs that have not come near an end do
    not say where it is, and nothing keeps floor + rise below 1: fix floor at the score of chance,
    and rise too if the top is known.
    Source: the second step of the OLMo task-scaling ladder, arXiv:2412.04403.
    """
    import jax

    return floor + rise * jax.nn.sigmoid(-k * (loss - L0))


def _loss_for_accuracy(accuracy: Any, *, T: Any) -> Any:
    """Return the loss at which the accuracy is reached, −ln(accuracy)/T."""
    inside = (accuracy > 0) & (accuracy <= 1)
    return np.where(inside, -np.log(np.where(inside, accuracy, 1.0)) / T, np.nan)


@law(
    output="accuracy",
    formula="exp(-T·L)",
    reference="arXiv:2310.03262",
    unit="accuracy in [0, 1]",
    start={"T": (0.1, 200.0)},
    limits={"accuracy": (0.0, 1.0)},
    falling=("loss",),
    inverse=_loss_for_accuracy,
)
def log_loss_to_accuracy(loss: Any, *, T: Positive) -> Any:
    """Accuracy(L) = exp(−T·L): an answer is right when all of its T tokens are.

    L: loss of the right answer in nats per token, so that exp(−L) is a token's probability, of the
    geometric mean. Output: the probability that a sampled answer passes, 1 at a loss of 0. T: the
    answer's effective length in tokens. Where guessing passes with a probability of its own, use
    ``sigmoid_link``. After a pure power law, ``power:N`` then this, it is the task law
    exp(−c·N^(−alpha)), c = T·A, whose ln(−ln accuracy) is a straight line in ln N. Fitted at the
    source in these logarithms, to rates down to 1e-4 measured by sampling until an answer passes.
    Source: arXiv:2310.03262, the task law.
    """
    import jax.numpy as jnp

    return jnp.exp(-T * loss)


def _source_loss(target_loss: Any, *, E1: Any, K: Any, E0: Any, kappa: Any) -> Any:
    """Return the loss at which the other one is reached, E0 + ((L1 − E1)/K)^(1/kappa)."""
    left = (target_loss - E1) / K
    return np.where(left >= 0, E0 + np.where(left >= 0, left, 0.0) ** (1.0 / kappa), np.nan)


@law(
    output="target_loss",
    formula="K·(L - E0)^kappa + E1",
    reference="arXiv:2411.12925",
    unit="as fitted",
    linear=("E1", "K"),
    axes={"E0": "loss"},
    start={"E0": (-3.0, -0.02), "kappa": (0.3, 3.0)},
    rising=("loss",),
    inverse=_source_loss,
)
def loss_to_loss(loss: Any, *, E1: Floor, K: Scale, E0: Location, kappa: Exponent) -> Any:
    """L1(L) = K·(L − E0)^kappa + E1: one loss from another, a shifted power.

    L: loss on one distribution, above E0, the irreducible loss there. Output: the loss on another
    one (of the same model, or of a model trained on other data with the same compute), above E1,
    its irreducible loss. A kappa of 1 is a straight line. Fitted at the source to pairs of losses
    by Huber's objective, with E0 and E1 taken from each distribution's own scaling law where there
    is one: pairs alone tell them from kappa only if they reach near to them, so fix E0 where it
    is known. Below E0 the law stays at E1.
    Source: Loss-to-loss prediction, arXiv:2411.12925.
    """
    import jax.numpy as jnp

    return K * power(jnp.maximum(loss - E0, 0.0), kappa) + E1


def _tokens_for_score(score: Any, *, A: Any, alpha: Any, beta: Any) -> Any:
    """Return the tokens at which the score is reached, (exp(score^(1/beta))/A)^(1/alpha)."""
    inside = score >= 0
    logarithm = np.where(inside, score, 0.0) ** (1.0 / beta) - np.log(A)
    return np.where(inside, np.exp(logarithm / alpha), np.nan)


def _tokens(p: Mapping[str, Any], *, score: Any) -> Any:
    """Tokens for a score: D = (exp(score^(1/beta))/A)^(1/alpha)."""
    return _tokens_for_score(score, A=p["A"], alpha=p["alpha"], beta=p["beta"])


@law(
    output="score",
    formula="(ln(A·D^alpha))^beta",
    reference="arXiv:2402.04177",
    unit="BLEU or COMET",
    powers=(("A", "D", "alpha", +1),),
    start={"A": (10.0, 1e7), "alpha": (0.03, 1.5), "beta": (0.3, 6.0)},
    limits={"score": (0.0, np.inf)},
    rising=("D",),
    quantities={"tokens_for_score": _tokens},
    inverse=_tokens_for_score,
)
def bleu_log(D: Any, *, A: Positive, alpha: Exponent, beta: Exponent) -> Any:
    """Score(D) = (ln(A·D^alpha))^beta: translation quality after fine-tuning.

    D: pre-training tokens, none of them repeated; one curve for each mixture of pre-training data
    and size of the fine-tuning set. Output: BLEU, or another score that grows without a bound. The
    law has a value where A·D^alpha > 1. It holds where the pre-training data are aligned with the
    task; where they are not, the score is not monotone, and the fit's residuals are the sign.
    Fitted at the source by Huber's objective (delta 0.1) of ln score to the four smallest D, the
    rest held out. The tokens for a score are (exp(score^(1/beta))/A)^(1/alpha).
    Source: arXiv:2402.04177 (the law of BLEU).
    """
    import jax.numpy as jnp

    return power(jnp.maximum(jnp.log(A) + alpha * jnp.log(D), _LEAST), beta)
