"""Shapes against the rule: where scores turn, and a loss that grows."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js


def test_shapes_turn_where_they_say() -> None:
    C = np.array([1e19, 1e20, 1e21])
    u = js.laws.get("u_shape")(C, bottom=0.3, bend=0.1, C_0=1e20)
    n = js.laws.get("inverted_u")(C, top=0.3, bend=0.1, C_0=1e20)
    np.testing.assert_allclose(u, 0.3 + 0.1 * np.log(10) ** 2 * np.array([1, 0, 1]))
    np.testing.assert_allclose(u + n, 0.6)
    assert js.laws.get("inverse_scaling")(16.0, E=1.0, A=2.0, alpha=0.5) == pytest.approx(9.0)


@pytest.mark.parametrize("name", ["u_shape:N", "inverted_u:N"])
def test_the_turning_point_is_a_quantity_in_the_unit_of_the_input(name: str) -> None:
    law = js.laws.get(name)
    level = "bottom" if name.startswith("u_") else "top"
    p = {level: 0.3, "bend": 0.1, "C_0": 2e9}
    turn = law.quantities["turning_compute"](p)
    assert law.inputs == ("N",)
    assert turn == 2e9
    slopes = np.diff(law(turn * np.array([0.99, 1.0, 1.01]), **p))
    assert slopes[0] * slopes[1] < 0


def test_inverse_scaling_is_solved_for_its_input() -> None:
    law, p = js.laws.get("inverse_scaling"), {"E": 1.0, "A": 2.0, "alpha": 0.5}
    assert law.rising == ("C",)
    np.testing.assert_allclose(law.invert([9.0, 3.0], **p), [16.0, 1.0], rtol=1e-12)
    # No compute gives a loss at or below that of no compute.
    assert np.isnan(law.invert([1.0, 0.5], **p)).all()
