"""Quantities of the laws in size and data take draws and inputs, without warnings."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import surfaces
from jscale.simulation.worlds.size_and_data import WORLDS
from tests.laws.numeric import check_draws_by_inputs

INPUTS = {
    "loss": [4.0, 1.0],
    "N": [1e8, 3e9],
    "D": [1e10, 1e11],
    "C": [1e18, 1e22],
    "U": [1e9, 1e10],
    "M": [20.0, 640.0],
    "S": [1e4, 1e5],
    "B": [1e5, 1e7],
    "f": [0.2, 1.0],
}
PLANTED = {name: p for name, (p, _) in (WORLDS | surfaces.WORLDS).items()}
CASES = [(law, q) for law in PLANTED for q in js.laws.get(law).quantities]


@pytest.mark.parametrize(("name", "quantity"), CASES)
def test_draws_by_inputs(name: str, quantity: str) -> None:
    function = js.laws.get(name).quantities[quantity]
    inputs = {x: np.array(INPUTS[x]) for x in list(signature(function).parameters)[1:]}
    draws = {n: v * np.array([[0.98], [1.0], [1.01]]) for n, v in PLANTED[name].items()}
    check_draws_by_inputs(function, draws, inputs)
