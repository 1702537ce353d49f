"""The out directory: a lock, and one JSON file per finished run, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the out directory; a second sweep in it is refused.

    The lock belongs to the process, so it is gone after `kill -9` and never has to be cleaned up.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = (out / "sweep.lock").open("w")
    except OSError as error:
        raise SystemExit(f"cannot write to {out}: {error}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"another sweep is running in {out}") from None
        yield


def write_atomically(path: Path, text: str) -> None:
    """Write text so that `path` is either the old file or the complete new one.

    Ends the program with a clear message when the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise SystemExit(f"cannot write {path}: {error}") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically; floats keep every bit."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def record_path(out: Path, run: str) -> Path:
    """Where a run's record is."""
    return out / f"{run}.json"


def read_record(out: Path, run: str) -> dict[str, Any] | None:
    """A finished run's record, or None."""
    try:
        return json.loads(record_path(out, run).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def is_finished(out: Path, settings: dict[str, Any], corpus_digest: str) -> bool:
    """Whether a record exists for exactly these settings and this corpus.

    A record of other settings or another corpus does not count: the run is done again.
    """
    record = read_record(out, settings["run"])
    if record is None:
        return False
    return record["settings"] == settings and record["corpus"]["digest"] == corpus_digest


def read_wall_seconds(out: Path) -> float:
    """Wall-clock seconds that sweeps in this directory took so far."""
    try:
        return json.loads((out / "wall.json").read_text(encoding="utf-8"))["seconds"]
    except FileNotFoundError:
        return 0.0


def add_wall_seconds(out: Path, seconds: float) -> None:
    """Add the time of one sweep; a sweep that was killed adds nothing."""
    write_json(out / "wall.json", {"seconds": read_wall_seconds(out) + seconds})
