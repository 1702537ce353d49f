"""Data sets: tables of real training runs, our own embedded, those of others downloaded.

Every data set has a card: what it holds, who owns it, its licence, its checksums. Our own sets are
embedded in ``tables/``. Public sets belong to their authors and are never shipped: ``public.toml``
records what is known about them, and :func:`load` reads the tidy table from the folder in
``JSCALE_DATA_DIR``, or downloads the raw file with pooch and tidies it (:mod:`jscale.data.tidy`).
Both ways give the same frame.
"""

from __future__ import annotations

import json
import os
import tomllib
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from jscale.data.cards import DOWNLOAD, EMBEDDED, LOCAL_ONLY, Card, card_from, provenance
from jscale.data.downloads import download, set_data_dir, sha256
from jscale.data.tidy import TIDY_COLUMNS, canonical, parse, renames
from jscale.errors import DatasetError, DataWarning, listing, nearest, outside

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def names() -> list[str]:
    """Return the names of all data sets, embedded ones first.

    Returns
    -------
    list of str
        Names for :func:`load` and :func:`card`.

    Examples
    --------
    >>> import jscale as js
    >>> js.datasets.names()[-1]
    'vocab_sail'
    """
    return [*_embedded(), *_public()]


def card(name: str) -> Card:
    """Return the card of a data set.

    Parameters
    ----------
    name : str
        Name of the data set.

    Returns
    -------
    Card
        What is known about it.

    Raises
    ------
    DatasetError
        If no data set has that name.

    Examples
    --------
    >>> import jscale as js
    >>> js.datasets.card("chinchilla_epoch").rows
    245
    """
    if name in _embedded():
        record = json.loads((_package() / "tables" / f"{name}.json").read_text(encoding="utf-8"))
        return card_from(name, EMBEDDED, record)
    if name in _public():
        return card_from(name, DOWNLOAD if name in TIDY_COLUMNS else LOCAL_ONLY, _public()[name])
    raise DatasetError(
        f"No data set is called {name!r}.{nearest(str(name), names())} "
        f"The sets are: {', '.join(names())}. jscale.datasets.table() says what each is for."
    )


def table() -> pd.DataFrame:
    """Return a table of all data sets.

    Returns
    -------
    pandas.DataFrame
        One row per data set: name, rows, usable_for, license, where.

    Examples
    --------
    >>> import jscale as js
    >>> js.datasets.table().set_index("name").loc["chinchilla_epoch", "where"]
    'download'
    """
    shown = ("name", "rows", "usable_for", "license", "where")
    return pd.DataFrame([{key: getattr(card(name), key) for key in shown} for name in names()])


def load(name: str, *, progress: bool | None = None) -> pd.DataFrame:
    """Load a data set as a frame, with its origin in ``.attrs["provenance"]``.

    Parameters
    ----------
    name : str
        Name of the data set (see :func:`names`).
    progress : bool, optional
        Whether to show a progress bar while downloading; by default only on a terminal.

    Returns
    -------
    pandas.DataFrame
        The table. Standard columns have the library's names and are float64: ``N`` (parameters),
        ``D`` (tokens), ``C`` (FLOPs); ``loss`` is in the unit stated by the card. Other columns
        keep the names of the tidy table.

    Raises
    ------
    DatasetError
        For an unknown name, no network, a wrong checksum, or a ``JSCALE_DATA_DIR`` that is not a
        folder.

    Warns
    -----
    DataWarning
        If the table in ``JSCALE_DATA_DIR`` differs from the one that jscale knows.

    Notes
    -----
    Embedded sets come from the package. Public ones are read from
    ``$JSCALE_DATA_DIR/<name>.csv`` where it exists, else downloaded from the authors' repository:
    checked by SHA-256, kept in ``$JSCALE_CACHE_DIR`` or pooch's cache, with the licence announced
    through pooch's logger.

    Examples
    --------
    >>> import jscale as js
    >>> runs = js.datasets.load("stdlib_lm")
    >>> runs.attrs["provenance"]["read_from"]
    'embedded'
    """
    known = card(name)
    frame, read_from, csv_sha256 = _read(known, progress)
    reading = {"csv_sha256": csv_sha256, "rows": len(frame), "read_from": read_from}
    frame.attrs["provenance"] = provenance(known) | reading
    return frame


