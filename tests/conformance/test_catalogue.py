"""The catalogue as a whole: it has every law of the package, and every law has its world."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import jscale as js
from jscale.simulation.worlds import WORLDS


def test_every_law_has_a_world() -> None:
    worlds = {world.partition(":")[0] for world in WORLDS}
    missing = sorted(set(js.laws.CATALOGUE) - worlds)
    assert not missing, "no world in jscale/simulation/worlds"
    assert worlds <= set(js.laws.CATALOGUE)


def test_every_law_of_the_package_is_in_the_catalogue() -> None:
    places = set(js.laws.CATALOGUE.values())
    missing = []
    for module in pkgutil.iter_modules(js.laws.__path__, "jscale.laws."):
        for attribute, value in vars(import_module(module.name)).items():
            place = f"{module.name}:{attribute}"
            here = isinstance(value, js.Law) and value.function.__module__ == module.name
            if here and place not in places:
                missing.append(place)
    assert not missing, "no line in jscale/laws/catalogue.py"
