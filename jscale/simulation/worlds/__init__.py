"""Planted worlds: for each law, parameters and a design from which it can be recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale import laws
from jscale.simulation.worlds import (
    architecture,
    choices,
    links,
    one_axis,
    size_and_data,
    surfaces,
    training,
    whole_curves,
)
from jscale.simulation.worlds.designs import SURFACE, compute, grid
from jscale.simulation.worlds.surfaces import CHINCHILLA, FARSEER

__all__ = ["CHINCHILLA", "FARSEER", "SURFACE", "WORLDS", "compute", "grid", "scattered"]

FAMILIES = (surfaces, size_and_data, links, one_axis, architecture, training, choices, whole_curves)
WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    name: world for family in FAMILIES for name, world in family.WORLDS.items()
}


SPREAD = {name: value for family in FAMILIES for name, value in family.SPREAD.items()}


def scattered(world: str, seed: int) -> tuple[dict[str, float], pd.DataFrame]:
    """Return a world's planted parameters, each moved a little by a seed, and its design.

    Factors lie within exp(±0.2) unless the family says otherwise, places within exp(±0.5);
    fractions move on the logit scale.
    """
    base, design = WORLDS[world]
    law = laws.get(world)
    rng = np.random.default_rng(1000 + seed)
    moved = {}
    for name, value in base.items():
        role = law.role(name)
        spread = 0.5 if role.name == "location" else SPREAD.get(world, 0.2)
        wobble = float(np.exp(spread * rng.uniform(-1, 1)))
        if role.support == "fraction":
            odds = value / (1 - value) * wobble
            moved[name] = odds / (1 + odds)
        else:
            moved[name] = value * wobble
    return moved, design
