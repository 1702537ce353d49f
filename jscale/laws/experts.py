"""Mixtures of experts: routed models, in which a token passes through few of many experts.

Four forms from four sources: by the number of experts, by how finely they are cut, by the share
of the model that a token does not use, and by experts and data together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.bisection import first_minimum
from jscale.laws.closed_forms import ADDITIVE, Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Positive, Real, Scale, Slope

# 1/E_start − 1/E_max is kept above this: E_max must be larger, and the search may try others.
_LEAST_GAP = 1e-9


def _effective(E: Any, E_start: Any, E_max: Any, larger: Any) -> Any:
    """Return Ê, with 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max."""
    gap = larger(1 / E_start - 1 / E_max, _LEAST_GAP)
    return 1 / (1 / (E - 1 + 1 / gap) + 1 / E_max)


def _effective_experts(p: Values, *, E: Any) -> Any:
    """Ê, with 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max: from E_start to E_max."""
    return _effective(np.asarray(E), p["E_start"], p["E_max"], np.maximum)


def _routed_slope(p: Values, log_experts: Any) -> Any:
    """a + c·log10 Ê: the log-log slope of the loss in size."""
    return p["a"] + p["c"] * log_experts


def _size_for_loss(p: Values, *, loss: Any, E: Any) -> Any:
    """10^((log10 L − b·log10 Ê − d)/(a + c·log10 Ê)): the size that reaches a loss."""
    log_experts = np.log10(_effective_experts(p, E=E))
    of_size = np.log10(loss) - p["b"] * log_experts - p["d"]
    return raised(10.0, of_size / _routed_slope(p, log_experts))


def _equivalent_dense_size(p: Values, *, N: Any, E: Any) -> Any:
    """N' of a dense model (E = 1) with the loss that N reaches with E experts."""
    log_experts = np.log10(_effective_experts(p, E=E))
    log_dense = np.log10(p["E_start"])
    gained = p["b"] * (log_experts - log_dense)
    log_size = _routed_slope(p, log_experts) * np.log10(N) + gained
    return raised(10.0, log_size / _routed_slope(p, log_dense))


def _largest_useful_size(p: Values) -> Any:
    """10^(−b/c): the size at which experts no longer lower the loss, for b < 0 < c."""
    helps = (np.asarray(p["b"]) < 0) & (np.asarray(p["c"]) > 0)
    return np.where(helps, raised(10.0, -p["b"] / np.where(helps, p["c"], 1.0)), np.nan)


def _refitted(a: float, b: float, c: float, d: float, start: float, most: float) -> Any:
    return {"a": a, "b": b, "c": c, "d": d, "E_start": start, "E_max": most}


@law(
    formula="10^(a·log N + b·log Ê + c·log N·log Ê + d), Ê from E_start to E_max",
    reference="arXiv:2202.01169",
    unit="nats per token",
    positive=("N",),
    limits={"E": (1.0, np.inf)},
    start={"a": (-0.3, 0.0), "b": (-0.5, 0.0), "c": (-0.05, 0.05),
           "E_start": (1.0, 10.0), "E_max": (50.0, 2000.0)},
    prior={"E_max": ("lognormal", 5.0, 1.5)},
    quantities={
        "effective_experts": _effective_experts,
        "equivalent_dense_size": _equivalent_dense_size,
        "largest_useful_size": _largest_useful_size,
        "size_for_loss": _size_for_loss,
    },
    published={
        "arXiv:2202.01169, S-Base (its final losses fitted again)":
            _refitted(-0.0838, -0.1234, 0.0104, 1.1216, 2.3942, 217.6547),
        "arXiv:2202.01169, RL-R (its final losses fitted again)":
            _refitted(-0.0835, -0.1279, 0.0117, 1.1143, 1.987, 424.4954),
        "arXiv:2202.01169, Hash (its final losses fitted again)":
            _refitted(-0.0887, -0.1464, 0.0134, 1.173, 4.9881, 369.0989),
    },
)  # fmt: skip
def routed(
    N: Any, E: Any, *, a: Slope, b: Slope, c: Slope, d: Real, E_start: Positive, E_max: Positive
) -> Any:
    """log10 L(N, E) = a·log10 N + b·log10 Ê + c·log10 N·log10 Ê + d: size and experts.

    N: parameters that a token uses. E: experts in each routed layer, from 1 (dense) up, of which
    a token uses one. Output: loss in nats per token, above 0, after a fixed number of training
    tokens. With 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max the experts in effect rise
    from E_start at E = 1 to E_max, which must be the larger. a and b are negative and c positive
    at the source: experts help less in larger models, and not beyond N = 10^(−b/c).

    Fitted at the source by least squares of log L, for each router. All logarithms are to base
    10. The constants given here are fitted again to the source's last losses with one expert per
    token and every second layer routed, and its dense runs; a, b, c and d go together, and
    the rounding of c alone moves the loss by 0.2 %.
    Source: Clark et al., arXiv:2202.01169.
    """
    import jax.numpy as jnp

    log_size = jnp.log10(N)
    log_experts = jnp.log10(_effective(E, E_start, E_max, jnp.maximum))
    slope = a + c * log_experts
    return jnp.exp(np.log(10.0) * (slope * log_size + b * log_experts + d))


