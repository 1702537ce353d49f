"""Ensembles: their limits, their members for a loss, and uncertainty that falls with data."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js


def test_ensembles_reach_their_nested_limits() -> None:
    p = {"E": 3.0, "A": 3e3, "alpha": 0.5, "B": 20.0, "gamma": 0.2, "beta": 1.0}
    law = js.laws.get("ensemble_limits")
    assert law(1e8, 1e15, **p) == pytest.approx(law.quantities["limit_in_members"](p, N=1e8))
    assert law(1e30, 1e15, **p) == pytest.approx(law.quantities["nested_limit"](p))
    one = {"E": 3.3, "A": 0.4, "alpha": 1.0}
    assert js.laws.get("ensemble").quantities["members_for_loss"](one, loss=3.4) == pytest.approx(4)


def test_one_model_and_the_members_for_a_loss() -> None:
    law, p = js.laws.get("ensemble"), {"E": 3.3, "A": 0.4, "alpha": 0.8}
    assert law(1.0, **p) == pytest.approx(3.7)
    assert law.quantities["limit_in_members"](p) == 3.3
    members = law.quantities["members_for_loss"](p, loss=np.array([3.7, 3.35, 3.3, 3.0]))
    np.testing.assert_allclose(members[:2], [1.0, 8**1.25], rtol=1e-12)
    assert np.isnan(members[2:]).all()
    np.testing.assert_allclose(law(law.invert(3.35, **p), **p), 3.35, rtol=1e-12)


def test_gains_from_members_may_depend_on_size() -> None:
    """gamma above 0: larger models gain less from a second member; below 0 they gain more."""
    law = js.laws.get("ensemble_limits")
    p = {"E": 3.0, "A": 3e3, "alpha": 0.5, "B": 1.0, "beta": 1.0}
    sizes = np.array([1e8, 1e9])
    for gamma, ratio in ((0.2, 10**-0.2), (-0.1, 10**0.1)):
        gain = law(sizes, 1.0, gamma=gamma, **p) - law(sizes, 2.0, gamma=gamma, **p)
        assert gain[1] / gain[0] == pytest.approx(ratio, rel=1e-9)


def test_uncertainty_has_no_limit_above_zero() -> None:
    law, p = js.laws.get("uncertainty"), {"A": 5.0, "gamma": 1.0}
    assert law.output == "uncertainty"
    assert law(1e3, **p) == pytest.approx(5e-3)
    assert law.invert(5e-3, **p) == pytest.approx(1e3)
    assert np.isnan(law.invert(0.0, **p))
