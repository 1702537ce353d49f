"""Tables of real training runs: our own, embedded; those of others, fetched when asked for.

Every set has a card: what it holds, whose it is, its licence, its checksums. Embedded sets lie
in ``tables/``. The public ones belong to their authors and are never shipped: ``public.toml``
says what is known of them, and ``load`` reads the tidy table from the folder in
``JSCALE_DATA_DIR``, or lets pooch fetch the raw file and tidies it here. Both ways give the same
frame.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tomllib
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from jscale.errors import DatasetError, DataWarning, listing, nearest, outside

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

EMBEDDED = "embedded"
DOWNLOAD = "download"
LOCAL_ONLY = "only with JSCALE_DATA_DIR"


@dataclass(frozen=True)
class RawFile:
    """One file as its authors published it: path in their repository, URL, SHA-256, bytes."""

    path: str
    url: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Card:
    """What is known about one data set; an empty string means that it is not known.

    ``columns`` maps the names in the loaded frame to meaning and unit; ``csv_sha256`` is the
    checksum of the tidy table; ``where`` is "embedded", "download" or "only with
    JSCALE_DATA_DIR"; ``subset`` says which rows of the source were kept; ``extra`` holds
    whatever else the card says (versions, corpus digest, …).
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


def names() -> list[str]:
    """Return the names of all data sets, embedded ones first.

    >>> names()[-1]
    'vocab_sail'
    """
    return [*_embedded(), *_public()]


def card(name: str) -> Card:
    """Return the card of a data set; ``DatasetError`` if there is none of that name.

    >>> card("chinchilla_epoch").rows
    245
    """
    if name in _embedded():
        record = json.loads((_package() / "tables" / f"{name}.json").read_text(encoding="utf-8"))
        return _card_from(name, EMBEDDED, record)
    if name in _public():
        return _card_from(name, DOWNLOAD if name in _TIDY_COLUMNS else LOCAL_ONLY, _public()[name])
    raise DatasetError(
        f"No data set is called {name!r}.{nearest(str(name), names())} "
        f"The sets are: {', '.join(names())}. jscale.datasets.table() says what each is for."
    )


def table() -> pd.DataFrame:
    """Return one row per data set: name, rows, usable_for, license, where.

    >>> table().set_index("name").loc["chinchilla_epoch", "where"]
    'download'
    """
    shown = ("name", "rows", "usable_for", "license", "where")
    return pd.DataFrame([{key: getattr(card(name), key) for key in shown} for name in names()])


def load(name: str, *, progress: bool | None = None) -> pd.DataFrame:
    """Return a data set as a frame, with its origin in ``.attrs["provenance"]``.

    Standard columns have the library's names and are float64: ``N`` (parameters), ``D``
    (tokens), ``C`` (FLOPs); ``loss`` is in the unit its card says. Others keep the names of the
    tidy table. Embedded sets come from the package. Public ones come from
    ``$JSCALE_DATA_DIR/<name>.csv`` where it exists (``DataWarning`` if it is not the table we
    know), else from the authors' repository: checked by SHA-256, kept in ``$JSCALE_CACHE_DIR``
    or pooch's cache, licence told through pooch's logger. ``progress`` shows a bar while
    downloading; by default only on a terminal. Raises ``DatasetError`` for an unknown name, no
    network, a wrong checksum, or a ``JSCALE_DATA_DIR`` that is no folder.

    >>> import jscale as js
    >>> runs = js.datasets.load("stdlib_lm")
    >>> runs.attrs["provenance"]["read_from"]
    'embedded'
    """
    known = card(name)
    frame, read_from, csv_sha256 = _read(known, progress)
    reading = {"csv_sha256": csv_sha256, "rows": len(frame), "read_from": read_from}
    frame.attrs["provenance"] = _provenance(known) | reading
    return frame


# ── Cards ────────────────────────────────────────────────────────────────────────────────────
_ORIGIN = ("source_repo", "commit", "license", "citation", "cleaning", "subset", "note")
_TEXTS = (*_ORIGIN, "usable_for", "csv_sha256")


def _package() -> Traversable:
    from importlib.resources import files

    return files("jscale.data")


def _embedded() -> list[str]:
    found = (entry.name for entry in (_package() / "tables").iterdir())
    return sorted(file.removesuffix(".json") for file in found if file.endswith(".json"))


@cache
def _public() -> dict[str, dict[str, Any]]:
    return tomllib.loads((_package() / "public.toml").read_text(encoding="utf-8"))


def _card_from(name: str, where: str, record: dict[str, Any]) -> Card:
    record = dict(record)
    texts = {key: record.pop(key, "") for key in _TEXTS}
    renames, columns = _renames(name), record.pop("columns")
    record.pop("name", None)
    return Card(
        name=name,
        where=where,
        rows=record.pop("rows"),
        columns={renames.get(key) or key: text for key, text in columns.items()},
        raw_files=tuple(_raw_file(texts, *entry) for entry in record.pop("raw_files", ())),
        extra=record,
        **texts,
    )