def _fine_amplitude(p: Values, G: Any) -> Any:
    """g/G^gamma + a: the amplitude of the size term at a granularity."""
    return p["g"] * raised(G, -p["gamma"]) + p["a"]


def _fine_multiplier(p: Values, *, G: Any) -> Any:
    """((g + a)/(g/G^gamma + a))^(1/alpha): how many times larger one with G = 1 does as well."""
    return raised((p["g"] + p["a"]) / _fine_amplitude(p, G), 1 / p["alpha"])


def _fine_minimum(p: Values, *, N: Any, G: Any) -> Any:
    """c + (g/G^gamma + a)/N^alpha: the loss that a size cannot fall below."""
    return p["c"] + _fine_amplitude(p, G) * raised(N, -p["alpha"])


def _fine_tokens(p: Values, *, loss: Any, N: Any, G: Any) -> Any:
    """(b/(L − c − (g/G^gamma + a)/N^alpha))^(1/beta): tokens with which a size reaches a loss."""
    return raised((loss - _fine_minimum(p, N=N, G=G)) / p["b"], -1 / p["beta"])


def _fine_size(p: Values, *, loss: Any, D: Any, G: Any) -> Any:
    """((g/G^gamma + a)/(L − c − b/D^beta))^(1/alpha): the size that reaches a loss with D."""
    left = loss - p["c"] - p["b"] * raised(D, -p["beta"])
    return raised(left / _fine_amplitude(p, G), -1 / p["alpha"])


@law(
    formula="c + (g/G^gamma + a)/N^alpha + b/D^beta",
    reference="arXiv:2402.07871",
    unit="nats per token",
    linear=("c", "g", "a", "b"),
    powers=(("g", "G", "gamma"), ("g", "N", "alpha"), ("a", "N", "alpha"), ("b", "D", "beta")),
    limits={"G": (1.0, np.inf)},
    falling=("N", "D", "G"),
    quantities={
        "size_multiplier": _fine_multiplier,
        "minimum_loss": _fine_minimum,
        "tokens_for_loss": _fine_tokens,
        "size_for_loss": _fine_size,
    },
)
def fine_grained(
    N: Any, D: Any, G: Any, *,
    c: Floor, g: Scale, gamma: Exponent, a: Scale, alpha: Exponent, b: Scale, beta: Exponent,
) -> Any:  # fmt: skip
    """L(N, D, G) = c + (g/G^gamma + a)/N^alpha + b/D^beta: experts cut into smaller ones.

    N: parameters. D: training tokens. G: granularity, the width of a dense layer over that of
    one expert, from 1 up; a token uses G experts and the total number grows alike. The expansion
    (64 at the source) is the same in all runs. Output: loss in nats per token, above c. Finer
    experts lower the size term towards a/N^alpha, but routing costs compute that grows with G and
    is not in this law. Fitted at the source by Huber terms from a grid of starts. Runs of one
    granularity do not tell g from a. The source's constants are unverified, and not given.
    Source: arXiv:2402.07871.
    """
    of_size = (g * power(G, -gamma) + a) * power(N, -alpha)
    return c + of_size + b * power(D, -beta)


