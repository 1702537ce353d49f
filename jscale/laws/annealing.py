"""Laws of whole loss curves: the annealing law and the multi-power law.

Both predict the loss at every step from the learning-rate schedule. The annealing law depends on
two areas under the schedule; in the multi-power law each fall of the rate contributes a power law
of its own.
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

# Error measured on the source's curves, relative to the sum over steps: 1e-4 at most, 1e-5 at the
# median.
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
    """Loss at any step of any learning-rate schedule, from two areas under the schedule.

        L(s) = L0 + A·S1^(−alpha) − C·S2

    Parameters
    ----------
    S1 : array_like
        Sum of the learning rates up to the step, warm-up included, above 0.
    S2 : array_like
        Annealing area Σ m_i with m_i = λ·m_{i−1} + (η_{i−1} − η_i) and λ = 0.999, from the end of
        the warm-up on.
    L0 : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the decaying term, above 0; depends on the unit of the learning rates.
    alpha : Exponent
        Exponent of S1, above 0.
    C : Positive
        Loss that annealing releases per unit of S2, above 0; depends on the unit of the learning
        rates.

    Returns
    -------
    loss : array
        Loss in nats per token, valid after the warm-up.

    Notes
    -----
    :class:`jscale.Curves` computes both areas. The source fits Huber residuals of ln L to one or
    two whole curves and predicts others.

    Two failures are known: steps at rate 0 go on lowering the predicted loss, since S2 still grows,
    and a higher rate throughout always lowers it. Do not choose a schedule by this law without
    bounds on both.

    References
    ----------
    .. [1] Tissue et al., Scaling Law with Learning Rate Annealing, arXiv:2408.11029.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("annealing")
    >>> round(float(law(4.0, 0.1, L0=3.0, A=0.5, alpha=0.5, C=0.4)), 3)
    3.21
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
    S1: Any,
    S2: Any,
    N: Any,
    *,
    L0: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    C: Positive,
) -> Any:
    """Loss at any step of any learning-rate schedule, for models of several sizes.

        L(s, N) = L0 + A·S1^(−alpha) + B·N^(−beta) − C·S2

    Parameters
    ----------
    S1 : array_like
        Sum of the learning rates up to the step, warm-up included, above 0.
    S2 : array_like
        Annealing area, as for ``annealing``.
    N : array_like
        Parameters of the model, above 0.
    L0 : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the term that decays with training, above 0; depends on the unit of the rates.
    alpha : Exponent
        Exponent of S1, above 0.
    B : Scale
        Amplitude of the size term, above 0.
    beta : Exponent
        Exponent of size, above 0.
    C : Positive
        Loss that annealing releases per unit of S2, above 0; depends on the unit of the rates.

    Returns
    -------
    loss : array
        Loss in nats per token, valid after the warm-up.

    Notes
    -----
    The law shares the known failures of ``annealing``.

    References
    ----------
    .. [1] Tissue et al., Scaling Law with Learning Rate Annealing, arXiv:2408.11029.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("annealing_size")
    >>> constants = {"L0": 2.0, "A": 0.5, "alpha": 0.5, "B": 100.0, "beta": 0.25, "C": 0.4}
    >>> round(float(law(4.0, 0.1, 1e8, **constants)), 3)
    3.21
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


_LOSS_ALONG = """Loss at any step of any of several schedules; each fall of the rate is a power law.

    L(t) = L0 + A·S1(t)^(−alpha) − B·Σ_k (η_{k−1} − η_k)·(1 − (1 + C·η_k^(−gamma)·S_k(t))^(−beta))

Parameters
----------
schedule : array_like
    Position of the run's schedule among those that the law was made with, from 0 on.
S1 : array_like
    Sum of the learning rates up to the step, warm-up included, above 0.
L0 : Floor
    Irreducible loss, in nats per token, above 0.
A : Scale
    Amplitude of the term that decays with training, above 0.
alpha : Exponent
    Exponent of S1, above 0.
B : Scale
    Loss released per unit of fall in the learning rate in the end, above 0.
