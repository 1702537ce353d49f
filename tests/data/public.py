"""The public data sets, and where their tables are for the tests that need the authors' numbers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pooch
import pytest

from jscale.data import datasets

SHARED = os.environ.get("JSCALE_DATA_DIR", "")
needs_shared = pytest.mark.skipif(not SHARED, reason="JSCALE_DATA_DIR is not set")


EMBEDDED = [name for name in datasets.names() if datasets.card(name).where == "embedded"]
PUBLIC = [name for name in datasets.names() if datasets.card(name).where != "embedded"]


RAW = {
    "chinchilla_epoch": "chinchilla_epoch.svg_extracted_data.csv",
    "kyotakano_llm": "kyotakano_llm.df.csv",
    "steplaw_dense": "steplaw_dense.dense_lr_bs_loss.csv",
    "vocab_sail": "vocab_sail.exp_data.csv",
}


DOWNLOADABLE = list(RAW)


def serve(monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception) -> list[str]:
    """Make every HTTP download give these bytes, or raise this error; return the URLs asked for."""
    asked: list[str] = []

    def download(self: Any, url: str, output_file: str, *_: Any, **__: Any) -> None:
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        Path(output_file).write_bytes(answer)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    return asked


def put_raw(cache: Path, name: str) -> None:
    """Lay the raw file of a data set into a cache."""
    cache.mkdir(exist_ok=True)
    shutil.copy(Path(SHARED) / "raw" / RAW[name], cache / RAW[name])
