"""Kaplan's laws of trained models: lines, limits of the joint form, and what follows from it."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.laws.numeric import lowest, solve

JOINT = {"N_c": 6e13, "alpha_N": 0.076, "D_c": 2e13, "alpha_D": 0.1}
LINES = {
    "kaplan_size": {"N_c": 8e13, "alpha_N": 0.076},
    "kaplan_data": {"D_c": 5e13, "alpha_D": 0.095},
    "kaplan_compute": {"C_c": 2.5e28, "alpha_C": 0.05},
}


@pytest.mark.parametrize("name", LINES)
def test_lines_and_their_inverses(name: str) -> None:
    law, p = js.laws.get(name), LINES[name]
    centre, exponent = p.values()
    assert law(centre, **p) == 1.0
    assert law(centre / 2.0 ** (1 / exponent), **p) == pytest.approx(2.0, rel=1e-12)
    x = np.geomspace(1e6, 1e12, 5)
    np.testing.assert_allclose(law.invert(law(x, **p), **p), x, rtol=1e-9)
    assert np.isnan(law.invert(-1.0, **p))
    np.testing.assert_allclose(
        law(x, **p), js.laws.get("power")(x, A=centre**exponent, alpha=exponent), rtol=1e-12
    )


def test_joint_form_has_the_lines_as_limits() -> None:
    law, sizes = js.laws.get("kaplan"), js.laws.get("kaplan_size")
    data = js.laws.get("kaplan_data")
    N, D = 1e9, 1e10
    endless = law(N, 1e60, **JOINT)
    assert endless == pytest.approx(sizes(N, N_c=6e13, alpha_N=0.076), rel=1e-12)
    assert law.quantities["minimum_loss"](JOINT, N=N) == pytest.approx(endless, rel=1e-12)
    assert law(1e60, D, **JOINT) == pytest.approx(data(D, D_c=2e13, alpha_D=0.1), rel=1e-12)
    by_hand = ((6e13 / N) ** (0.076 / 0.1) + 2e13 / D) ** 0.1
    assert law(N, D, **JOINT) == pytest.approx(by_hand, rel=1e-12)


def test_joint_quantities() -> None:
    law = js.laws.get("kaplan")
    tokens = law.quantities["tokens_for_loss"](JOINT, loss=2.5, N=1e9)
    size = law.quantities["size_for_loss"](JOINT, loss=2.5, D=1e10)
    assert tokens == pytest.approx(solve(lambda D: law(1e9, D, **JOINT) - 2.5, 1e6, 1e16), rel=1e-9)
    assert size == pytest.approx(solve(lambda N: law(N, 1e10, **JOINT) - 2.5, 1e5, 1e16), rel=1e-9)
    assert np.isnan(law.quantities["tokens_for_loss"](JOINT, loss=2.0, N=1e9))
    assert np.isnan(law.quantities["size_for_loss"](JOINT, loss=2.0, D=1e10))
    for C in (1e18, 1e23):
        N, loss = lowest(lambda N, C=C: law(N, C / (6 * N), **JOINT), 1e3, 1e16)
        assert law.quantities["optimal_size"](JOINT, C=C) == pytest.approx(N, rel=1e-5)
        assert law.quantities["optimal_tokens"](JOINT, C=C) == pytest.approx(C / 6 / N, rel=1e-5)
        assert law.quantities["optimal_loss"](JOINT, C=C) == pytest.approx(loss, rel=1e-12)
