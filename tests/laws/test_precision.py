"""Precision: formats, critical data, and the bits at which compute is best spent."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import lowest, solve

TRAINED = js.laws.get("precision")
GAMMAS = WORLDS["precision"][0]
SURFACE = {name: GAMMAS[name] for name in ("E", "A", "alpha", "B", "beta")}


def test_many_bits_are_chinchilla() -> None:
    plain = js.laws.get("chinchilla")(1e9, 1e11, **SURFACE)
    assert TRAINED(1e9, 1e11, 200, 200, 200, **GAMMAS) == pytest.approx(float(plain), rel=1e-14)


def test_few_bits_are_fewer_parameters() -> None:
    bits = {"P_w": 4.0, "P_a": 6.0, "P_kv": 3.0}
    loss = float(TRAINED(1e9, 1e11, *bits.values(), **GAMMAS))
    plain = js.laws.get("chinchilla")
    same = solve(lambda N: float(plain(N, 1e11, **SURFACE)) - loss, 1e6, 1e12)
    q = TRAINED.quantities
    assert q["effective_size"](GAMMAS, N=1e9, **bits) == pytest.approx(same, rel=1e-9)
    assert q["tokens_for_loss"](GAMMAS, loss=loss, N=1e9, **bits) == pytest.approx(1e11, rel=1e-9)
    limit = q["minimum_loss"](GAMMAS, N=1e9, **bits)
    assert TRAINED(1e9, 1e60, *bits.values(), **GAMMAS) == pytest.approx(limit, rel=1e-12)
    assert np.isnan(q["tokens_for_loss"](GAMMAS, loss=limit, N=1e9, **bits))


@pytest.mark.parametrize("D", [1e10, 1e12])
def test_the_best_bits_in_training(D: float) -> None:
    """At a cost k·N·D·P and fixed data, whatever the data."""
    best = TRAINED.quantities["optimal_bits"](GAMMAS)
    bits, _ = lowest(lambda P: float(TRAINED(1e23 / (D * P), D, P, P, P, **GAMMAS)), 1.0, 60.0)
    assert best == pytest.approx(bits, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "inputs"), [("post_training", {"P_post": 3.0}), ("quantization_aware", {"G": 64.0})]
)
def test_what_rounding_adds(name: str, inputs: dict[str, float]) -> None:
    """It is what the loss has above chinchilla's; past critical data the loss rises."""
    law, p = js.laws.get(name), WORLDS[name][0]
    plain = js.laws.get("chinchilla")(1e9, 1e11, **SURFACE)
    added = law.quantities["degradation"](p, N=1e9, D=1e11, **inputs)
    loss = law(1e9, 1e11, *inputs.values(), **p)
    assert loss - plain == pytest.approx(added, rel=1e-9)
    critical = law.quantities["critical_data"](p, N=1e9, **inputs)
    turn, _ = lowest(lambda D: float(law(1e9, D, *inputs.values(), **p)), 1e6, 1e20)
    assert critical == pytest.approx(turn, rel=1e-4)


BELOW_ONE = [
    ("floating_point_quantization", "exponent_bits"),
    ("floating_point_quantization", "mantissa_bits"),
    ("floating_point_quantization", "block"),
    ("precision", "P_w"),
    ("precision", "P_a"),
    ("precision", "P_kv"),
    ("post_training", "P_post"),
    ("quantization_aware", "G"),
]


@pytest.mark.parametrize(("name", "column"), BELOW_ONE)
def test_bits_and_blocks_below_one_are_named(name: str, column: str) -> None:
    law, (p, design) = js.laws.get(name), WORLDS[name]
    table = design[list(law.inputs)].iloc[::5].reset_index(drop=True)
    table["loss"] = law(*(table[x].to_numpy() for x in law.inputs), **p)
    table.loc[7, column] = 0.5
    with pytest.raises(js.JscaleError, match=rf"{name} holds for {column} from 1 up.* row 7 "):
        js.fit(law, table)
