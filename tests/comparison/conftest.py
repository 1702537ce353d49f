"""A straight power law with a floor, shared by the tests of this folder."""

from __future__ import annotations

import pytest

import jscale as js
from jscale.simulation.worlds import compute


@pytest.fixture(scope="session")
def straight() -> js.Runs:
    law = {"E": 1.7, "A": 900.0, "alpha": 0.15}
    return js.simulate("power_const", law, compute(1e17, 1e21, 16), noise=0.005, seed=0)
