"""jscale laws: the list of laws, and the page of each."""

from __future__ import annotations

import json

import pytest

import jscale as js
from tests.cli.running import told


def test_laws(jscale):
    code, out, _ = jscale("laws")
    assert code == 0
    first = [line.split()[0] for line in out.splitlines()[1:] if line[1:2].strip()]
    assert first[: len(js.laws.names())] == js.laws.names()
    rows = json.loads(jscale("laws", "--json")[1])
    assert [row["law"] for row in rows] == js.laws.names()
    assert rows[0]["inputs"] == "C"


@pytest.mark.full
def test_a_page_for_each_law(jscale):
    for name in js.laws.names():
        code, out, _ = jscale("laws", name)
        assert code == 0
        assert "Parameters" in out
        page = json.loads(jscale("laws", name, "--json")[1])
        assert list(page["parameters"]) == list(js.laws.get(name).names)


def test_the_page_of_a_factory_has_no_python(jscale):
    code, out, _ = jscale("laws", "broken")
    assert code == 0
    assert out.startswith("broken:1: loss = ")
    assert ">>>" not in out
    assert "``" not in out
    assert "\nParameters\n" in out


def test_what_a_page_says_of_a_law(jscale):
    """Where it holds, what follows from it, and its published constants."""
    page = json.loads(jscale("laws", "data_constrained", "--json")[1])
    assert page["domain"] == ["N > 0", "D > 0", "U > 0", "U ≤ D"]
    assert "effective_tokens(D, U)" in page["quantities"]
    (source,) = page["published"]
    assert page["published"][source]["R_D_star"] == 15.387756
    out = told(jscale("laws", "data_constrained")[1])
    assert "Holds for N > 0, D > 0, U > 0, U ≤ D" in out
    assert "R_D_star = 15.3878" in out


def test_an_input_that_was_renamed_has_the_words_of_the_glossary(jscale):
    page = jscale("laws", "broken:2:D")[1]
    (line,) = [line for line in page.splitlines() if line.startswith("  D  ")]
    assert "tokens" in line
