"""Laws of one input: powers, with a floor or a shift, logarithms, and curves with two plateaus.

The input is compute C unless another is named: ``laws.get("power_const:N")``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, input_of_power, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Location, Positive, Real, Scale, Slope
from jscale.model.root import root


def _power_input(p: Values, *, loss: Any) -> Any:
    """(A/L)^(1/alpha): the compute that reaches a loss."""
    return input_of_power(loss, A=p["A"], exponent=-p["alpha"])


def _floor_input(p: Values, *, loss: Any) -> Any:
    """(A/(L − E))^(1/alpha): the compute that reaches a loss; NaN at or below E."""
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
    """L(C) = A·C^(−alpha): a pure power law.

    C: training FLOPs (or another input, ``power:N``). Output: loss in the unit of the data,
    above 0. Fitted at the source by least squares of log L on log C. A straight line in
    logarithms: it has no irreducible loss, so it promises too much far out.
    Source: Kaplan et al., arXiv:2001.08361, eq. 1.1–1.3.
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
    """L(C) = E + A·C^(−alpha): a power law with an irreducible loss.

    C: training FLOPs along the compute frontier (or another input, ``power_const:N``).
    Output: loss in the unit of the data, above E. E is the irreducible loss, A·C^(−alpha) the
    reducible one. Source: Henighan et al., arXiv:2010.14701, eq. 1.1.
    """
    return E + A * power(C, -alpha)


def _shifted_input(p: Values, *, loss: Any) -> Any:
    """(A/(L − E))^(1/alpha) − B: the compute that reaches a loss; NaN if not above 0."""
    found = _floor_input(p, loss=loss) - p["B"]
    return np.where(found > 0, found, np.nan)


def _shifted_start(p: Values) -> Any:
    """E + A·B^(−alpha): the loss at no compute at all, where the curve levels off."""
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
    """L(C) = E + A·(C + B)^(−alpha): a power law that levels off at little compute.

    C: training FLOPs (or another input, ``power_shift:N``). B, in units of C: where the early
    plateau ends. Output: loss in the unit of the data, between E and E + A·B^(−alpha). Far above
    B it is ``power_const``. Fitted at the source to errors along the frontier of compute. Not the
    form M3 of arXiv:2209.06640, whose shift is on 1/x: that one levels off at large x.
    Source: arXiv:2506.04598.
    """
    return E + A * power(C + B, -alpha)


def _log_input(score: Any, *, a: Any, b: Any) -> Any:
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
    """score(C) = a + b·ln C: a score that gains as much with each doubling.

    C: training FLOPs (or another input, ``log_linear:D``; augmented samples at the source).
    Output: a score in the unit of the data, of any sign; it has no bounds, so a score in [0, 1]
    leaves them far out. b·ln 2 is the gain of a doubling. Fitted by least squares.
    Source: MuggleMath, arXiv:2310.05506.
    """
    import jax.numpy as jnp

    return a + b * jnp.log(C)


def _stretched_input(score: Any, *, A: Any, alpha: Any) -> Any:
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
    """c(k) = exp(−A·k^(−alpha)): the share of problems that k samples solve.

    k: samples per problem (or another input, ``stretched:C``). Output: a share between 0 and 1,
    which rises to 1. The source writes exp(a·k^b) with a and b below 0. A line in ln(−ln c) on
    ln k, with slope −alpha. Source: Large Language Monkeys, arXiv:2407.21787.
    """
    import jax.numpy as jnp

    return jnp.exp(-A * power(k, -alpha))


def _curve_input(loss: Any, *, E: Any, height: Any, D_c: Any, beta: Any, n: Any) -> Any:
    share = raised((loss - E) / height, 1.0)
    return D_c * raised(raised(share, -n) - 1, 1 / (n * beta))


@law(
    formula="E + height/(1 + (D/D_c)^(n·beta))^(1/n)",
    reference="arXiv:1712.00409",
    unit="as fitted",
    linear=("E", "height"),
    axes={"D_c": "D"},
    start={"n": (0.5, 4.0)},
    falling=("D",),
    inverse=_curve_input,
)
def learning_curve(
    D: Any, *, E: Floor, height: Scale, D_c: Location, beta: Exponent, n: Positive
) -> Any:
    """L(D) = E + height/(1 + (D/D_c)^(n·beta))^(1/n): guessing, a power law, and a floor.

    D: training examples or tokens. height is the loss of a best guess less the floor E; D_c is
    where the power law begins, beta its exponent, n how sharply it begins. Output: loss or error
    in the unit of the data, between E and E + height. The source fits the regions piece by piece;
    this smooth form is ours. Source: Hestness et al., arXiv:1712.00409.
    """
    import jax
    import jax.numpy as jnp

    past = jax.nn.softplus(n * beta * (jnp.log(D) - jnp.log(D_c)))
    return E + height * jnp.exp(-past / n)


def _m4_equation(t: Any, args: tuple[Any, Any]) -> Any:
    import jax

    a, right = args
    return -jax.nn.softplus(-t) + a * jax.nn.softplus(t) - right


def _m4_logit(a: Any, right: Any) -> Any:
    """Solve ln s − a·ln(1 − s) = right for the logit of s, between bounds that hold it."""
    import jax.numpy as jnp

    low = jnp.minimum(right, 0.0) - 0.7 * a - 1.0
    high = jnp.maximum((right + 0.7) / a, 0.0) + 1.0
    return root(_m4_equation, (a, right), low, high)


def _m4_input(loss: Any, *, E: Any, height: Any, D_c: Any, beta: Any, a: Any) -> Any:
    share = (loss - E) / height
    return D_c * raised(raised(share, 1.0) / raised(1 - share, a), -1 / beta)


@law(
    formula="E + height·s, s/(1 - s)^a = (D_c/D)^beta",
    reference="arXiv:2209.06640",
    unit="as fitted",
    linear=("E", "height"),
    axes={"D_c": "D"},
    start={"a": (0.2, 3.0)},
    falling=("D",),
    inverse=_m4_input,
)
def m4(D: Any, *, E: Floor, height: Scale, D_c: Location, beta: Exponent, a: Positive) -> Any:
    """L(D) = E + height·s, where s/(1 − s)^a = (D_c/D)^beta: a sigmoid in ln D.

    D: training examples (or another input, ``m4:C``). E_0 = E + height is the loss of a guess, E
    the floor. Output: loss or error in the unit of the data, between the two. The source's
    amplitude is D_c^beta·height^(1−a); D_c keeps the law linear in E and height. The loss is on
    both sides, and found as a root. Source: arXiv:2209.06640 (M4).
    """
    import jax
    import jax.numpy as jnp

    right = beta * (jnp.log(D_c) - jnp.log(D))
    a, right = jnp.broadcast_arrays(jnp.asarray(a, right.dtype), right)
    return E + height * jax.nn.sigmoid(jnp.vectorize(_m4_logit)(a, right))
