"""Groups: draws as labelled arrays, independent of any container.

What ArviZ calls a group (``posterior``, ``observed_data``, …) is here a set of arrays with named
dimensions. Draws make their groups; :mod:`jscale.uncertainty.arviz` turns them into its containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from jscale.model.layout import Layout


@dataclass(frozen=True, eq=False)
class Group:
    """Arrays with named dimensions.

    ``variables`` maps a name to its dimensions and values, ``coords`` a dimension to its labels,
    and ``attributes`` holds plain text and numbers about the whole group.
    """

    variables: Mapping[str, tuple[tuple[str, ...], np.ndarray]]
    coords: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class HasGroups(Protocol):
    """Whatever can be laid out as groups, such as Draws."""

    def groups(self) -> dict[str, Group]:
        """Return the groups by name."""
        ...


def parameter_group(
    layout: Layout, values: np.ndarray, extras: Mapping[str, np.ndarray] | None = None
) -> Group:
    """Return one variable per parameter of draws (chain, draw, q), and one per extra.

    A parameter that differs by group has the group's column as its third dimension.
    """
    labels_of = dict(layout.groups)
    chains, draws = values.shape[:2]
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    first = 0
    for name in layout.law.names:
        column = layout.column(name)
        size = len(labels_of[column]) if column else 1
        block = values[:, :, first : first + size]
        if column:
            dimension = _dimension(layout, column)
            coords[dimension] = np.array(labels_of[column], dtype=str)
            variables[name] = (("chain", "draw", dimension), block)
        else:
            variables[name] = (("chain", "draw"), block[:, :, 0])
        first += size
    variables.update({name: (("chain", "draw"), v) for name, v in (extras or {}).items()})
    return Group(variables, coords)


def _dimension(layout: Layout, column: str) -> str:
    """Return the name of a group column's dimension, which must clash with no variable's."""
    name = column.replace("/", "_")  # a slash would be a path within the file
    return f"{name}_label" if name in (*layout.law.names, "chain", "draw") else name