def _raw_file(card_texts: dict[str, str], path: str, sha256: str, size: int) -> RawFile:
    # Cards list path, checksum and size alone; the URL follows, pinned to the card's commit.
    repository = card_texts["source_repo"].removeprefix("https://github.com/")
    url = f"https://raw.githubusercontent.com/{repository}/{card_texts['commit']}/{path}"
    return RawFile(path, url, sha256, size)


def _provenance(known: Card) -> dict[str, Any]:
    """Return what a card says of the origin, as plain values (``attrs`` are copied and saved)."""
    raw_files = [{"url": raw.url, "sha256": raw.sha256} for raw in known.raw_files]
    origin = {key: getattr(known, key) for key in ("name", *_ORIGIN)}
    return known.extra | origin | {"raw_files": raw_files}


# ── Column names: the one place where they are made canonical ────────────────────────────────
_STANDARD = {"params": "N", "tokens": "D", "flops": "C"}
_OWN = {
    "bnsl_4digit_addition": {"test_loss": "loss"},
    "gadre_overtraining": {"flops_6nd": "C"},
    "isoflops_open_athena": {"budget": "C"},
    # In 1e12 tokens and 1e21 FLOPs: not the library's units, so not its names.
    "sloth_leaderboard": {"tokens": "tokens", "flops": "flops"},
}


def _renames(name: str) -> dict[str, str]:
    return {**_STANDARD, **_OWN.get(name, {})}


def _canonical(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns=_renames(name))
    # As integers, 6·N·D would overflow int64 without a word.
    return frame.astype({column: "float64" for column in ("N", "D", "C") if column in frame})


# ── Reading and downloading ─────────────────────────────────────────────────────────────────────


def _read(known: Card, progress: bool | None) -> tuple[pd.DataFrame, str, str]:
    """Return the frame, where it was read from, and the checksum of the tidy table."""
    if known.where == EMBEDDED:
        content = (_package() / "tables" / f"{known.name}.csv").read_bytes()
        return _canonical(known.name, _parse(content)), EMBEDDED, _sha256(content)
    folder = _data_folder()
    if folder is not None and (folder / f"{known.name}.csv").is_file():
        frame, csv_sha256 = _read_local(known, folder / f"{known.name}.csv")
        return frame, "JSCALE_DATA_DIR", csv_sha256
    if known.where == LOCAL_ONLY:
        raise DatasetError(_no_tidy_function(known, folder))
    return _download(known, progress), DOWNLOAD, known.csv_sha256


def _data_folder() -> Path | None:
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
    content = path.read_bytes()
    csv_sha256 = _sha256(content)
    if csv_sha256 != known.csv_sha256:
        warnings.warn(
            f"{path} is not the table that jscale knows as {known.name!r}: its SHA-256 is "
            f"{csv_sha256}, expected {known.csv_sha256}. It is used as it is, and results may "
            f"differ from published ones. {_restore(known)}",
            DataWarning,
            stacklevel=outside(),
        )
    try:
        frame = _canonical(known.name, _parse(content))
    except ValueError as error:
        raise DatasetError(
            f"{path} is no readable CSV table: {error}. {_restore(known)}"
        ) from error
    if missing := _missing_columns(known, frame):
        raise DatasetError(f"{path} lacks the column(s) {listing(missing)}. {_restore(known)}")
    return frame, csv_sha256


def _missing_columns(known: Card, frame: pd.DataFrame) -> list[str]:
    as_in_table = {new: old for old, new in _renames(known.name).items()}
    return [as_in_table.get(name, name) for name in known.columns if name not in frame]


def _parse(content: bytes) -> pd.DataFrame:
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    # Before 3.1 the default converter could be off in the last bit; since then it is exact, and
    # asking for it is deprecated.
    exact: dict[str, Any] = {} if version >= (3, 1) else {"float_precision": "round_trip"}
    return pd.read_csv(io.BytesIO(content), **exact)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(known: Card, progress: bool | None) -> pd.DataFrame:
    (raw_file,) = known.raw_files
    raw = _parse(_fetch(known, raw_file, progress).read_bytes())
    return _canonical(known.name, _tidy(known.name, raw))


def _fetch(known: Card, raw: RawFile, progress: bool | None) -> Path:
    import pooch

    target = _cache_folder() / f"{known.name}.{raw.path.rpartition('/')[2]}"
    if not target.exists():
        # pooch's logger is visible by default, so the licence is seen beside "Downloading …".
        pooch.get_logger().info(_licence_note(known))
    try:
        pooch.retrieve(
            raw.url,
            known_hash=f"sha256:{raw.sha256}",
            fname=target.name,
            path=target.parent,
            progressbar=sys.stderr.isatty() if progress is None else progress,
        )
    except OSError as error:
        raise DatasetError(_no_network(known, raw, target, error)) from error
    except ValueError as error:
        raise DatasetError(_wrong_checksum(known, raw, error)) from error
    return target


