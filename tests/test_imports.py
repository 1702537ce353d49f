"""Imports run one way, and importing jscale starts nothing heavy and no JAX backend."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "jscale"

# A module may import from its own line and from lines above, never from a line below.
# "jscale" is the package itself, with its public names (``import jscale as js``).
ROOMS = [
    ["errors", "arguments", "_precision", "_moved"],
    ["data"],
    ["model"],
    ["laws"],
    ["fitting"],
    ["uncertainty"],
    ["discrepancy"],
    ["prediction"],
    ["simulation"],
    ["comparison"],
    ["planning", "curves"],
    ["plots"],
    ["reporting"],
    ["io"],
    ["jscale"],
    ["cli"],
]
# Folders within rooms.
INNER_ROOMS = {
    "fitting": ["solver", "objective"],
    "uncertainty": ["bayes", "chain", "noise"],
    "simulation": ["worlds"],
}
# The same within fitting/, where the order is that of a fit.
FITTING = [
    ["domain", "statistics", "objective.base", "objective.spaces", "draw_methods"],
    ["objective.registry"],
    ["objective.hubers"],
    ["objective.likelihoods"],
    ["settings"],
    ["problem"],
    ["solver.evaluation"],
    ["t_draws", "build", "solver.compilation", "progress", "provenance", "solver.step"],
    ["solver.engine"],
    ["solver.gauss_newton"],
    ["solver.starts", "solver.lbfgs", "solver.scale"],
    ["solver.search"],
    ["diagnostics"],
    ["second_order"],
    ["notes"],
    ["other_optima"],
    ["result"],
    ["points"],
    ["fit"],
    ["table"],
    ["row_sets"],
    ["batch", "implicit", "influence"],
    ["sensitivity"],
]
EXEMPT = {"jscale", "jscale.__main__"}


def rank(order: list[list[str]], name: str) -> int:
    """The line of a name; an unknown one is an error, so that nobody forgets to place it."""
    for line, names in enumerate(order):
        if name in names:
            return line
    raise AssertionError(f"{name} has no place in the order of imports: add it to {__file__}")


def place(module: str) -> tuple[int, int]:
    """Where a module stands: its room's line and, in fitting/, its own (-1: the room itself)."""
    parts = module.split(".")
    room = rank(ROOMS, parts[1] if len(parts) > 1 else "jscale")
    inside = [part for part in parts[2:] if part not in INNER_ROOMS.get("fitting", ())]
    inner = rank(FITTING, ".".join(parts[2:])) if parts[1:2] == ["fitting"] and inside else -1
    return room, inner


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(text: str, module: str, known: set[str], folder: bool) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of each jscale module that a text imports, also inside functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "jscale":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            up = module.split(".")[: (1 if folder else 0) - node.level or None]
            source = ".".join([*(up if node.level else []), *filter(None, [node.module])])
            if source.split(".")[0] == "jscale":
                for alias in node.names:
                    whole = f"{source}.{alias.name}"
                    yield node.lineno, whole if whole in known else source


def arrows_back(text: str, module: str, known: set[str], folder: bool = False) -> list[str]:
    """Describe each import of ``text`` that goes to a line below its own."""
    here = place(module)
    back = []
    for line, target in dict.fromkeys(imported(text, module, known, folder)):
        there = place(target)
        inside_fitting = here[0] == there[0] and -1 not in (here[1], there[1])
        if there[0] > here[0] or (inside_fitting and there[1] > here[1]):
            back.append(f"{module}:{line} imports {target}")
    return back


def test_imports_run_one_way() -> None:
    known = modules()
    back = []
    for module, path in known.items():
        if module not in EXEMPT:
            folder = path.name == "__init__.py"
            back += arrows_back(path.read_text(encoding="utf-8"), module, set(known), folder)
    assert back == []


def edges(known: dict[str, Path]) -> dict[str, set[str]]:
    """Which modules each module imports, also inside functions."""
    return {
        module: {
            target
            for _, target in imported(
                path.read_text(encoding="utf-8"), module, set(known), path.name == "__init__.py"
            )
            if target != module
        }
        for module, path in known.items()
    }


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(graph.get(module, ())):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                groups.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return groups


def test_no_files_import_each_other() -> None:
    assert cycles(edges(modules())) == []


def test_a_cycle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert cycles(graph) == [["b", "c"]]


def unknown_folders(package: Path = PACKAGE) -> list[str]:
    """Folders of Python files that have no place in ROOMS or INNER_ROOMS."""
    known = {room for line in ROOMS for room in line}
    known |= {f"{room}/{inner}" for room, inners in INNER_ROOMS.items() for inner in inners}
    folders = {path.parent.relative_to(package).as_posix() for path in package.rglob("*.py")}
    return sorted(folders - known - {"."})


def test_every_folder_is_known() -> None:
    assert unknown_folders() == []


