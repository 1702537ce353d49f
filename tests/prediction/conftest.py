"""Fits of small synthetic tables, shared by the tests of this folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, grid

DESIGN = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="session")
def surface() -> js.Fit:
    return js.fit("chinchilla", js.simulate("chinchilla", CHINCHILLA, DESIGN, noise=0.005, seed=3))


@pytest.fixture(scope="session")
def families() -> js.Fit:
    """One irreducible loss for each of two families, gpt's a tenth higher."""
    frames = []
    for family, factor in (("gpt", 1.1), ("llama", 1.0)):
        planted = {**CHINCHILLA, "E": CHINCHILLA["E"] * factor}
        runs = js.simulate("chinchilla", planted, DESIGN, noise=0.002, seed=4)
        frames.append(runs.frame.assign(family=family))
    table = pd.concat(frames, ignore_index=True)
    return js.fit("chinchilla", table, per={"E": "family"})
