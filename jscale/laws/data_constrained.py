"""Loss where data are repeated: what tokens seen again, and excess parameters, are still worth.

Muennighoff et al., arXiv:2305.16264. With e(r) = 1 − exp(−r/R*) a quantity x repeated r times
beyond a reference u counts as u·(1 + R*·e(r)): the first repeats count almost fully, and all
together at most R* times the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Floor, Positive, Scale

# exp(60) repeats are endless repeats: beyond, their exponential would overflow in float32.
_MOST_LOG = 60.0


def _worth(of: Any, most: Any) -> Any:
    """Return (1 + R*·(1 − exp(−r/R*))) at r = of repeats, R* = most (NumPy)."""
    return 1 - most * np.expm1(-np.maximum(of, 0) / most)


def _effective_tokens(p: Values, *, D: Any, U: Any) -> Any:
    """D' = U·(1 + R*_D·(1 − exp(−(D/U − 1)/R*_D))): unique tokens that D tokens are worth."""
    return U * _worth(np.asarray(D) / U - 1, p["R_D_star"])


def _most_tokens(p: Values, *, U: Any) -> Any:
    """U·(1 + R*_D): what U unique tokens are worth at most, repeated without end."""
    return U * (1 + p["R_D_star"])


def _half_worth(p: Values) -> Any:
    """1 + R*_D·ln 2: the epoch from which a token seen again is worth less than half a new one."""
    return 1 + p["R_D_star"] * np.log(2.0)


def _reference_size(p: Values, *, U: Any) -> Any:
    """N_opt(U) = (alpha·A·U^beta/(beta·B))^(1/alpha): the best size where D = U is the data."""
    rising = p["alpha"] * p["A"] / (p["beta"] * p["B"]) * raised(U, p["beta"])
    return raised(rising, 1 / p["alpha"])


def _effective_size(p: Values, *, N: Any, U: Any) -> Any:
    """N' = U_N·(1 + R*_N·(1 − exp(−(N/U_N − 1)/R*_N))), U_N = min(N, N_opt(U)): size in effect."""
    unique = np.minimum(N, _reference_size(p, U=U))
    return unique * _worth(np.asarray(N) / unique - 1, p["R_N_star"])


def _minimum_loss(p: Values, *, N: Any, U: Any) -> Any:
    """E + A/N'^alpha + B/(U·(1 + R*_D))^beta: the limit for a size as U is repeated for ever."""
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
    linear=("E",),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    positive=("U",),
    ordered=(("U", "D"),),
    falling=("N", "D", "U"),
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
    N: Any, D: Any, U: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent,
    R_D_star: Positive, R_N_star: Positive,
) -> Any:  # fmt: skip
    """L(N, D, U) = E + A/N'^alpha + B/D'^beta: chinchilla of the size and data in effect.

    N: parameters. D: training tokens seen. U: unique tokens among them, at most D; D/U epochs.
    Output: loss in nats per token, above E. With R*_D for R_D_star and R*_N for R_N_star,
    D' = U·(1 + R*_D·(1 − exp(−(D/U − 1)/R*_D))): D' = D in the first epoch, and what is seen
    again loses its worth over R*_D epochs. N' is the same of N/U_N and R*_N, where
    U_N = min(N, N_opt(U)) and N_opt(U) = (alpha·A·U^beta/(beta·B))^(1/alpha) is the size that
    chinchilla with these parameters finds best where D = U: parameters beyond it lose worth
    too. So A and B also move N_opt, and the law is linear in E alone.

    Fitted at the source in two steps: the five parameters of chinchilla with alpha = beta
    (``tie=("alpha", "beta")``), then R*_D and R*_N alone (``fixed=…``), by Huber terms of log L
    from a grid of starts. On the source's 182 runs the two are nearly undetermined, and another
    pair far away fits better: read the notes. The law knows no overfitting: loss that rises
    again with more epochs or parameters contradicts it.
    Source: Muennighoff et al., arXiv:2305.16264.
    """
    import jax.numpy as jnp

    log_best = (jnp.log(alpha * A) - jnp.log(beta * B) + beta * jnp.log(U)) / alpha
    excess = jnp.maximum(jnp.log(N) - log_best, 0.0)
    size = _log_effective(jnp.log(N) - excess, excess, R_N_star)
    data = _log_effective(jnp.log(U), jnp.maximum(jnp.log(D) - jnp.log(U), 0.0), R_D_star)
    return E + A * jnp.exp(-alpha * size) + B * jnp.exp(-beta * data)
