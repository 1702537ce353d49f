"""The lowest loss that a budget buys, as a pure function: the budget is met, slopes are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.planning.optimum import Choice, Place, all_inputs, free_bounds, lowest
from jscale.prediction.components import LawFunction


def test_its_derivative_by_parameters_is_right(chinchilla: js.Draws) -> None:
    """d ln N*/d parameter, by JAX and by differences of the closed form."""
    import jax

    fit = chinchilla.fit
    low, high = np.log([[1e2, 1e15], [1e2, 1e15]]).T
    choice = Choice(LawFunction(fit.problem.layout), ("N", "D"), js.costs.training(), True)
    with float64_scope():

        def size(flat: Any) -> Any:
            place = Place(flat, np.log(1e12), {}, {}, low, high)
            return lowest(choice, np.log([3e4]), place).inputs[0]

        flat = fit.params.to_numpy()
        slope = np.asarray(jax.grad(size)(flat))
        for i in range(len(flat)):
            step = 1e-5 * flat[i]
            ends = [float(size(flat + s * step * np.eye(len(flat))[i])) for s in (-1, 1)]
            assert slope[i] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-6, abs=1e-10)


def place(params: dict[str, float], budget: float, low: Any, high: Any, ratio: Any = None) -> Place:
    flat = np.array(list(params.values()))
    return Place(flat, np.log(budget), {}, {}, np.log(low), np.log(high), ratio)


@pytest.fixture(scope="module")
def layout(chinchilla: js.Draws) -> Any:
    return chinchilla.fit.problem.layout


TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}


@pytest.mark.parametrize(
    "cost",
    [js.costs.training(), js.costs.lifetime(1e9), js.costs.attention(2048)],
    ids=["product", "inverse", "root"],
)
def test_the_last_input_spends_what_is_left(layout: Any, cost: Any) -> None:
    """In closed form, by an inverse, or by a search: the same budget."""
    choice = Choice(layout, ("N", "D"), cost, True)
    at = place(TRUTH, 1e21, [1e7, 1e7], [1e12, 1e14])
    with float64_scope():
        N, D = np.exp(np.asarray(all_inputs(choice, np.log([1e9]), at)))
        spent = float(cost(N=N, D=D))
    assert pytest.approx(1e9, rel=1e-12) == N
    assert spent == pytest.approx(1e21, rel=1e-10)


def test_bounds_of_the_last_input_bound_the_first(layout: Any) -> None:
    """At C = 6·N·D = 6e20, N from 1e8 to 1e10 and D from 2e10 to 1e12 leave N ≤ 5e9."""
    choice = Choice(layout, ("N", "D"), js.costs.training(), True)
    with float64_scope():
        at = place(TRUTH, 6e20, [1e8, 2e10], [1e10, 1e12])
        low, high = (np.exp(np.asarray(x)) for x in free_bounds(choice, at))
        np.testing.assert_allclose([low[0], high[0]], [1e8, 5e9], rtol=1e-12)
        at = place(TRUTH, 6e20, [1e8, 2e10], [1e10, 1e12], ratio=np.log([20.0, 500.0]))
        low, high = (np.exp(np.asarray(x)) for x in free_bounds(choice, at))
    # D/N = r at N = √(1e20/r).
    np.testing.assert_allclose(
        [low[0], high[0]], np.sqrt(1e20 / np.array([500.0, 20.0])), rtol=1e-9
    )
