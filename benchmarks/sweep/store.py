"""The out directory: a lock, and one JSON file per finished run, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# What a record says beside its settings and its corpus; newer ones also name libraries and cpu.
RESULTS = {"loss", "seconds", "device", "jax", "python"}


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
        remove_stale(out)
        yield


def remove_stale(out: Path) -> None:
    """Remove what `kill -9` in the middle of `write_json` left behind."""
    for path in out.glob(".*.json.*.tmp"):
        with suppress(OSError):
            path.unlink()


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


def read_json(path: Path, remedy: str) -> dict[str, Any] | None:
    """A JSON object, or None where there is no file; a broken file ends the program.

    `remedy` says what follows if the file is deleted.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SystemExit(f"cannot read {path}: {error}; delete it, and {remedy}") from error
    if not isinstance(content, dict):
        raise SystemExit(f"cannot read {path}: no JSON object; delete it, and {remedy}")
    return content


def record_path(out: Path, run: str) -> Path:
    """Where a run's record is."""
    return out / f"{run}.json"


def read_record(out: Path, run: str) -> dict[str, Any] | None:
    """A finished run's record, or None."""
    return read_json(record_path(out, run), "the sweep does the run again")


def is_record_of(record: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether a record is of exactly these settings and has all that a table needs."""
    corpus = record.get("corpus")
    has_corpus = isinstance(corpus, dict) and {"digest", "train_bytes"} <= corpus.keys()
    needed = RESULTS | ({"curve"} if settings["curve"] else set())
    return record.get("settings") == settings and has_corpus and needed <= record.keys()


def is_finished(out: Path, settings: dict[str, Any], corpus_digest: str) -> bool:
    """Whether a record exists for exactly these settings and this corpus.

    A record of other settings, another corpus or an old format does not count: the run is done
    again.
    """
    record = read_record(out, settings["run"])
    if record is None or not is_record_of(record, settings):
        return False
    return record["corpus"]["digest"] == corpus_digest


def read_wall_seconds(out: Path) -> float:
    """Wall-clock seconds that sweeps in this directory took so far."""
    content = read_json(out / "wall.json", "the time is counted from 0 again")
    return 0.0 if content is None else content.get("seconds", 0.0)


def add_wall_seconds(out: Path, seconds: float) -> None:
    """Add the time of one sweep; a sweep that was killed adds nothing."""
    write_json(out / "wall.json", {"seconds": read_wall_seconds(out) + seconds})