def _sparse_minimum(p: Values, *, N: Any, sparsity: Any) -> Any:
    """e + a/N^alpha + c/(1 − S)^lam + d/((1 − S)^delta·N^gamma): the limit of ample data."""
    active = 1 - np.asarray(sparsity, dtype=float)
    both = p["d"] * raised(active, -p["delta"]) * raised(N, -p["gamma"])
    return p["e"] + p["a"] * raised(N, -p["alpha"]) + p["c"] * raised(active, -p["lam"]) + both


def _sparse_tokens(p: Values, *, loss: Any, N: Any, sparsity: Any) -> Any:
    """(b/(L − L(N, ∞, S)))^(1/beta): tokens with which a size and sparsity reach a loss."""
    return raised((loss - _sparse_minimum(p, N=N, sparsity=sparsity)) / p["b"], -1 / p["beta"])


def _optimal_sparsity(p: Values, *, N: Any, C: Any) -> Any:
    """S* of the lowest loss at fixed N and C = 6·N·(1 − S)·D, numerically; NaN at an end."""

    def slope(log_active: Any) -> Any:
        # The loss's slope in ln(1 − S), where D = C/(6·N·(1 − S)).
        of_data = p["beta"] * p["b"] * raised(6 * np.asarray(N) / C, p["beta"])
        of_share = p["lam"] * p["c"] * np.exp(-p["lam"] * log_active)
        of_both = p["delta"] * p["d"] * raised(N, -p["gamma"]) * np.exp(-p["delta"] * log_active)
        return of_data * np.exp(p["beta"] * log_active) - of_share - of_both

    return 1 - np.exp(first_minimum(slope, np.log(1e-6), 0.0))


@law(
    formula="e + a/N^alpha + b/D^beta + c/(1 - sparsity)^lam + d/((1 - sparsity)^delta·N^gamma)",
    reference="arXiv:2501.12370",
    unit="nats per token",
    linear=("e", "a", "b", "c", "d"),
    powers=(("a", "N", "alpha"), ("b", "D", "beta"), ("d", "N", "gamma")),
    limits={"sparsity": (0.0, 0.999999)},
    falling=("N", "D"),
    start={"lam": (-0.6, 0.6), "delta": (-0.6, 0.6)},
    quantities={
        "minimum_loss": _sparse_minimum,
        "tokens_for_loss": _sparse_tokens,
        "optimal_sparsity": _optimal_sparsity,
    },
)
def sparse(
    N: Any, D: Any, sparsity: Any, *,
    e: Floor, a: Scale, alpha: Exponent, b: Scale, beta: Exponent,
    c: Scale, lam: Slope, d: Scale, delta: Slope, gamma: Exponent,
) -> Any:  # fmt: skip
    """L(N, D, S) = e + a/N^alpha + b/D^beta + c/(1 − S)^lam + d/((1 − S)^delta·N^gamma).

    N: all parameters, those that a token does not use included. D: training tokens. sparsity: S,
    the share of experts that a token does not use, from 0 (dense) to below 1. Output: loss in
    nats per token, above e. lam (the source's lambda) and delta may have either sign, so that the
    loss may rise or fall in S at fixed N. Ten parameters: with few sparsities c and d are
    not told apart from e and a; read the notes. Fitted at the source by Huber terms of log L.
    ``optimal_sparsity`` is for a fixed N and training FLOPs of 6 per parameter that a token uses.
    The form is unverified, and so are the source's constants, which are not given.
    Source: arXiv:2501.12370.
    """
    import jax.numpy as jnp

    active = 1.0 - jnp.asarray(sparsity)
    of_both = d * power(active, -delta) * power(N, -gamma)
    of_size = a * power(N, -alpha)
    return e + of_size + b * power(D, -beta) + c * power(active, -lam) + of_both


