"""The laws that are compared, and the runs that they are compared on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from jscale import laws as registry
from jscale.data.conventions import refuse_mixed_conventions
from jscale.data.runs import Runs
from jscale.errors import DataError, LawError, listing
from jscale.fitting.build import as_runs
from jscale.model.law import Law

AUTO = "auto"
SURFACES = ("chinchilla_tied", "chinchilla", "farseer")
CURVES = ("power", "power_const", "broken:1")


def contenders(laws: Any) -> tuple[bool, bool, dict[str, Law]]:
    """Return whether all laws are asked for, whether the forecast is, and the laws named."""
    if isinstance(laws, str) and laws == AUTO:
        return True, True, {}
    if isinstance(laws, (list, tuple)) and AUTO in [x for x in laws if isinstance(x, str)]:
        named = [x for x in laws if not (isinstance(x, str) and x == AUTO)]
        return not named, True, chosen_laws(named) if named else {}
    return False, False, chosen_laws(laws)


def chosen_laws(laws: Any) -> dict[str, Law]:
    """Return laws by name; raises LawError for none, twice the same, or different outputs."""
    if isinstance(laws, (str, Law)) or not laws:
        raise LawError(
            f'laws={laws!r} must name one law or more: ["chinchilla", "farseer"], or "auto".'
        )
    chosen = [registry.get(law) for law in laws]
    names = [law.name for law in chosen]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise LawError(f"{listing(twice)} is there more than once; name each law once.")
    outputs = list(dict.fromkeys(law.output for law in chosen))
    if len(outputs) > 1:
        raise LawError(
            f"The laws predict different things ({listing(outputs)}): errors in one cannot be "
            "compared with errors in another. Compare laws of one output."
        )
    return dict(zip(names, chosen, strict=True))


def runs_of(laws: Mapping[str, Law] | None, data: Any, columns: Mapping[str, Any]) -> Runs:
    """Return Runs with the columns that the laws need; with no law named, all known columns.

    Raises DataError where a column ``loss_unit`` or ``count`` says that rows differ in it.
    """
    if laws:
        runs = as_runs(next(iter(laws.values())), data, columns)
    elif isinstance(data, Runs):
        runs = data
    elif isinstance(data, pd.DataFrame):
        runs = Runs.from_frame(data, **columns)
    else:
        raise DataError(f"Runs or a pandas DataFrame is needed, not {type(data).__name__}.")
    refuse_mixed_conventions(runs.frame)
    return runs


def axis_of(runs: Runs) -> str | None:
    """Return the input along which these runs grow: C, or the only one; else None."""
    if "C" in runs.inputs:
        return "C"
    return runs.inputs[0] if len(runs.inputs) == 1 else None


def candidates(runs: Runs) -> dict[str, Law]:
    """Return the laws by name that the columns fit and that have fewer parameters than runs."""
    names = list(SURFACES) if {"N", "D"} <= set(runs.inputs) else []
    axis = axis_of(runs)
    if axis is not None and runs.output == "loss":
        names = [*(law if axis == "C" else f"{law}:{axis}" for law in CURVES), *names]
    if not names or runs.output != "loss":
        raise DataError(
            f'"auto" knows laws of a loss over N and D, or over one input; these runs have '
            f"{listing(runs.inputs)} and the output {runs.output!r}. Name the laws to try."
        )
    entries = [registry.get(name) for name in names]
    return {law.name: law for law in entries if len(law.names) < runs.n_independent}
