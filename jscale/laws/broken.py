"""The broken neural scaling law: a power law whose slope changes at breaks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jscale.errors import LawError
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import Exponent, Floor, Location, Positive, Scale, Slope

_MOST_BREAKS = 6


@lru_cache
def broken(breaks: int = 1) -> Law:
    """Make the law L(C) = a + b·C^(−c0)·Π_i (1 + (C/d_i)^(1/f_i))^(−c_i·f_i).

    ``breaks``: how many breaks, 1 to 6. C: training FLOPs (or another input, ``broken:2:D``).
    a is the limit, d_i where break i lies, f_i how smooth it is (in e-folds of the input), c_i
    how much the log-log slope changes there. Output: as the data, above a.
    Raises LawError for another number of breaks.
    Source: Caballero et al., arXiv:2210.14891, eq. 1.

    >>> broken(2).names
    ('a', 'b', 'c0', 'c1', 'd1', 'f1', 'c2', 'd2', 'f2')
    """
    if not isinstance(breaks, int) or not 1 <= breaks <= _MOST_BREAKS:
        raise LawError(f"broken takes 1 to {_MOST_BREAKS} breaks, not {breaks!r}: broken:2.")
    roles: dict[str, Any] = {"a": Floor, "b": Scale, "c0": Exponent}
    for i in range(1, breaks + 1):
        roles |= {f"c{i}": Slope, f"d{i}": Location, f"f{i}": Positive}

    def broken_power(C: Any, **p: Any) -> Any:
        import jax.numpy as jnp

        log_product = 0.0
        for i in range(1, breaks + 1):
            # ln(1 + (C/d)^(1/f)) as a soft maximum: right where the power itself overflows.
            past = jnp.logaddexp(0.0, (jnp.log(C) - jnp.log(p[f"d{i}"])) / p[f"f{i}"])
            log_product = log_product - p[f"c{i}"] * p[f"f{i}"] * past
        return p["a"] + p["b"] * power(C, -p["c0"]) * jnp.exp(log_product)

    broken_power.__doc__ = broken.__wrapped__.__doc__
    return law(
        broken_power,
        name=f"broken:{breaks}",
        inputs=("C",),
        parameters=roles,
        formula="a + b·C^(-c0)·Π_i (1 + (C/d_i)^(1/f_i))^(-c_i·f_i)",
        reference="arXiv:2210.14891",
        unit="as fitted",
        linear=("a", "b"),
        powers=(("b", "C", "c0"),),
        axes={f"d{i}": "C" for i in range(1, breaks + 1)},
        start={f"f{i}": (0.05, 1.0) for i in range(1, breaks + 1)},
        starts=64 * breaks,
    )
