"""Which runs a sweep does, what it says, and its command line; no run is trained here."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.sweep import run, tables
from benchmarks.sweep.grid import RunSpec
from benchmarks.sweep.plans import PARTS, grid_runs, pilot_runs

from .records import DIGEST, put_record

SPEC = RunSpec("grid", 12, 300_000)


# ── Choosing ─────────────────────────────────────────────────────────────────────────────────


def test_all_runs_of_the_plan_by_default():
    assert run.chosen_runs(None, None, []) == [spec for runs in PARTS.values() for spec in runs()]


def test_parts_names_and_added_runs():
    assert run.chosen_runs(["grid", "pilot"], None, []) == [*grid_runs(), *pilot_runs()]
    assert run.chosen_runs(None, ["w012-d00300k-s0"], []) == [SPEC]
    assert run.chosen_runs(None, None, ["8:20000"]) == [RunSpec("added", 8, 20_000)]


@pytest.mark.parametrize(
    "asked",
    [
        (["grid", "grid"], None, []),
        (None, ["w012-d00300k-s0", "w012-d00300k-s0"], []),
        (None, None, ["8:20000", "8:2e4:0"]),
    ],
)
def test_a_run_asked_for_twice_is_done_once(asked):
    runs = run.chosen_runs(*asked)
    assert len(runs) == len(set(runs))


def test_unknown_run_lists_the_known_ones():
    with pytest.raises(
        SystemExit, match=r"(?s)there is no run 'w012'; there are\n.*w012-d00300k-s0"
    ):
        run.chosen_runs(None, ["w012-d00300k-s0", "w012"], [])


def test_added_run_that_cannot_be():
    with pytest.raises(SystemExit, match="--add 8: should be WIDTH:BYTES"):
        run.chosen_runs(None, None, ["8:20000", "8"])


def test_more_workers_than_cores_share():
    one, *others = run.cores(1000)
    assert len(others) == 999
    assert one in others


# ── What is said ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def asked(monkeypatch, tmp_path, small_corpus) -> list[RunSpec]:
    """The runs that a sweep hands to its workers; a small corpus, and no card."""
    handed = []

    def pretend(out, workers, pending):
        handed.extend(pending)
        return []

    monkeypatch.setattr(tables, "FOLDER", tmp_path / "tables")
    monkeypatch.setattr(run, "load_corpus", lambda: small_corpus)
    monkeypatch.setattr(run, "run_pending", pretend)
    return handed


def put_card(digest: str) -> None:
    tables.FOLDER.mkdir()
    (tables.FOLDER / "stdlib_lm.json").write_text(json.dumps({"corpus": {"digest": digest}}))


def test_another_corpus_than_the_card_s_is_said(asked, tmp_path, capsys):
    put_card("fedcba9876543210")
    assert run.sweep(tmp_path, 1, [SPEC]) == 0
    said = f"note: this corpus is {DIGEST}, the card's is fedcba9876543210: losses will differ"
    assert said in capsys.readouterr().out


def test_the_card_s_corpus_needs_no_word(asked, tmp_path, capsys):
    put_card(DIGEST)
    run.sweep(tmp_path, 1, [SPEC])
    assert "note" not in capsys.readouterr().out
    assert tables.corpus_matches_card(DIGEST) is True
    assert tables.corpus_matches_card("another corpus") is False


def test_without_a_card_there_is_nothing_to_differ_from(asked, tmp_path, capsys):
    run.sweep(tmp_path, 1, [SPEC])
    assert "note" not in capsys.readouterr().out
    assert tables.corpus_matches_card(DIGEST) is None


def test_only_what_is_not_done_is_done(asked, tmp_path, capsys):
    runs = grid_runs()[:4]
    put_record(tmp_path, runs[1])
    put_record(tmp_path, runs[2], corpus={"digest": "another corpus"})
    run.sweep(tmp_path, 1, runs)
    assert asked == [runs[0], runs[2], runs[3]]
    assert "1 of 4 runs are already done" in capsys.readouterr().out


def test_a_broken_record_stops_the_sweep_and_is_named(asked, tmp_path):
    path = tmp_path / f"{SPEC.name}.json"
    path.write_text('{"settings": {')
    with pytest.raises(SystemExit, match=f"cannot read {path}: .*; delete it"):
        run.sweep(tmp_path, 1, [SPEC])
    assert not asked


def test_failed_runs_are_told_even_if_the_disk_is_full(asked, monkeypatch, tmp_path, capsys):
    def refuse(out, seconds):
        raise SystemExit("cannot write")

    monkeypatch.setattr(run, "run_pending", lambda *_: ["w012-d00300k-s0: no space"])
    monkeypatch.setattr(run, "add_wall_seconds", refuse)
    with pytest.raises(SystemExit, match="cannot write"):
        run.sweep(tmp_path, 1, [SPEC])
    assert "FAILED w012-d00300k-s0: no space" in capsys.readouterr().out


def test_a_process_that_cannot_be_started_is_a_failed_run(monkeypatch, tmp_path):
    monkeypatch.setattr(run.sys, "executable", str(tmp_path / "no-python"))
    runs = grid_runs()[:2]
    failed = run.run_pending(tmp_path, 1, runs)
    assert [message.split(":")[0] for message in failed] == [spec.name for spec in runs]
    assert all("No such file" in message for message in failed)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["Traceback\n", "ValueError: 9 windows wanted\n", "\n"], "ValueError: 9 windows wanted"),
        ([], "ended with status -9 and no message"),
    ],
)
def test_message_of_a_failed_run(said, message):
    assert run.last_line(said, -9) == message


def test_shares_are_told_from_other_words():
    assert run.share_in("0.25\n") == 0.25
    assert run.share_in("a warning of the compiler\n") is None


# ── Command line ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "--workers: should be 1 or more"),
        (["--part", "all"], "invalid choice: 'all'"),
        (["--part", "grid", "--add", "8:20000"], "not allowed with argument"),
    ],
)
def test_command_lines_that_cannot_be(monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
    with pytest.raises(SystemExit, match="2"):
        run.main()
    assert message in capsys.readouterr().err
