"""Pruning: what a weight that is left is worth."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import solve

LAW, (P, DESIGN) = js.laws.get("pruned"), WORLDS["pruned"]
Q = LAW.quantities


@pytest.mark.parametrize("sparsity", [0.5, 0.9])
def test_the_dense_model_of_the_same_loss(sparsity: float) -> None:
    loss = float(LAW(1e8, 1e11, sparsity, **P))
    dense = solve(lambda N: float(LAW(N, 1e11, 0, **P)) - loss, 1e7, 1e12)
    assert dense > 1e8
    equivalent = Q["equivalent_dense_size"](P, N=1e8, sparsity=sparsity)
    assert equivalent == pytest.approx(dense, rel=1e-9)
    assert Q["size_multiplier"](P, sparsity=sparsity) == pytest.approx(dense / 1e8, rel=1e-9)


def test_the_multiplier_has_a_limit() -> None:
    assert Q["size_multiplier"](P, sparsity=0.0) == pytest.approx(1.0, rel=1e-12)
    most = Q["largest_size_multiplier"](P)
    assert Q["size_multiplier"](P, sparsity=1 - 1e-12) == pytest.approx(most, rel=1e-6)


def test_tokens_and_sizes_for_a_loss() -> None:
    loss = float(LAW(1e8, 1e11, 0.75, **P))
    tokens = Q["tokens_for_loss"](P, loss=loss, N=1e8, sparsity=0.75)
    assert tokens == pytest.approx(1e11, rel=1e-8)
    size = Q["size_for_loss"](P, loss=loss, D=1e11, sparsity=0.75)
    assert size == pytest.approx(1e8, rel=1e-8)
    limit = Q["minimum_loss"](P, N=1e8, sparsity=0.75)
    assert LAW(1e8, 1e80, 0.75, **P) == pytest.approx(limit, rel=1e-9)
    assert np.isnan(Q["tokens_for_loss"](P, loss=limit, N=1e8, sparsity=0.75))


@pytest.mark.parametrize("sparsity", [1.0, 1.2, -0.1])
def test_sparsities_outside_their_range_are_named(sparsity: float) -> None:
    table = DESIGN.iloc[::5].reset_index(drop=True)
    table["loss"] = LAW(*(table[x].to_numpy() for x in LAW.inputs), **P)
    table.loc[7, "sparsity"] = sparsity
    match = r"pruned holds for sparsity between 0 and 0.999999, but not in row 7"
    with pytest.raises(js.JscaleError, match=match):
        js.fit(LAW, table)
