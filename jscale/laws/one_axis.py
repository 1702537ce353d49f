"""Laws of one input: a pure power, and a power with an irreducible loss.

The input is compute C unless another is named: ``laws.get("power_const:N")``.
"""

from __future__ import annotations

from typing import Any

from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Floor, Scale


@law(
    name="power",
    formula="A·C^(-alpha)",
    reference="arXiv:2001.08361",
    unit="as fitted",
    linear=("A",),
    powers=(("A", "C", "alpha"),),
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
)
def power_const(C: Any, *, E: Floor, A: Scale, alpha: Exponent) -> Any:
    """L(C) = E + A·C^(−alpha): a power law with an irreducible loss.

    C: training FLOPs along the compute frontier (or another input, ``power_const:N``).
    Output: loss in the unit of the data, above E. E is the irreducible loss, A·C^(−alpha) the
    reducible one. Source: Henighan et al., arXiv:2010.14701, eq. 1.1.
    """
    return E + A * power(C, -alpha)
