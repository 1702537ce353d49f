"""The registry of laws, which are imported when they are first used.

A text names a law and its structure: ``chinchilla``, ``broken:2`` (two breaks), ``mixing:web,code``
(the parts of a mixture), and for a law of one input the column to use: ``power_const:N``,
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
    """Call a factory with the structure in a law's text; raise LawError if it makes no law."""
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
    """Return the number or the names that an argument stands for, or None if it is an input."""
    if argument.isdecimal():
        return int(argument)
    names = tuple(argument.split(","))
    return names if len(names) > 1 and all(n.isidentifier() for n in names) else None


class Registry:
    """Laws and factories of laws by name.

    Parameters
    ----------
    catalogue : mapping of str to str
        Where each law is, as ``module:attribute``.
    """

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._catalogue = dict(catalogue)
        self._made: dict[str, Any] = {}

    def names(self) -> list[str]:
        """Return the names of all registered laws.

        Returns
        -------
        list of str
            Names of the catalogue, of laws registered in this process, and of laws of other
            packages that declare the entry point ``jscale.laws``.
        """
        return [*self._catalogue, *(e.name for e in entry_points(group=ENTRY_POINTS))]

    def register(self, made: Law | Callable[..., Law], name: str | None = None) -> None:
        """Register a law, or a factory of laws, in this process.

        Parameters
        ----------
        made : Law or callable
            The law, or a function that makes laws, such as one that takes a number of breaks.
        name : str, optional
            The name to register it by; by default its own.

        Raises
        ------
        LawError
            If the name is taken by another law, is empty or contains a colon, or if ``made`` is
            not a law or a function.
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
        # Registering an equal law again is allowed, as a notebook cell that runs twice does.
        if key in self.names() and self._load(key) != made:
            raise LawError(f"A law named {key!r} is registered already; choose another name.")
        self._catalogue.setdefault(key, "")
        self._made[key] = made

    def get(self, text: str | Law) -> Law:
        """Return the law that a text names.

        Parameters
        ----------
        text : str or Law
            A name with structure and column where the law takes them: "chinchilla", "broken:2",
            "mixing:web,code", "power_const:N". A law is returned as it is.

        Returns
        -------
        Law
            The law.

        Raises
        ------
        LawError
            If the name is unknown (the message suggests the nearest one), or the structure or
            column does not suit the law.
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
                '"auto" is not one law but the forecast, which chooses by the columns: '
                'js.forecast(runs), js.forecast_many(runs, by=…), or js.compare("auto", runs).'
            )
        name, *arguments = text.split(":")
        # A search of all installed packages: only where the name is not of the catalogue.
        if name not in self._catalogue and name not in self.names():
            raise LawError(
                f"There is no law {name!r}.{nearest(name, self.names())} "
                f"Known laws: {listing(self.names(), 50)}."
            )
        return self._build(text, self._load(name), arguments)

    def _build(self, text: str, entry: Any, arguments: list[str]) -> Law:
        """Return the law of an entry with the structure and the input in a law's text."""
        structure = [s for s in map(_structure, arguments) if s is not None]
        axes = [a for a in arguments if _structure(a) is None]
        if len(axes) > 1 or not all(a.isidentifier() for a in axes):
            raise LawError(
                f"{text!r} does not name a law: {listing([repr(a) for a in axes])} is not one "
                "input. Write broken:2, power_const:N or broken:2:D."
            )
        made = entry if isinstance(entry, Law) else _make(text, entry, structure)
        if isinstance(entry, Law) and structure:
            what = "number" if isinstance(structure[0], int) else "list"
            raise LawError(f"{text!r} does not name a law: {entry.name} takes no {what}.")
        return made.along(*axes) if axes else made

    def _load(self, name: str) -> Any:
        """Return the law or factory registered by a name, importing it the first time."""
        if name not in self._made:
            place = self._catalogue.get(name)
            if place is None:
                # Not of the catalogue and not registered: another package declares it.
                point = next(e for e in entry_points(group=ENTRY_POINTS) if e.name == name)
                self._made[name] = point.load()
            else:
                module, attribute = place.split(":")
                self._made[name] = getattr(importlib.import_module(module), attribute)
        return self._made[name]
