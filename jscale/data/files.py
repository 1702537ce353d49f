"""Files: reading tables of runs, and writing results atomically so that no partial file remains."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from jscale.errors import FileError, listing, nearest

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_TYPES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table of runs from CSV, TSV, JSON lines or Parquet, by the file's extension.

    A byte-order mark is ignored. Raises FileError for files that are missing, empty, unreadable,
    of an unknown type, or with another separator than their type implies.

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
        fault = "is a folder" if path.is_dir() else "does not exist"
        raise FileError(f"{str(path)!r} {fault}; give a file of runs ({listing(_TYPES)}).")
    frame = _read(path, kind)
    if frame.empty:
        raise FileError(f"{str(path)!r} has no rows; it needs a header and one line per run.")
    return frame


def _read(path: Path, kind: str) -> pd.DataFrame:
    """Read the table; raises FileError for whatever pandas or the system raise."""
    if path.stat().st_size == 0:
        raise FileError(f"{str(path)!r} is empty; it needs a header line and one line per run.")
    try:
        return _reader(kind)(path)
    except ImportError as error:
        raise FileError(
            f'{str(path)!r} is Parquet; reading it needs pyarrow: pip install "jscale[parquet]".'
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{str(path)!r} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
    except FileError:  # an OSError too, but already in our words
        raise
    except PermissionError as error:
        raise FileError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except (ValueError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise FileError(
            f"{str(path)!r} could not be read as {kind[1:]}: {reason}. Correct the file, or read "
            "it yourself and pass the DataFrame to jscale.fit."
        ) from error


def _reader(kind: str) -> Callable[[Path], pd.DataFrame]:
    known: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".parquet": pd.read_parquet,
        ".csv": lambda path: _read_separated(path, ","),
        ".tsv": lambda path: _read_separated(path, "\t"),
    }
    return known.get(kind, _read_json_lines)


def _read_separated(path: Path, separator: str) -> pd.DataFrame:
    """Read CSV or TSV; raises FileError where lines do not split as the header does."""
    options = {"sep": separator, "encoding": "utf-8-sig", "index_col": False, **exact_floats()}
    header = [str(name) for name in pd.read_csv(path, nrows=0, **options).columns]
    _check_header(path, header)
    with warnings.catch_warnings():
        # pandas only warns when it drops the surplus fields of a line.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(path, **options)
        except pd.errors.ParserWarning as error:
            raise FileError(
                f"{str(path)!r} has more fields in its lines than its header names "
                f"({listing(header)}). Name every column, and remove delimiters at line ends."
            ) from error
    frame.columns = [name.strip() for name in header]
    return frame


def exact_floats() -> dict[str, Any]:
    """Return the options of ``pandas.read_csv`` that make floats exact to the last bit.

    Since pandas 3.1 its default converter is exact, and asking for that is deprecated.
    """
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}


def _read_json_lines(path: Path) -> pd.DataFrame:
    """Read one object per line: pandas' own reader rounds floats and turns "001" into 1."""
    records = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number} is not JSON ({error})") from error
            if not isinstance(record, dict):
                raise ValueError(f'line {number} is not an object like {{"N": 1e9, "loss": 2.5}}')
            records.append(record)
    return pd.DataFrame(records)


def _check_header(path: Path, header: list[str]) -> None:
    """Raise FileError for a header that is not text, or that was split at the wrong delimiter."""
    # UTF-16 without a byte-order mark decodes as UTF-8 with a zero byte after each letter.
    if any("\0" in name for name in header):
        raise FileError(f"{str(path)!r} is not UTF-8 text: it holds zero bytes. Save it as UTF-8.")
    delimiters = [(mark, name) for mark, name in _DELIMITERS.items() if mark in header[0]]
    if len(header) == 1 and delimiters:
        mark, name = delimiters[0]
        raise FileError(
            f"{str(path)!r} reads as one column {header[0]!r}: it seems to be {name}-separated, "
            f"not {path.suffix[1:].lower()}. Save it with the right extension, or read it "
            f"yourself: jscale.fit(law, pandas.read_csv({path.name!r}, sep={mark!r}))."
        )


def check_free(path: str | Path, overwrite: bool) -> Path:
    """Return a path that can be written; raises FileError if it exists or has no folder."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{str(path)!r} is a folder; give a file name.")
    if path.exists() and not overwrite:
        raise FileError(
            f"{str(path)!r} exists already. Choose another name, or overwrite it: "
            "--force on the command line, overwrite=True in Python."
        )
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileError(f"The folder {str(path.parent)!r} does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise FileError(f"The folder {str(path.parent)!r} is not writable; choose another one.")
    return path


def write_whole(path: str | Path, write: Callable[[Any], object], *, overwrite: bool) -> Path:
    """Let ``write`` fill a temporary binary file next to ``path``, then rename it to ``path``.

    If anything fails, the temporary file is removed and ``path`` is left as it was. Raises
    FileError if ``path`` exists and ``overwrite`` is False, or if it cannot be written.
    """
    path = check_free(path, overwrite)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        # mkstemp makes files that only their owner can read; a result is an ordinary file.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:  # an interrupted write must not leave a file behind either
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FileError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
        raise
    return path


def _umask() -> int:
    # The mask can only be read by setting it.
    current = os.umask(0)
    os.umask(current)
    return current
