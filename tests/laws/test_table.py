"""The catalogue as a table, and its page in jscale/laws."""

from __future__ import annotations

from importlib import resources

import jscale as js
from jscale.laws.table import markdown, table


def test_a_row_per_law():
    rows = table().set_index("law")
    assert list(rows.index) == js.laws.names()
    row = rows.loc["chinchilla"]
    assert (row["inputs"], row["output"], row["verified"]) == ("N, D", "loss", 1)
    assert row["formula"] == "loss = E + A/N^alpha + B/D^beta"


def test_the_page_is_up_to_date():
    page = resources.files("jscale.laws").joinpath("README.md").read_text(encoding="utf-8")
    assert page == markdown(), "update it: jscale laws --markdown > jscale/laws/README.md"


def test_bars_do_not_break_the_table():
    width = {line.replace("\\\\|", "").count("|") for line in markdown().splitlines()[6:]}
    assert width == {7}
