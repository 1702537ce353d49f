"""Registry: laws by name, loaded when they are asked for.

A text names a law and its structure: ``chinchilla``, ``broken:2`` (two breaks), ``mixing:web,code``
(the parts of a mixture), and for laws of one input the column it runs along: ``power_const:N``,
``broken:2:D``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from jscale.errors import LawError, listing, nearest
from jscale.model.law import Law

ENTRY_POINTS = "jscale.laws"


def _make(text: str, factory: Callable[..., Law], structure: list[Any]) -> Law:
    """Call a factory with the structure in a law's text; raises LawError if it makes no law."""
    try:
        made = factory(*structure)
    except TypeError as error:
        raise LawError(f"{text!r} does not name a law: {error}.") from error
    if not isinstance(made, Law):
        raise LawError(
            f"{text!r} does not name a law: it makes {type(made).__name__}. Decorate the "
            "function with @jscale.law."
        )
    return made


def _structure(argument: str) -> int | tuple[str, ...] | None:
    """Return the number or the names that an argument gives, or None: then it is an input."""
    if argument.isdecimal():
        return int(argument)
    names = tuple(argument.split(","))
    return names if len(names) > 1 and all(n.isidentifier() for n in names) else None


class Registry:
    """Laws and factories of laws by name, from a catalogue of ``module:attribute`` texts."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._catalogue = dict(catalogue)
        self._made: dict[str, Any] = {}

    def names(self) -> list[str]:
        """Return the names of all registered laws, those of other packages included."""
        return [*self._catalogue, *(e.name for e in entry_points(group=ENTRY_POINTS))]

    def register(self, made: Law | Callable[..., Law], name: str | None = None) -> None:
        """Add a law, or a factory of laws, for this process.

        Raises LawError if the name is taken by another law, or cannot be a name.
        """
        key = name or getattr(made, "name", None) or getattr(made, "__name__", "")
        if not callable(made):
            raise LawError(
                f"Only a Law or a function that makes one is registered, not "
                f"{type(made).__name__}. Decorate your function with @jscale.law."
            )
        if not key or ":" in key:
            raise LawError(
                f"{key!r} cannot be the name of a law: a colon comes before breaks or an input. "
                'Give another: register(made, name="mine").'
            )
        if key in self.names() and self._load(key) != made:
            raise LawError(f"A law named {key!r} is registered already; choose another name.")
        self._catalogue.setdefault(key, "")
        self._made[key] = made

    def get(self, text: str | Law) -> Law:
        """Return the law that a text names (or the law itself, given one).

        Raises LawError for an unknown name, with the nearest known one.
        """
        if isinstance(text, Law):
            return text
        if not isinstance(text, str):
            raise LawError(
                f"A law is a name or a Law, not {type(text).__name__}. "
                "Decorate your function with @jscale.law."
            )
        if text == "auto":
            raise LawError(
                '"auto" is no single law but an ensemble of those that fit the columns: '
                'js.ensemble(runs), or js.compare("auto", runs).'
            )
        name, *arguments = text.split(":")
        if name not in self.names():
            raise LawError(
                f"There is no law {name!r}.{nearest(name, self.names())} "
                f"Known laws: {listing(self.names(), 50)}."
            )
        return self._build(text, self._load(name), arguments)

    def _build(self, text: str, found: Any, arguments: list[str]) -> Law:
        structure = [s for s in map(_structure, arguments) if s is not None]
        axes = [a for a in arguments if _structure(a) is None]
        if len(axes) > 1 or not all(a.isidentifier() for a in axes):
            raise LawError(
                f"{text!r} does not name a law: {listing([repr(a) for a in axes])} is not one "
                "input. Write broken:2, power_const:N or broken:2:D."
            )
        made = found if isinstance(found, Law) else _make(text, found, structure)
        if isinstance(found, Law) and structure:
            what = "number" if isinstance(structure[0], int) else "list"
            raise LawError(f"{text!r} does not name a law: {found.name} takes no {what}.")
        return made.along(*axes) if axes else made

    def _load(self, name: str) -> Any:
        if name not in self._made:
            place = self._catalogue.get(name)
            if place is None:
                point = next(e for e in entry_points(group=ENTRY_POINTS) if e.name == name)
                self._made[name] = point.load()
            else:
                module, attribute = place.split(":")
                self._made[name] = getattr(importlib.import_module(module), attribute)
        return self._made[name]
