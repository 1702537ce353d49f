"""Reinforcement learning: error rates after it, its ceilings, and the performance of agents."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import LawError
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Fraction, Location, LogScale, Positive, Scale


def _efficiency(p: Values, *, N: Any) -> Any:
    """k(N) = K_max/(1 + N_0/N): slope of ln error on −ln X for a size."""
    return p["K_max"] / (1 + p["N_0"] / np.asarray(N))


def _input_for_error(p: Values, *, error: Any, N: Any) -> Any:
    """exp((E − ln error)/k(N)): compute or data with which a size reaches an error rate."""
    error = raised(error, 1.0)
    # A small exponent may ask for more compute than a float holds: infinity is right.
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
def rl_post_training(N: Any, X: Any, *, K_max: Positive, N_0: Location, E: LogScale) -> Any:
    """Error rate after reinforcement learning, by size and training compute or samples.

        ln error = E − k(N)·ln X

    with k(N) = K_max/(1 + N_0/N).

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    X : array_like
        Training compute in FLOPs, or samples, above 0.
    K_max : Positive
        Limit of the exponent k for large models, above 0.
    N_0 : Location
        Size at which the exponent is half of K_max, above 0.
    E : LogScale
        ln error at X = 1, of any sign.

    Returns
    -------
    error : array
        Error rate on held-out problems, 1 less the share that a first answer solves, in (0, 1).

    Notes
    -----
    Each size falls as a power of X, with an exponent that grows with size and levels off. At the
    source E differs by size: ``js.fit("rl_post_training", runs, X="C", per={"E": "model"})``;
    without ``per`` one E serves all. The source fits K_max up to 2 and N_0 from 1e8 to 1e11 by a
    global search and bounded least squares, to sizes from 0.5 to 72 billion. The form has no floor,
    and falls in N only where X is above 1.

    References
    ----------
    .. [1] Scaling Behaviors of LLM Reinforcement Learning Post-Training, arXiv:2509.25300.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("rl_post_training")
    >>> round(float(law(1e9, 1e20, K_max=0.1, N_0=1e9, E=1.0)), 3)
    0.272
    """
    import jax.numpy as jnp

    return jnp.exp(E - K_max / (1.0 + N_0 / N) * jnp.log(X))


def _compute_for_score(p: Values, *, score: Any) -> Any:
    """C_mid·((A − R_0)/(R − R_0) − 1)^(−1/B): compute for a score; NaN outside (R_0, A)."""
    spare = (p["A"] - p["R_0"]) * raised(np.asarray(score) - p["R_0"], -1.0) - 1
    return p["C_mid"] * raised(spare, -1 / np.asarray(p["B"]))


def _halfway(p: Values) -> Any:
    """(R_0 + A)/2: score at C_mid."""
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
def rl_compute(C: Any, *, R_0: Fraction, A: Fraction, C_mid: Location, B: Positive) -> Any:
    """Pass rate by the compute of reinforcement learning, a sigmoid in its logarithm.

        R(C) = R_0 + (A − R_0)/(1 + (C_mid/C)^B)

    Parameters
    ----------
    C : array_like
        Compute of the run, in GPU hours or FLOPs, above 0.
    R_0 : Fraction
        Pass rate of the model before training, between 0 and 1.
    A : Fraction
        Ceiling of the recipe, between 0 and 1 and above R_0.
    C_mid : Location
        Compute at which half of the gain is made, in the unit of C, above 0.
    B : Positive
        Steepness in ln C, above 0.

    Returns
    -------
    score : array
        Pass rate on held-out prompts, between R_0 and A.

    Notes
    -----
    Compare recipes by A first, then by B and C_mid. The source fits by least squares over a grid of
    A, leaving out about the first 1500 GPU hours. Runs that end below C_mid do not determine A. Fix
    R_0 at the rate measured before training: ``fixed={"R_0": 0.31}``.

    References
    ----------
    .. [1] The Art of Scaling Reinforcement Learning Compute for LLMs, arXiv:2510.13786.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("rl_compute")
    >>> round(float(law(1e4, R_0=0.3, A=0.7, C_mid=1e4, B=1.5)), 3)
    0.5
    """
    import jax
    import jax.numpy as jnp

    # A sigmoid of the logarithm, which does not overflow far from C_mid.
    return R_0 + (A - R_0) * jax.nn.sigmoid(B * (jnp.log(C) - jnp.log(C_mid)))


def _beta(p: Values) -> Any:
    """alpha_N·alpha_E/(alpha_N + alpha_E): exponent of I that its definition implies."""
    return 1 / (1 / np.asarray(p["alpha_N"]) + 1 / np.asarray(p["alpha_E"]))


def _optimal_size(p: Values, *, I: Any) -> Any:
    """N_c·(I^beta·(1 + alpha_N/alpha_E))^(1/alpha_N): size that reaches I with least compute."""
    share = 1 + p["alpha_N"] / np.asarray(p["alpha_E"])
    return p["N_c"] * raised(raised(I, _beta(p)) * share, 1 / np.asarray(p["alpha_N"]))


def _optimal_interactions(p: Values, *, I: Any) -> Any:
    """E_c·(I^beta·(1 + alpha_E/alpha_N))^(1/alpha_E): interactions at that size."""
    share = 1 + p["alpha_E"] / np.asarray(p["alpha_N"])
    return p["E_c"] * raised(raised(I, _beta(p)) * share, 1 / np.asarray(p["alpha_E"]))


def _unit_compute(p: Values) -> Any:
    """I/(N·E) along the frontier: implied compute per parameter and interaction."""
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
) -> Any:
    """Intrinsic performance of a reinforcement-learning agent, by size and interactions.

        I^(−beta) = (N_c/N)^alpha_N + (E_c/E)^alpha_E

    with 1/beta = 1/alpha_N + 1/alpha_E.

    Parameters
    ----------
    N : array_like
        Parameters of the policy, above 0.
    E : array_like
        Environment interactions, above 0.
    N_c : Scale
        Amplitude of size, above 0.
    alpha_N : Exponent
        Exponent of size, above 0.
    E_c : Scale
        Amplitude of interactions, above 0.
    alpha_E : Exponent
        Exponent of interactions, above 0.

    Returns
    -------
    I : array
        Intrinsic performance: the least compute with which any member of the family of models
        reaches the same return, in the unit of that compute, above 0.

    Notes
    -----
    Intrinsic performance follows a power law where returns do not; ``least_compute`` reads it off
    runs. Its definition also determines beta: the least compute for I is I itself, which holds for
    compute proportional to N·E only if 1/beta = 1/alpha_N + 1/alpha_E. Therefore beta is not a
    parameter here, and the optimal N grows as I^(alpha_E/(alpha_N + alpha_E)). ``unit_compute`` is
    the compute per parameter and interaction that a fit implies; compare it with the true one.

    The source fits the constants jointly with a monotone map from I to return; here I comes first.

    References
    ----------
    .. [1] Hilton et al., Scaling Laws for Single-Agent Reinforcement Learning, arXiv:2301.13442.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("intrinsic_performance")
    >>> constants = {"N_c": 1e-2, "alpha_N": 0.5, "E_c": 1e-2, "alpha_E": 0.5}
    >>> size = law.quantities["optimal_size"](constants, I=1e12)
    >>> interactions = law.quantities["optimal_interactions"](constants, I=1e12)
    >>> round(float(law(size, interactions, **constants)) / 1e12, 6)
    1.0
    """
    import jax.numpy as jnp

    of_size = alpha_N * (jnp.log(N_c) - jnp.log(N))
    of_data = alpha_E * (jnp.log(E_c) - jnp.log(E))
    return jnp.exp(-(1.0 / alpha_N + 1.0 / alpha_E) * jnp.logaddexp(of_size, of_data))


def least_compute(C: Any, score: Any) -> np.ndarray:
    """Return, for each row, the least compute of any row with at least its score.

    Parameters
    ----------
    C : array_like
        Compute of checkpoints of a family of models, of all sizes, above 0.
    score : array_like
        Their scores.

    Returns
    -------
    ndarray
        The intrinsic performance of each row.

    Raises
    ------
    LawError
        If the columns differ in length, a compute is not positive, or a score is not finite.

    Notes
    -----
    The result is read off the rows as they are. It is therefore too high where no size near the
    optimum was trained, or where scores are noisy.

    References
    ----------
    .. [1] Hilton et al., Scaling Laws for Single-Agent Reinforcement Learning, arXiv:2301.13442.

    Examples
    --------
    >>> from jscale.laws.reinforcement import least_compute
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
            f"Position {at} has C={C[at]:g} and score={score[at]:g} ({int(bad.sum())} invalid in "
            "all); compute must be positive, and both must be finite."
        )
    # The best score up to each compute; the first to reach a score has the least compute for it.
    order = np.argsort(C, kind="stable")
    best = np.maximum.accumulate(score[order])
    return C[order][np.searchsorted(best, score, side="left")]
