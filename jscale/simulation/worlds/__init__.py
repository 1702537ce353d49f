"""Planted worlds: for each law, parameters and a design from which they can be recovered.

A fit to runs simulated in a world must find the planted parameters again. ``WORLDS`` maps the name
of a law to its parameters and its design, a table with a column for each input.
"""

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
    """Return the parameters of a world, perturbed at random, and its design.

    Parameters
    ----------
    world : str
        Name of the law.
    seed : int
        Seed of the perturbation.

    Returns
    -------
    params : dict of str to float
        The planted parameters, each multiplied by a factor within exp(±0.2) unless ``SPREAD``
        gives another one, or within exp(±0.5) for locations; fractions move on the logit scale.
    design : pandas.DataFrame
        A column for each input of the law.

    Examples
    --------
    >>> from jscale.simulation.worlds import scattered
    >>> params, design = scattered("chinchilla", seed=1)
    >>> sorted(params), len(design)
    (['A', 'B', 'E', 'alpha', 'beta'], 90)
    """
    base, design = WORLDS[world]
    law = laws.get(world)
    rng = np.random.default_rng(1000 + seed)
    perturbed = {}
    for name, value in base.items():
        role = law.role(name)
        spread = 0.5 if role.name == "location" else SPREAD.get(world, 0.2)
        factor = float(np.exp(spread * rng.uniform(-1, 1)))
        if role.support == "fraction":
            odds = value / (1 - value) * factor
            perturbed[name] = odds / (1 + odds)
        else:
            perturbed[name] = value * factor
    return perturbed, design
