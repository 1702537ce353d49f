"""Tests mirror the source, and neither tests nor benchmarks lean on the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"


def counterparts() -> dict[str, Path]:
    """Where the tests of each module of the package belong, by the module's path."""
    modules = {}
    for path in sorted((ROOT / "jscale").rglob("*.py")):
        place = path.relative_to(ROOT / "jscale")
        if not place.name.startswith("__"):
            # Planted worlds are data: one file of tests looks at all of them.
            place = Path("simulation/worlds.py") if "worlds" in place.parts else place
            name = place.stem.removeprefix("_")
            modules[str(path.relative_to(ROOT / "jscale"))] = (
                TESTS / place.parent / f"test_{name}.py"
            )
    return modules


COUNTERPARTS = counterparts()


@pytest.mark.parametrize("module", COUNTERPARTS)
def test_every_module_has_a_file_of_tests(module: str) -> None:
    place = COUNTERPARTS[module]
    assert place.exists(), f"jscale/{module} has no {place.relative_to(ROOT)}"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize(("folder", "never"), [("tests", "benchmarks"), ("benchmarks", "tests")])
def test_tests_and_benchmarks_do_not_import_each_other(folder: str, never: str) -> None:
    """What they share is in the package (jscale/simulation/worlds); benchmarks have own tests."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_relative_to(TESTS / "benchmarks")
        and any(name.split(".")[0] == never for name in imported(path))
    ]
    assert guilty == []


@pytest.mark.full
def test_the_package_imports_neither() -> None:
    for path in (ROOT / "jscale").rglob("*.py"):
        assert not {"tests", "benchmarks"} & {name.split(".")[0] for name in imported(path)}, path
