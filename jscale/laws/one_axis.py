"""Laws of one input: powers, with a floor or a shift, and logarithms.

The input is compute C unless another one is named: ``laws.get("power_const:N")``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Location, Real, Scale, Slope


def _power_input(p: Values, *, loss: Any) -> Any:
    """(A/L)^(1/alpha): compute that reaches a loss."""
    return input_of_power(loss, A=p["A"], exponent=-p["alpha"])


def _floor_input(p: Values, *, loss: Any) -> Any:
    """(A/(L − E))^(1/alpha): compute that reaches a loss; NaN at or below E."""
    return input_of_power(loss, E=p["E"], A=p["A"], exponent=-p["alpha"])


@law(
    name="power",
    formula="A·C^(-alpha)",
    reference="arXiv:2001.08361",
    unit="as fitted",
    linear=("A",),
    powers=(("A", "C", "alpha"),),
    falling=("C",),
    quantities={"compute_for_loss": _power_input},
    inverse=lambda loss, **p: _power_input(p, loss=loss),
)
def power_law(C: Any, *, A: Scale, alpha: Exponent) -> Any:
    """Loss as a pure power law of one input.

        L(C) = A·C^(−alpha)

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``power:N``), above 0.
    A : Scale
        Loss at C = 1, in the unit of the data, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, above 0.

    Notes
    -----
    The law is a straight line in logarithms. It has no irreducible loss, so it is too optimistic
    far beyond the data. The source fits by least squares of log L on log C.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.1–1.3.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("power:N")
    >>> float(law(16.0, A=8.0, alpha=0.5)), float(law.invert(2.0, A=8.0, alpha=0.5))
    (2.0, 16.0)
    """
    return A * power(C, -alpha)


@law(
    formula="E + A·C^(-alpha)",
    reference="arXiv:2010.14701",
    unit="as fitted",
    linear=("E", "A"),
    powers=(("A", "C", "alpha"),),
    falling=("C",),
    quantities={"compute_for_loss": _floor_input},
    inverse=lambda loss, **p: _floor_input(p, loss=loss),
)
def power_const(C: Any, *, E: Floor, A: Scale, alpha: Exponent) -> Any:
    """Loss as a power law of one input, with an irreducible loss.

        L(C) = E + A·C^(−alpha)

    Parameters
    ----------
    C : array_like
        Training FLOPs along the compute frontier, or another input (``power_const:N``), above 0.
    E : Floor
        Irreducible loss, in the unit of the data, above 0.
    A : Scale
        Reducible loss at C = 1, in the unit of the data, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, above E.

    References
    ----------
    .. [1] Henighan et al., Scaling Laws for Autoregressive Generative Modeling, arXiv:2010.14701,
       eq. 1.1.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("power_const")(16.0, E=1.0, A=8.0, alpha=0.5))
    3.0
    """
    return E + A * power(C, -alpha)


def _shifted_input(p: Values, *, loss: Any) -> Any:
    """(A/(L − E))^(1/alpha) − B: compute that reaches a loss; NaN if not above 0."""
    compute = _floor_input(p, loss=loss) - p["B"]
    # No positive input gives the loss of the plateau, or more.
    return np.where(compute > 0, compute, np.nan)


def _shifted_start(p: Values) -> Any:
    """E + A·B^(−alpha): loss without any compute, where the curve levels off."""
    return p["E"] + p["A"] * raised(p["B"], -p["alpha"])


@law(
    formula="E + A·(C + B)^(-alpha)",
    reference="arXiv:2506.04598",
    unit="as fitted",
    linear=("E", "A"),
    powers=(("A", "C", "alpha"),),
    axes={"B": "C"},
    falling=("C",),
    quantities={"compute_for_loss": _shifted_input, "starting_loss": _shifted_start},
    inverse=lambda loss, **p: _shifted_input(p, loss=loss),
)
def power_shift(C: Any, *, E: Floor, A: Scale, B: Location, alpha: Exponent) -> Any:
    """Loss as a power law of one input that levels off at little compute.

        L(C) = E + A·(C + B)^(−alpha)

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``power_shift:N``), above 0.
    E : Floor
        Irreducible loss, in the unit of the data, above 0.
    A : Scale
        Amplitude, above 0.
    B : Location
        Where the early plateau ends, in the unit of C, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    loss : array
        Loss in the unit of the data, between E and E + A·B^(−alpha).

    Notes
    -----
    Far above B the law is ``power_const``. The source fits errors along the compute frontier. This
    is not the form M3 of arXiv:2209.06640, whose shift is on 1/x and which levels off at large x.

    References
    ----------
    .. [1] Scaling Laws for Robust Comparison of Open Foundation Language-Vision Models and
       Datasets, arXiv:2506.04598.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.laws.get("power_shift")(12.0, E=1.0, A=8.0, B=4.0, alpha=0.5))
    3.0
    """
    return E + A * power(C + B, -alpha)


def _log_input(score: Any, *, a: Any, b: Any) -> Any:
    """Return the compute that reaches a score."""
    return np.exp((score - a) / b)


@law(
    formula="a + b·ln C",
    reference="arXiv:2310.05506",
    unit="as fitted",
    output="score",
    space="linear",
    linear=("a", "b"),
    positive=("C",),
    inverse=_log_input,
)
def log_linear(C: Any, *, a: Real, b: Slope) -> Any:
    """Score that gains the same amount with each doubling of one input.

        score(C) = a + b·ln C

    Parameters
    ----------
    C : array_like
        Training FLOPs, or another input (``log_linear:D``; augmented samples at the source), above
        0.
    a : Real
        Score at C = 1, of any sign.
    b : Slope
        Gain per e-fold, of any sign; b·ln 2 is the gain per doubling.

    Returns
    -------
    score : array
        Score in the unit of the data, of any sign.

    Notes
    -----
    The law has no bounds, so that a score in [0, 1] leaves them far beyond the data. Fitted by
    least squares.

    References
    ----------
    .. [1] MuggleMath, Query and Response Augmentation, arXiv:2310.05506.

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("log_linear")(100.0, a=0.1, b=0.1)), 3)
    0.561
    """
    import jax.numpy as jnp

    return a + b * jnp.log(C)


def _stretched_input(score: Any, *, A: Any, alpha: Any) -> Any:
    """Return the samples that reach a share."""
    return raised(-np.log(raised(score, 1.0)) / A, -1 / alpha)


@law(
    formula="exp(-A·k^(-alpha))",
    reference="arXiv:2407.21787",
    unit="share of problems in [0, 1]",
    output="score",
    powers=(("A", "k", "alpha"),),
    limits={"score": (0.0, 1.0)},
    rising=("k",),
    inverse=_stretched_input,
)
def stretched(k: Any, *, A: Scale, alpha: Exponent) -> Any:
    """Share of problems solved by repeated sampling.

        c(k) = exp(−A·k^(−alpha))

    Parameters
    ----------
    k : array_like
        Samples per problem, or another input (``stretched:C``), above 0.
    A : Scale
        −ln of the share at k = 1, above 0.
    alpha : Exponent
        Exponent, above 0.

    Returns
    -------
    score : array
        Share of problems that are solved, between 0 and 1, which it approaches.

    Notes
    -----
    The law is a straight line of slope −alpha in ln(−ln c) on ln k. The source writes exp(a·k^b)
    with a and b below 0.

    References
    ----------
    .. [1] Large Language Monkeys: Scaling Inference Compute with Repeated Sampling,
       arXiv:2407.21787.

    Examples
    --------
    >>> import jscale as js
    >>> round(float(js.laws.get("stretched")(16, A=4.0, alpha=0.5)), 3)
    0.368
    """
    import jax.numpy as jnp

    return jnp.exp(-A * power(k, -alpha))
