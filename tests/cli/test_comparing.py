"""jscale compare: laws in order, by origins, and by a share of the runs."""

from __future__ import annotations

import json

import pytest

FEW = ["--resamples", "40"]


def test_compare_prints_the_laws_in_order(runs_csv, jscale):
    code, out, _ = jscale("compare", runs_csv, "--law", "power_const", "--law", "chinchilla", *FEW)
    assert code == 0
    assert "a mask of" in out
    lines = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert lines.index("chinchilla") < lines.index("power_const")
    assert "±" in out


@pytest.mark.full
def test_compare_by_origins_as_json(runs_csv, jscale):
    code, out, _ = jscale(
        "compare", runs_csv, "--law", "chinchilla", "--origins", "2", "--json", *FEW
    )
    document = json.loads(out)
    assert code == 0
    assert document["holdout"] == "origins('C', 2, factor=1)"
    assert document["table"][0]["law"] == "chinchilla"
    assert any("few-held-out" in note for note in document["notes"])


@pytest.mark.full
def test_compare_by_share(runs_csv, jscale):
    code, out, _ = jscale("compare", runs_csv, "--law", "chinchilla", "--share", "0.3", *FEW)
    assert code == 0
    assert "largest('C', 0.3)" in out
    code, _, err = jscale("compare", runs_csv, "--share", "3")
    assert code == 2
    assert "share=3" in err
