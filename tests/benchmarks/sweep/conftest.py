"""A corpus of a few thousand bytes, and an out folder with every run of the plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sweep.corpus import Corpus
from benchmarks.sweep.plans import PARTS

from .records import DIGEST, put_record


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep; only to be read."""
    out = tmp_path_factory.mktemp("finished")
    for runs in PARTS.values():
        for spec in runs():
            put_record(out, spec)
    return out


@pytest.fixture
def small_corpus() -> Corpus:
    """Enough bytes for runs of twenty thousand."""
    text = (b"def add(first, second):\n    return first + second\n\n\n" * 500)[:25_000]
    data = np.frombuffer(text, dtype=np.uint8)
    return Corpus(data, data[:3_000], DIGEST, train_files=1, held_out_files=1)
