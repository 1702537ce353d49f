"""How frontiers and isoFLOP tables print: tables and notes, as text and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable

import pandas as pd

from jscale.fitting.notes import Note

_MOST_ROWS = 24


def _short(value: float) -> str:
    return f"{value:.4g}"


def as_text(title: str, tables: Iterable[pd.DataFrame], notes: Iterable[Note]) -> str:
    """Return a title, tables and notes as text."""
    shown = [table.to_string(float_format=_short, max_rows=_MOST_ROWS) for table in tables]
    return "\n\n".join([title, *shown, "\n".join(map(str, notes))]).rstrip()


def as_html(title: str, tables: Iterable[pd.DataFrame], notes: Iterable[Note]) -> str:
    """Return a title, tables and notes as HTML, with every name of a user's escaped."""
    shown = "".join(table.to_html(float_format=_short, max_rows=_MOST_ROWS) for table in tables)
    listed = "".join(f"<li>{html.escape(str(note))}</li>" for note in notes)
    return f"<p>{html.escape(title)}</p>{shown}<ul>{listed}</ul>"
