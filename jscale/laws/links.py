"""Links: laws from a loss to a score (or to another loss), for use after a loss law with ``then``.

``chinchilla.then(sigmoid_link)`` is a law from N and D to a score; :func:`jscale.chain` fits both
parts to losses and scores. Scores and errors are shares between 0 and 1. The inverse of a link is
the loss that a score requires. ``bleu_log`` leads from pre-training data to a score directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Fraction, Location, Positive, Scale

# Where A·D^alpha ≤ 1 the form has no value; a small positive one lets a fit turn back.
_LEAST = 1e-6


# epsilon, k and gamma by training set and number of averaged tasks.
_GADRE = {
    "arXiv:2403.08540, C4, 17 tasks": (0.84974201, 2.07890716, 0.75612088),
    "arXiv:2403.08540, RedPajama, 17 tasks": (0.85699193, 2.20649009, 0.71459055),
    "arXiv:2403.08540, RefinedWeb, 17 tasks": (0.86527954, 2.21481484, 0.7070485),
    "arXiv:2403.08540, C4, 46 tasks": (0.75894944, 1.28851604, 0.97216429),
    "arXiv:2403.08540, RedPajama, 46 tasks": (0.76084951, 1.3228989, 0.89070785),
    "arXiv:2403.08540, RefinedWeb, 46 tasks": (0.76767921, 1.12807423, 0.8215226),
}


def _loss_for_error(error: Any, *, epsilon: Any, k: Any, gamma: Any) -> Any:
    """Return the loss at which the error is reached, ln(k/(epsilon − Err))/gamma."""
    below_chance = epsilon - error
    legal = below_chance > 0
    return np.where(legal, np.log(k / np.where(legal, below_chance, 1.0)) / gamma, np.nan)


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
        source: dict(zip(("epsilon", "k", "gamma"), constants, strict=True))
        for source, constants in _GADRE.items()
    },
    inverse=_loss_for_error,
)
def exponential_link(loss: Any, *, epsilon: Fraction, k: Positive, gamma: Exponent) -> Any:
    """Average top-1 error from loss.

        Err(L) = epsilon − k·exp(−gamma·L)

    Parameters
    ----------
    loss : array_like
        Loss in nats per token (at the source that of C4's validation set).
    epsilon : Fraction
        Error of chance, which is approached as the loss grows, between 0 and 1.
    k : Positive
        Amplitude, above 0.
    gamma : Exponent
        Rate at which the error approaches epsilon, per unit of loss, above 0.

    Returns
    -------
    error : array
        Error averaged over tasks, between 0 and epsilon.

    Notes
    -----
    Below the loss ln(k/epsilon)/gamma the form is negative and has no meaning; the inverse of an
    error of 0 is where it ends. The source fits by least squares of the error to six models, after
    fitting the law of over-training (``chinchilla_tied``) to five. The published constants are
    those of the source's own code on its own data, by training set and by the tasks averaged.

    References
    ----------
    .. [1] Gadre et al., Language models scale reliably with over-training and on downstream tasks,
       arXiv:2403.08540, eq. 5.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("exponential_link")
    >>> c4 = law.published["arXiv:2403.08540, C4, 46 tasks"]
    >>> round(float(law(2.8, **c4)), 3)
    0.674
    """
    import jax.numpy as jnp

    return epsilon - k * jnp.exp(-gamma * loss)


def _loss_for_score(score: Any, *, floor: Any, rise: Any, k: Any, L0: Any) -> Any:
    """Return the loss at which the score is reached, L0 + ln(rise/(Score − floor) − 1)/k."""
    share = (score - floor) / rise
    # The logit of ½ stands in outside the range of scores, so that nothing warns.
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
    """Accuracy from loss.

        Score(L) = floor + rise/(1 + exp(k·(L − L0)))

    Parameters
    ----------
    loss : array_like
        Loss (at the source that of the task's correct answers, in bits per byte).
    floor : Fraction
        Score of chance, between 0 and 1.
    rise : Fraction
        Distance between the score of chance and the highest score, between 0 and 1.
    k : Positive
        Steepness per unit of loss, above 0: the slope half-way is k·rise/4.
    L0 : Positive
        Loss at which half of the rise is reached, above 0.

    Returns
    -------
    score : array
        Score between ``floor`` and ``floor + rise``.

    Notes
    -----
    The source fits by least squares of the accuracy, after fitting E + A/N^alpha + B/D^beta to the
    loss of the task with Huber's objective. Runs that do not come near an end do not determine
    where it is, and nothing keeps floor + rise below 1: fix ``floor`` at the score of chance, and
    ``rise`` too if the highest score is known.

    References
    ----------
    .. [1] Establishing Task Scaling Laws via Compute-Efficient Model Ladders, arXiv:2412.04403 (the
       second step).

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("sigmoid_link")(0.8, floor=0.25, rise=0.5, k=10.0, L0=0.8))
    0.5
    """
    import jax

    return floor + rise * jax.nn.sigmoid(-k * (loss - L0))


def _loss_for_accuracy(accuracy: Any, *, T: Any) -> Any:
    """Return the loss at which the accuracy is reached, −ln(accuracy)/T."""
    # A placeholder of 1 where the accuracy is impossible, so that nothing warns.
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
    """Accuracy of answers whose tokens must all be right, from loss.

        Accuracy(L) = exp(−T·L)

    Parameters
    ----------
    loss : array_like
        Loss of the correct answer in nats per token, 0 or above: exp(−L) is the geometric mean of
        the probabilities of its tokens.
    T : Positive
        Effective length of the answer in tokens, above 0.

    Returns
    -------
    accuracy : array
        Probability that a sampled answer passes, between 0 and 1.

    Notes
    -----
    Where guessing passes with a probability of its own, use ``sigmoid_link``. After a pure power
    law (``power:N``), the link gives the task law exp(−c·N^(−alpha)) with c = T·A, whose ln(−ln
    accuracy) is a straight line in ln N. The source fits in these logarithms, to pass rates down to
    1e-4 measured by sampling until an answer passes.

    References
    ----------
    .. [1] Unlock Predictable Scaling from Emergent Abilities, arXiv:2310.03262 (the task law).

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("log_loss_to_accuracy")(0.1, T=10.0)), 3)
    0.368
    """
    import jax.numpy as jnp

    return jnp.exp(-T * loss)


def _source_loss(target_loss: Any, *, E1: Any, K: Any, E0: Any, kappa: Any) -> Any:
    """Return the loss at which the other one is reached, E0 + ((L1 − E1)/K)^(1/kappa)."""
    raised = (target_loss - E1) / K
    return np.where(raised >= 0, E0 + np.where(raised >= 0, raised, 0.0) ** (1.0 / kappa), np.nan)


@law(
    output="target_loss",
    formula="K·(L - E0)^kappa + E1",
    reference="arXiv:2411.12925",
    unit="as fitted",
    linear=("E1", "K"),
    # E0 lies below all losses, and so do its starts.
    axes={"E0": "loss"},
    start={"E0": (-3.0, -0.02), "kappa": (0.3, 3.0)},
    rising=("loss",),
    inverse=_source_loss,
)
def loss_to_loss(loss: Any, *, E1: Floor, K: Scale, E0: Location, kappa: Exponent) -> Any:
    """One loss from another, as a shifted power.

        L1(L) = K·(L − E0)^kappa + E1

    Parameters
    ----------
    loss : array_like
        Loss on one distribution.
    E1 : Floor
        Irreducible loss of the output, above 0.
    K : Scale
        Amplitude, above 0.
    E0 : Location
        Irreducible loss of the input, above 0.
    kappa : Exponent
        Exponent, above 0; at 1 the law is a straight line.

    Returns
    -------
    target_loss : array
        Loss on another distribution (of the same model, or of a model trained on other data with
        the same compute), in the unit of the data, at least E1.

    Notes
    -----
    The source fits pairs of losses with Huber's objective, taking E0 and E1 from the scaling law of
    each distribution where there is one. Pairs alone separate them from kappa only if they come
    close to them, so fix E0 where it is known. Below E0 the law stays at E1.

    References
    ----------
    .. [1] Loss-to-Loss Prediction: Scaling Laws for All Datasets, arXiv:2411.12925.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("loss_to_loss")(3.0, E1=1.5, K=0.5, E0=2.0, kappa=1.0))
    2.0
    """
    import jax.numpy as jnp

    # The maximum keeps the law finite where a start of E0 lies above a loss.
    return K * power(jnp.maximum(loss - E0, 0.0), kappa) + E1


def _tokens_for_score(score: Any, *, A: Any, alpha: Any, beta: Any) -> Any:
    """Return the tokens at which the score is reached, (exp(score^(1/beta))/A)^(1/alpha)."""
    inside = score >= 0
    logarithm = np.where(inside, score, 0.0) ** (1.0 / beta) - np.log(A)
    return np.where(inside, np.exp(logarithm / alpha), np.nan)


def _tokens(p: Mapping[str, Any], *, score: Any) -> Any:
    """D = (exp(score^(1/beta))/A)^(1/alpha): tokens that reach a score."""
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
    """Translation quality after fine-tuning, by pre-training data.

        Score(D) = (ln(A·D^alpha))^beta

    Parameters
    ----------
    D : array_like
        Pre-training tokens, none of them repeated, above 0.
    A : Positive
        Factor in the logarithm, above 0.
    alpha : Exponent
        Exponent of data, above 0.
    beta : Exponent
        Exponent of the logarithm, above 0.

    Returns
    -------
    score : array
        BLEU, or another score without an upper bound, above 0.

    Notes
    -----
    Each mixture of pre-training data and size of the fine-tuning set is one curve. The law has a
    value where A·D^alpha > 1. It holds where the pre-training data are aligned with the task; where
    they are not, the score is not monotone, which shows in the residuals. The source fits ln score
    with Huber's objective (delta 0.1) to the four smallest D and holds out the rest.

    References
    ----------
    .. [1] Scaling Laws for Downstream Task Performance of Large Language Models, arXiv:2402.04177.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("bleu_log")
    >>> round(float(law(1e9, A=1e3, alpha=0.3, beta=1.2)), 2)
    21.96
    """
    import jax.numpy as jnp

    return power(jnp.maximum(jnp.log(A) + alpha * jnp.log(D), _LEAST), beta)
