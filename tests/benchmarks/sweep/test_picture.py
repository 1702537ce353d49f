"""Pictures of the tables are drawn, one panel for each question."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from benchmarks.sweep import picture, tables
from benchmarks.sweep.collect import collect


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    into = tmp_path_factory.mktemp("tables")
    collect(finished, into, partial=False)
    return into


@pytest.mark.parametrize("name", picture.DRAW)
def test_picture_of_a_table(folder, monkeypatch, tmp_path, name):
    target = tmp_path / "picture.png"
    monkeypatch.setattr(tables, "FOLDER", folder)
    monkeypatch.setattr(sys, "argv", ["picture", name, str(target)])
    picture.main()
    assert target.stat().st_size > 10_000


def test_surface_shows_the_grid_by_bytes_and_five_cuts_at_equal_compute(folder):
    table = pd.read_csv(folder / "stdlib_lm.csv")
    panels = picture.draw_surface(table).axes
    labels = [panel.get_legend_handles_labels()[1] for panel in panels]
    assert labels[1][0] == "D = 5.3e+04"
    assert labels[3] == ["C = 3e+10", "C = 1.6e+11", "C = 9e+11", "C = 6.4e+12", "C = 1.3e+13"]


def test_folder_of_the_picture_is_missing(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "FOLDER", folder)
    monkeypatch.setattr(sys, "argv", ["picture", "stdlib_lm_pilot", str(tmp_path / "no" / "a.png")])
    with pytest.raises(SystemExit, match=r"cannot write .*no/a\.png: .*No such file"):
        picture.main()


def test_table_without_a_picture(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["picture", "stdlib_lm_seeds", "picture.png"])
    with pytest.raises(SystemExit, match="2"):
        picture.main()
    assert "invalid choice: 'stdlib_lm_seeds'" in capsys.readouterr().err
