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


_DOCUMENT = """Power law whose log-log slope changes smoothly at breaks.

    L(C) = a + b·C^(−c0)·Π_i (1 + (C/d_i)^(1/f_i))^(−c_i·f_i)

Parameters
----------
C : array_like
    Training FLOPs, or another input (``broken:2:D``), above 0.
a : Floor
    Limit of the output, above 0.
b : Scale
    Amplitude of the power law, above 0.
c0 : Exponent
    Exponent before the first break, above 0.
{breaks}

Returns
-------
loss : array
    Output in the unit of the data, above ``a``.

References
----------
.. [1] Caballero et al., Broken Neural Scaling Laws, arXiv:2210.14891, eq. 1.

Examples
--------
>>> import jscale as js
>>> law = js.laws.get("broken:1")
>>> float(law(4.0, a=1.0, b=8.0, c0=0.5, c1=0.0, d1=2.0, f1=0.5))
5.0
"""
_BREAK = """c{i} : Slope
    Change of the log-log slope at break {i}, of any sign.
d{i} : Location
    Position of break {i}, in the unit of the input, above 0.
f{i} : Positive
    Width of break {i}, in e-folds of the input, above 0; small values are sharp."""


def _document(breaks: int) -> str:
    """Return the docstring of the law with this number of breaks."""
    return _DOCUMENT.format(breaks="\n".join(_BREAK.format(i=i + 1) for i in range(breaks)))


@lru_cache
def broken(breaks: int = 1) -> Law:
    """Make the broken neural scaling law with a given number of breaks.

        L(C) = a + b·C^(−c0)·Π_i (1 + (C/d_i)^(1/f_i))^(−c_i·f_i)

    Parameters
    ----------
    breaks : int, optional
        Number of breaks, 1 to 6.

    Returns
    -------
    Law
        The law, whose input is C; ``laws.get("broken:2:D")`` uses another column.

    Raises
    ------
    LawError
        If ``breaks`` is not an integer from 1 to 6.

    References
    ----------
    .. [1] Caballero et al., Broken Neural Scaling Laws, arXiv:2210.14891, eq. 1.

    Examples
    --------
    >>> from jscale.laws.broken import broken
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
            # ln(1 + (C/d)^(1/f)) in logarithms, because the power itself overflows at sharp breaks.
            past = jnp.logaddexp(0.0, (jnp.log(C) - jnp.log(p[f"d{i}"])) / p[f"f{i}"])
            log_product = log_product - p[f"c{i}"] * p[f"f{i}"] * past
        return p["a"] + p["b"] * power(C, -p["c0"]) * jnp.exp(log_product)

    broken_power.__doc__ = _document(breaks)
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
        # Breaks are searched along the range of the input, and are sharp or gentle within it.
        axes={f"d{i}": "C" for i in range(1, breaks + 1)},
        start={f"f{i}": (0.05, 1.0) for i in range(1, breaks + 1)},
        # Breaks may be placed in many ways: more of them take more starts.
        starts=64 * breaks,
    )
