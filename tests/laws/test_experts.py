"""Mixtures of experts: what they are worth in parameters, and where that ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import lowest, solve

ROUTED, R = js.laws.get("routed"), WORLDS["routed"][0]
FINE, F = js.laws.get("fine_grained"), WORLDS["fine_grained"][0]
SPARSE, S = js.laws.get("sparse"), WORLDS["sparse"][0]
JOINT, J = js.laws.get("joint_experts"), WORLDS["joint_experts"][0]


def test_effective_experts_run_from_start_to_most() -> None:
    effective = ROUTED.quantities["effective_experts"]
    assert effective(R, E=1) == pytest.approx(R["E_start"], rel=1e-12)
    assert effective(R, E=1e12) == pytest.approx(R["E_max"], rel=1e-6)
    found = effective(R, E=np.geomspace(1, 1e6, 30))
    assert np.all(np.diff(found) > 0)
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
    found = ROUTED.quantities["effective_experts"](crossed, E=np.array([1.0, 30.0, 1e4]))
    np.testing.assert_allclose(found, 20.0, rtol=1e-6)
    assert np.isfinite(ROUTED(1e8, np.array([1.0, 30.0, 1e4]), **crossed)).all()


def test_granularity_is_worth_parameters() -> None:
    q = FINE.quantities
    same = solve(lambda N: float(FINE(N, 1e10, 1, **F) - FINE(1e9, 1e10, 16, **F)), 1e8, 1e14)
    assert q["size_multiplier"](F, G=16) == pytest.approx(same / 1e9, rel=1e-9)
    assert q["size_multiplier"](F, G=1) == pytest.approx(1.0, rel=1e-12)
    loss = float(FINE(1e9, 1e11, 8, **F))
    assert q["tokens_for_loss"](F, loss=loss, N=1e9, G=8) == pytest.approx(1e11, rel=1e-8)
    assert q["size_for_loss"](F, loss=loss, D=1e11, G=8) == pytest.approx(1e9, rel=1e-8)
    limit = q["minimum_loss"](F, N=1e9, G=8)
    assert FINE(1e9, 1e100, 8, **F) == pytest.approx(limit, rel=1e-9)
    assert np.isnan(q["tokens_for_loss"](F, loss=limit, N=1e9, G=8))


def at_compute(sparsity: float, N: float, C: float) -> float:
    """Return the loss of a size and sparsity at 6 FLOPs per parameter that a token uses."""
    return float(SPARSE(N, C / (6 * N * (1 - sparsity)), sparsity, **S))


@pytest.mark.parametrize(("N", "C"), [(3e9, 1e20), (3e10, 1e21)])
def test_the_best_sparsity_of_a_size_at_a_compute(N: float, C: float) -> None:
    best = float(SPARSE.quantities["optimal_sparsity"](S, N=N, C=C))
    active, _ = lowest(lambda x: at_compute(1 - x, N, C), 1e-5, 1.0)
    assert 0.1 < best < 0.999
    assert 1 - best == pytest.approx(active, rel=1e-4)


def test_ample_compute_asks_for_a_dense_model() -> None:
    """No sparsity is then best inside the range: the dense end is."""
    assert np.isnan(SPARSE.quantities["optimal_sparsity"](S, N=1e8, C=1e26))
    losses = [at_compute(s, 1e8, 1e26) for s in (0.0, 0.5, 0.9)]
    assert losses == sorted(losses)


def test_tokens_at_a_sparsity() -> None:
    q, loss = SPARSE.quantities, float(SPARSE(1e9, 1e11, 0.9, **S))
    assert q["tokens_for_loss"](S, loss=loss, N=1e9, sparsity=0.9) == pytest.approx(1e11, rel=1e-8)
    limit = q["minimum_loss"](S, N=1e9, sparsity=0.9)
    assert SPARSE(1e9, 1e60, 0.9, **S) == pytest.approx(limit, rel=1e-12)
    assert np.isnan(q["tokens_for_loss"](S, loss=limit, N=1e9, sparsity=0.9))


@pytest.mark.parametrize("E", [1.0, 32.0])
def test_at_a_number_of_experts_the_joint_law_is_chinchilla(E: float) -> None:
    q, C = JOINT.quantities, 1e21
    size, least = lowest(lambda N: float(JOINT(N, C / (6 * N), E, **J)), 1e6, 1e13)
    asked: dict[str, Any] = {"C": C, "E": E}
    best = float(q["optimal_size"](J, **asked))
    assert best == pytest.approx(size, rel=1e-4)
    assert q["optimal_tokens"](J, **asked) == pytest.approx(C / (6 * best), rel=1e-9)
    assert q["optimal_loss"](J, **asked) == pytest.approx(least, rel=1e-12)
    loss = float(JOINT(1e9, 1e11, E, **J))
    assert q["tokens_for_loss"](J, loss=loss, N_act=1e9, E=E) == pytest.approx(1e11, rel=1e-8)
    limit = q["minimum_loss"](J, N_act=1e9, E=E)
    assert JOINT(1e9, 1e90, E, **J) == pytest.approx(limit, rel=1e-9)


WRONG = [
    ("routed", "E", 0.5, "from 1 up"),
    ("joint_experts", "E", 0.0, "from 1 up"),
    ("fine_grained", "G", 0.5, "from 1 up"),
    ("sparse", "sparsity", 1.0, "between 0 and 0.999999"),
    ("sparse", "sparsity", -0.1, "between 0 and 0.999999"),
]


@pytest.mark.parametrize(("name", "column", "value", "range_"), WRONG)
def test_experts_and_sparsities_outside_their_range_are_named(
    name: str, column: str, value: float, range_: str
) -> None:
    law, (p, design) = js.laws.get(name), WORLDS[name]
    table = design.iloc[::3].reset_index(drop=True)
    table["loss"] = law(*(table[x].to_numpy() for x in law.inputs), **p)
    table.loc[7, column] = value
    with pytest.raises(js.JscaleError, match=rf"{name} holds for {column} {range_}.* row 7 "):
        js.fit(law, table)
