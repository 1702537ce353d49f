"""Learning curves: three regions, and the implicit sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import jscale as js


def test_learning_curve_has_three_regions() -> None:
    p = {"E": 0.1, "height": 2.0, "D_c": 1e6, "beta": 0.4, "n": 2.0}
    law = js.laws.get("learning_curve")
    assert law(1e-4, **p) == pytest.approx(2.1, rel=1e-6)
    assert law(1e6, **p) == pytest.approx(0.1 + 2 / np.sqrt(2))
    assert law(1e14, **p) - 0.1 == pytest.approx(2 * 1e8**-0.4, rel=1e-5)


@pytest.mark.parametrize("a", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("D", [1.0, 1e4, 1e5, 1e9])
def test_m4_solves_its_equation(a: float, D: float) -> None:
    got = js.laws.get("m4")(D, E=0.1, height=0.8, D_c=1e5, beta=0.5, a=a)
    want: Any = brentq(
        lambda t: -np.logaddexp(0, -t) + a * np.logaddexp(0, t) - 0.5 * np.log(1e5 / D), -60, 300
    )
    assert got == pytest.approx(0.1 + 0.8 / (1 + np.exp(-want)), rel=1e-10)
