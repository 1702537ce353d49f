"""A law that the tests of this folder declare in many ways."""

from __future__ import annotations

from typing import Any

from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import Exponent, Scale


def simple(**declared: Any) -> Law:
    """A + x^alpha with any declaration."""

    @law(**declared)
    def simple(x: Any, *, A: Scale, alpha: Exponent) -> Any:
        return A + power(x, alpha)

    return simple
