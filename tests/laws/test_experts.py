"""Mixtures of experts: what they are worth in parameters, and where that ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import lowest, solve

ROUTED, R = js.laws.get("routed"), WORLDS["routed"][0]
JOINT, J = js.laws.get("joint_experts"), WORLDS["joint_experts"][0]


def test_effective_experts_run_from_start_to_most() -> None:
    effective = ROUTED.quantities["effective_experts"]
    assert effective(R, E=1) == pytest.approx(R["E_start"], rel=1e-12)
    assert effective(R, E=1e12) == pytest.approx(R["E_max"], rel=1e-6)
    experts = effective(R, E=np.geomspace(1, 1e6, 30))
    assert np.all(np.diff(experts) > 0)
    inner = 8 - 1 + 1 / (1 / 2.0 - 1 / 300.0)
    assert 1 / effective(R, E=8) == pytest.approx(1 / inner + 1 / 300.0, rel=1e-12)


def test_the_law_is_bilinear_in_logarithms() -> None:
    n, e = np.log10(3e8), np.log10(ROUTED.quantities["effective_experts"](R, E=16))
    by_hand = 10 ** (R["a"] * n + R["b"] * e + R["c"] * n * e + R["d"])
    assert ROUTED(3e8, 16, **R) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("E", [2.0, 64.0, 512.0])
def test_the_dense_model_of_the_same_loss(E: float) -> None:
    loss = float(ROUTED(2e8, E, **R))
    dense = solve(lambda N: float(ROUTED(N, 1, **R)) - loss, 1e6, 1e14)
    q = ROUTED.quantities
    assert q["equivalent_dense_size"](R, N=2e8, E=E) == pytest.approx(dense, rel=1e-9)
    assert dense > 2e8
    assert q["size_for_loss"](R, loss=loss, E=E) == pytest.approx(2e8, rel=1e-9)


def test_experts_help_up_to_a_size() -> None:
    largest = float(ROUTED.quantities["largest_useful_size"](R))
    alike = ROUTED(largest, np.array([1.0, 8.0, 512.0]), **R)
    np.testing.assert_allclose(alike, alike[0], rtol=1e-12)
    assert ROUTED(largest / 10, 64, **R) < ROUTED(largest / 10, 1, **R)
    assert ROUTED(largest * 10, 64, **R) > ROUTED(largest * 10, 1, **R)
    assert np.isnan(ROUTED.quantities["largest_useful_size"]({**R, "c": -0.01}))


def test_fewer_experts_at_most_than_at_the_start_stay_finite() -> None:
    """The search may try such a pair; the law then counts E_max throughout."""
    crossed = {**R, "E_start": 50.0, "E_max": 20.0}
    experts = ROUTED.quantities["effective_experts"](crossed, E=np.array([1.0, 30.0, 1e4]))
    np.testing.assert_allclose(experts, 20.0, rtol=1e-6)
    assert np.isfinite(ROUTED(1e8, np.array([1.0, 30.0, 1e4]), **crossed)).all()


@pytest.mark.parametrize("E", [1.0, 32.0])
def test_at_a_number_of_experts_the_joint_law_is_chinchilla(E: float) -> None:
    q, C = JOINT.quantities, 1e21
    size, least = lowest(lambda N: float(JOINT(N, C / (6 * N), E, **J)), 1e6, 1e13)
    at: dict[str, Any] = {"C": C, "E": E}
    best = float(q["optimal_size"](J, **at))
    assert best == pytest.approx(size, rel=1e-4)
    assert q["optimal_tokens"](J, **at) == pytest.approx(C / (6 * best), rel=1e-9)
    assert q["optimal_loss"](J, **at) == pytest.approx(least, rel=1e-12)
    loss = float(JOINT(1e9, 1e11, E, **J))
    assert q["tokens_for_loss"](J, loss=loss, N_act=1e9, E=E) == pytest.approx(1e11, rel=1e-8)
    limit = q["minimum_loss"](J, N_act=1e9, E=E)
    assert JOINT(1e9, 1e90, E, **J) == pytest.approx(limit, rel=1e-9)


WRONG = [
    ("routed", "E", 0.5, "from 1 up"),
    ("joint_experts", "E", 0.0, "from 1 up"),
]


@pytest.mark.parametrize(("name", "column", "value", "range_"), WRONG)
def test_experts_outside_their_range_are_named(
    name: str, column: str, value: float, range_: str
) -> None:
    law, (p, design) = js.laws.get(name), WORLDS[name]
    table = design.iloc[::3].reset_index(drop=True)
    table["loss"] = law(*(table[x].to_numpy() for x in law.inputs), **p)
    table.loc[7, column] = value
    with pytest.raises(js.JscaleError, match=rf"{name} holds for {column} {range_}.* row 7 "):
        js.fit(law, table)
