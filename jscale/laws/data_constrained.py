"""Loss on repeated data: the remaining worth of repeated tokens and of excess parameters.

Muennighoff et al., arXiv:2305.16264. With e(r) = 1 − exp(−r/R*), a reference quantity u repeated r
times counts as u·(1 + R*·e(r)): the first repetitions count almost fully, and all of them together
at most R* times the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Floor, Positive, Scale

# The limit of repetition is reached long before exp(60) repeats, which do not overflow in float32.
_MOST_LOG = 60.0


def _worth(repeats: Any, most: Any) -> Any:
    """Return 1 + R*·(1 − exp(−r/R*)) for r = ``repeats`` and R* = ``most`` (NumPy)."""
    return 1 - most * np.expm1(-np.maximum(repeats, 0) / most)


def _effective_tokens(p: Values, *, D: Any, U: Any) -> Any:
    """D' = U·(1 + R*_D·(1 − exp(−(D/U − 1)/R*_D))): unique tokens equivalent to D tokens."""
    return U * _worth(np.asarray(D) / U - 1, p["R_D_star"])


def _most_tokens(p: Values, *, U: Any) -> Any:
    """U·(1 + R*_D): effective tokens of U unique tokens in the limit of many epochs."""
    return U * (1 + p["R_D_star"])


def _half_worth(p: Values) -> Any:
    """1 + R*_D·ln 2: epoch from which a repeated token is worth less than half a new one."""
    return 1 + p["R_D_star"] * np.log(2.0)


def _reference_size(p: Values, *, U: Any) -> Any:
    """N_opt(U) = (alpha·A·U^beta/(beta·B))^(1/alpha): optimal size for a single epoch, D = U."""
    rising = p["alpha"] * p["A"] / (p["beta"] * p["B"]) * raised(U, p["beta"])
    return raised(rising, 1 / p["alpha"])


def _effective_size(p: Values, *, N: Any, U: Any) -> Any:
    """N' = U_N·(1 + R*_N·(1 − exp(−(N/U_N − 1)/R*_N))), U_N = min(N, N_opt(U)): effective size."""
    unique = np.minimum(N, _reference_size(p, U=U))
    return unique * _worth(np.asarray(N) / unique - 1, p["R_N_star"])


def _minimum_loss(p: Values, *, N: Any, U: Any) -> Any:
    """E + A/N'^alpha + B/(U·(1 + R*_D))^beta: limit of a size as U is repeated indefinitely."""
    of_size = p["A"] * raised(_effective_size(p, N=N, U=U), -p["alpha"])
    return p["E"] + of_size + p["B"] * raised(_most_tokens(p, U=U), -p["beta"])


def _log_effective(log_reference: Any, log_excess: Any, most: Any) -> Any:
    """Return the log of reference·(1 + R*·e(r)), where log_excess = ln(1 + r) ≥ 0 (JAX)."""
    import jax.numpy as jnp

    repeats = jnp.expm1(jnp.minimum(log_excess, _MOST_LOG))
    return log_reference + jnp.log1p(-most * jnp.expm1(-repeats / most))


@law(
    formula="E + A/N'^alpha + B/D'^beta, D' = U·(1 + R_D_star·(1 - exp(-(D/U - 1)/R_D_star)))",
    reference="arXiv:2305.16264",
    unit="nats per token",
    # A and B also move N_opt, so that the law is linear in E alone.
    linear=("E",),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    positive=("U",),
    ordered=(("U", "D"),),
    falling=("N", "D", "U"),
    # From a single repetition to more than the published 15 of data.
    start={"R_D_star": (1.0, 60.0), "R_N_star": (1.0, 60.0)},
    prior={"R_D_star": ("lognormal", 2.0, 1.5), "R_N_star": ("lognormal", 2.0, 1.5)},
    quantities={
        "effective_tokens": _effective_tokens,
        "effective_size": _effective_size,
        "most_effective_tokens": _most_tokens,
        "half_worth_epoch": _half_worth,
        "reference_size": _reference_size,
        "minimum_loss": _minimum_loss,
    },
    published={
        "https://github.com/huggingface/datablations (README; arXiv:2305.16264)": {
            "E": float(np.exp(0.6254804)),
            "A": float(np.exp(6.255414)),
            "B": float(np.exp(7.3049974)),
            "alpha": 0.3526596,
            "beta": 0.3526596,
            "R_D_star": 15.387756,
            "R_N_star": 5.309743,
        }
    },
)
def data_constrained(
    N: Any,
    D: Any,
    U: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    R_D_star: Positive,
    R_N_star: Positive,
) -> Any:
    """Loss on data seen for several epochs: chinchilla of the effective size and data.

        L(N, D, U) = E + A/N'^alpha + B/D'^beta

    with D' = U·(1 + R*_D·(1 − exp(−(D/U − 1)/R*_D))) and N' likewise.

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Training tokens seen, repetitions included, at least U.
    U : array_like
        Unique tokens among them, above 0; D/U is the number of epochs.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of effective size, above 0.
    B : Scale
        Amplitude of the data term, above 0.
    beta : Exponent
        Exponent of effective data, above 0.
    R_D_star : Positive
        R*_D, the number of repetitions over which repeated tokens lose their worth, above 0.
    R_N_star : Positive
        R*_N, the same for parameters in excess of the optimal size, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above E.

    Notes
    -----
    In the first epoch D' = D. For N' the reference is U_N = min(N, N_opt(U)), where N_opt(U) =
    (alpha·A·U^beta/(beta·B))^(1/alpha) is the size that chinchilla with these parameters finds
    optimal for D = U: parameters beyond it lose worth too, over R*_N multiples of U_N. A and B
    therefore move N_opt as well, and the law is linear in E alone.

    The source fits in two steps, by Huber terms of log L from a grid of starts: first the five
    parameters of chinchilla with alpha = beta (``tie=("alpha", "beta")``), then R*_D and R*_N alone
    (``fixed=…``). On the source's 182 runs these two are nearly undetermined, and another pair far
    away fits better: read the notes of the fit. The law does not describe overfitting; a loss that
    rises again with more epochs or parameters contradicts it.

    The published constants are those of the source's own repository.

    References
    ----------
    .. [1] Muennighoff et al., Scaling Data-Constrained Language Models, arXiv:2305.16264.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("data_constrained")
    >>> constants = next(iter(law.published.values()))
    >>> tokens = law.quantities["effective_tokens"](constants, D=4e11, U=1e11)   # four epochs
    >>> round(float(tokens) / 1e11, 2)
    3.73
    """
    import jax.numpy as jnp

    # In logarithms: with a small alpha, N_opt(U) itself may leave the range of floats.
    log_best = (jnp.log(alpha * A) - jnp.log(beta * B) + beta * jnp.log(U)) / alpha
    excess = jnp.maximum(jnp.log(N) - log_best, 0.0)
    # U_N = min(N, N_opt): N up to the optimum, N_opt beyond it.
    size = _log_effective(jnp.log(N) - excess, excess, R_N_star)
    data = _log_effective(jnp.log(U), jnp.maximum(jnp.log(D) - jnp.log(U), 0.0), R_D_star)
    return E + A * jnp.exp(-alpha * size) + B * jnp.exp(-beta * data)
