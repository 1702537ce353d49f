"""Seams between objects: results are built whole, and private attributes stay private."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "jscale"

# Public in spite of their underscore: the interface of a NamedTuple, and of CPython's frames.
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "sys._getframe"}
OWN = {"self", "cls"}
# Methods of a dictionary that write to it.
WRITERS = {"update", "setdefault", "pop", "popitem", "clear", "__setitem__", "__delitem__"}


def is_state(node: ast.expr) -> bool:
    """Whether an expression is the dictionary of an object's attributes: vars(x), x.__dict__."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "vars"
    return isinstance(node, ast.Attribute) and node.attr == "__dict__"


def fault_of(node: ast.AST, function: str) -> str | None:
    """What a node does that no module may, in words."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return "writes through vars()" if is_state(node.value) else None
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jscale":
        private = [a.name for a in node.names if a.name.startswith("_") and node.module != "jscale"]
        return f"imports {private[0]}" if private else None
    if not isinstance(node, ast.Attribute):
        return None
    if node.attr in WRITERS and is_state(node.value):
        return "writes through vars()"
    if node.attr == "__setattr__" and function != "__post_init__":
        return "sets an attribute of a frozen object"
    private = node.attr.startswith("_") and not node.attr.endswith("__")
    known = {node.attr, ast.unparse(node)} & PUBLIC
    owner = node.value.id if isinstance(node.value, ast.Name) else None
    return f"reads {ast.unparse(node)}" if private and not known and owner not in OWN else None


def faults(text: str) -> Iterator[str]:
    """Describe each breach in a module's text, with its line."""

    def visit(node: ast.AST, function: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            fault = fault_of(child, function)
            if fault is not None:
                yield f"{getattr(child, 'lineno', 0)}: {fault}"
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield from visit(child, child.name if named else function)

    return visit(ast.parse(text), "")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_module_reaches_into_an_object(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("vars(fit)['problem'] = problem", "1: writes through vars()"),
        ("vars(fit)['n'] += 1", "1: writes through vars()"),
        ("del vars(fit)['problem']", "1: writes through vars()"),
        ("vars(fit).update(problem=problem)", "1: writes through vars()"),
        ("fit.__dict__['problem'] = problem", "1: writes through vars()"),
        ("fit.__dict__.setdefault('problem', problem)", "1: writes through vars()"),
        ("object.__setattr__(fit, 'n', 1)", "1: sets an attribute of a frozen object"),
        ("def f(x):\n    return x.layout._shifts", "2: reads x.layout._shifts"),
        ("self.layout._shifts", "1: reads self.layout._shifts"),
        ("from jscale.fitting.fit import _warn", "1: imports _warn"),
        ("from jscale import draws\ndraws._count()", "2: reads draws._count"),
    ],
)
def test_a_breach_is_found(text: str, fault: str) -> None:
    assert list(faults(text)) == [fault]


@pytest.mark.parametrize(
    "text",
    [
        "x = vars(lanes).values()",
        "x = vars(lanes)['theta']",
        "x = data._replace(target=1)",
        "self._cache = cls._made",
        "def __post_init__(self):\n    object.__setattr__(self, 'n', 1)",
        "from jscale._precision import float64_scope",
        "import sys\nsys._getframe(1)",
    ],
)
def test_what_is_allowed(text: str) -> None:
    assert list(faults(text)) == []
