"""Quantities of the laws of architecture take draws and inputs, without warnings."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import check_draws_by_inputs

# For each input a value at which every quantity exists, and another.
INPUTS = {
    "N": [1e9, 3e9],
    "D": [1e11, 1e12],
    "C": [1e20, 1e23],
    "k": [6 / 16, 1.0],
    "P": [2.0, 8.0],
    "larger": [2e9, 9e9],
    "E": [8.0, 1.0],
    "N_act": [1e9, 1e8],
    "G": [16.0, 1.0],
    "sparsity": [0.8, 0.5],
    "bits": [8.0, 4.0],
    "P_post": [4.0, 3.0],
    "P_w": [8.0, 4.0],
    "P_a": [6.0, 4.0],
    "P_kv": [4.0, 3.0],
    "exponent_bits": [4.0, 2.0],
    "mantissa_bits": [3.0, 1.0],
    "block": [128.0, 1.0],
    "N_nv": [3e9, 7e10],
    "V": [32000.0, 1e5],
    "d": [3200.0, 8192.0],
    "H": [1e12, 1e13],
}
# Above every limit at the first inputs, and below the losses of one stream.
LOSS = {"parallel": 1.09, "pruned": 1.5, "fine_grained": 4.0, "sparse": 2.5}
CASES = [(law, q) for law in WORLDS for q in js.laws.get(law).quantities]


@pytest.mark.parametrize(("name", "quantity"), CASES)
def test_draws_by_inputs(name: str, quantity: str) -> None:
    function, planted = js.laws.get(name).quantities[quantity], WORLDS[name][0]
    given = {**INPUTS, "loss": [LOSS.get(name, 2.6), 0.3]}
    inputs = {x: np.array(given[x]) for x in list(signature(function).parameters)[1:]}
    draws = {n: v * np.array([[0.995], [1.0], [1.005]]) for n, v in planted.items()}
    check_draws_by_inputs(function, draws, inputs)
