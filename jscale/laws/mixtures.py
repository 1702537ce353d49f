"""Mixtures: loss as a function of the shares in which domains of data are mixed.

Shares are inputs named ``r_…`` and add up to 1, which is checked. Laws with a share of each domain
are made by a factory from the domains' names or their number: ``mixing:web,code,books`` has the
inputs r_web, r_code and r_books, ``mixing:3`` has r_1, r_2 and r_3. Continual pre-training, with
the one share of a new domain, is in :mod:`jscale.laws.continual`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import Exponent, Floor, Positive, Scale

_MOST_DOMAINS = 20


def _domains(law_name: str, given: Any) -> tuple[tuple[str, ...], str]:
    """Return the domains' names and the text that names them; raises LawError."""
    if isinstance(given, int) and not isinstance(given, bool) and 2 <= given <= _MOST_DOMAINS:
        return tuple(str(i) for i in range(1, given + 1)), f"{law_name}:{given}"
    names: tuple[Any, ...] = given if isinstance(given, tuple) else ()
    right = all(isinstance(name, str) and name.isidentifier() for name in names)
    if not (right and 2 <= len(names) <= _MOST_DOMAINS):
        raise LawError(
            f"{law_name} takes the names of 2 to {_MOST_DOMAINS} domains, or their number, not "
            f"{given!r}: {law_name}:web,code,books or {law_name}:3."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LawError(f"{law_name} has the domain {listing(twice)} more than once.")
    return names, f"{law_name}:{','.join(names)}"


@lru_cache
def mixing(domains: int | tuple[str, ...] = 2) -> Law:
    """Make the law L(r) = c + Π_j k_j^(r_j): loss on one target over shares r of training data.

    ``domains``: their names, or how many, 2 to 20. r_j: share of domain j in the training tokens,
    0 to 1, together 1. Output: loss in nats per token on a target, above c. k_j is the reducible
    loss of training on domain j alone, so the law is a geometric mean of these, weighted by
    shares; a domain with a small k_j helps the target.

    The source writes c + k·exp(Σ_j t_j·r_j). As shares add up to 1, its k and a constant added to
    all t_j are the same thing; here k_j = k·exp(t_j), which the data determine. Each of several
    targets has parameters of its own: ``js.fit_many(law, table, by="target")``. Size and tokens
    are the same in all rows. The source fits these for each target, and nests them in laws of
    size and steps. Where an optimum lies: :func:`jscale.planning.mixture.best_mixture`.
    Raises LawError for other numbers, and names that are no identifiers or repeat.
    Source: Ye et al., arXiv:2403.16952.

    >>> mixing(("web", "code")).inputs
    ('r_web', 'r_code')
    >>> float(mixing(2)(0.5, 0.5, c=2.0, k_1=1.0, k_2=0.25))
    2.5
    """
    names, text = _domains("mixing", domains)
    inputs = tuple(f"r_{name}" for name in names)
    amplitudes = tuple(f"k_{name}" for name in names)

    def mixed(*shares: Any, **p: Any) -> Any:
        import jax.numpy as jnp

        terms = zip(amplitudes, shares, strict=True)
        return p["c"] + jnp.exp(sum(r * jnp.log(p[k]) for k, r in terms))

    mixed.__doc__ = mixing.__wrapped__.__doc__
    roles: dict[str, Any] = {"c": Floor} | dict.fromkeys(amplitudes, Scale)
    return law(
        mixed,
        name=text,
        inputs=inputs,
        parameters=roles,
        formula="c + Π_j k_j^(r_j)",
        reference="arXiv:2403.16952",
        unit="nats per token",
        linear=("c",),
        simplex=inputs,
    )


@lru_cache
def mixture_additive(domains: int | tuple[str, ...] = 2) -> Law:
    """Make the law L(N, D, r) = E + 1/Σ_j C_j·r_j^(g_j) + A/N^alpha + B/D^beta.

    ``domains``: their names, or how many, 2 to 20. N: parameters. D: training tokens. r_j: share
    of domain j in them, 0 to 1, together 1 (the source writes h_j). Output: loss in nats per token
    on one target, above E. C_j says how much domain j helps the target, g_j how soon its share
    has done its part. Terms add up, so the best shares are the same at all sizes and tokens; the
    source has a joint form beside, in which they are not. Fitted at the source with Huber's loss
    and basin hopping. The form is as remembered, unverified.
    Raises LawError for other numbers, and names that are no identifiers or repeat.
    Source: Shukor et al., arXiv:2507.09404.

    >>> mixture_additive(("web", "code")).inputs
    ('N', 'D', 'r_web', 'r_code')
    """
    names, text = _domains("mixture_additive", domains)
    shares = tuple(f"r_{name}" for name in names)

    def added(N: Any, D: Any, *r: Any, **p: Any) -> Any:
        whole = sum(p[f"C_{j}"] * power(x, p[f"g_{j}"]) for j, x in zip(names, r, strict=True))
        return p["E"] + 1.0 / whole + p["A"] * power(N, -p["alpha"]) + p["B"] * power(D, -p["beta"])

    added.__doc__ = mixture_additive.__wrapped__.__doc__
    roles: dict[str, Any] = {"E": Floor, "A": Scale, "alpha": Exponent, "B": Scale}
    roles |= {"beta": Exponent}
    roles |= {f"C_{j}": Positive for j in names} | {f"g_{j}": Exponent for j in names}
    return law(
        added,
        name=text,
        inputs=("N", "D", *shares),
        parameters=roles,
        formula="E + 1/Σ_j C_j·r_j^(g_j) + A/N^alpha + B/D^beta",
        reference="arXiv:2507.09404",
        unit="nats per token",
        linear=("E", "A", "B"),
        powers=(("A", "N", "alpha"), ("B", "D", "beta")),
        falling=("N", "D"),
        simplex=shares,
        starts=64 * len(names),
    )


def _alone(p: Values, N: Any, D: Any) -> Any:
    """Return E + A/N^alpha + B/D^beta: the loss of a family that has all the tokens."""
    return p["E"] + p["A"] * raised(N, -p["alpha"]) + p["B"] * raised(D, -p["beta"])


def _monolingual_loss(p: Values, *, N: Any, D: Any) -> Any:
    """E + A/N^alpha + B/D^beta: the loss at a share of 1."""
    return _alone(p, N, D)


def _share_for_loss(p: Values, *, loss: Any, N: Any, D: Any) -> Any:
    """((E + A/N^alpha + B/D^beta)/L)^(1/gamma): the share that reaches a loss, up to 1."""
    share = raised(_alone(p, N, D) / loss, 1 / np.asarray(p["gamma"]))
    return np.where(share <= 1, share, np.nan)


@law(
    formula="(E + A/N^alpha + B/D^beta)·p^(-gamma)",
    reference="arXiv:2410.12883",
    unit="nats per token",
    linear=("E", "A", "B"),
    powers=(
        ("A", "N", "alpha"), ("B", "D", "beta"),
        ("E", "p", "gamma"), ("A", "p", "gamma"), ("B", "p", "gamma"),
    ),
    limits={"p": (0.0, 1.0)},
    falling=("N", "D", "p"),
    quantities={"monolingual_loss": _monolingual_loss, "share_for_loss": _share_for_loss},
)  # fmt: skip
def multilingual(
    N: Any, D: Any, p: Any, *,
    E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent, gamma: Exponent,
) -> Any:  # fmt: skip
    """L(N, D, p) = (E + A/N^alpha + B/D^beta)·p^(−gamma): one language family among others.

    N: parameters. D: training tokens of all families together. p: the family's share of them,
    above 0 and up to 1. Output: cross-entropy of the family in nats per token, above E at p = 1.
    How the rest is shared out among the other families does not matter, by the source's finding.
    Several families in one table: ``js.fit_many("multilingual", table, by="family")``. Fitted at
    the source in steps, with Huber's loss of logarithms; gamma from sweeps of p. Derived: the loss
    with all tokens, the share for a loss. The best shares of several families are
    :func:`best_language_shares`. The source finds that these hardly depend on N.
    Source: arXiv:2410.12883.
    """
    return (E + A * power(N, -alpha) + B * power(D, -beta)) * power(p, -gamma)


def best_language_shares(
    losses: Sequence[float], gammas: Sequence[float], weights: Sequence[float] | None = None
) -> np.ndarray:
    """Return the shares p that minimise Σ_i w_i·L_i·p_i^(−gamma_i), where Σ_i p_i = 1.

    ``losses``: L_i, the loss of family i with all tokens (multilingual's monolingual_loss at one N
    and D). ``gammas``: its exponents. ``weights``: w_i, how much it counts, all 1 by default; a
    family of weight 0 gets no share. At the optimum w_i·gamma_i·L_i·p_i^(−gamma_i − 1) is the same
    number mu for all i, so ln mu is the root of one falling function.
    Raises LawError for lists of unlike lengths and numbers that are not positive (weights: below 0,
    or all 0).
    Source: the law is arXiv:2410.12883's; its minimum follows by calculus.

    >>> best_language_shares([2.0, 2.0], [0.2, 0.2]).round(6).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import brentq

    loss, gamma = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (losses, gammas))
    weight = np.ones_like(loss) if weights is None else np.asarray(weights, dtype=np.float64)
    if loss.ndim != 1 or not loss.shape == gamma.shape == weight.shape:
        raise LawError(
            f"losses, gammas and weights must be equally long lists, but have shapes {loss.shape}, "
            f"{gamma.shape} and {weight.shape}."
        )
    for name, values in (("losses", loss), ("gammas", gamma)):
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            raise LawError(
                f"{name} must be positive and finite, not {listing(values[bad].tolist())}."
            )
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise LawError(f"weights must be 0 or more, one above 0, not {listing(weight.tolist())}.")
    counts = weight > 0
    height = np.log(weight[counts] * gamma[counts] * loss[counts])
    power_ = 1 + gamma[counts]

    def excess(log_mu: float) -> float:
        return float(np.logaddexp.reduce((height - log_mu) / power_))

    # At the lower end one share alone is 1 already; at the upper none is above 1/n.
    low, high = height.max(), (height + power_ * np.log(counts.sum())).max()
    root: Any = low if low == high else brentq(excess, low, high, xtol=1e-14)
    shares = np.zeros_like(loss)
    shares[counts] = np.exp((height - root) / power_)
    return shares / shares.sum()
