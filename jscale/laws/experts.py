"""Mixtures of experts: models in which each token is routed to a few of many experts.

Two forms from two sources: by size and the number of experts, and by these and data together.
Granularity and sparsity are in sparse_experts.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import ADDITIVE, Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Floor, Positive, Real, Scale, Slope

# E_max must be larger than E_start, but a search may try other values: 1/E_start − 1/E_max is kept
# above this, so that the law stays finite there.
_LEAST_GAP = 1e-9


def _effective(E: Any, E_start: Any, E_max: Any, larger: Any) -> Any:
    """Return Ê, with 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max.

    ``larger`` is the elementwise maximum of NumPy or of JAX.
    """
    # The source's saturation: from E_start at E = 1 to E_max, smoothly.
    gap = larger(1 / E_start - 1 / E_max, _LEAST_GAP)
    return 1 / (1 / (E - 1 + 1 / gap) + 1 / E_max)


def _effective_experts(p: Values, *, E: Any) -> Any:
    """Ê of 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max: effective experts."""
    return _effective(np.asarray(E), p["E_start"], p["E_max"], np.maximum)


def _routed_slope(p: Values, log_experts: Any) -> Any:
    """Return a + c·log10 Ê, the log-log slope of the loss in size."""
    return p["a"] + p["c"] * log_experts


def _size_for_loss(p: Values, *, loss: Any, E: Any) -> Any:
    """10^((log10 L − b·log10 Ê − d)/(a + c·log10 Ê)): size that reaches a loss."""
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
    """10^(−b/c): size at which experts no longer lower the loss, for b < 0 < c."""
    helps = (np.asarray(p["b"]) < 0) & (np.asarray(p["c"]) > 0)
    # c = 1 stands in where experts never stop helping, so that nothing divides by zero.
    return np.where(helps, raised(10.0, -p["b"] / np.where(helps, p["c"], 1.0)), np.nan)


_NAMES = ("a", "b", "c", "d", "E_start", "E_max")
_REFITTED = {
    "S-Base": (-0.0838, -0.1234, 0.0104, 1.1216, 2.3942, 217.6547),
    "RL-R": (-0.0835, -0.1279, 0.0117, 1.1143, 1.987, 424.4954),
    "Hash": (-0.0887, -0.1464, 0.0134, 1.173, 4.9881, 369.0989),
}


@law(
    formula="10^(a·log N + b·log Ê + c·log N·log Ê + d), Ê from E_start to E_max",
    reference="arXiv:2202.01169",
    unit="nats per token",
    positive=("N",),
    limits={"E": (1.0, np.inf)},
    start={
        "a": (-0.3, 0.0),
        "b": (-0.5, 0.0),
        "c": (-0.05, 0.05),
        "E_start": (1.0, 10.0),
        "E_max": (50.0, 2000.0),
    },
    # Hundreds of experts, where the default prior expects numbers of order one.
    prior={"E_max": ("lognormal", 5.0, 1.5)},
    quantities={
        "effective_experts": _effective_experts,
        "equivalent_dense_size": _equivalent_dense_size,
        "largest_useful_size": _largest_useful_size,
        "size_for_loss": _size_for_loss,
    },
    published={
        f"arXiv:2202.01169, {router} (its final losses, refitted)": dict(
            zip(_NAMES, constants, strict=True)
        )
        for router, constants in _REFITTED.items()
    },
)
def routed(
    N: Any, E: Any, *, a: Slope, b: Slope, c: Slope, d: Real, E_start: Positive, E_max: Positive
) -> Any:
    """Loss of a routed model by size and number of experts, after a fixed number of tokens.

        log10 L(N, E) = a·log10 N + b·log10 Ê + c·log10 N·log10 Ê + d

    with 1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)^(−1)) + 1/E_max.

    Parameters
    ----------
    N : array_like
        Parameters that a token uses, above 0.
    E : array_like
        Experts in each routed layer, from 1 (dense) up; a token uses one of them.
    a : Slope
        Slope in log size of a dense model, negative at the source.
    b : Slope
        Slope in log effective experts, negative at the source.
    c : Slope
        Interaction of size and experts, positive at the source.
    d : Real
        Log10 of the loss at N = Ê = 1, of any sign.
    E_start : Positive
        Effective experts Ê of a dense model, E = 1, above 0.
    E_max : Positive
        Limit of the effective experts, above E_start.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    All logarithms are to base 10. Experts help less in larger models, and not at all beyond N =
    10^(−b/c). The source fits each router by least squares of log L.

    The constants given here are a refit to the source's last losses with one expert per token and
    every second layer routed, and to its dense runs. a, b, c and d belong together; rounding c
    alone changes the loss by 0.2%.

    References
    ----------
    .. [1] Clark et al., Unified Scaling Laws for Routed Language Models, arXiv:2202.01169.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("routed")
    >>> hash_router = law.published["arXiv:2202.01169, Hash (its final losses, refitted)"]
    >>> round(float(law(1e8, 64, **hash_router)), 2)
    2.48
    """
    import jax.numpy as jnp

    log_size = jnp.log10(N)
    log_experts = jnp.log10(_effective(E, E_start, E_max, jnp.maximum))
    slope = a + c * log_experts
    # exp rather than a power of 10, which is slower in XLA.
    return jnp.exp(np.log(10.0) * (slope * log_size + b * log_experts + d))


def _at_experts(p: Values, E: Any) -> dict[str, Any]:
    """Return the parameters of chinchilla that the law reduces to at a number of experts."""
    experts = _effective_experts(p, E=E)
    return {
        "E": p["c"],
        "A": p["a"] * raised(experts, p["delta"]),
        "alpha": -(p["alpha"] + p["gamma"] * np.log(experts)),
        "B": p["b"] * raised(experts, p["omega"]),
        "beta": -(p["beta"] + p["zeta"] * np.log(experts)),
    }


def _joint_minimum(p: Values, *, N_act: Any, E: Any) -> Any:
    """c + a·Ê^delta·N_act^(alpha + gamma·ln Ê): limit of unlimited data."""
    return ADDITIVE["minimum_loss"](_at_experts(p, E), N=N_act)


def _joint_tokens(p: Values, *, loss: Any, N_act: Any, E: Any) -> Any:
    """D where L = loss, in closed form: tokens with which a size and experts reach a loss."""
    return ADDITIVE["tokens_for_loss"](_at_experts(p, E), loss=loss, N=N_act)


def _joint_optimal_size(p: Values, *, C: Any, E: Any) -> Any:
    """N_act* of the lowest loss at C = 6·N_act·D: that of chinchilla with the parameters at Ê."""
    return ADDITIVE["optimal_size"](_at_experts(p, E), C=C)


def _joint_optimal_tokens(p: Values, *, C: Any, E: Any) -> Any:
    """D* of the lowest loss at C = 6·N_act·D: that of chinchilla with the parameters at Ê."""
    return ADDITIVE["optimal_tokens"](_at_experts(p, E), C=C)


def _joint_optimal_loss(p: Values, *, C: Any, E: Any) -> Any:
    """Lowest loss at C = 6·N_act·D and E experts."""
    return ADDITIVE["optimal_loss"](_at_experts(p, E), C=C)


@law(
    formula="c + a·Ê^delta·N_act^(alpha + gamma·ln Ê) + b·Ê^omega·D^(beta + zeta·ln Ê)",
    reference="arXiv:2502.05172",
    unit="nats per token",
    linear=("c", "a", "b"),
    powers=(("a", "N_act", "alpha", +1), ("b", "D", "beta", +1)),
    limits={"E": (1.0, np.inf)},
    start={
        "alpha": (-0.8, -0.05),
        "beta": (-0.8, -0.05),
        "gamma": (-0.05, 0.05),
        "zeta": (-0.05, 0.05),
        "E_start": (1.0, 10.0),
        "E_max": (50.0, 2000.0),
    },
    prior={"E_max": ("lognormal", 5.0, 1.5)},
    quantities={
        "effective_experts": _effective_experts,
        "minimum_loss": _joint_minimum,
        "tokens_for_loss": _joint_tokens,
        "optimal_size": _joint_optimal_size,
        "optimal_tokens": _joint_optimal_tokens,
        "optimal_loss": _joint_optimal_loss,
    },
)
def joint_experts(
    N_act: Any,
    D: Any,
    E: Any,
    *,
    c: Floor,
    a: Scale,
    delta: Slope,
    alpha: Slope,
    gamma: Slope,
    b: Scale,
    omega: Slope,
    beta: Slope,
    zeta: Slope,
    E_start: Positive,
    E_max: Positive,
) -> Any:
    """Loss of a mixture of experts by active size, data and number of experts.

        L(N_act, D, E) = c + a·Ê^delta·N_act^(alpha + gamma·ln Ê) + b·Ê^omega·D^(beta + zeta·ln Ê)

    Parameters
    ----------
    N_act : array_like
        Parameters that a token uses, above 0.
    D : array_like
        Training tokens, above 0.
    E : array_like
        Experts, from 1 (dense) up.
    c : Floor
        Irreducible loss, in nats per token, above 0.
    a : Scale
        Amplitude of the size term, above 0.
    delta : Slope
        Exponent of effective experts in the size term, of any sign.
    alpha : Slope
        Exponent of size at Ê = 1, negative.
    gamma : Slope
        Change of the exponent of size per e-fold of effective experts, of any sign.
    b : Scale
        Amplitude of the data term, above 0.
    omega : Slope
        Exponent of effective experts in the data term, of any sign.
    beta : Slope
        Exponent of data at Ê = 1, negative.
    zeta : Slope
        Change of the exponent of data per e-fold of effective experts, of any sign.
    E_start : Positive
        Effective experts Ê of a dense model, E = 1, as in ``routed``, above 0.
    E_max : Positive
        Limit of the effective experts, above E_start.

    Returns
    -------
    loss : array
        Loss in nats per token, above c.

    Notes
    -----
    At each E the law is chinchilla in N_act and D, with amplitudes and exponents that depend on E,
    so that the optimum at C = 6·N_act·D has chinchilla's closed form. Memory is not counted. Eleven
    parameters require runs that cross size, data and experts. The form is unverified, and so are
    the source's constants, which are not given.

    References
    ----------
    .. [1] Ludziejewski et al., Joint MoE Scaling Laws, arXiv:2502.05172.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"c": 1.0, "a": 100.0, "delta": 0.0, "alpha": -0.25, "gamma": 0.0,
    ...              "b": 1000.0, "omega": 0.0, "beta": -0.25, "zeta": 0.0,
    ...              "E_start": 2.0, "E_max": 200.0}
    >>> round(float(js.laws.get("joint_experts")(1e8, 1e12, 8, **constants)), 3)
    3.0
    """
    import jax.numpy as jnp

    log_experts = jnp.log(_effective(E, E_start, E_max, jnp.maximum))
    of_size = a * jnp.exp(delta * log_experts) * power(N_act, alpha + gamma * log_experts)
    of_data = b * jnp.exp(omega * log_experts) * power(D, beta + zeta * log_experts)
    return c + of_size + of_data
