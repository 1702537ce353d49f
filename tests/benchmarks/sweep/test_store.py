"""The out folder: one sweep at a time, and files that are whole or not there."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from benchmarks.sweep import store
from benchmarks.sweep.grid import RunSpec, settle

from .records import DIGEST, make_record, put_record

SPEC = RunSpec("grid", 12, 300_000)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_is_read_back_to_the_last_bit(tmp_path):
    store.write_json(store.record_path(tmp_path, "run"), {"loss": 0.1 + 0.2})
    assert store.read_record(tmp_path, "run") == {"loss": 0.1 + 0.2}
    assert names(tmp_path) == ["run.json"]


def test_no_record():
    assert store.read_record(Path("/no/such/folder"), "run") is None


def test_a_disk_that_refuses_leaves_the_old_file(monkeypatch, tmp_path):
    def refuse(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "run.json"
    path.write_text("old")
    monkeypatch.setattr(store.os, "fsync", refuse)
    with pytest.raises(SystemExit, match=rf"cannot write {path}: \[Errno 28\] No space left"):
        store.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["run.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_disk_that_is_full_leaves_the_old_file(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("old")
    (tmp_path / f".run.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(SystemExit, match=f"cannot write {path}: .*No space left on device"):
        store.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["run.json"]


def test_folder_that_is_gone(tmp_path):
    with pytest.raises(SystemExit, match=r"cannot write .*gone/run.json: .*No such file"):
        store.write_atomically(tmp_path / "gone" / "run.json", "new")


def test_a_second_sweep_is_refused_until_the_first_ends(tmp_path):
    with (
        store.locked(tmp_path),
        pytest.raises(SystemExit, match=f"another sweep is running in {tmp_path}"),
        store.locked(tmp_path),
    ):
        pass
    with store.locked(tmp_path):
        pass


def test_two_folders_do_not_disturb_each_other(tmp_path):
    with store.locked(tmp_path / "one"), store.locked(tmp_path / "two"):
        pass


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SystemExit, match=r"cannot write to .*file/out: .*Not a directory"),
        store.locked(tmp_path / "file" / "out"),
    ):
        pass


def test_a_record_counts_for_its_settings_and_its_corpus_only(tmp_path):
    settings = settle(SPEC).as_dict()
    assert not store.is_finished(tmp_path, settings, DIGEST)
    put_record(tmp_path, SPEC)
    assert store.is_finished(tmp_path, settings, DIGEST)
    assert not store.is_finished(tmp_path, settings, "another corpus")
    assert not store.is_finished(tmp_path, settings | {"peak_lr": 0.1}, DIGEST)


@pytest.mark.parametrize(
    "old",
    [
        {},
        {"settings": {"run": SPEC.name}},
        {"corpus": DIGEST},
        {"corpus": {"digest": DIGEST}},
        {"settings": None},
    ],
)
def test_a_record_of_an_old_format_does_not_count(tmp_path, old):
    complete = make_record(SPEC) if old else {}
    store.write_json(store.record_path(tmp_path, SPEC.name), complete | old)
    assert not store.is_finished(tmp_path, settle(SPEC).as_dict(), DIGEST)


def test_a_record_without_its_curve_does_not_count():
    spec = RunSpec("curves", 32, 1_200_000, batch=16, curve=True)
    record, settings = make_record(spec), settle(spec).as_dict()
    assert store.is_record_of(record, settings)
    del record["curve"]
    assert not store.is_record_of(record, settings)


def test_a_record_says_more_in_newer_formats(tmp_path):
    put_record(tmp_path, SPEC, libraries={"numpy": "2.3.0"}, cpu="Some CPU")
    assert store.is_finished(tmp_path, settle(SPEC).as_dict(), DIGEST)


@pytest.mark.parametrize("content", ['{"loss": 1.', "", "[1]", "\ufffd"])
def test_a_broken_record_is_named(tmp_path, content):
    path = store.record_path(tmp_path, SPEC.name)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(
        SystemExit, match=rf"cannot read {path}: .*; delete it, and the sweep does the run again"
    ):
        store.is_finished(tmp_path, settle(SPEC).as_dict(), DIGEST)


def test_broken_wall_seconds_are_named(tmp_path):
    (tmp_path / "wall.json").write_text("{")
    with pytest.raises(
        SystemExit, match=r"wall\.json: .*; delete it, and the time is counted from"
    ):
        store.read_wall_seconds(tmp_path)


def test_a_sweep_removes_what_a_killed_one_left(tmp_path):
    for name in (".run.json.123.tmp", ".other.tmp", "run.json"):
        (tmp_path / name).write_text("")
    with store.locked(tmp_path):
        assert names(tmp_path) == [".other.tmp", "run.json", "sweep.lock"]


def test_wall_seconds_add_up(tmp_path):
    assert store.read_wall_seconds(tmp_path) == 0
    store.add_wall_seconds(tmp_path, 1.5)
    store.add_wall_seconds(tmp_path, 2.0)
    assert store.read_wall_seconds(tmp_path) == 3.5
