"""Continual pre-training: a new domain in the mixture, and its cost on general data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Fraction, Positive, Real, Scale, Slope

# Tokens at which the change of the general loss is evaluated.
_GRID = 2001


@law(
    formula="E + A/N^alpha + B·r^eta/D^beta + C/(r + e)^gamma",
    reference="arXiv:2406.01375",
    unit="nats per token",
    linear=("E", "A", "B", "C"),
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    limits={"r": (0.0, 1.0)},
    falling=("N", "D"),
    # Exponents of a share may exceed 1.
    start={"e": (0.01, 0.5), "eta": (0.1, 2.0), "gamma": (0.1, 2.0), "C": (0.01, 1.0)},
)
def domain_continual(
    N: Any,
    D: Any,
    r: Any,
    *,
    E: Floor,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    eta: Exponent,
    C: Positive,
    e: Fraction,
    gamma: Exponent,
) -> Any:
    """Loss on one of two domains, by size, tokens and the domain's share in continual pre-training.

        L(N, D, r) = E + A/N^alpha + B·r^eta/D^beta + C/(r + e)^gamma

    Parameters
    ----------
    N : array_like
        Parameters of the model, above 0.
    D : array_like
        Tokens of continual pre-training, above 0.
    r : array_like
        Share of this domain in the tokens, 0 to 1; the other domain has 1 − r.
    E : Floor
        Irreducible loss, in nats per token, above 0.
    A : Scale
        Amplitude of the size term, above 0.
    alpha : Exponent
        Exponent of size, above 0.
    B : Scale
        Amplitude of what more tokens still gain, above 0.
    beta : Exponent
        Exponent of tokens, above 0.
    eta : Exponent
        Exponent of the share in the token term, above 0.
    C : Positive
        Amplitude of the loss from lacking the domain's data, above 0.
    e : Fraction
        Offset of the share, between 0 and 1: without the domain's data the last term is C/e^gamma.
    gamma : Exponent
        Exponent of the share in the last term, above 0.

    Returns
    -------
    loss : array
        Loss on the domain in nats per token, above E.

    Notes
    -----
    The losses on the two domains are two fits, each with its own share. Only the size, the tokens
    and the share at the end of a run count. The form is from memory and unverified.

    References
    ----------
    .. [1] D-CPT Law: Domain-specific Continual Pre-Training Scaling Law, arXiv:2406.01375.

    Examples
    --------
    >>> import jscale as js
    >>> constants = {"E": 1.0, "A": 100.0, "alpha": 0.25, "B": 1e3, "beta": 0.25,
    ...              "eta": 0.5, "C": 0.2, "e": 0.25, "gamma": 0.5}
    >>> round(float(js.laws.get("domain_continual")(1e8, 1e12, 0.0, **constants)), 3)
    2.4
    """
    return E + A * power(N, -alpha) + B * power(r, eta) * power(D, -beta) + C * power(r + e, -gamma)


def _tokens_for_change(p: Values, *, change: Any) -> Any:
    """((dL − b)/a)^(1/s): tokens after which the loss has changed by dL."""
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
    """Change of the loss on a new domain since continual pre-training began.

        dL(T) = b + a·T^s

    Parameters
    ----------
    T : array_like
        Tokens of continual pre-training, in any unit (200 million at the source), above 0.
    b : Real
        Constant part of the change, in nats per token, of any sign.
    a : Real
        Amplitude of the power, of any sign.
    s : Slope
        Exponent of tokens, of any sign. The loss falls where a and s have different signs.

    Returns
    -------
    change : array
        Loss minus that of the model at the start, in nats per token, of any sign.

    Notes
    -----
    The source also fits this form over shares at fixed tokens: ``continual_change:R``. Each share
    is one fit: ``js.fit_many("continual_change", table, by="R")``. At s = 0 the two terms coincide.
    The coefficients of the source were not available.

    References
    ----------
    .. [1] CMR Scaling Law: Predicting Critical Mixture Ratios for Continual Pre-training,
       arXiv:2407.17467.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("continual_change")(4.0, b=-0.5, a=0.5, s=-0.5))
    -0.25
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
    """Change of the loss on general data in continual pre-training: a rise, then a fall.

        dL(T) = b + rise·(1 − T^(−p)) − fall·(1 − T^(−q))

    Parameters
    ----------
    T : array_like
        Tokens in a unit close to those of the first checkpoint (200 million at the source), above
        0.
    b : Real
        Change at T = 1, in nats per token, of any sign.
    rise : Positive
        Damage done in the end, in nats per token, above 0.
    p : Exponent
        Exponent with which the damage is done, above 0.
    fall : Positive
        Loss regained in the end, in nats per token, above 0.
    q : Exponent
        Exponent with which it is regained, above 0.

    Returns
    -------
    change : array
        Loss on general data minus that of the model at the start, in nats per token, of any sign.

    Notes
    -----
    The source writes two powers and a constant, a2·T^s2 + a3·T^s3 + b2. Here s2 = −p, s3 = −q, a2 =
    −rise, a3 = fall and b2 = b + rise − fall. Negative exponents let both parts converge; the signs
    of the source's exponents were not available.

    References
    ----------
    .. [1] CMR Scaling Law: Predicting Critical Mixture Ratios for Continual Pre-training,
       arXiv:2407.17467.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("continual_general")
    >>> round(float(law(4.0, b=0.0, rise=0.4, p=1.0, fall=0.2, q=0.5)), 3)
    0.2
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
    """Critical mixture ratio of a new domain for a budget of tokens.

        R(T) = b + a·T^s

    Parameters
    ----------
    T : array_like
        Tokens of continual pre-training, in any unit, above 0.
    b : Real
        Constant part of the ratio, of any sign.
    a : Real
        Amplitude of the power, of any sign.
    s : Slope
        Exponent of tokens, of any sign.

    Returns
    -------
    R : array
        Largest share of the new domain, 0 to 1, with which the general loss returns to within a
        tolerance of its value at the start.

    Notes
    -----
    :func:`jscale.feasible_ratio` reads the ratio off fits. Nothing in the form keeps it between 0
    and 1 beyond the fitted budgets. After 20 billion tokens of finance the source reports 29.8%
    for 0.46 billion parameters, rising to 47.8% for 3.1 billion (second-hand); its coefficients
    were not available.

    References
    ----------
    .. [1] CMR Scaling Law: Predicting Critical Mixture Ratios for Continual Pre-training,
       arXiv:2407.17467.

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("critical_ratio")(16.0, b=0.1, a=0.05, s=0.5)), 3)
    0.3
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
    """Return the critical mixture ratio, the largest feasible share of a new domain.

    Parameters
    ----------
    ratios : sequence of float
        Shares that were tried, rising, within 0 to 1.
    general : mapping of str to sequence
        Parameters of ``continual_general`` for each share, such as the ``params`` of
        ``js.fit_many("continual_general", table, by="R")``.
    domain : mapping of str to sequence
        Parameters of ``continual_change`` for each share.
    T : float
        Budget of tokens, in the unit of the fits.
    first : float, optional
        Tokens from which on the losses are considered.
    tolerance : float, optional
        Largest acceptable change of the general loss; the default of 0.05 nats per token is the
        source's.

    Returns
    -------
    float
        The critical ratio: NaN if no share is feasible, the largest share tried if all are.

    Raises
    ------
    LawError
        If the ratios do not rise within 0 to 1, parameters are missing, not finite or of another
        number, or T is not above ``first``.

    Notes
    -----
    A share is feasible if at some tokens between ``first`` and ``T``, after the general loss has
    peaked, its change is at most ``tolerance`` while the loss on the domain falls. Between the last
    feasible share and the next one the lowest change is interpolated. That the peak must come first
    is our reading: before the peak every share would pass.

    References
    ----------
    .. [1] CMR Scaling Law: Predicting Critical Mixture Ratios for Continual Pre-training,
       arXiv:2407.17467.

    Examples
    --------
    >>> import jscale as js
    >>> general = {"b": [0, 0], "rise": [0.1, 0.3], "p": [2, 2]}
    >>> general |= {"fall": [0.1, 0.1], "q": [0.2, 0.2]}
    >>> domain = {"b": [-0.5, -0.6], "a": [0.5, 0.6], "s": [-0.1, -0.1]}
    >>> round(js.feasible_ratio([0.2, 0.6], general, domain, T=100), 3)
    0.22
    """
    share = np.asarray(ratios, dtype=np.float64)
    if share.ndim != 1 or not len(share) or not (np.diff(share) > 0).all():
        raise LawError(f"ratios must be rising numbers, not {ratios!r}.")
    if share[0] < 0 or share[-1] > 1:
        raise LawError(f"ratios must lie between 0 and 1, not {listing(share.tolist())}.")
    if not 0 < first < T < np.inf:
        raise LawError(f"T={T!r} must be above first={first!r}, which must be above 0.")
    of_general = _by_ratio("general", general, continual_general.names, share)
    of_domain = _by_ratio("domain", domain, continual_change.names, share)
    # Both changes are powers of tokens, so the grid is even in their logarithm.
    time = np.geomspace(first, T, _GRID)
    change = _general_change(of_general, time)
    peak = np.argmax(change, axis=1)[:, None]
    # A loss that still rises at T has not peaked: its largest change is merely the last one.
    past = (np.arange(_GRID) >= peak) & (peak < _GRID - 1)
    falls = of_domain["a"] * of_domain["s"] < 0
    lowest = np.where(past & falls, change, np.inf).min(axis=1) - tolerance
    feasible = np.flatnonzero(lowest <= 0)
    if not len(feasible):
        return float("nan")
    # All larger shares fail; the boundary lies before the next one that was tried.
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
    """Return parameters as columns (m, 1); raise LawError if one is missing or has another size."""
    missing = [name for name in names if name not in given]
    if missing:
        raise LawError(f"{what} misses {listing(missing)}; it needs {listing(names)}.")
    parameters = {name: np.asarray(given[name], dtype=np.float64) for name in names}
    for name, values in parameters.items():
        if values.shape != ratios.shape:
            raise LawError(
                f"{what}[{name!r}] has {values.size} numbers; there are {len(ratios)} ratios."
            )
        if not np.isfinite(values).all():
            raise LawError(
                f"{what}[{name!r}] is not finite at the ratios "
                f"{listing(ratios[~np.isfinite(values)].tolist())}. Remove those ratios."
            )
    return {name: values[:, None] for name, values in parameters.items()}
