"""The smallest budget for a target, spent best: closed forms, limits, and other costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale.planning.compute import needed

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.mark.full
def test_compute_spent_best_has_a_closed_form(chinchilla: js.Draws) -> None:
    """Under C = 6·N·D the best loss is E + K·C^(-g), with g = alpha·beta/(alpha + beta)."""
    found = js.required(chinchilla, "C", loss=[1.7, 1.5])
    E, A, a, B, b = chinchilla.flat.T
    G = (a * A / (b * B)) ** (1 / (a + b))
    g = a * b / (a + b)
    K = A * G**-a * 6**g + B * G**b * 6**g
    with np.errstate(invalid="ignore"):
        exact = ((np.array([[1.7], [1.5]]) - E) / K) ** (-1 / g)
    reach = np.isfinite(found.samples.T)
    np.testing.assert_allclose(found.samples.T[reach], exact[reach], rtol=1e-8)
    best = js.allocate(chinchilla, found.frame["estimate"]).frame
    np.testing.assert_allclose(best["loss"], [1.7, 1.5], rtol=1e-9)
    np.testing.assert_allclose(found.frame[["N", "D"]], best[["N", "D"]], rtol=1e-6)


def test_compute_below_the_floor_and_of_no_target(chinchilla: js.Draws) -> None:
    found = js.required(chinchilla, "C", loss=[0.05, 1e6])
    assert found.frame["estimate"].iloc[0] == np.inf
    assert np.isnan(found.frame["N"].iloc[0])
    assert {"out-of-reach", "reached-already"} <= {note.code for note in found.notes}


@pytest.mark.full
def test_an_answer_at_a_bound_meets_its_target_and_says_so(chinchilla: js.Draws) -> None:
    found = js.required(chinchilla, "C", loss=[1.8, 1.5], cost=js.costs.lifetime(1e15))
    curve = js.predict(chinchilla, found.frame[["N", "D"]], method=None).frame["curve"]
    np.testing.assert_allclose(curve, [1.8, 1.5], rtol=1e-7)
    assert "no-interior-optimum" in {note.code for note in found.notes}
    assert "Plan" not in found.summary()
    assert (found.interval(0.5)["low"] > found.frame["low"]).all()


@pytest.mark.full
def test_another_cost_asks_for_more(chinchilla: js.Draws) -> None:
    plain, served = (
        js.required(chinchilla, "C", loss=1.6, cost=cost).frame["estimate"].item()
        for cost in (None, js.costs.lifetime(1e9))
    )
    assert served > 1.1 * plain


def test_amounts_of_many_targets_and_what_they_buy(chinchilla: js.Draws) -> None:
    """Budgets (R, m), inf out of reach; the estimate's best inputs buy the target itself."""
    plan = js.allocate(chinchilla, 1e12)
    planner = plan.planner
    components = [replace(plan.components[0], flat=chinchilla.flat[:3])]
    targets = np.array([1.9, 1.6, 0.05])
    amounts, best, already = needed(planner, components, targets)
    assert amounts.shape == (4, 3)
    assert (amounts[:, 1] > amounts[:, 0]).all()
    assert amounts[0, 2] == np.inf
    assert not already.any()
    np.testing.assert_allclose(best.output[0, :2], targets[:2], rtol=1e-9)
    np.testing.assert_allclose(6 * best.inputs[0, :2].prod(axis=1), amounts[0, :2], rtol=1e-9)
    reached = needed(planner, components, np.array([1e6]))
    assert reached[2].tolist() == [True]
    assert reached[0][0].item() == pytest.approx(planner.spent[0] / 1e3, rel=1e-12)
