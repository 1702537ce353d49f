"""Reading tables from files and writing results whole: nothing partial stays behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from jscale.errors import FileError, listing, nearest

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_TYPES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table of runs from CSV, TSV, JSON lines or Parquet (by the file's ending).

    A byte-order mark is ignored. Raises FileError for files that are missing, empty,
    unreadable, of an unknown type, or separated by something else than their type says.

    >>> read_table("runs.xlsx")
    Traceback (most recent call last):
    jscale.errors.FileError: 'runs.xlsx' has an unknown type '.xlsx'. ...
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _TYPES:
        hint = nearest(kind, _TYPES)
        raise FileError(
            f"{str(path)!r} has an unknown type {kind!r}.{hint} Known: {listing(_TYPES)}. "
            "Read it with pandas and pass the DataFrame to jscale.fit."
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileError(f"{str(path)!r} {what}; give a file of runs ({listing(_TYPES)}).")
    if path.stat().st_size == 0:
        raise FileError(f"{str(path)!r} is empty; it needs a header line and one line per run.")
    try:
        frame = _reader(kind)(path)
    except ImportError as error:
        raise FileError(
            f'{str(path)!r} is Parquet; reading it needs pyarrow: pip install "jscale[parquet]".'
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{str(path)!r} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
    except PermissionError as error:
        raise FileError(f"{str(path)!r} may not be read: {error.strerror}.") from error
    except (ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FileError(f"{str(path)!r} could not be read as {kind[1:]}: {reason}") from error
    _check_delimiter(path, frame, kind)
    if frame.empty:
        raise FileError(f"{str(path)!r} has a header but no rows.")
    return frame


def _reader(kind: str) -> Callable[[Path], pd.DataFrame]:
    if kind == ".parquet":
        return pd.read_parquet
    if kind in (".jsonl", ".ndjson"):
        return lambda path: pd.read_json(path, lines=True, encoding="utf-8-sig")
    separator = "\t" if kind == ".tsv" else ","
    return lambda path: pd.read_csv(path, sep=separator, encoding="utf-8-sig")


def _check_delimiter(path: Path, frame: pd.DataFrame, kind: str) -> None:
    """A single column whose header holds another delimiter was split wrongly."""
    if kind not in (".csv", ".tsv") or len(frame.columns) > 1:
        return
    header = str(frame.columns[0])
    found = [(mark, name) for mark, name in _DELIMITERS.items() if mark in header]
    if found:
        mark, name = found[0]
        raise FileError(
            f"{str(path)!r} reads as one column {header!r}: it seems to be {name}-separated, not "
            f"{kind[1:]}. Save it with the right ending, or read it yourself: "
            f"jscale.fit(law, pandas.read_csv({path.name!r}, sep={mark!r}))."
        )


def check_free(path: str | Path, overwrite: bool) -> Path:
    """Return a path that may be written; raises FileError if it exists or has no folder."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{str(path)!r} is a folder; give a file name.")
    if path.exists() and not overwrite:
        raise FileError(
            f"{str(path)!r} exists already. Choose another name, or overwrite it: "
            "--force on the command line, overwrite=True in Python."
        )
    if not path.absolute().parent.is_dir():
        raise FileError(f"The folder {str(path.parent)!r} does not exist; make it first.")
    return path


def write_whole(path: str | Path, write: Callable[[Any], object], *, overwrite: bool) -> Path:
    """Let ``write`` fill a temporary binary file beside ``path``, then rename it to ``path``.

    If anything fails, the temporary file goes and what was at ``path`` stays. Raises
    FileError if ``path`` exists and ``overwrite`` is False, or cannot be written.
    """
    path = check_free(path, overwrite)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FileError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
        raise
    return path


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
