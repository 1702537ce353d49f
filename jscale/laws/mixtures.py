"""Data mixtures: loss by the shares in which domains of data are mixed.

Shares are inputs named ``r_…`` that add up to 1, which is checked. A factory makes a law from the
names of the domains or their number: ``mixing:web,code,books`` has the inputs r_web, r_code and
r_books, ``mixing:3`` has r_1, r_2 and r_3. Laws of a single share are in
:mod:`jscale.laws.languages` and :mod:`jscale.laws.continual`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jscale.errors import LawError, listing
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import Exponent, Floor, Positive, Scale

_MOST_DOMAINS = 20


def _domains(law_name: str, given: Any) -> tuple[tuple[str, ...], str]:
    """Return the names of the domains and the name of the law; raise LawError for others."""
    if isinstance(given, int) and not isinstance(given, bool) and 2 <= given <= _MOST_DOMAINS:
        return tuple(str(i) for i in range(1, given + 1)), f"{law_name}:{given}"
    names: tuple[Any, ...] = given if isinstance(given, tuple) else ()
    valid = all(isinstance(name, str) and name.isidentifier() for name in names)
    if not (valid and 2 <= len(names) <= _MOST_DOMAINS):
        raise LawError(
            f"{law_name} takes the names of 2 to {_MOST_DOMAINS} domains, or their number, not "
            f"{given!r}: {law_name}:web,code,books or {law_name}:3."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LawError(f"{law_name} has the domain {listing(twice)} more than once.")
    return names, f"{law_name}:{','.join(names)}"


_MIXING = """Loss on one target by the shares of the training data: a geometric mean over domains.

    L(r) = c + Π_j k_j^(r_j)

Parameters
----------
{shares} : array_like
    Share of each domain in the training tokens, 0 to 1; the shares add up to 1.
c : Floor
    Irreducible loss on the target, in nats per token, above 0.
{amplitudes} : Scale
    Reducible loss of training on each domain alone, in nats per token, above 0. A domain with a
    small k_j helps the target.

Returns
-------
loss : array
    Loss on the target in nats per token, above c.

Notes
-----
Size and tokens are the same in all rows. The source writes c + k·exp(Σ_j t_j·r_j). As the shares
add up to 1, its k is equivalent to a constant added to all t_j; k_j = k·exp(t_j) here is determined
by the data. Each of several targets has parameters of its own: ``js.fit_many(law, table,
by="target")``. The source fits these for each target, and nests them in laws of size and steps.

References
----------
.. [1] Ye et al., Data Mixing Laws, arXiv:2403.16952.

Examples
--------
>>> import jscale as js
>>> float(js.laws.get("mixing:web,code")(0.5, 0.5, c=2.0, k_web=1.0, k_code=0.25))
2.5
"""


@lru_cache
def mixing(domains: int | tuple[str, ...] = 2) -> Law:
    """Make the data-mixing law of given domains.

        L(r) = c + Π_j k_j^(r_j)

    Parameters
    ----------
    domains : int or tuple of str, optional
        Names of the domains, or their number, 2 to 20.

    Returns
    -------
    Law
        The law of one target's loss, with a share ``r_…`` of each domain as inputs.

    Raises
    ------
    LawError
        If there are fewer than 2 or more than 20 domains, or names are no identifiers or repeat.

    Notes
    -----
    The optimum of the shares is found by :func:`jscale.planning.mixture.best_mixture`.

    References
    ----------
    .. [1] Ye et al., Data Mixing Laws, arXiv:2403.16952.

    Examples
    --------
    >>> from jscale.laws.mixtures import mixing
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

    mixed.__doc__ = _MIXING.format(shares=", ".join(inputs), amplitudes=", ".join(amplitudes))
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


_ADDITIVE = """Loss on one target by size, data and the shares of the training data.

    L(N, D, r) = E + 1/Σ_j C_j·r_j^(g_j) + A/N^alpha + B/D^beta

Parameters
----------
N : array_like
    Parameters of the model, above 0.
D : array_like
    Training tokens, above 0.
{shares} : array_like
    Share of each domain in the tokens (the source writes h_j), 0 to 1; the shares add up to 1.
E : Floor
    Irreducible loss on the target, in nats per token, above 0.
A : Scale
    Amplitude of the size term, above 0.
alpha : Exponent
    Exponent of size, above 0.
B : Scale
    Amplitude of the data term, above 0.
beta : Exponent
    Exponent of data, above 0.
{helps} : Positive
    Help of each domain for the target, in 1/nats, above 0.
{exponents} : Exponent
    Exponent of each share, above 0; with a small one a little of the domain does most of its part.

Returns
-------
loss : array
    Loss on the target in nats per token, above E.

Notes
-----
Because the terms add up, the optimal shares are the same at all sizes and tokens; the source also
has a joint form, in which they are not. It fits with Huber's loss and basin hopping. The form is
from memory and unverified.

References
----------
.. [1] Shukor et al., Scaling Laws for Optimal Data Mixtures, arXiv:2507.09404.

Examples
--------
>>> import jscale as js
>>> constants = {{"E": 1.0, "A": 100.0, "alpha": 0.25, "B": 1000.0, "beta": 0.25}}
>>> constants |= {{"C_web": 2.0, "g_web": 1.0, "C_code": 2.0, "g_code": 1.0}}
>>> law = js.laws.get("mixture_additive:web,code")
>>> round(float(law(1e8, 1e12, 0.5, 0.5, **constants)), 3)
3.5
"""


@lru_cache
def mixture_additive(domains: int | tuple[str, ...] = 2) -> Law:
    """Make the additive mixture law of given domains.

        L(N, D, r) = E + 1/Σ_j C_j·r_j^(g_j) + A/N^alpha + B/D^beta

    Parameters
    ----------
    domains : int or tuple of str, optional
        Names of the domains, or their number, 2 to 20.

    Returns
    -------
    Law
        The law of one target's loss, with N, D and a share ``r_…`` of each domain as inputs.

    Raises
    ------
    LawError
        If there are fewer than 2 or more than 20 domains, or names are no identifiers or repeat.

    References
    ----------
    .. [1] Shukor et al., Scaling Laws for Optimal Data Mixtures, arXiv:2507.09404.

    Examples
    --------
    >>> from jscale.laws.mixtures import mixture_additive
    >>> mixture_additive(("web", "code")).inputs
    ('N', 'D', 'r_web', 'r_code')
    """
    names, text = _domains("mixture_additive", domains)
    shares = tuple(f"r_{name}" for name in names)

    def added(N: Any, D: Any, *r: Any, **p: Any) -> Any:
        whole = sum(p[f"C_{j}"] * power(x, p[f"g_{j}"]) for j, x in zip(names, r, strict=True))
        return p["E"] + 1.0 / whole + p["A"] * power(N, -p["alpha"]) + p["B"] * power(D, -p["beta"])

    added.__doc__ = _ADDITIVE.format(
        shares=", ".join(shares),
        helps=", ".join(f"C_{name}" for name in names),
        exponents=", ".join(f"g_{name}" for name in names),
    )
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
        # Two parameters per domain: more of them take more starts.
        starts=64 * len(names),
    )