def test_an_unknown_folder_is_found(tmp_path: Path) -> None:
    for folder in ("data", "attic", "fitting/attic"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").touch()
    assert unknown_folders(tmp_path) == ["attic", "fitting/attic"]


def test_the_root_holds_only_what_every_room_needs() -> None:
    names = {path.name for path in PACKAGE.glob("*.py")}
    shared = {"errors.py", "arguments.py", "_precision.py", "_moved.py"}
    assert names == {"__init__.py", "__main__.py"} | shared


KNOWN = {"jscale", "jscale.errors", "jscale.laws", "jscale.data.runs", "jscale.model.law",
         "jscale.fitting.fit", "jscale.fitting.problem", "jscale.prediction.predict"}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "text", "target"),
    [
        ("jscale.data.runs", "from jscale.model.law import Law", "jscale.model.law"),
        ("jscale.data.runs", "import jscale.fitting.fit as f", "jscale.fitting.fit"),
        ("jscale.model.law", "def f():\n    from jscale import laws", "jscale.laws"),
        ("jscale.model.law", "from .. import laws", "jscale.laws"),
        ("jscale.model.law", "from ..fitting.fit import fit", "jscale.fitting.fit"),
        ("jscale.model.law", "from jscale import fit", "jscale"),
        ("jscale.model.law", "import jscale as js", "jscale"),
        ("jscale.fitting.problem", "from .fit import fit", "jscale.fitting.fit"),
        ("jscale.fitting.solver.starts", "from jscale.fitting import fit", "jscale.fitting.fit"),
        (
            "jscale.fitting.fit",
            "from jscale.prediction import predict",
            "jscale.prediction.predict",
        ),
        ("jscale.io.fits", "import jscale", "jscale"),
    ],
)
def test_an_arrow_back_is_found(module: str, text: str, target: str) -> None:
    line = text.count("\n") + 1
    assert arrows_back(text, module, KNOWN) == [f"{module}:{line} imports {target}"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("jscale.model.law", "from jscale.errors import LawError\nimport numpy, jax"),
        ("jscale.model.law", "from ..data.runs import Runs"),
        ("jscale.fitting.fit", "from jscale import laws\nfrom .problem import Problem"),
        ("jscale.fitting.fit", "from jscale.fitting import problem"),
        ("jscale.prediction.predict", "from jscale.fitting.fit import fit"),
        ("jscale.cli.fitting", "import jscale as js"),
    ],
)
def test_an_arrow_forward_is_fine(module: str, text: str) -> None:
    assert arrows_back(text, module, KNOWN) == []


def test_a_relative_import_of_a_packages_own_file() -> None:
    found = arrows_back("from .prediction import predict", "jscale.model", KNOWN, folder=True)
    assert found == []  # jscale.model.prediction: a file of the same room
    found = arrows_back("from ..prediction import predict", "jscale.model", KNOWN, folder=True)
    assert found == ["jscale.model:1 imports jscale.prediction.predict"]


@pytest.mark.parametrize("module", ["jscale.attic", "jscale.fitting.attic"])
def test_a_module_without_a_place_is_an_error(module: str) -> None:
    with pytest.raises(AssertionError, match="attic has no place in the order of imports: add it"):
        arrows_back("", module, KNOWN)


# What importing jscale brings along

HEAVY = ["numpyro", "scipy.stats", "optax", "arviz", "matplotlib", "xarray", "pooch", "typer"]
LOOK = f"""
import json, sys
import jscale, jax
from jax._src import xla_bridge
from importlib import import_module
print(json.dumps({{
    "heavy": [name for name in {HEAVY!r} if name in sys.modules],
    "started": xla_bridge.backends_are_initialized(),
    "arrays": [
        f"{{name}}.{{key}}" for name, module in list(sys.modules.items())
        if name.split(".")[0] == "jscale"
        for key, value in vars(module).items() if isinstance(value, jax.Array)
    ],
    "scope": bool(jax.config.jax_enable_x64),
}}))
"""


def after(statement: str) -> dict[str, object]:
    """What a fresh interpreter holds after a statement and ``import jscale``."""
    done = subprocess.run(
        [sys.executable, "-c", statement + LOOK], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_importing_jscale_starts_nothing() -> None:
    assert after("") == {"heavy": [], "started": False, "arrays": [], "scope": False}


@pytest.mark.full
def test_importing_every_module_starts_no_backend_either() -> None:
    names = [name for name in modules() if name != "jscale.__main__"]
    found = after(f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n")
    assert (found["started"], found["arrays"], found["scope"]) == (False, [], False)


@pytest.mark.full
def test_the_look_sees_what_is_there() -> None:
    found = after("import jax.numpy as jnp, jscale.errors as e, scipy.stats\ne.X = jnp.ones(2)")
    assert found["heavy"] == ["scipy.stats"]
    assert found["started"] is True
    assert found["arrays"] == ["jscale.errors.X"]
