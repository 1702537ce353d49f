"""A cache for downloads of its own, without a network."""

from __future__ import annotations

import pytest
import requests

from tests.data.public import serve


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, no JSCALE_DATA_DIR, and no network."""
    monkeypatch.delenv("JSCALE_DATA_DIR", raising=False)
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(tmp_path / "cache"))
    serve(monkeypatch, requests.exceptions.ConnectionError("no route to host"))
    return tmp_path / "cache"
