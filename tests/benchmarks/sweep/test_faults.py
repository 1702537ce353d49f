"""Real sweeps of tiny runs that meet kill -9, a full disk, a second sweep, and a second training.

The runs are real worker processes on the real corpus: so few of them, and they serve several tests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.sweep import again, tables
from benchmarks.sweep.collect import collect
from benchmarks.sweep.plans import added_run
from benchmarks.sweep.store import read_record

from .records import start_sweep

GOOD, REFUSED = "8:400000", "8:20000"
# The disk is full for the smaller run: Python runs this file at the start of every process.
FULL_DISK = """
import errno, os, sys

def refuse(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

if '"target_bytes": 20000,' in " ".join(sys.orig_argv):
    os.fsync = refuse
"""


def children(parent: int) -> list[int]:
    """The living children of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # Behind the name in brackets: the state and the parent.
            state, owner = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(owner) == parent and state != "Z":
            found.append(int(path.parent.name))
    return found


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_worker(sweep: subprocess.Popen[str]) -> int:
    """The sweep's only worker, as soon as there is one."""
    while not (found := children(sweep.pid)):
        assert sweep.poll() is None
        time.sleep(0.05)
    return found[0]


def wait_for_progress(sweep: subprocess.Popen[str]) -> None:
    """Read the bar until some of the run is done."""
    seen = ""
    while not re.search(r"[1-9]\d*%", seen):
        part = sweep.stderr.read(1)
        assert part, f"the sweep ended early: {seen}"
        seen = seen[-20:] + part


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A sweep of two runs, one of which finds the disk full: its folder, and how it ended."""
    out, site = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(FULL_DISK)
    runs = ["--add", REFUSED, "--add", GOOD]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        sweep = start_sweep(out, *runs)
        said, errors = sweep.communicate(timeout=300)
    return out, subprocess.CompletedProcess(runs, sweep.returncode, said, errors)


@pytest.mark.full
def test_a_full_disk_fails_one_run_and_the_sweep_goes_on(undisturbed):
    out, ended = undisturbed
    good, refused = added_run(GOOD).name, added_run(REFUSED).name
    message = f"cannot write {out / refused}.json: [Errno 28] No space left on device"
    assert f"FAILED {refused}: {message}" in ended.stdout
    assert ended.returncode == 1
    assert message in (out / f"{refused}.log").read_text()
    assert read_record(out, refused) is None
    assert read_record(out, good)["loss"] > 1
    kept = {path.name for path in out.iterdir()}
    assert kept == {f"{good}.json", f"{refused}.log", "sweep.lock", "wall.json"}


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_kill_9_in_the_middle_of_a_run_and_a_second_sweep(undisturbed, tmp_path):
    run = added_run(GOOD).name
    sweep = start_sweep(tmp_path, "--add", GOOD)
    worker = wait_for_worker(sweep)

    # A second sweep, while the first stands still.
    os.kill(worker, signal.SIGSTOP)
    second = start_sweep(tmp_path, "--add", GOOD)
    said = second.communicate(timeout=300)[1]
    assert second.returncode == 1
    assert f"another sweep is running in {tmp_path}" in said
    os.kill(worker, signal.SIGCONT)

    # Kill the sweep alone: its worker ends too, so the next sweep has its core and its files.
    wait_for_progress(sweep)
    sweep.kill()
    sweep.communicate()
    end = time.monotonic() + 10
    while is_alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(worker)
    assert read_record(tmp_path, run) is None

    # Kill both at once.
    sweep = start_sweep(tmp_path, "--add", GOOD, start_new_session=True)
    wait_for_progress(sweep)
    subprocess.run(["kill", "-9", "--", f"-{sweep.pid}"], check=True)
    sweep.communicate()
    assert sweep.returncode == -signal.SIGKILL
    assert read_record(tmp_path, run) is None

    sweep = start_sweep(tmp_path, "--add", GOOD)
    said, errors = sweep.communicate(timeout=300)
    assert sweep.returncode == 0, errors
    assert "0 of 1 runs are already done" in said
    assert read_record(tmp_path, run)["loss"] == read_record(undisturbed[0], run)["loss"]
    assert {path.name for path in tmp_path.iterdir()} == {f"{run}.json", "sweep.lock", "wall.json"}


@pytest.mark.full
def test_a_row_of_a_table_is_trained_again(undisturbed, monkeypatch, tmp_path, capsys):
    collect(undisturbed[0], tmp_path, partial=True)
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    (line,) = again.chosen_lines(None, 3, seed=0)
    loss = read_record(undisturbed[0], line.run)["loss"]
    assert again.again([line], workers=1) == 0
    assert f"{line.run}: table {loss!r}, new {loss!r}: same\n" in capsys.readouterr().out
