"""What ``jscale data`` does: the list of data sets, and the card of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jscale as js
from jscale.reporting import console as show_in


def list_data(name: str | None, *, as_json: bool) -> None:
    """Print the list of data sets, or one card."""
    if name is not None:
        _print_card(js.datasets.card(name), as_json)
        return
    table = js.datasets.table()
    if as_json:
        show_in.print_json(show_in.records(table))
        return
    show_in.screen().print(show_in.table_of(table.loc[:, ["name", "rows", "usable_for", "where"]]))
    show_in.screen().print("\nA card, with licence and source: jscale data NAME.")


def _print_card(card: Any, as_json: bool) -> None:
    """Print what is known of a data set, leaving out what is not."""
    known = {k: v for k, v in vars(card).items() if v not in ("", None, (), {})}
    if as_json:
        show_in.print_json(show_in.plain(known))
        return
    out = show_in.screen()
    for key, value in known.items():
        if isinstance(value, Mapping):
            out.print(f"{key}:", markup=False)
            for name, text in value.items():
                out.print(f"  {name}: {text}", markup=False)
        elif isinstance(value, tuple):
            out.print(f"{key}: {len(value)}", markup=False)
        else:
            out.print(f"{key}: {value}", markup=False)
