"""Figures of the package's order: rooms, import cycles, large folders, long signatures, docstrings.

``python .ci/house.py [ROOT]`` reads the source under ROOT (this repository by default) without
importing it, so that any older checkout can be measured too; ``--tests`` also counts the tests of
each tier, for which pytest collects them.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MOST_ARGUMENTS = 7
SECTION = re.compile(r"^\s*(Other Parameters|Parameters|Attributes)\n\s*-{3,}\s*$", re.MULTILINE)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(root: Path, folder: str = "jscale") -> dict[str, ast.Module]:
    """Parse all files of a folder, by dotted name (a package's file under the package's name)."""
    trees = {}
    for path in sorted((root / folder).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


def imports(name: str, tree: ast.Module, known: dict[str, ast.Module]) -> set[str]:
    """Modules that one imports anywhere in its file, but for those that only annotations name."""
    found = set()
    typing_only = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    ]  # fmt: skip
    skipped = {id(n) for block in typing_only for n in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return (found & set(known)) - {name, "jscale"}


def cycles(trees: dict[str, ast.Module]) -> list[list[str]]:
    """Groups of modules that import each other (strongly connected components, by Tarjan)."""
    edges = {name: imports(name, tree, trees) for name, tree in trees.items()}
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(edges[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                groups.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for name in sorted(edges):
        if name not in order:
            visit(name)
    return groups


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions and methods of a tree, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def arguments(function: Function) -> list[str]:
    """Names of a function's arguments, without self and cls."""
    a = function.args
    names = [x.arg for x in [*a.posonlyargs, *a.args, *a.kwonlyargs]]
    names += [x.arg for x in (a.vararg, a.kwarg) if x]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_law(function: Function) -> bool:
    """Whether a function is decorated as a law: it takes as many parameters as its formula has."""
    names = [ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list]
    roles = [a.annotation for a in function.args.kwonlyargs if a.annotation is not None]
    in_roles = any(ast.unparse(r) in {"Exponent", "Scale", "Floor"} for r in roles)
    return in_roles or any(n.rpartition(".")[2] == "law" for n in names)


def public(root: Path, trees: dict[str, ast.Module]) -> Iterator[tuple[str, ast.AST]]:
    """Functions and classes that ``jscale.__all__`` names, and those of the modules in it."""
    top = trees["jscale"]
    names = next(
        ast.literal_eval(node.value)
        for node in top.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    for name in names:
        place = resolve(trees, "jscale", name)
        if place is None:
            continue
        module, attribute = place
        if attribute is None:
            for node in trees[module].body:
                if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                    yield f"{name}.{node.name}", node
        else:
            for node in trees[module].body:
                if isinstance(node, Function | ast.ClassDef) and node.name == attribute:
                    yield name, node


def resolve(trees: dict[str, ast.Module], module: str, name: str) -> tuple[str, str | None] | None:
    """Where an imported name is defined: a module and an attribute, or a module alone."""
    # Names that load when they are first used are imported for type checkers alone.
    for node in ast.walk(trees[module]):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    inner = f"{node.module}.{alias.name}"
                    if inner in trees:
                        return inner, None
                    if node.module in trees:
                        return resolve(trees, node.module, alias.name)
    defined = [n.name for n in trees[module].body if isinstance(n, Function | ast.ClassDef)]
    return (module, name) if name in defined else None


def documented(root: Path, trees: dict[str, ast.Module]) -> tuple[int, int]:
    """Arguments of public functions and methods that a section describes, and all of them."""
    described = total = 0
    for _, node in public(root, trees):
        subjects: list[Function] = [node] if isinstance(node, Function) else []
        if isinstance(node, ast.ClassDef):
            subjects = [n for n in node.body if isinstance(n, Function) and n.name[0] != "_"]
        for function in subjects:
            if is_law(function):
                continue
            named = named_in_sections(ast.get_docstring(function) or "")
            asked = arguments(function)
            total += len(asked)
            described += len(named & set(asked))
    return described, total


def named_in_sections(text: str) -> set[str]:
    """Names before a colon in numpydoc's sections of parameters."""
    names: set[str] = set()
    for start in SECTION.finditer(text):
        for line in text[start.end() :].splitlines():
            if re.match(r"^-{3,}$", line.strip()):
                break
            if match := re.match(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$", line):
                names |= {n.strip().lstrip("*") for n in match[1].split(",")}
    return names


def comments(paths: list[Path]) -> tuple[int, int]:
    """Lines that hold a comment, and lines that are not blank."""
    commented = lines = 0
    for path in paths:
        with path.open("rb") as handle:
            for token in tokenize.tokenize(handle.readline):
                if token.type == tokenize.COMMENT and "fmt:" not in token.string:
                    commented += 1
        lines += sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return commented, lines


def tests_of(root: Path, tier: str) -> int:
    """How many tests a tier has, by pytest's own collection."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-m", tier]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    counts = re.findall(r"^\S+: (\d+)$", done.stdout, re.MULTILINE)
    if not counts:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return sum(map(int, counts))


def figures(root: Path) -> Iterator[tuple[str, object]]:
    """The figures by name."""
    trees = modules(root)
    paths = sorted((root / "jscale").rglob("*.py"))
    folders = Counter(path.parent.relative_to(root) for path in paths)
    sizes = sorted(len(p.read_text(encoding="utf-8").splitlines()) for p in paths)
    package = root / "jscale"
    yield "rooms (folders of the package)", sum(f.parent == Path("jscale") for f in folders)
    yield "folders within rooms", sum(len(f.parts) > 2 for f in folders)
    yield "import cycles between files", len(cycles(trees))
    yield "files at the root of the package", len(list(package.glob("*.py")))
    yield "files in the largest folder", max(folders.values())
    yield "files, lines", f"{len(paths)}, {sum(sizes)}"
    yield "lines of a file (median, longest)", f"{sizes[len(sizes) // 2]}, {sizes[-1]}"
    many = [
        f.name for tree in trees.values() for f in functions(tree)
        if len(arguments(f)) > MOST_ARGUMENTS and not is_law(f)
    ]  # fmt: skip
    yield f"functions with more than {MOST_ARGUMENTS} arguments, laws apart", len(many)
    for part in ("jscale", "tests", "benchmarks"):
        text = [p.read_text(encoding="utf-8") for p in (root / part).rglob("*.py")]
        yield f"fmt: skip in {part}", sum(len(re.findall(r"#\s*fmt: skip", t)) for t in text)
    described, total = documented(root, trees)
    yield "documented arguments of public functions", f"{described} of {total}"
    commented, lines = comments(paths)
    yield "comments, per cent of lines", f"{100 * commented / lines:.1f}"


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--tests", action="store_true", help="count the tests of each tier")
    options = parser.parse_args()
    for name, value in figures(options.root):
        print(f"{name:56s} {value}")
    if options.tests:
        for name, tier in (("quick", "not full"), ("full", "full")):
            print(f"{'tests of the ' + name + ' tier':56s} {tests_of(options.root, tier)}")


if __name__ == "__main__":
    main()
