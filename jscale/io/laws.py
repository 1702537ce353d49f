"""The law of a saved fit: found by its module or its name, and checked against the file."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from jscale import laws
from jscale.errors import LawError
from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.components import curves


def find_law(saved: Mapping[str, Any]) -> Law:
    """Return the law of a saved fit: by name if it is registered, else by where it was defined."""
    name, where = saved["name"], saved["where"]
    known = _registered(name)
    # A law of the user's own may have the name of a registered one; digests tell them apart.
    if known is not None and known.digest == saved["digest"]:
        return known
    module, _, attribute = where.partition(":")
    try:
        law = attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        if known is not None:
            return known
        reason = "it was defined inside a function" if "<locals>" in where else error
        raise LawError(
            f"The law {name!r} ({where}) cannot be found: {reason}. "
            "Give it: js.load(path, law=mine)."
        ) from error
    if isinstance(law, Law) and law.name == name:
        return law
    if known is not None:
        return known
    raise LawError(f"{where} is not the law {name!r}. Give it: js.load(path, law=mine).")


def _registered(name: str) -> Law | None:
    """Return the registered law of a name such as "chinchilla" or "chinchilla.then(…)", or None."""
    first, then, link = name.removesuffix(")").rpartition(".then(")
    if then:
        law, linked = _registered(first), _registered(link)
        return law.then(linked) if law and linked else None
    return laws.get(name) if name.split(":")[0] in laws.names() else None


def with_saved_starts(law: Law, saved: Mapping[str, Any]) -> Law:
    """Return the law with the ranges of starts that the fit used (``start=…``)."""
    current = {p.name: p.role.start for p in law.parameters}
    changed = {n: tuple(s) for n, s in saved.items() if n in current and tuple(s) != current[n]}
    return law.with_starts(changed) if changed else law


def check_law(fit: Fit, digest: str) -> None:
    """Raise LawError if the law's code has changed and no longer gives the saved predictions."""
    if fit.law.digest == digest:
        return
    missing = [name for name in fit.law.inputs if name not in fit.runs.frame.columns]
    same_names = set(fit.law.names) == {str(n).split("[")[0] for n in fit.params.index}
    if same_names and not missing:
        now = curves(fit, fit.runs.frame, fit.params.to_numpy()[None])[0]
        if np.allclose(now, fit.fitted, rtol=1e-9, atol=0.0):
            return
    raise LawError(
        f"The law {fit.law.name!r} is not the one that was fitted: its code has changed and it no "
        "longer gives the saved predictions. Give the right one: js.load(path, law=mine)."
    )
