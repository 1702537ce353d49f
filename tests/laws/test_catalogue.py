"""The catalogue names each law by the module and attribute where it is written."""

from __future__ import annotations

import importlib

import pytest

from jscale.laws.catalogue import CATALOGUE
from jscale.model.law import Law


@pytest.mark.parametrize(("name", "place"), CATALOGUE.items(), ids=CATALOGUE)
def test_each_place_holds_a_law_or_a_factory_of_that_name(name: str, place: str) -> None:
    module, attribute = place.split(":")
    entry = getattr(importlib.import_module(module), attribute)
    made = entry if isinstance(entry, Law) else entry()
    assert made.name.partition(":")[0] == name
