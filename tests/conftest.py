"""Shared pieces of the tests: where the real data are, and golden tables."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With --dist loadgroup a worker takes a whole file, or all of a law's conformance tests.

    What they compile they then compile once, and the longest file does not keep all others waiting.
    """
    for item in items:
        world = getattr(item, "callspec", None) and item.callspec.params.get("world")  # type: ignore[attr-defined]
        shared = isinstance(world, str) and "conformance" in item.path.parts
        item.add_marker(pytest.mark.xdist_group(f"law {world}" if shared else str(item.path)))


def data_folder() -> Path:
    """Return JSCALE_DATA_DIR, or skip the test where it is not set."""
    folder = os.environ.get("JSCALE_DATA_DIR")
    if not folder:
        pytest.skip("JSCALE_DATA_DIR is not set: the public data sets are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def chinchilla_245() -> pd.DataFrame:
    """The 245 points of the Chinchilla replication (N, D, C, loss, outlier_top5)."""
    data_folder()
    import jscale as js

    return js.datasets.load("chinchilla_epoch")


@pytest.fixture(scope="session")
def chinchilla_240(chinchilla_245: pd.DataFrame) -> pd.DataFrame:
    """The same without the five highest losses."""
    return chinchilla_245[chinchilla_245["outlier_top5"] == 0]
