"""Public names: all are there, those that a first fit does not need are imported when used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import jscale as js

SOURCE = ast.parse(Path(js.__file__).read_text(encoding="utf-8"))


def imported_for_type_checkers() -> dict[str, str]:
    """Where each name comes from that ``if TYPE_CHECKING`` imports."""
    (block,) = (
        node
        for node in SOURCE.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: node.module or ""
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("name", js.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(js, name) is not None
    assert name in dir(js)


def test_type_checkers_see_what_is_imported_later() -> None:
    shown = imported_for_type_checkers()
    assert set(shown) == set(js._LATER)
    for name, place in js._LATER.items():
        module, _, attribute = place.partition(":")
        expected = import_module(module)
        assert getattr(js, name) is (getattr(expected, attribute) if attribute else expected)
        assert module in (shown[name], f"{shown[name]}.{name}")


def test_a_first_fit_imports_neither_reports_nor_forecasts() -> None:
    code = (
        "import sys, jscale as js\n"
        "print([r for r in ('reporting', 'discrepancy', 'planning', 'comparison', 'plots')"
        " if any(m.startswith(f'jscale.{r}') for m in sys.modules)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
