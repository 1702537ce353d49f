"""What the docstrings of the public names lack, by numpydoc's validation and a few checks of ours.

``python -m tests.docstrings`` prints it module by module (``python -m tests.docstrings planning``
for the modules whose path contains a word), ``--update`` strikes from ``docstrings_todo.txt`` the
names that pass by now. The gate runs the same checks in ``test_docstrings.py``.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import jscale as js
from jscale import plots
from jscale.model.docstring import read_docstring

TODO = Path(__file__).with_name("docstrings_todo.txt")

# numpydoc's codes: sections that it knows, in its order; a summary that ends with a period, begins
# with a verb in the imperative, and fits one line; every argument documented, in order, with a type
# and a description; what is returned or yielded, described. Left out are the checks of layout that
# ruff format makes, "See Also", and a capital or a period in every description.
CHECKS = {
    "GL06", "GL07", "GL08", "SS01", "SS03", "SS05", "SS06",
    "PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "RT03", "YD01",
}  # fmt: skip
# Asked of functions alone: what they return cannot be had without an example of the call. Plots are
# exempt (the notebooks show them), and so are methods (the class's function shows the object).
EXAMPLES = "EX01"
# Properties return what their one sentence says.
PROPERTY_CHECKS = {"GL06", "GL07", "GL08", "SS01", "SS03", "SS06"}
# What rooms of the package use of each other's modules, and users do not.
INTERNAL = {"as_cost", "as_scheme", "check_rising", "splits_of", "units_of"}
_PROSE_RAISES = re.compile(r"(?:^|\. )Raises (?:a |an )?[A-Z]\w+", re.MULTILINE)


class _Documented(Validator):
    """numpydoc's validator, for which a class may describe its fields under ``Attributes``."""

    def __init__(self, obj_name: Any) -> None:
        super().__init__(get_doc_object(obj_name))

    @cached_property
    def signature_parameters(self) -> tuple[str, ...]:
        """Arguments of the signature, without private fields of dataclasses."""
        return tuple(p for p in super().signature_parameters if not p.startswith("_"))

    @cached_property
    def doc_all_parameters(self) -> dict[str, Any]:
        """Documented arguments; of a class, with those of its fields that are attributes."""
        documented = dict(super().doc_all_parameters)
        if inspect.isclass(self.obj):
            for names, kind, text in self.doc["Attributes"]:
                for name in names.split(", "):
                    if name in self.signature_parameters:
                        documented.setdefault(name, (kind, text))
        return documented


def _own_functions(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """Public functions and classes that a module defines."""
    for name, value in vars(module).items():
        if name.startswith("_") or name in INTERNAL:
            continue
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            yield name, value


def subjects() -> dict[str, Any]:
    """Every public object with a docstring, by the name that a user writes."""
    named: dict[str, Any] = {}
    for name in js.__all__:
        value = getattr(js, name)
        if inspect.ismodule(value):
            named |= {f"jscale.{name}.{n}": v for n, v in _own_functions(value)}
        elif inspect.isfunction(value) or inspect.isclass(value):
            named[f"jscale.{name}"] = value
    named |= {f"jscale.plots.{name}": getattr(plots, name) for name in plots.__all__}
    for name, value in list(named.items()):
        if inspect.isclass(value):
            named |= {f"{name}.{n}": v for n, v in _methods(value)}
    # A protocol says what a function must be; its call documents the arguments.
    named = {n: v for n, v in named.items() if not getattr(v, "_is_protocol", False)}
    once = {id(value): name for name, value in reversed(named.items())}
    named = {name: value for name, value in named.items() if once[id(value)] == name}
    return named | {f"law {name}": js.laws.get(name) for name in js.laws.CATALOGUE}


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that a class, or a base of it in jscale, defines."""
    for name in dir(cls):
        if name.startswith("_"):
            continue
        owner = next(c for c in cls.__mro__ if name in vars(c))
        value = vars(owner)[name]
        if not owner.__module__.startswith("jscale"):
            continue
        if isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        if inspect.isfunction(value) or isinstance(value, (property, cached_property)):
            yield name, value


def faults(name: str, subject: Any) -> list[str]:
    """What one docstring lacks, a line per fault; none if it is complete."""
    if isinstance(subject, js.Law):
        return _faults_of_law(subject)
    if isinstance(subject, cached_property):
        subject = property(subject.func)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checked = validate(subject, validator_cls=_Documented)
    wanted = PROPERTY_CHECKS if isinstance(subject, property) else CHECKS
    top = inspect.isfunction(subject) and "." not in subject.__qualname__
    if top and not subject.__module__.startswith("jscale.plots"):
        wanted = wanted | {EXAMPLES}
    lines = [f"{code} {text}" for code, text in checked["errors"] if code in wanted]
    text = inspect.getdoc(subject) or ""
    if _PROSE_RAISES.search(text):
        lines.append("JS01 an exception is named in a sentence: it belongs under Raises")
    return lines


def _faults_of_law(law: js.Law) -> list[str]:
    """A law's docstring: a sentence, every input and parameter and the output described, a source.

    That the examples run, and more, is in tests/laws/test_docstrings.py.
    """
    doc = read_docstring(law.doc)
    lines = []
    if not (law.doc.splitlines() or [""])[0].endswith("."):
        lines.append("SS03 the first line is not a sentence")
    for name in (*law.inputs, *law.names):
        if not doc.parameters.get(name):
            lines.append(f"PR01 {name!r} is not described under Parameters")
    if law.output not in doc.returns:
        lines.append(f"RT03 the output {law.output!r} is not described under Returns")
    if not doc.references:
        lines.append("RF01 no source under References")
    return lines


def module_of(name: str, subject: Any) -> str:
    """The module in which a subject is written."""
    function = subject
    if isinstance(subject, js.Law):
        return js.laws.CATALOGUE[name.removeprefix("law ")].split(":")[0]
    if isinstance(subject, property):
        function = subject.fget
    elif isinstance(subject, cached_property):
        function = subject.func
    return getattr(function, "__module__", None) or "jscale"


def allowed() -> list[str]:
    """Names whose docstrings are still to be converted."""
    if not TODO.exists():
        return []
    return [line for line in TODO.read_text(encoding="utf-8").splitlines() if line.strip()]


def main(arguments: list[str]) -> int:
    """Print what is missing; with ``--update``, also strike the names that pass from the list."""
    everything = subjects()
    missing = {name: lines for name, s in everything.items() if (lines := faults(name, s))}
    if "--update" in arguments:
        left = [name for name in allowed() if name in missing]
        TODO.write_text("".join(f"{name}\n" for name in sorted(left)), encoding="utf-8")
    words = [a for a in arguments if not a.startswith("-")]
    by_module: dict[str, list[str]] = {}
    for name in missing:
        by_module.setdefault(module_of(name, everything[name]), []).append(name)
    shown = 0
    for module, names in sorted(by_module.items()):
        if words and not any(word in module for word in words):
            continue
        print(module)
        for name in names:
            shown += 1
            print(f"  {name}")
            for line in missing[name]:
                print(f"      {line}")
    print(f"{shown} of {len(everything)} public names have incomplete docstrings")
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
