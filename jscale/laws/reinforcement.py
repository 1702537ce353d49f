"""Reinforcement learning, and trading compute of training for compute of use."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import LawError
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Fraction, Location, LogScale, Positive, Real, Scale


def _efficiency(p: Values, *, N: Any) -> Any:
    """k(N) = K_max/(1 + N_0/N): the slope of ln error on −ln X for a size."""
    return p["K_max"] / (1 + p["N_0"] / np.asarray(N))


def _input_for_error(p: Values, *, error: Any, N: Any) -> Any:
    """exp((E − ln error)/k(N)): the compute or data with which a size reaches an error rate."""
    error = raised(error, 1.0)
    with np.errstate(over="ignore"):
        return np.exp((p["E"] - np.log(error)) / _efficiency(p, N=N))


@law(
    formula="exp(E - k·ln X), k = K_max/(1 + N_0/N)",
    reference="arXiv:2509.25300",
    unit="error rate",
    output="error",
    linear=("E",),
    positive=("X",),
    axes={"N_0": "N"},
    limits={"error": (0.0, 1.0)},
    falling=("X",),
    start={"K_max": (0.02, 2.0)},
    quantities={"efficiency": _efficiency, "input_for_error": _input_for_error},
)
def rl_post_training(
    N: Any, X: Any, *, K_max: Positive, N_0: Location, E: LogScale
) -> Any:  # fmt: skip
    """ln error = E − k(N)·ln X with k(N) = K_max/(1 + N_0/N): post-training by rewards.

    N: parameters. X: training compute in FLOPs, or samples, above 0. Output: the error rate on
    held-out problems, 1 less the share that a first answer solves, in (0, 1). Each size falls as
    a power of X; the exponent k grows with size and levels off at K_max, half of it at N_0.
    E is ln error at X = 1, which each size has for itself:
    ``js.fit("rl_post_training", runs, X="C", per={"E": "model"})``; one E for all is the plain
    call. Fitted at the source with K_max up to 2 and N_0 from 1e8 to 1e11 by a global search and
    bounded least squares, on sizes from 0.5 to 72 billion. The form has no floor, and falls in N
    only where X is above 1. Source: arXiv:2509.25300.
    """
    import jax.numpy as jnp

    return jnp.exp(E - K_max / (1.0 + N_0 / N) * jnp.log(X))


def _compute_for_score(p: Values, *, score: Any) -> Any:
    """C_mid·((A − R_0)/(R − R_0) − 1)^(−1/B): compute for a score; NaN outside (R_0, A)."""
    spare = (p["A"] - p["R_0"]) * raised(np.asarray(score) - p["R_0"], -1.0) - 1
    return p["C_mid"] * raised(spare, -1 / np.asarray(p["B"]))


def _halfway(p: Values) -> Any:
    """(R_0 + A)/2: the score at C_mid."""
    return 0.5 * (np.asarray(p["R_0"]) + p["A"])


@law(
    formula="R_0 + (A - R_0)/(1 + (C_mid/C)^B)",
    reference="arXiv:2510.13786",
    unit="score in [0, 1]",
    output="score",
    space="linear",
    axes={"C_mid": "C"},
    limits={"score": (0.0, 1.0)},
    start={"R_0": (0.02, 0.5), "A": (0.3, 0.98), "B": (0.3, 4.0)},
    rising=("C",),
    quantities={"compute_for_score": _compute_for_score, "halfway_score": _halfway},
    inverse=lambda score, **p: _compute_for_score(p, score=score),
)
def rl_compute(
    C: Any, *, R_0: Fraction, A: Fraction, C_mid: Location, B: Positive
) -> Any:  # fmt: skip
    """R(C) = R_0 + (A − R_0)/(1 + (C_mid/C)^B): pass rate by compute of reinforcement learning.

    C: compute of the run, in GPU hours or FLOPs. Output: the pass rate on held-out prompts, from
    R_0, that of the model before, to A, above R_0, the ceiling of the recipe. C_mid: where half
    of the gain is made; B: how steeply. Recipes are compared by A first, then by B and C_mid.
    Fitted at the source by least squares over a grid of A, leaving out the first 1500 GPU hours
    or so. Runs that end below C_mid do not say where A is; fix R_0 at the rate measured before
    training: ``fixed={"R_0": 0.31}``. Source: arXiv:2510.13786.
    """
    import jax
    import jax.numpy as jnp

    return R_0 + (A - R_0) * jax.nn.sigmoid(B * (jnp.log(C) - jnp.log(C_mid)))


def _beta(p: Values) -> Any:
    """alpha_N·alpha_E/(alpha_N + alpha_E): the exponent of I that its definition asks for."""
    return 1 / (1 / np.asarray(p["alpha_N"]) + 1 / np.asarray(p["alpha_E"]))


def _optimal_size(p: Values, *, I: Any) -> Any:
    """N_c·(I^beta·(1 + alpha_N/alpha_E))^(1/alpha_N): the size that I is reached with best."""
    share = 1 + p["alpha_N"] / np.asarray(p["alpha_E"])
    return p["N_c"] * raised(raised(I, _beta(p)) * share, 1 / np.asarray(p["alpha_N"]))


def _optimal_interactions(p: Values, *, I: Any) -> Any:
    """E_c·(I^beta·(1 + alpha_E/alpha_N))^(1/alpha_E): interactions at that size."""
    share = 1 + p["alpha_E"] / np.asarray(p["alpha_N"])
    return p["E_c"] * raised(raised(I, _beta(p)) * share, 1 / np.asarray(p["alpha_E"]))


def _unit_compute(p: Values) -> Any:
    """I/(N·E) along the frontier: the compute of a parameter and interaction that I implies."""
    return 1 / (_optimal_size(p, I=1.0) * _optimal_interactions(p, I=1.0))


@law(
    formula="((N_c/N)^alpha_N + (E_c/E)^alpha_E)^(-1/beta), 1/beta = 1/alpha_N + 1/alpha_E",
    reference="arXiv:2301.13442",
    unit="FLOPs, as given",
    output="I",
    inside=(("N_c", "N", "alpha_N"), ("E_c", "E", "alpha_E")),
    start={"N_c": (1e-7, 1e2), "E_c": (1e-7, 1e2)},
    rising=("N", "E"),
    quantities={
        "beta": _beta,
        "optimal_size": _optimal_size,
        "optimal_interactions": _optimal_interactions,
        "unit_compute": _unit_compute,
    },
)
def intrinsic_performance(
    N: Any, E: Any, *, N_c: Scale, alpha_N: Exponent, E_c: Scale, alpha_E: Exponent
) -> Any:  # fmt: skip
    """I^(−beta) = (N_c/N)^alpha_N + (E_c/E)^alpha_E: performance of an agent, as compute.

    N: parameters of the policy. E: environment interactions. Output: intrinsic performance I, the
    least compute with which any member of the family of models reaches the same return, in the
    unit of that compute: ``least_compute`` reads it off runs. It makes a power law of returns
    that follow none. The definition also sets beta: the least compute for I is I itself, and
    that holds for compute proportional to N·E only with 1/beta = 1/alpha_N + 1/alpha_E. So beta
    is not free here, and the best N grows as I^(alpha_E/(alpha_N + alpha_E)). ``unit_compute``
    is the compute per parameter and interaction that a fit implies; set it against the true one.

    The source fits the constants jointly with a monotone map from I to return; here I comes
    first. Source: Hilton et al., arXiv:2301.13442.
    """
    import jax.numpy as jnp

    of_size = alpha_N * (jnp.log(N_c) - jnp.log(N))
    of_data = alpha_E * (jnp.log(E_c) - jnp.log(E))
    return jnp.exp(-(1.0 / alpha_N + 1.0 / alpha_E) * jnp.logaddexp(of_size, of_data))


def least_compute(C: Any, score: Any) -> np.ndarray:
    """Return, for each row, the least compute of any row with at least its score.

    ``C`` and ``score`` are columns of checkpoints of a family of models, of all sizes: the result
    is their intrinsic performance. It is read off the rows as they are, so too high where no size
    near the best one was trained, or scores are noisy. Raises LawError for columns of different
    lengths, compute that is not positive, or scores that are not finite.

    >>> least_compute([1.0, 2.0, 4.0, 8.0], [0.1, 0.3, 0.2, 0.4]).tolist()
    [1.0, 2.0, 2.0, 8.0]
    """
    C, score = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (C, score))
    if C.shape != score.shape or C.ndim != 1:
        raise LawError(
            f"C has shape {C.shape} and score {score.shape}; both must be columns of one length."
        )
    bad = ~(C > 0) | ~np.isfinite(C) | ~np.isfinite(score)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise LawError(
            f"Position {at} has C={C[at]:g} and score={score[at]:g} ({int(bad.sum())} such in "
            "all); compute must be positive, and both finite."
        )
    order = np.argsort(C, kind="stable")
    best = np.maximum.accumulate(score[order])
    return C[order][np.searchsorted(best, score, side="left")]


def _test_compute(p: Values, *, score: Any, C: Any) -> Any:
    """A·C^(−rate)·(rise/(score − floor) − 1)^(−1/k): test compute for a score at training C."""
    spare = p["rise"] * raised(np.asarray(score) - p["floor"], -1.0) - 1
    return p["A"] * raised(C, -p["rate"]) * raised(spare, -1 / np.asarray(p["k"]))


def _training_compute(p: Values, *, score: Any, T: Any) -> Any:
    """(A·(rise/(score − floor) − 1)^(−1/k)/T)^(1/rate): training compute at test compute T."""
    needed = _test_compute(p, score=score, C=1.0)
    return raised(needed / np.asarray(T), 1 / np.asarray(p["rate"]))


def _exchange(p: Values, *, factor: Any) -> Any:
    """factor^rate: how many times less test compute a factor of training compute makes do with."""
    return raised(factor, p["rate"])


@law(
    formula="floor + rise/(1 + (A·C^(-rate)/T)^k)",
    reference="arXiv:2104.03113",
    unit="as fitted, such as Elo",
    output="score",
    space="linear",
    linear=("floor", "rise"),
    powers=(("A", "C", "rate"),),
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
) -> Any:  # fmt: skip
    """score(C, T) = floor + rise/(1 + (A·C^(−rate)/T)^k): a sigmoid in compute of use.

    C: training compute in FLOPs. T: test compute, of a move or an answer, in any unit. Output: a
    score such as Elo, between floor and floor + rise, a sigmoid in ln T whose middle
    A·C^(−rate) moves with training. The exchange rate: for the same score, factor times the
    training compute makes do with factor^rate times less test compute, about 15 times less for
    10 times more at the source (from a secondary transcription), which is a rate near 1.2. The
    sigmoid form and its names are ours. Scores far from both ends leave floor and rise
    undetermined. Source: Jones, arXiv:2104.03113.

    >>> import jscale as js
    >>> law = js.laws.get("train_test_exchange")
    >>> float(law.quantities["test_compute_saved"]({"rate": 1.5}, factor=100.0))
    1000.0
    """
    import jax
    import jax.numpy as jnp

    place = jnp.log(T) - jnp.log(A) + rate * jnp.log(C)
    return floor + rise * jax.nn.sigmoid(k * place)


def equal_cost_test_compute(M: Any, *, pretraining_tokens: Any, inference_tokens: Any) -> Any:
    """Return by what test compute may be multiplied at the price of M times the parameters.

    M + 3·(D_p/D_i)·(M − 1), from 6·N·D_p FLOPs of pre-training and 2·N·D_i of inference: with
    few tokens of inference, growing the model costs as much as very many more samples. Raises
    LawError unless all are positive and M is at least 1. Source: arXiv:2408.03314.

    >>> float(equal_cost_test_compute(14.0, pretraining_tokens=1e12, inference_tokens=1e12))
    53.0
    """
    given = {"pretraining_tokens": pretraining_tokens, "inference_tokens": inference_tokens}
    for name, tokens in given.items():
        if not np.all(np.asarray(tokens, dtype=float) > 0):
            raise LawError(f"{name}={tokens!r} must be above 0: it is a number of tokens.")
    if not np.all(np.asarray(M, dtype=float) >= 1):
        raise LawError(f"M={M!r} must be 1 or above: it is the factor of the parameters.")
    M = np.asarray(M, dtype=float)
    return M + 3 * (np.asarray(pretraining_tokens) / np.asarray(inference_tokens)) * (M - 1)
