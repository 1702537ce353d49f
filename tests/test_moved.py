"""Names that have moved: the error says the new place, and nothing is imported for it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module

import pytest

import jscale as js
from jscale._moved import MOVED, missing_from


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_says_its_new_place(old: str) -> None:
    module, _, name = old.rpartition(".")
    message = f"^{re.escape(old)} has moved: it is {re.escape(MOVED[old])} now"
    with pytest.raises(AttributeError, match=message):
        getattr(import_module(module), name)


@pytest.mark.parametrize("new", sorted(set(MOVED.values())))
def test_a_new_place_exists(new: str) -> None:
    module, _, name = new.rpartition(".")
    if module == "jscale" and name in js.__all__:
        return
    assert import_module(new).__name__ == new


def test_the_examples_of_the_move() -> None:
    with pytest.raises(AttributeError, match=r"it is jscale\.laws\.catalogue now"):
        _ = js.catalogue  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"it is jscale\.comparison\.splits now"):
        _ = import_module("jscale.prediction").splits
    with pytest.raises(AttributeError, match=r"it is jscale\.uncertainty\.bayes\.posterior now"):
        _ = import_module("jscale.uncertainty").posterior


@pytest.mark.parametrize("module", ["jscale", "jscale.fitting", "jscale.uncertainty.noise"])
def test_any_other_name_is_missing_as_ever(module: str) -> None:
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute 'nonsense'$"):
        _ = import_module(module).nonsense
    assert not hasattr(import_module(module), "nonsense")


def test_a_mistyped_name_still_gets_pythons_suggestion() -> None:
    with pytest.raises(AttributeError) as raised:
        _ = js.bootsrap  # type: ignore[attr-defined]
    assert (raised.value.name, raised.value.obj) == ("bootsrap", js)


def test_a_module_that_is_not_loaded() -> None:
    with pytest.raises(AttributeError, match=r"module 'jscale\.attic' has no attribute 'x'"):
        missing_from("jscale.attic")("x")


def test_the_table_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import importlib.util as u\n"
    code += "spec = u.spec_from_file_location('m', sys.argv[1]); m = u.module_from_spec(spec)\n"
    code += (
        "spec.loader.exec_module(m); print([n for n in set(sys.modules) - before if 'jscale' in n])"
    )
    path = import_module("jscale._moved").__file__
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
