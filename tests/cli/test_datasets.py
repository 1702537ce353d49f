"""jscale data: the list of data sets, and the card of one."""

from __future__ import annotations

import json

import pytest

import jscale as js


def test_data(jscale):
    code, out, _ = jscale("data")
    assert code == 0
    assert out.splitlines()[1].split()[0] == "stdlib_lm"
    names = [row["name"] for row in json.loads(jscale("data", "--json")[1])]
    assert names == js.datasets.names()


@pytest.mark.parametrize("name", ["stdlib_lm", "chinchilla_epoch"])
def test_a_card(jscale, name):
    code, out, _ = jscale("data", name)
    assert code == 0
    assert f"name: {name}" in out
    assert "  loss: " in out
    assert "RawFile(" not in out
    assert json.loads(jscale("data", name, "--json")[1])["rows"] == js.datasets.card(name).rows
