"""Laws of one axis, shapes, ensembles and regimes against values by hand and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import jscale as js


def test_power_shift_starts_level_and_ends_as_a_power() -> None:
    law, p = js.laws.get("power_shift"), {"E": 1.0, "A": 8.0, "B": 4.0, "alpha": 0.5}
    assert law(12.0, **p) == pytest.approx(3.0)
    assert law.quantities["starting_loss"](p) == pytest.approx(5.0)
    assert law(1e12, **p) == pytest.approx(1 + 8e-6)
    assert law.invert(3.0, **p) == pytest.approx(12.0)
    assert np.isnan(law.invert([0.9, 5.1], **p)).all()


def test_log_linear_gains_the_same_with_each_doubling() -> None:
    law = js.laws.get("log_linear")
    scores = law([1.0, 2.0, 4.0], a=0.1, b=0.3)
    np.testing.assert_allclose(np.diff(scores), 0.3 * np.log(2))
    assert law.invert(scores[2], a=0.1, b=0.3) == pytest.approx(4.0)


def test_stretched_is_a_line_in_log_log() -> None:
    y = js.laws.get("stretched")([1.0, 10.0], A=2.0, alpha=0.4)
    assert y[0] == pytest.approx(np.exp(-2))
    assert np.log(np.log(y[1]) / np.log(y[0])) / np.log(10) == pytest.approx(-0.4)


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
