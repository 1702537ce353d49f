"""Continual pre-training: a new domain in the mixture, and what it costs on general data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Fraction, Positive, Real, Scale, Slope

_GRID = 2001


@law(
    formula="E + A/N^alpha + B·r^eta/D^beta + C/(r + e)^gamma",
    reference="arXiv:2406.01375",
    unit="nats per token",
    linear=("E", "A", "B", "C"),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    limits={"r": (0.0, 1.0)},
    falling=("N", "D"),
    start={"e": (0.01, 0.5), "eta": (0.1, 2.0), "gamma": (0.1, 2.0), "C": (0.01, 1.0)},
)
def domain_continual(
    N: Any, D: Any, r: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent, eta: Exponent,
    C: Positive, e: Fraction, gamma: Exponent,
) -> Any:  # fmt: skip
    """L(N, D, r) = E + A/N^alpha + B·r^eta/D^beta + C/(r + e)^gamma: loss on one of two domains.

    N: parameters. D: tokens of continual pre-training. r: the share of this domain in them, 0 to
    1; the other has 1 − r. Output: loss in nats per token on the domain, above E. The last term is
    what lacking the domain's data costs, C/e^gamma where there is none; the third is what more
    tokens still gain. The losses on both domains are two fits, each with its own share. Only the
    size, the tokens and the share that a run ended with count. The form is as remembered,
    unverified.
    Source: the D-CPT law, arXiv:2406.01375.
    """
    return E + A * power(N, -alpha) + B * power(r, eta) * power(D, -beta) + C * power(r + e, -gamma)


def _tokens_for_change(p: Values, *, change: Any) -> Any:
    """((dL − b)/a)^(1/s): tokens after which the loss has changed so much."""
    return input_of_power(change, E=p["b"], A=p["a"], exponent=p["s"])


@law(
    output="change",
    formula="b + a·T^s",
    reference="arXiv:2407.17467",
    unit="nats per token",
    space="linear",
    linear=("b", "a"),
    offset_powers=(("b", "a", "T", "s"),),
    quantities={"tokens_for_change": _tokens_for_change},
)
def continual_change(T: Any, *, b: Real, a: Real, s: Slope) -> Any:
    """dL(T) = b + a·T^s: change of the loss since continual pre-training began.

    T: tokens, in any unit (at the source 200 million). Output: loss minus that of the model at the
    start, in nats per token, of any sign, on the new domain; where a and s have different signs it
    falls. Also fitted at the source over shares at fixed tokens: ``continual_change:R``. One fit
    for each share: ``js.fit_many("continual_change", table, by="R")``. At s = 0 the two terms are
    one. Derived: the tokens for a change. No coefficient of the source was at hand.
    Source: CMR, arXiv:2407.17467.
    """
    return b + a * power(T, s)


@law(
    output="change",
    formula="b + rise·(1 − T^(−p)) − fall·(1 − T^(−q))",
    reference="arXiv:2407.17467",
    unit="nats per token",
    space="linear",
    linear=("b", "rise", "fall"),
    positive=("T",),
    start={"p": (0.3, 4.0), "q": (0.02, 0.6)},
)
def continual_general(
    T: Any, *, b: Real, rise: Positive, p: Exponent, fall: Positive, q: Exponent
) -> Any:
    """dL(T) = b + rise·(1 − T^(−p)) − fall·(1 − T^(−q)): the general loss goes up, then down.

    T: tokens in a unit near those of the first checkpoint (at the source 200 million). Output:
    loss on general data minus that of the model at the start, in nats per token, of any sign. b is
    the change at T = 1. rise·(1 − T^(−p)) is the damage done, fall·(1 − T^(−q)) what is learnt
    back. The source writes this as two powers and a constant, a2·T^s2 + a3·T^s3 + b2; here
    s2 = −p, s3 = −q, so a2 = −rise, a3 = fall, b2 = b + rise − fall. Negative exponents let both
    parts come to an end; the signs of the source's were not at hand.
    Source: CMR, arXiv:2407.17467.
    """
    return b + rise * (1.0 - power(T, -p)) - fall * (1.0 - power(T, -q))


def _tokens_for_ratio(p: Values, *, R: Any) -> Any:
    """((R − b)/a)^(1/s): tokens for which a share is the critical one."""
    return input_of_power(R, E=p["b"], A=p["a"], exponent=p["s"])


@law(
    output="R",
    formula="b + a·T^s",
    reference="arXiv:2407.17467",
    unit="share of the domain's data",
    space="linear",
    linear=("b", "a"),
    offset_powers=(("b", "a", "T", "s"),),
    limits={"R": (0.0, 1.0)},
    quantities={"tokens_for_ratio": _tokens_for_ratio},
)
def critical_ratio(T: Any, *, b: Real, a: Real, s: Slope) -> Any:
    """R(T) = b + a·T^s: the critical mixture ratio for a budget of tokens.

    T: tokens of continual pre-training, in any unit. Output: the largest share of the new domain
    with which the general loss is within a tolerance of where it began (:func:`feasible_ratio`
    reads it off fits), 0 to 1. Nothing in the form keeps it there beyond the fitted budgets. The
    source reports, after 20 billion tokens of finance, 29.8 % for 0.46 billion parameters up to
    47.8 % for 3.1 (second-hand); its coefficients were not at hand. Derived: tokens for a ratio.
    Source: CMR, arXiv:2407.17467.
    """
    return b + a * power(T, s)


def feasible_ratio(
    ratios: Sequence[float],
    general: Mapping[str, Sequence[float]],
    domain: Mapping[str, Sequence[float]],
    *,
    T: float,
    first: float = 1.0,
    tolerance: float = 0.05,
) -> float:
    """Return the critical mixture ratio: the largest feasible share of a new domain by T tokens.

    ``ratios``: the shares that were tried, rising. ``general``: for each the parameters of
    continual_general, ``domain``: those of continual_change, such as the ``params`` of two
    ``js.fit_many(…, by="R")``. A share is feasible if at some tokens between ``first`` and ``T``,
    after the general loss has peaked, its change is at most ``tolerance`` (the source: 0.05 nats
    per token) while the loss on the domain falls. Between the last share that is and the next,
    the lowest change is interpolated. NaN where no share is feasible; the largest tried where all
    are. That the peak comes first is our reading: before it every share would pass.
    Raises LawError for ratios that do not rise within 0 to 1, parameters that are missing or of
    another number, and T not above ``first``.
    Source: CMR, arXiv:2407.17467.

    >>> general = {"b": [0, 0], "rise": [0.1, 0.3], "p": [2, 2],
    ...            "fall": [0.1, 0.1], "q": [0.2, 0.2]}
    >>> domain = {"b": [-0.5, -0.6], "a": [0.5, 0.6], "s": [-0.1, -0.1]}
    >>> round(feasible_ratio([0.2, 0.6], general, domain, T=100), 3)
    0.22
    """
    share = np.asarray(ratios, dtype=np.float64)
    if share.ndim != 1 or not len(share) or not (np.diff(share) > 0).all():
        raise LawError(f"ratios must be numbers that rise, not {ratios!r}.")
    if share[0] < 0 or share[-1] > 1:
        raise LawError(f"ratios must lie between 0 and 1, not {listing(share.tolist())}.")
    if not 0 < first < T < np.inf:
        raise LawError(f"T={T!r} must be above first={first!r}, and that above 0.")
    own = {**_by_ratio("general", general, continual_general.names, share)}
    new = {**_by_ratio("domain", domain, continual_change.names, share)}
    time = np.geomspace(first, T, _GRID)
    change = _general_change(own, time)
    peak = np.argmax(change, axis=1)[:, None]
    # A loss still rising at T has not peaked: its largest change is only the last.
    past = (np.arange(_GRID) >= peak) & (peak < _GRID - 1)
    falls = new["a"] * new["s"] < 0
    lowest = np.where(past & falls, change, np.inf).min(axis=1) - tolerance
    feasible = np.flatnonzero(lowest <= 0)
    if not len(feasible):
        return float("nan")
    last = feasible[-1]
    if last == len(share) - 1 or not np.isfinite(lowest[last + 1]):
        return float(share[last])
    part = -lowest[last] / (lowest[last + 1] - lowest[last])
    return float(share[last] + part * (share[last + 1] - share[last]))


def _general_change(p: Mapping[str, np.ndarray], T: np.ndarray) -> np.ndarray:
    """Return continual_general of parameters (m, 1) at tokens (t,): (m, t)."""
    risen, fallen = (1 - raised(T, -p[name]) for name in ("p", "q"))
    return p["b"] + p["rise"] * risen - p["fall"] * fallen


def _by_ratio(
    what: str, given: Mapping[str, Sequence[float]], names: tuple[str, ...], ratios: np.ndarray
) -> dict[str, np.ndarray]:
    """Return parameters as columns (m, 1); raises LawError for missing or unlike ones."""
    missing = [name for name in names if name not in given]
    if missing:
        raise LawError(f"{what} misses {listing(missing)}; it needs {listing(names)}.")
    found = {name: np.asarray(given[name], dtype=np.float64) for name in names}
    for name, values in found.items():
        if values.shape != ratios.shape:
            raise LawError(
                f"{what}[{name!r}] has {values.size} numbers; there are {len(ratios)} ratios."
            )
        if not np.isfinite(values).all():
            raise LawError(
                f"{what}[{name!r}] is not finite at the ratios "
                f"{listing(ratios[~np.isfinite(values)].tolist())}. Leave those ratios out."
            )
    return {name: values[:, None] for name, values in found.items()}
