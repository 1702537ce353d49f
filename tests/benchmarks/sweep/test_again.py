"""again: which rows, which runs are behind them, and what is said of a difference."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest

from benchmarks.sweep import again, tables
from benchmarks.sweep.collect import collect
from benchmarks.sweep.grid import RunSpec
from benchmarks.sweep.plans import PARTS, added_run

from .records import make_record, put_record

ADDED = added_run("8:20000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The tables of the whole plan and one added run."""
    out = tmp_path_factory.mktemp("out")
    for spec in [ADDED, *(spec for runs in PARTS.values() for spec in runs())]:
        put_record(out, spec)
    collect(out, out, partial=False)
    return out


@pytest.fixture(autouse=True)
def embedded(folder, monkeypatch):
    monkeypatch.setattr(tables, "FOLDER", folder)


def line_of(run: str) -> again.Line:
    (line,) = again.chosen_lines([run], 0, 0)
    return line


def test_every_embedded_run_leads_back_to_its_plan():
    lines = again.embedded_lines()
    planned = {spec.name: spec for runs in PARTS.values() for spec in runs()}
    assert {name: again.spec_of(line) for name, line in lines.items()} == planned | {
        ADDED.name: ADDED
    }


def test_three_cheap_rows_of_the_main_table_drawn_by_the_seed():
    drawn = again.chosen_lines(None, 3, seed=0)
    assert len({line.run for line in drawn}) == 3
    assert all(float(line.columns["C"]) <= 2e11 for line in drawn)
    assert drawn == again.chosen_lines(None, 3, seed=0)
    assert drawn != again.chosen_lines(None, 3, seed=1)
    every = again.chosen_lines(None, 10_000, seed=0)
    assert 30 < len(every) < 113
    assert {line.columns["part"] for line in every} == {"grid", "isoflop", "added"}


def test_runs_asked_for_come_once_and_from_any_table():
    names = ["w012-d00300k-s0", "w064-d01200k-u00075k-s0", "w012-d00300k-s0"]
    assert [line.run for line in again.chosen_lines(names, 3, 0)] == names[:2]


def test_a_curve_is_compared_at_its_end():
    line = line_of("w032-d01200k-b16-wsd-s0")
    spec = RunSpec("curves", 32, 1_200_000, batch=16, schedule="wsd", curve=True)
    assert line.loss == make_record(spec)["loss"]
    assert again.compare(line, make_record(spec))[0]


def test_unknown_run():
    with pytest.raises(SystemExit, match=r"no run 'w012' in the embedded tables; .*stdlib_lm\.csv"):
        again.chosen_lines(["w012"], 3, 0)


def test_row_of_other_rules():
    line = line_of("w012-d00300k-s0")
    changed = replace(line, columns=line.columns | {"batch": "16"})
    with pytest.raises(SystemExit, match="batch is 16 in the table, 8 by the plan: the rules have"):
        again.spec_of(changed)


def test_row_of_no_plan():
    line = replace(line_of("w012-d00300k-s0"), run="an-old-name")
    with pytest.raises(SystemExit, match="an-old-name: neither a run of the plan nor one that"):
        again.spec_of(line)


# ── What is said ─────────────────────────────────────────────────────────────────────────────


def test_one_bit_is_a_difference():
    line = line_of(ADDED.name)
    assert again.compare(line, make_record(ADDED)) == (
        True,
        f"{ADDED.name}: table {line.loss!r}, new {line.loss!r}: same",
    )
    other = math.nextafter(line.loss, 2)
    assert again.compare(line, make_record(ADDED, loss=other)) == (
        False,
        f"{ADDED.name}: table {line.loss!r}, new {other!r}: differs "
        "(expected if the processor or NumPy differ)",
    )


def test_what_can_be_compared_is_no_excuse():
    line = line_of(ADDED.name)
    record = make_record(ADDED, loss=2.0, cpu="A", libraries={"numpy": "2.3.0"})
    known = replace(line, made_with=line.made_with | {"cpu": "A"})
    assert again.compare(known, record)[1].endswith("differs (expected if NumPy differs)")
    known = replace(known, made_with=known.made_with | {"numpy": "2.3.0"})
    assert again.compare(known, record)[1].endswith("differs")
    known = replace(known, made_with=known.made_with | {"numpy": "2.2.0"})
    assert "expected: numpy 2.2.0 there, 2.3.0 here" in again.compare(known, record)[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"python": "3.13.1"}, "python 3.11.7 there, 3.13.1 here"),
        ({"jax": "0.11.0"}, "jax 0.10.2 there, 0.11.0 here"),
        ({"device": "gpu"}, "device cpu there, gpu here"),
        ({"corpus": {"digest": "another"}}, "corpus 0123456789abcdef there, another here"),
    ],
)
def test_a_difference_is_expected_where_something_else_differs(changes, said):
    same, words = again.compare(line_of(ADDED.name), make_record(ADDED, loss=2.0, **changes))
    assert not same
    assert words.endswith(f"differs (a difference is expected: {said})")


def test_versions_of_a_curve_are_those_of_its_card():
    line = line_of("w032-d01200k-b16-wsd-s0")
    assert line.made_with == {"corpus": "0123456789abcdef", "jax": "0.10.2", "python": "3.11.7"}


@pytest.mark.parametrize(
    ("record", "failed", "said"),
    [
        (make_record(ADDED), [], ": same"),
        (make_record(ADDED, loss=2.0), [], ": differs"),
        (None, [f"{ADDED.name}: no space"], f"FAILED {ADDED.name}: no space"),
        (None, [], "new none: failed"),
    ],
)
def test_exit_status(monkeypatch, capsys, record, failed, said):
    monkeypatch.setattr(again, "run_pending", lambda *_: failed)
    monkeypatch.setattr(again, "read_record", lambda *_: record)
    monkeypatch.setattr(sys, "argv", ["again", "--only", ADDED.name])
    assert again.main() == (0 if said == ": same" else 1)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rows", "-1"], ["--workers", "0"]])
def test_counts_that_cannot_be(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["again", *arguments])
    with pytest.raises(SystemExit, match="2"):
        again.main()
    assert "--rows and --workers should be 1 or more" in capsys.readouterr().err
