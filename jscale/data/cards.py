"""Cards of data sets: what a table holds, who owns it, its licence, its checksums."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jscale.data.tidy import renames

EMBEDDED = "embedded"
DOWNLOAD = "download"
LOCAL_ONLY = "only with JSCALE_DATA_DIR"

_ORIGIN = ("source_repo", "commit", "license", "citation", "cleaning", "subset", "note")
_TEXTS = (*_ORIGIN, "usable_for", "csv_sha256")


@dataclass(frozen=True)
class RawFile:
    """A file as its authors published it.

    Parameters
    ----------
    path : str
        Path in the authors' repository.
    url : str
        URL of the file at the commit of the card.
    sha256 : str
        SHA-256 checksum, in hexadecimal digits.
    bytes : int
        Size in bytes.
    """

    path: str
    url: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Card:
    """What is known about a data set; an empty string means unknown.

    Parameters
    ----------
    name : str
        Name of the data set, for :func:`load`.
    where : {"embedded", "download", "only with JSCALE_DATA_DIR"}
        Where the table comes from.
    rows : int
        Number of rows.
    usable_for : str
        What the data set is good for.
    license : str
        Licence of the data.
    source_repo, commit : str
        Repository and commit from which the data come.
    citation : str
        What to cite.
    columns : dict
        Meaning and unit of each column of the loaded frame.
    cleaning : str
        What was done to the raw files.
    subset : str
        Which rows of the source were kept.
    note : str
        Anything else a reader should know.
    csv_sha256 : str
        SHA-256 checksum of the tidy table.
    raw_files : tuple of RawFile
        The files as their authors published them.
    extra : dict
        Whatever else the card records: versions, digest of the corpus, …
    """

    name: str
    where: str
    rows: int
    usable_for: str
    license: str
    source_repo: str
    commit: str
    citation: str
    columns: dict[str, str]
    cleaning: str
    subset: str
    note: str
    csv_sha256: str
    raw_files: tuple[RawFile, ...] = field(default=(), repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


def card_from(name: str, where: str, record: dict[str, Any]) -> Card:
    """Make a Card from its record in a file; what has no field of its own goes to ``extra``."""
    record = dict(record)
    texts = {key: record.pop(key, "") for key in _TEXTS}
    standard, columns = renames(name), record.pop("columns")
    record.pop("name", None)
    return Card(
        name=name,
        where=where,
        rows=record.pop("rows"),
        columns={standard.get(key) or key: text for key, text in columns.items()},
        raw_files=tuple(_raw_file(texts, *entry) for entry in record.pop("raw_files", ())),
        extra=record,
        **texts,
    )


def _raw_file(card_texts: dict[str, str], path: str, sha256: str, size: int) -> RawFile:
    # Cards list path, checksum and size alone; the URL follows, pinned to the card's commit.
    repository = card_texts["source_repo"].removeprefix("https://github.com/")
    url = f"https://raw.githubusercontent.com/{repository}/{card_texts['commit']}/{path}"
    return RawFile(path, url, sha256, size)


def provenance(known: Card) -> dict[str, Any]:
    """Return the origin stated by a card, as plain values (``attrs`` are copied and saved)."""
    raw_files = [{"url": raw.url, "sha256": raw.sha256} for raw in known.raw_files]
    origin = {key: getattr(known, key) for key in ("name", *_ORIGIN)}
    return known.extra | origin | {"raw_files": raw_files}