def _cache_folder() -> Path:
    import pooch

    value = os.environ.get("JSCALE_CACHE_DIR", "").strip()
    return (Path(value).expanduser() if value else Path(pooch.os_cache("jscale"))).resolve()


# ── Raw to tidy: as the cards' "cleaning" says ───────────────────────────────────────────────
# fmt: off
_TIDY_COLUMNS = {
    "chinchilla_epoch": {"Model Size": "params", "Training FLOP": "flops", "loss": "loss"},
    "kyotakano_llm": {"C": "flops", "N": "params", "D": "tokens", "loss": "loss"},
    "steplaw_dense": {
        "N": "params", "D": "tokens", "lr": "lr", "bs": "batch_seqs", "ti": "steps",
        "loss": "loss", "smooth loss": "smooth_loss",
        "h": "d_model", "ffnh": "ffn", "numh": "heads", "numl": "layers",
    },
    "vocab_sail": {
        "Non_vocab_parameters": "params_nonvocab", "vocab_size": "vocab_size",
        "embed_dim": "embed_dim", "num_characters": "characters",
        "FLOPs": "flops", "Lossu": "loss_u",
    },
}
# fmt: on


def _tidy(name: str, raw: pd.DataFrame) -> pd.DataFrame:
    tidy = pd.DataFrame({new: raw[old] for old, new in _TIDY_COLUMNS[name].items()})
    if name == "chinchilla_epoch":
        return _with_tokens_and_outliers(tidy)
    # The tidy tables carry ten significant digits; through the same text, so does this frame.
    return _parse(tidy.to_csv(index=False, float_format="%.10g").encode())


def _with_tokens_and_outliers(tidy: pd.DataFrame) -> pd.DataFrame:
    tidy.insert(2, "tokens", tidy["flops"] / (6 * tidy["params"]))
    highest_five = tidy["loss"].rank(ascending=False, method="first") <= 5
    return tidy.assign(outlier_top5=highest_five.astype("int64"))


# ── Messages ─────────────────────────────────────────────────────────────────────────────────


def _licence_note(known: Card) -> str:
    return (
        f"{known.name} belongs to its authors. Licence: {known.license}. Source: "
        f"{known.source_repo} at {known.commit}. "
        f"To cite: {known.citation or 'see the source repository'}."
    )


def _set_data_dir(known: Card) -> str:
    return (
        f"put the tidy table {known.name}.csv (SHA-256 {known.csv_sha256}) into a folder and set "
        'os.environ["JSCALE_DATA_DIR"] to it'
    )


def _restore(known: Card) -> str:
    unset = ", or unset JSCALE_DATA_DIR to have it downloaded" if known.where == DOWNLOAD else ""
    return f"Put the table that jscale.datasets.card({known.name!r}) describes back there{unset}."


def _no_tidy_function(known: Card, folder: Path | None) -> str:
    available = ", ".join([*_embedded(), *_TIDY_COLUMNS])
    seen = "JSCALE_DATA_DIR is not set" if folder is None else f"{folder} has no {known.name}.csv"
    return (
        f"{known.name!r} cannot be downloaded: jscale has no tidy function for it yet, and {seen}. "
        f"Its source is {known.source_repo} at commit {known.commit} (URLs of "
        f"{len(known.raw_files)} raw file(s): jscale.datasets.card({known.name!r}).raw_files; "
        f"licence: {known.license}; cleaning: {known.cleaning}). The way out: "
        f"{_set_data_dir(known)}. Sets that need no such folder: {available}."
    )


def _no_network(known: Card, raw: RawFile, target: Path, error: Exception) -> str:
    return (
        f"Could not get {known.name!r}: fetching {raw.url} into {target.parent} failed."
        f"{_stale(raw, target)} Three ways out: connect to the network and call "
        f"jscale.datasets.load({known.name!r}) again; or {_set_data_dir(known)}; or download that "
        f"URL elsewhere and save it as {target} (JSCALE_CACHE_DIR chooses another cache folder). "
        f"The failure was {type(error).__name__}: {error}"
    )


def _stale(raw: RawFile, target: Path) -> str:
    if not (target.is_file() and os.access(target, os.R_OK)):
        return ""
    return (
        f" The file now at {target} is not the right one: its SHA-256 is "
        f"{_sha256(target.read_bytes())}, expected {raw.sha256}; delete it."
    )


def _wrong_checksum(known: Card, raw: RawFile, error: Exception) -> str:
    return (
        f"Wrong checksum for {known.name!r}: what came from {raw.url} is not the published file, "
        f"which has SHA-256 {raw.sha256} and {raw.bytes} bytes ({error}). It was not kept. Call "
        f"jscale.datasets.load({known.name!r}) again, past any proxy that rewrites downloads; or "
        f"{_set_data_dir(known)}."
    )
