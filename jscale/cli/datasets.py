"""The work of ``jscale data``: the list of data sets, and the card of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jscale as js
from jscale.reporting import console


def list_data(name: str | None, *, as_json: bool) -> None:
    """Print the list of data sets, or one card."""
    if name is not None:
        _print_card(js.datasets.card(name), as_json)
        return
    table = js.datasets.table()
    if as_json:
        console.print_json(console.records(table))
        return
    console.screen().print(console.table_of(table.loc[:, ["name", "rows", "usable_for", "where"]]))
    console.screen().print("\nA card, with licence and source: jscale data NAME.")


def _print_card(card: Any, as_json: bool) -> None:
    """Print what is known about a data set, omitting empty entries."""
    known = {k: v for k, v in vars(card).items() if v not in ("", None, (), {})}
    if as_json:
        console.print_json(console.plain(known))
        return
    out = console.screen()
    for key, value in known.items():
        if isinstance(value, Mapping):
            out.print(f"{key}:", markup=False)
            for name, text in value.items():
                out.print(f"  {name}: {text}", markup=False)
        elif isinstance(value, tuple):
            out.print(f"{key}: {len(value)}", markup=False)
        else:
            out.print(f"{key}: {value}", markup=False)
