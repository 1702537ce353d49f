"""Downloads: the raw file of a public data set, fetched once, checked, and kept in a cache."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pandas as pd

from jscale.data.cards import Card, RawFile
from jscale.data.tidy import canonical, parse, tidy
from jscale.errors import DatasetError


def download(known: Card, progress: bool | None) -> pd.DataFrame:
    """Return a data set as a canonical frame, its raw file downloaded or from the cache."""
    (raw_file,) = known.raw_files
    raw = parse(_fetch(known, raw_file, progress).read_bytes())
    return canonical(known.name, tidy(known.name, raw))


def _fetch(known: Card, raw: RawFile, progress: bool | None) -> Path:
    """Return the path of a raw file in the cache; raises DatasetError if it cannot be fetched."""
    import pooch

    target = cache_folder() / f"{known.name}.{raw.path.rpartition('/')[2]}"
    if not target.exists():
        # pooch's logger is visible by default, so the licence appears next to "Downloading …".
        pooch.get_logger().info(_licence_note(known))
    try:
        pooch.retrieve(
            raw.url,
            known_hash=f"sha256:{raw.sha256}",
            fname=target.name,
            path=target.parent,
            progressbar=sys.stderr.isatty() if progress is None else progress,
        )
    except OSError as error:  # the base class of the exceptions of requests
        raise DatasetError(_no_network(known, raw, target, error)) from error
    except ValueError as error:  # what pooch raises for a wrong checksum
        raise DatasetError(_wrong_checksum(known, raw, error)) from error
    return target


def cache_folder() -> Path:
    """Return the folder that downloads are kept in."""
    import pooch

    value = os.environ.get("JSCALE_CACHE_DIR", "").strip()
    return (Path(value).expanduser() if value else Path(pooch.os_cache("jscale"))).resolve()


def sha256(content: bytes) -> str:
    """Return the SHA-256 checksum of some bytes in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _licence_note(known: Card) -> str:
    return (
        f"{known.name} belongs to its authors. Licence: {known.license}. Source: "
        f"{known.source_repo} at {known.commit}. "
        f"To cite: {known.citation or 'see the source repository'}."
    )


def set_data_dir(known: Card) -> str:
    """Return the clause that tells how to supply the tidy table by hand."""
    return (
        f"put the tidy table {known.name}.csv (SHA-256 {known.csv_sha256}) into a folder and set "
        'os.environ["JSCALE_DATA_DIR"] to it'
    )


def _no_network(known: Card, raw: RawFile, target: Path, error: Exception) -> str:
    return (
        f"Could not get {known.name!r}: fetching {raw.url} into {target.parent} failed."
        f"{_stale(raw, target)} Three ways to proceed: connect to the network and call "
        f"jscale.datasets.load({known.name!r}) again; or {set_data_dir(known)}; or download that "
        f"URL elsewhere and save it as {target} (JSCALE_CACHE_DIR chooses another cache folder). "
        f"The failure was {type(error).__name__}: {error}"
    )


def _stale(raw: RawFile, target: Path) -> str:
    if not (target.is_file() and os.access(target, os.R_OK)):
        return ""
    return (
        f" The file now at {target} is not the right one: its SHA-256 is "
        f"{sha256(target.read_bytes())}, expected {raw.sha256}; delete it."
    )


def _wrong_checksum(known: Card, raw: RawFile, error: Exception) -> str:
    return (
        f"Wrong checksum for {known.name!r}: the download from {raw.url} is not the published "
        f"file, which has SHA-256 {raw.sha256} and {raw.bytes} bytes ({error}). It was not kept. "
        f"Call jscale.datasets.load({known.name!r}) again, bypassing any proxy that rewrites "
        f"downloads; or {set_data_dir(known)}."
    )
