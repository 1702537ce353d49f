"""Test compute: its exchange for training compute, and what it costs relative to parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import LawError
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Location, Positive, Real


def _test_compute(p: Values, *, score: Any, C: Any) -> Any:
    """A·C^(−rate)·(rise/(score − floor) − 1)^(−1/k): test compute for a score at C."""
    spare = p["rise"] * raised(np.asarray(score) - p["floor"], -1.0) - 1
    return p["A"] * raised(C, -p["rate"]) * raised(spare, -1 / np.asarray(p["k"]))


def _training_compute(p: Values, *, score: Any, T: Any) -> Any:
    """(A·(rise/(score − floor) − 1)^(−1/k)/T)^(1/rate): training compute for a score at T."""
    needed = _test_compute(p, score=score, C=1.0)
    return raised(needed / np.asarray(T), 1 / np.asarray(p["rate"]))


def _exchange(p: Values, *, factor: Any) -> Any:
    """factor^rate: factor of test compute saved by a factor of training compute."""
    return raised(factor, p["rate"])


@law(
    formula="floor + rise/(1 + (A·C^(-rate)/T)^k)",
    reference="arXiv:2104.03113",
    unit="as fitted, such as Elo",
    output="score",
    space="linear",
    linear=("floor", "rise"),
    powers=(("A", "C", "rate"),),
    # At C = 1 the middle lies far beyond the data; centring moves it to their range of T.
    axes={"A": "T"},
    start={"rate": (0.1, 3.0), "k": (0.1, 4.0)},
    rising=("C", "T"),
    quantities={
        "test_compute_for_score": _test_compute,
        "training_compute_for_score": _training_compute,
        "test_compute_saved": _exchange,
    },
)
def train_test_exchange(
    C: Any, T: Any, *, floor: Real, rise: Positive, A: Location, rate: Exponent, k: Positive
) -> Any:
    """Score by training compute and test compute, a sigmoid in the logarithm of test compute.

        score(C, T) = floor + rise/(1 + (A·C^(−rate)/T)^k)

    Parameters
    ----------
    C : array_like
        Training compute in FLOPs, above 0.
    T : array_like
        Test compute of a move or an answer, in any unit, above 0.
    floor : Real
        Lowest score, of any sign.
    rise : Positive
        Highest score less the lowest, above 0.
    A : Location
        Test compute at half the rise for C = 1, in the unit of T, above 0.
    rate : Exponent
        Exponent with which training compute replaces test compute, above 0.
    k : Positive
        Steepness in ln T, above 0.

    Returns
    -------
    score : array
        Score such as Elo, between ``floor`` and ``floor + rise``.

    Notes
    -----
    The middle of the sigmoid, A·C^(−rate), moves with training. For the same score, training
    compute larger by a factor needs factor^rate times less test compute: at the source about 15
    times less for 10 times more (from a secondary transcription), a rate near 1.2. The sigmoid form
    and its names are ours. Scores far from both ends leave ``floor`` and ``rise`` undetermined.

    References
    ----------
    .. [1] Jones, Scaling Scaling Laws with Board Games, arXiv:2104.03113.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("train_test_exchange")
    >>> float(law.quantities["test_compute_saved"]({"rate": 1.5}, factor=100.0))
    1000.0
    """
    import jax
    import jax.numpy as jnp

    distance = jnp.log(T) - jnp.log(A) + rate * jnp.log(C)
    return floor + rise * jax.nn.sigmoid(k * distance)


def equal_cost_test_compute(M: Any, *, pretraining_tokens: Any, inference_tokens: Any) -> Any:
    """Return the factor of test compute that costs as much as a factor of parameters.

    It is M + 3·(D_p/D_i)·(M − 1), from 6·N·D_p FLOPs of pre-training and 2·N·D_i FLOPs of
    inference.

    Parameters
    ----------
    M : array_like
        Factor of the parameters, 1 or above.
    pretraining_tokens : array_like
        D_p, tokens of pre-training, above 0.
    inference_tokens : array_like
        D_i, tokens of inference over the model's lifetime, above 0.

    Returns
    -------
    ndarray
        Factor by which test compute may be multiplied for the same total cost.

    Raises
    ------
    LawError
        If a number of tokens is not positive, or ``M`` is below 1.

    Notes
    -----
    With few tokens of inference, growing the model costs as much as very many more samples.

    References
    ----------
    .. [1] Scaling LLM Test-Time Compute Optimally, arXiv:2408.03314.

    Examples
    --------
    >>> from jscale.laws.inference_compute import equal_cost_test_compute
    >>> float(equal_cost_test_compute(14.0, pretraining_tokens=1e12, inference_tokens=1e12))
    53.0
    """
    counts = {"pretraining_tokens": pretraining_tokens, "inference_tokens": inference_tokens}
    for name, tokens in counts.items():
        if not np.all(np.asarray(tokens, dtype=float) > 0):
            raise LawError(f"{name}={tokens!r} must be above 0: it is a number of tokens.")
    if not np.all(np.asarray(M, dtype=float) >= 1):
        raise LawError(f"M={M!r} must be 1 or above: it is the factor of the parameters.")
    M = np.asarray(M, dtype=float)
    return M + 3 * (np.asarray(pretraining_tokens) / np.asarray(inference_tokens)) * (M - 1)
