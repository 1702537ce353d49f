"""Laws of whole loss curves: the annealing law and the multi-power law.

Both say the loss at every step from the path of the learning rate. The annealing law reads two
areas of it; the multi-power law follows each fall of the rate by a power of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jscale.data.schedule import Schedule
from jscale.errors import LawError
from jscale.laws.rate_nodes import Nodes, nodes_of
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import Exponent, Floor, Positive, Scale

# Measured on the source's curves: within 1e-4 of the sum over steps, 1e-5 at the median.
_NODES = 64


@law(
    formula="L0 + A·S1^(-alpha) − C·S2",
    reference="arXiv:2408.11029",
    unit="nats per token",
    linear=("L0", "A", "C"),
    powers=(("A", "S1", "alpha"),),
    falling=("S1", "S2"),
    start={"alpha": (0.2, 1.0), "C": (0.1, 2.0)},
    starts=32,
)
def annealing(S1: Any, S2: Any, *, L0: Floor, A: Scale, alpha: Exponent, C: Positive) -> Any:
    """L(s) = L0 + A·S1^(−alpha) − C·S2: the loss at a step s of any learning-rate schedule.

    S1: the sum of learning rates up to the step, warm-up included. S2: the annealing area
    Σ m_i, m_i = λ·m_{i−1} + (η_{i−1} − η_i), with λ = 0.999, from the end of the warm-up;
    :class:`jscale.Curves` computes both. Output: loss in nats per token, valid after the
    warm-up. Fitted at the source by Huber residuals of ln L, to one or two whole curves, to
    predict others. A and C depend on the unit of the rates.

    Known failures: steps at rate 0 go on lowering the loss, since S2 still grows; a larger rate
    throughout always lowers it. Do not take a schedule from this law without a bound on both.
    Source: Tissue et al., arXiv:2408.11029.
    """
    return L0 + A * power(S1, -alpha) - C * S2


@law(
    formula="L0 + A·S1^(-alpha) + B·N^(-beta) − C·S2",
    reference="arXiv:2408.11029",
    unit="nats per token",
    linear=("L0", "A", "B", "C"),
    powers=(("A", "S1", "alpha"), ("B", "N", "beta")),
    falling=("S1", "S2", "N"),
    start={"alpha": (0.2, 1.0), "C": (0.1, 2.0)},
)
def annealing_size(
    S1: Any, S2: Any, N: Any, *,
    L0: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent, C: Positive,
) -> Any:  # fmt: skip
    """L(s, N) = L0 + A·S1^(−alpha) + B·N^(−beta) − C·S2: whole curves of several sizes.

    N: parameters; S1, S2 and the rest as in ``annealing``, whose failures it shares.
    Source: Tissue et al., arXiv:2408.11029.
    """
    return L0 + A * power(S1, -alpha) + B * power(N, -beta) - C * S2


PUBLISHED = {
    "https://github.com/thu-yao-01-luo/MultiPowerLaw, 25M": {
        "L0": 3.040, "A": 0.525, "alpha": 0.508, "B": 363.788, "C": 2.066, "beta": 0.583,
        "gamma": 0.641,
    },
    "https://github.com/thu-yao-01-luo/MultiPowerLaw, 100M": {
        "L0": 2.651, "A": 0.601, "alpha": 0.453, "B": 437.946, "C": 2.132, "beta": 0.598,
        "gamma": 0.655,
    },
    "https://github.com/thu-yao-01-luo/MultiPowerLaw, 400M": {
        "L0": 2.375, "A": 0.654, "alpha": 0.429, "B": 523.425, "C": 2.025, "beta": 0.594,
        "gamma": 0.635,
    },
}  # fmt: skip


def multi_power(schedules: Sequence[Schedule], *, nodes: int = _NODES) -> Law:
    """Make the multi-power law of the given schedules.

    L(t) = L0 + A·S1(t)^(−alpha) − B·Σ_k (η_{k−1} − η_k)·G(η_k^(−gamma)·S_k(t)), with
    G(x) = 1 − (1 + C·x)^(−beta) and S_k(t) = Σ_{k ≤ τ ≤ t} η_τ: each fall of the learning rate
    lowers the loss, at first not at all and in the end by B times the fall; the rise of the
    warm-up, from η_0 = 0, is in the sum as a fall below zero. S1(t) is the sum of rates up to the
    step, warm-up included.

    Inputs of the law: ``schedule``, the place of the run's schedule in ``schedules`` from 0, and
    S1 at the step, as :meth:`jscale.Curves.runs` gives them. Output: loss in nats per token, valid
    after the warm-up. gamma, C and B depend on the unit of the rates. Fitted at the source by
    Huber residuals of ln L to three whole curves.

    A curve's changes are gathered in some ``nodes`` nodes (a rate that falls in jumps has one for
    each), within which the rate is even and the sum is an integral in closed form. On a cosine of
    24 000 steps the loss is within 1e-4 of the sum over steps, 1e-5 at the median. A fit
    therefore needs no more memory for 100 000 steps than for 1000: some 10·rows·nodes numbers for
    each of its starts at work. Raises LawError for no schedule, or one that is no Schedule.
    Source: arXiv:2503.12811.

    >>> import jscale as js
    >>> made = js.multi_power([js.schedules.constant(1000, 0.01), js.schedules.cosine(1000, 0.01)])
    >>> made.names
    ('L0', 'A', 'alpha', 'B', 'C', 'beta', 'gamma')
    """
    made = list(schedules)
    if not made or not all(isinstance(s, Schedule) for s in made):
        raise LawError(
            "multi_power takes the schedules of its runs, such as curves.schedules or "
            f"[js.schedules.cosine(24000, 3e-4)], not {schedules!r:.80}."
        )
    table = nodes_of(made, nodes)

    def loss_along(schedule: Any, S1: Any, **p: Any) -> Any:
        at = table.row(schedule, S1)
        fallen = (at.fall * gained(at, p)).sum(-1)
        return p["L0"] + p["A"] * power(S1, -p["alpha"]) - p["B"] * fallen

    loss_along.__doc__ = multi_power.__doc__
    # What predict_curve and best_schedule need to make the law again with a schedule more.
    vars(loss_along).update(schedules=tuple(made), nodes=nodes)
    return law(
        loss_along,
        name="multi_power",
        inputs=("schedule", "S1"),
        parameters={
            "L0": Floor, "A": Scale, "alpha": Exponent, "B": Scale, "C": Positive,
            "beta": Exponent, "gamma": Exponent,
        },
        formula="L0 + A·S1^(-alpha) − B·Σ_k Δη_k·(1 − (1 + C·η_k^(-gamma)·S_k)^(-beta))",
        reference="arXiv:2503.12811",
        unit="nats per token",
        published=PUBLISHED,
        linear=("L0", "A", "B"),
        powers=(("A", "S1", "alpha"),),
        limits={"schedule": (0.0, float(len(made) - 1))},
        codes=("schedule",),
        start={"alpha": (0.2, 1.0), "C": (0.3, 5.0), "beta": (0.2, 1.0), "gamma": (0.2, 1.0)},
        starts=16,
    )  # fmt: skip


def gained(at: Nodes, p: Any) -> Any:
    """Return the mean over each node of 1 − (1 + C·η^(−gamma)·x)^(−beta), x from near to far.

    (1 + c·x)^(−beta) integrates to a power too, or to a logarithm where beta is 1.
    """
    import jax.numpy as jnp

    c = p["C"] * jnp.exp(-p["gamma"] * jnp.log(at.rate))
    low, high = jnp.log1p(c * at.near), jnp.log1p(c * at.far)
    width = c * (at.far - at.near)
    kept = exp_difference(1.0 - p["beta"], low, high) / jnp.where(width > 0, width, 1.0)
    return jnp.where(width > 0, 1.0 - kept, 0.0)


def exp_difference(a: Any, low: Any, high: Any) -> Any:
    """Return (e^(a·high) − e^(a·low))/a, right also at a = 0, where it is high − low (JAX)."""
    import jax.numpy as jnp

    gap = a * (high - low)
    small = jnp.abs(gap) < 1e-6
    safe = jnp.where(small, 1.0, gap)
    ratio = jnp.where(small, 1.0 + 0.5 * gap, jnp.expm1(safe) / safe)
    return jnp.exp(a * low) * (high - low) * ratio


def loss_at_end(law: Law, params: Any, rates: Any, warmup: int, memory: float) -> Any:
    """Return the loss after the last step of a path of rates (steps,), summed exactly (JAX).

    ``params`` and the law's other inputs by name. Laws are ``annealing``, ``annealing_size`` and
    those of :func:`multi_power`.
    """
    import jax.numpy as jnp

    falls = -jnp.diff(rates, prepend=0.0)
    total = rates.sum()
    ahead = total - jnp.cumsum(rates) + rates
    if "S2" in law.inputs:
        falls = jnp.where(np.arange(rates.shape[0]) < max(warmup, 1), 0.0, falls)
        left = np.arange(rates.shape[0], 0, -1)
        released = falls * (1.0 - memory**left) / (1.0 - memory)
        return law.evaluate({"S1": total, "S2": released.sum(), **params})
    safe = jnp.where(rates > 0, rates, 1.0)
    c = params["C"] * jnp.exp(-params["gamma"] * jnp.log(safe))
    share = 1.0 - jnp.exp(-params["beta"] * jnp.log1p(c * ahead))
    # At rate 0, η^(−gamma)·S is infinite if the rate rises again, and counts as 0 if it does not.
    share = jnp.where(rates > 0, share, jnp.where(ahead > 1e-12 * total, 1.0, 0.0))
    return (
        params["L0"]
        + params["A"] * power(total, -params["alpha"])
        - params["B"] * (falls * share).sum()
    )