def _at_experts(p: Values, E: Any) -> dict[str, Any]:
    """Return the law of size and data that this one is at a number of experts."""
    experts = _effective_experts(p, E=E)
    return {
        "E": p["c"],
        "A": p["a"] * raised(experts, p["delta"]),
        "alpha": -(p["alpha"] + p["gamma"] * np.log(experts)),
        "B": p["b"] * raised(experts, p["omega"]),
        "beta": -(p["beta"] + p["zeta"] * np.log(experts)),
    }


def _joint_minimum(p: Values, *, N_act: Any, E: Any) -> Any:
    """c + a·Ê^delta·N_act^(alpha + gamma·ln Ê): the limit of ample data."""
    return ADDITIVE["minimum_loss"](_at_experts(p, E), N=N_act)


def _joint_tokens(p: Values, *, loss: Any, N_act: Any, E: Any) -> Any:
    """D where L = loss, in closed form: tokens with which a size and experts reach a loss."""
    return ADDITIVE["tokens_for_loss"](_at_experts(p, E), loss=loss, N=N_act)


def _joint_optimal_size(p: Values, *, C: Any, E: Any) -> Any:
    """N_act* of the lowest loss at C = 6·N_act·D: chinchilla's, with exponents and terms at Ê."""
    return ADDITIVE["optimal_size"](_at_experts(p, E), C=C)


def _joint_optimal_tokens(p: Values, *, C: Any, E: Any) -> Any:
    """D* of the lowest loss at C = 6·N_act·D: chinchilla's, with exponents and terms at Ê."""
    return ADDITIVE["optimal_tokens"](_at_experts(p, E), C=C)


def _joint_optimal_loss(p: Values, *, C: Any, E: Any) -> Any:
    """The lowest loss at C = 6·N_act·D and E experts."""
    return ADDITIVE["optimal_loss"](_at_experts(p, E), C=C)


@law(
    formula="c + a·Ê^delta·N_act^(alpha + gamma·ln Ê) + b·Ê^omega·D^(beta + zeta·ln Ê)",
    reference="arXiv:2502.05172",
    unit="nats per token",
    linear=("c", "a", "b"),
    powers=(("a", "N_act", "alpha", +1), ("b", "D", "beta", +1)),
    limits={"E": (1.0, np.inf)},
    start={"alpha": (-0.8, -0.05), "beta": (-0.8, -0.05), "gamma": (-0.05, 0.05),
           "zeta": (-0.05, 0.05), "E_start": (1.0, 10.0), "E_max": (50.0, 2000.0)},
    prior={"E_max": ("lognormal", 5.0, 1.5)},
    quantities={
        "effective_experts": _effective_experts,
        "minimum_loss": _joint_minimum,
        "tokens_for_loss": _joint_tokens,
        "optimal_size": _joint_optimal_size,
        "optimal_tokens": _joint_optimal_tokens,
        "optimal_loss": _joint_optimal_loss,
    },
)  # fmt: skip
def joint_experts(
    N_act: Any, D: Any, E: Any, *,
    c: Floor, a: Scale, delta: Slope, alpha: Slope, gamma: Slope,
    b: Scale, omega: Slope, beta: Slope, zeta: Slope, E_start: Positive, E_max: Positive,
) -> Any:  # fmt: skip
    """L = c + a·Ê^delta·N_act^(alpha + gamma·ln Ê) + b·Ê^omega·D^(beta + zeta·ln Ê).

    N_act: parameters that a token uses. D: training tokens. E: experts, from 1 (dense) up.
    Output: loss in nats per token, above c. Ê are the experts in effect, from E_start at E = 1 to
    E_max, as in ``routed``. alpha and beta are negative. At each E the law is chinchilla in
    N_act and D, with amplitudes and exponents of its own, so the optimum at C = 6·N_act·D has
    chinchilla's closed form; it does not count memory. Eleven parameters ask for runs
    crossed in size, data and experts. The form is unverified, and so are the source's constants,
    which are not given.
    Source: arXiv:2502.05172.
    """
    import jax.numpy as jnp

    log_experts = jnp.log(_effective(E, E_start, E_max, jnp.maximum))
    of_size = a * jnp.exp(delta * log_experts) * power(N_act, alpha + gamma * log_experts)
    of_data = b * jnp.exp(omega * log_experts) * power(D, beta + zeta * log_experts)
    return c + of_size + of_data