C : Positive
    Speed at which a fall takes effect, above 0.
beta : Exponent
    Exponent of a fall's effect, above 0.
gamma : Exponent
    Exponent of the learning rate in that speed, above 0.

Returns
-------
loss : array
    Loss in nats per token, valid after the warm-up.

Notes
-----
S_k(t) is the sum of the rates from step k to t. gamma, C and B depend on the unit of the rates.
:func:`jscale.multi_power` makes the law and says how the sum is computed.

References
----------
.. [1] A Multi-Power Law for Loss Curve Prediction Across Learning Rate Schedules, arXiv:2503.12811.
"""


def multi_power(schedules: Sequence[Schedule], *, nodes: int = _NODES) -> Law:
    """Make the multi-power law of given learning-rate schedules.

        L(t) = L0 + A·S1(t)^(−alpha) − B·Σ_k (η_{k−1} − η_k)·G(η_k^(−gamma)·S_k(t))

    with G(x) = 1 − (1 + C·x)^(−beta) and S_k(t) = Σ_{k ≤ τ ≤ t} η_τ. Each fall of the learning rate
    lowers the loss, at first not at all and in the end by B times the fall. The rise of the warm-up
    from η_0 = 0 enters the sum with the opposite sign. S1(t) is the sum of the rates up to the
    step, warm-up included.

    Parameters
    ----------
    schedules : sequence of Schedule
        The schedules of the runs, such as ``curves.schedules``.
    nodes : int, optional
        Approximate number of nodes in which the changes of each schedule are gathered.

    Returns
    -------
    Law
        A law of two inputs, ``schedule``, the position of the run's schedule in ``schedules`` from
        0 on, and ``S1`` at the step, as :meth:`jscale.Curves.runs` returns them. Its output is the
        loss in nats per token, valid after the warm-up.

    Raises
    ------
    LawError
        If ``schedules`` is empty or holds something other than schedules.

    Notes
    -----
    The parameters gamma, C and B depend on the unit of the rates. The source fits Huber residuals
    of ln L to three whole curves.

    The changes of a curve are gathered in about ``nodes`` nodes (a rate that falls in jumps has one
    for each), within which the rate is constant and the sum becomes an integral in closed form. On
    a cosine schedule of 24 000 steps the loss is within 1e-4 of the sum over steps, 1e-5 at the
    median. A fit therefore needs no more memory for 100 000 steps than for 1000: about
    10·rows·nodes numbers for each start in progress.

    References
    ----------
    .. [1] A Multi-Power Law for Loss Curve Prediction Across Learning Rate Schedules,
       arXiv:2503.12811.

    Examples
    --------
    >>> import jscale as js
    >>> schedules = [js.schedules.constant(1000, 0.01), js.schedules.cosine(1000, 0.01)]
    >>> js.multi_power(schedules).names
    ('L0', 'A', 'alpha', 'B', 'C', 'beta', 'gamma')
    """
    listed = list(schedules)
    if not listed or not all(isinstance(s, Schedule) for s in listed):
        raise LawError(
            "multi_power takes the schedules of its runs, such as curves.schedules or "
            f"[js.schedules.cosine(24000, 3e-4)], not {schedules!r:.80}."
        )
    table = nodes_of(listed, nodes)

    def loss_along(schedule: Any, S1: Any, **p: Any) -> Any:
        at = table.row(schedule, S1)
        fallen = (at.fall * gained(at, p)).sum(-1)
        return p["L0"] + p["A"] * power(S1, -p["alpha"]) - p["B"] * fallen

    loss_along.__doc__ = _LOSS_ALONG
    # predict_curve and best_schedule make the law again from these, with one more schedule.
    function: Any = loss_along
    function.schedules, function.nodes = tuple(listed), nodes
    return law(
        loss_along,
        name="multi_power",
        inputs=("schedule", "S1"),
        parameters={
            "L0": Floor,
            "A": Scale,
            "alpha": Exponent,
            "B": Scale,
            "C": Positive,
            "beta": Exponent,
            "gamma": Exponent,
        },
        formula="L0 + A·S1^(-alpha) − B·Σ_k Δη_k·(1 − (1 + C·η_k^(-gamma)·S_k)^(-beta))",
        reference="arXiv:2503.12811",
        unit="nats per token",
        published=PUBLISHED,
        linear=("L0", "A", "B"),
        powers=(("A", "S1", "alpha"),),
        # A code outside would silently read another schedule.
        limits={"schedule": (0.0, float(len(listed) - 1))},
        # An input that says which schedule, and is neither scaled nor differentiated.
        codes=("schedule",),
        # Around the exponents of the three published fits.
        start={"alpha": (0.2, 1.0), "C": (0.3, 5.0), "beta": (0.2, 1.0), "gamma": (0.2, 1.0)},
        starts=16,
    )


def gained(at: Nodes, p: Any) -> Any:
    """Return the mean over each node of 1 − (1 + C·η^(−gamma)·x)^(−beta), x from near to far.

    The integral of (1 + c·x)^(−beta) is a power as well, or a logarithm where beta is 1.
    """
    import jax.numpy as jnp

    c = p["C"] * jnp.exp(-p["gamma"] * jnp.log(at.rate))
    low, high = jnp.log1p(c * at.near), jnp.log1p(c * at.far)
    # The integral over the node divided by its width is the mean; padding has no width.
    width = c * (at.far - at.near)
    kept = exp_difference(1.0 - p["beta"], low, high) / jnp.where(width > 0, width, 1.0)
    return jnp.where(width > 0, 1.0 - kept, 0.0)


def exp_difference(a: Any, low: Any, high: Any) -> Any:
    """Return (e^(a·high) − e^(a·low))/a, which is high − low at a = 0 (JAX)."""
    import jax.numpy as jnp

    gap = a * (high - low)
    small = jnp.abs(gap) < 1e-6  # where expm1(gap)/gap is 0/0, or loses digits in its derivative
    safe = jnp.where(small, 1.0, gap)
    ratio = jnp.where(small, 1.0 + 0.5 * gap, jnp.expm1(safe) / safe)
    return jnp.exp(a * low) * (high - low) * ratio


def loss_at_end(law: Law, params: Any, rates: Any, warmup: int, memory: float) -> Any:
    """Return the loss after the last step of a schedule, summed over all steps (JAX).

    Parameters
    ----------
    law : Law
        ``annealing``, ``annealing_size``, or a law made by :func:`multi_power`.
    params : mapping of str to array
        The parameters by name, and the law's inputs other than the areas.
    rates : array, shape (steps,)
        Learning rate of each step.
    warmup : int
        Number of warm-up steps, whose changes of the rate do not count in S2.
    memory : float
        The decay λ of the annealing area S2 per step.

    Returns
    -------
    array
        The loss, a scalar.
    """
    import jax.numpy as jnp

    falls = -jnp.diff(rates, prepend=0.0)
    total = rates.sum()
    # Area from each step to the last one, the step itself included.
    ahead = total - jnp.cumsum(rates) + rates
    if "S2" in law.inputs:
        falls = jnp.where(np.arange(rates.shape[0]) < max(warmup, 1), 0.0, falls)
        left = np.arange(rates.shape[0], 0, -1)
        # A fall m decays as memory^i over the steps i that are left; its sum is geometric.
        released = falls * (1.0 - memory**left) / (1.0 - memory)
        return law.evaluate({"S1": total, "S2": released.sum(), **params})
    safe = jnp.where(rates > 0, rates, 1.0)
    c = params["C"] * jnp.exp(-params["gamma"] * jnp.log(safe))
    share = 1.0 - jnp.exp(-params["beta"] * jnp.log1p(c * ahead))
    # At rate 0, η^(−gamma)·S is infinite if the rate rises again later and counts as 0 otherwise.
    share = jnp.where(rates > 0, share, jnp.where(ahead > 1e-12 * total, 1.0, 0.0))
    return (
        params["L0"]
        + params["A"] * power(total, -params["alpha"])
        - params["B"] * (falls * share).sum()
    )
