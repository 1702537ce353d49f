"""Notes under a table: the most severe first, in words of the command line."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from jscale.cli.notes import as_documents, by_severity, print_notes
from jscale.fitting.notes import Note

NOTES = [
    Note("constant-input", "info", "N is 1 in all rows.", "", "Add runs with another N."),
    Note("unidentified", "warning", "A and alpha move together.", "Neither is known.", "Fix one."),
    Note("at-edge", "caution", "E is [0].", "", ""),
]


def test_the_most_severe_come_first() -> None:
    assert [note.severity for note in by_severity(NOTES)] == ["warning", "caution", "info"]


def test_documents_keep_every_word() -> None:
    first = as_documents(NOTES)[0]
    assert first == {
        "code": "unidentified",
        "severity": "warning",
        "seen": "A and alpha move together.",
        "means": "Neither is known.",
        "do": "Fix one.",
    }


def test_notes_are_printed_as_they_are() -> None:
    """Brackets are no markup, and empty parts leave no double space."""
    out = Console(file=StringIO(), width=200)
    print_notes(out, NOTES)
    assert isinstance(out.file, StringIO)
    assert out.file.getvalue().split("\n\n") == [
        "\nwarning: unidentified. A and alpha move together. Neither is known. Fix one.",
        "caution: at-edge. E is [0].",
        "info: constant-input. N is 1 in all rows. Add runs with another N.\n",
    ]
