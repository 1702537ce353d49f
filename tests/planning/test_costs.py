"""Costs: numbers by hand, budgets met in closed form, and costs that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.planning.costs import as_cost, check_rising


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.costs.lifetime(0.0), r"tokens=0.0 must be a positive"),
        (lambda: js.costs.lifetime(True), r"tokens=True must be a positive"),
        (lambda: js.costs.attention(-1), r"context=-1 must be a positive"),
        (lambda: js.costs.attention(1, aspect="wide"), r"aspect='wide' must be a positive"),
        (lambda: js.costs.dollars(0.0, flops=1e15), r"price=0.0 must be a positive"),
        (lambda: js.costs.embeddings(np.inf), r"omega=inf must be a positive"),
        (lambda: js.costs.dollars(1.0, flops=1e15, utilisation=2.0), r"utilisation=2.0 is a share"),
        (
            lambda: js.costs.dollars(1.0, flops=1.0, of=js.costs.dollars(1.0, flops=1.0)),
            r"is not a cost in FLOPs",
        ),
    ],
)
def test_costs_that_cannot_be(make: Any, message: str) -> None:
    with pytest.raises(js.PredictionError, match=message):
        make()


SIZE, TOKENS = 12.0 * 128.0**2 * 27.0, 1e9  # three layers of width 384


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (js.costs.training(), 6 * SIZE * TOKENS),
        (js.costs.attention(1000), 6 * SIZE * TOKENS + 12 * 3 * 384 * 1000 * TOKENS),
        (js.costs.embeddings(10.0), 6 * (SIZE + 10 * SIZE ** (1 / 3)) * TOKENS),
        (js.costs.lifetime(5e9), 6 * SIZE * TOKENS + 2 * SIZE * 5e9),
        (js.costs.dollars(3.0, flops=1e12, utilisation=0.5), 3 * 6 * SIZE * TOKENS / 1.8e15),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_numbers_by_hand(cost: js.costs.Cost, expected: float) -> None:
    assert float(cost(N=SIZE, D=TOKENS)) == pytest.approx(expected, rel=1e-12)
    assert float(cost(D=TOKENS, N=SIZE)) == float(cost(N=SIZE, D=TOKENS))


@pytest.mark.parametrize(
    "cost", [js.costs.lifetime(5e9), js.costs.dollars(3.0, flops=1e12, of=js.costs.lifetime(5e9))]
)
def test_inverses_give_the_input_that_spends_a_budget(cost: js.costs.Cost) -> None:
    assert cost.inverse is not None
    budget = float(cost(N=2e6, D=3e7))
    assert cost.inverse["N"](budget, D=3e7) == pytest.approx(2e6, rel=1e-12)
    assert cost.inverse["D"](budget, N=2e6) == pytest.approx(3e7, rel=1e-12)


def test_dollars_of_a_product_stay_a_product() -> None:
    cost = js.costs.dollars(2.0, flops=1e15, utilisation=0.5)
    assert cost.exponents == {"N": 1.0, "D": 1.0}
    assert cost.coefficient == pytest.approx(6 * 2.0 / (3600 * 0.5e15))
    assert cost.unit == "dollars"


def test_costs_are_equal_when_their_code_and_numbers_are() -> None:
    assert js.costs.lifetime(10) == js.costs.lifetime(np.int64(10))
    assert hash(js.costs.lifetime(10)) == hash(js.costs.lifetime(10.0))
    assert js.costs.lifetime(10) != js.costs.lifetime(11)
    assert js.costs.training() != js.costs.dollars(1.0, flops=1.0)
    assert js.costs.attention(8, aspect=2.0) != js.costs.attention(8)
    assert js.costs.training() != "6ND"


def test_what_is_taken_as_a_cost() -> None:
    assert as_cost(None) == as_cost("6*N*D") == as_cost("6ND") == js.costs.training()
    served = js.costs.lifetime(1e9)
    assert as_cost(served) is served

    def two_kinds(N: Any, V: Any, D: Any, factor: float = 3.0) -> Any:
        return 6 * (N + factor * V) * D

    own = as_cost(two_kinds)
    assert (own.name, own.inputs, own.unit) == ("two_kinds", ("N", "V", "D"), "units of the cost")
    assert own(D=2.0, N=1.0, V=1.0) == 48.0
    with pytest.raises(js.PredictionError, match=r"cost=6\.0 is not a cost: js\.costs\.lifetime"):
        as_cost(6.0)
    with pytest.raises(js.PredictionError, match=r"names its inputs, .* \*\*x names none"):
        as_cost(lambda **x: 1.0)


LIMITS = {"N": (1e6, 1e9), "D": (1e8, 1e10)}


def test_costs_that_rise_pass() -> None:
    check_rising(js.costs.attention(4096), LIMITS, {})
    check_rising(as_cost(lambda N, D, k: k * N * D), LIMITS, {"k": 2.0})


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda N, D: N + 0 * D, r"must be positive and rise in D, but does not from N = 1e\+06, "),
        (lambda N, D: N * D - 1e14, r"must be positive and rise in"),
        (
            lambda N, D: D * (2e7 - N) ** 2,
            r"rise in N, but does not from N = 1e\+06, D = 1e\+08 on",
        ),
        (lambda N, D: float(N) * D, r"must be written with JAX, of one number each"),
    ],
)
def test_costs_that_do_not_rise_are_told_where(function: Any, message: str) -> None:
    with pytest.raises(js.PredictionError, match=message):
        check_rising(as_cost(function), LIMITS, {})