def _package() -> Traversable:
    from importlib.resources import files

    return files("jscale.data")


def _embedded() -> list[str]:
    files = (entry.name for entry in (_package() / "tables").iterdir())
    return sorted(file.removesuffix(".json") for file in files if file.endswith(".json"))


@cache
def _public() -> dict[str, dict[str, Any]]:
    return tomllib.loads((_package() / "public.toml").read_text(encoding="utf-8"))


def _read(known: Card, progress: bool | None) -> tuple[pd.DataFrame, str, str]:
    """Return the frame, where it was read from, and the checksum of the tidy table."""
    if known.where == EMBEDDED:
        content = (_package() / "tables" / f"{known.name}.csv").read_bytes()
        return canonical(known.name, parse(content)), EMBEDDED, sha256(content)
    folder = _data_folder()
    if folder is not None and (folder / f"{known.name}.csv").is_file():
        frame, csv_sha256 = _read_local(known, folder / f"{known.name}.csv")
        return frame, "JSCALE_DATA_DIR", csv_sha256
    if known.where == LOCAL_ONLY:
        raise DatasetError(_no_tidy_function(known, folder))
    return download(known, progress), DOWNLOAD, known.csv_sha256


def _data_folder() -> Path | None:
    """Return the folder in JSCALE_DATA_DIR, or None if that is not set."""
    value = os.environ.get("JSCALE_DATA_DIR", "").strip()
    if not value:
        return None
    folder = Path(value).expanduser()
    if folder.is_dir():
        return folder
    raise DatasetError(
        f"JSCALE_DATA_DIR is {value!r}, which is not a folder. It should be a folder of tidy "
        'tables such as chinchilla_epoch.csv: set os.environ["JSCALE_DATA_DIR"] to one, or '
        'unset it with os.environ.pop("JSCALE_DATA_DIR").'
    )


def _read_local(known: Card, path: Path) -> tuple[pd.DataFrame, str]:
    """Return the user's own copy of a tidy table, and its checksum."""
    content = path.read_bytes()
    csv_sha256 = sha256(content)
    if csv_sha256 != known.csv_sha256:
        warnings.warn(
            f"{path} is not the table that jscale knows as {known.name!r}: its SHA-256 is "
            f"{csv_sha256}, expected {known.csv_sha256}. It is used nevertheless, and results may "
            f"differ from published ones. {_restore(known)}",
            DataWarning,
            stacklevel=outside(),
        )
    try:
        frame = canonical(known.name, parse(content))
    except ValueError as error:
        raise DatasetError(
            f"{path} is not a readable CSV table: {error}. {_restore(known)}"
        ) from error
    if missing := _missing_columns(known, frame):
        raise DatasetError(f"{path} lacks the column(s) {listing(missing)}. {_restore(known)}")
    return frame, csv_sha256


def _missing_columns(known: Card, frame: pd.DataFrame) -> list[str]:
    """Return the columns of the card that a frame lacks, by their names in the tidy table."""
    as_in_table = {new: old for old, new in renames(known.name).items()}
    return [as_in_table.get(name, name) for name in known.columns if name not in frame]


def _restore(known: Card) -> str:
    unset = ", or unset JSCALE_DATA_DIR to have it downloaded" if known.where == DOWNLOAD else ""
    return f"Restore the table described by jscale.datasets.card({known.name!r}) there{unset}."


def _no_tidy_function(known: Card, folder: Path | None) -> str:
    available = ", ".join([*_embedded(), *TIDY_COLUMNS])
    seen = "JSCALE_DATA_DIR is not set" if folder is None else f"{folder} has no {known.name}.csv"
    return (
        f"{known.name!r} cannot be downloaded: jscale has no tidy function for it yet, and {seen}. "
        f"Its source is {known.source_repo} at commit {known.commit} (URLs of "
        f"{len(known.raw_files)} raw file(s): jscale.datasets.card({known.name!r}).raw_files; "
        f"licence: {known.license}; cleaning: {known.cleaning}). What to do: "
        f"{set_data_dir(known)}. Sets that need no such folder: {available}."
    )
