"""Notes of fits, draws and plans as commands print them, most severe first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from jscale.fitting.notes import Note
from jscale.reporting import console

_RANKS = {"warning": 0, "caution": 1, "info": 2}
_COLORS = {"warning": "red", "caution": "yellow", "info": "cyan"}


def by_severity(notes: Sequence[Note]) -> list[Note]:
    """Return notes, most severe first."""
    return sorted(notes, key=lambda note: _RANKS[note.severity])


def as_documents(notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Return notes for JSON, most severe first."""
    return [console.plain(vars(note)) for note in by_severity(notes)]


def print_notes(out: Console, notes: Sequence[Note]) -> None:
    """Print notes under a table, each with its severity and code in colour."""
    for note in by_severity(notes):
        head = Text(f"\n{note.severity}: {note.code}. ", _COLORS[note.severity])
        words = " ".join(text for text in (note.seen, note.means, note.do) if text)
        out.print(head + Text(console.in_cli_words(words)))
