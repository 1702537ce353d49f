"""Mixtures of experts by granularity and by sparsity: what they are worth, and where that ends."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import lowest, solve

FINE, F = js.laws.get("fine_grained"), WORLDS["fine_grained"][0]
SPARSE, S = js.laws.get("sparse"), WORLDS["sparse"][0]


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


WRONG = [
    ("fine_grained", "G", 0.5, "from 1 up"),
    ("sparse", "sparsity", 1.0, "between 0 and 0.999999"),
    ("sparse", "sparsity", -0.1, "between 0 and 0.999999"),
]


@pytest.mark.parametrize(("name", "column", "value", "range_"), WRONG)
def test_granularities_and_sparsities_outside_their_range_are_named(
    name: str, column: str, value: float, range_: str
) -> None:
    law, (p, design) = js.laws.get(name), WORLDS[name]
    table = design.iloc[::3].reset_index(drop=True)
    table["loss"] = law(*(table[x].to_numpy() for x in law.inputs), **p)
    table.loc[7, column] = value
    with pytest.raises(js.JscaleError, match=rf"{name} holds for {column} {range_}.* row 7 "):
        js.fit(law, table)
