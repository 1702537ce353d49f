"""How tables and notes print: rounded, shortened, and escaped in HTML."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.curves.show import as_html, as_text
from jscale.fitting.notes import Note

NOTE = Note("few-runs", "caution", "2 runs < 3.", "Bounds mean little.", "Add runs.")


def test_text_has_title_tables_and_notes_apart() -> None:
    tables = [pd.DataFrame({"N": [123456.789]}), pd.DataFrame({"D": [1.0]})]
    blocks = as_text("A title", tables, [NOTE, NOTE]).split("\n\n")
    assert blocks[0] == "A title"
    assert "1.235e+05" in blocks[1]
    assert "D" in blocks[2]
    assert blocks[3].splitlines() == [str(NOTE)] * 2


def test_text_without_notes_does_not_end_in_blank_lines() -> None:
    assert as_text("A title", [], []) == "A title"


def test_long_tables_are_cut_in_the_middle() -> None:
    table = pd.DataFrame({"N": np.arange(60.0)})
    text, page = as_text("", [table], []), as_html("", [table], [])
    rows = [line.split()[0] for line in text.splitlines()[3:]]
    assert rows == [*map(str, range(12)), "..", *map(str, range(48, 60))]
    assert "<th>11</th>" in page
    assert "<th>12</th>" not in page
    assert ".." not in as_text("", [table.iloc[:24]], [])


def test_html_escapes_titles_columns_and_notes() -> None:
    page = as_html("<b>title</b>", [pd.DataFrame({"<i>loss": [1.23456]})], [NOTE])
    assert "&lt;b&gt;title" in page
    assert "&lt;i&gt;loss" in page
    assert "2 runs &lt; 3." in page
    assert "1.235" in page
    assert page.count("<li>") == 1
