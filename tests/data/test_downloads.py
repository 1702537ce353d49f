"""Downloads: checked, kept in a cache, announced, and what to do when they fail."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pooch
import pytest

from jscale.data import datasets, downloads
from jscale.errors import DatasetError
from tests.data.public import DOWNLOADABLE, RAW, SHARED, needs_shared, serve


@needs_shared
@pytest.mark.parametrize("name", DOWNLOADABLE)
def test_download_is_checked_kept_and_announced(name, cache, monkeypatch, caplog):
    asked = serve(monkeypatch, (Path(SHARED) / "raw" / RAW[name]).read_bytes())
    pooch.get_logger().addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    try:
        frame = datasets.load(name, progress=False)
        announced = caplog.text
        datasets.load(name)
    finally:
        pooch.get_logger().removeHandler(caplog.handler)
    card = datasets.card(name)
    assert asked == [card.raw_files[0].url]  # the second time it comes from the cache
    assert [path.name for path in cache.iterdir()] == [RAW[name]]
    assert len(frame) == card.rows
    assert f"Licence: {card.license}" in announced
    assert f"Source: {card.source_repo} at {card.commit}. To cite: " in announced
    assert caplog.text.count("Licence:") == 1


def test_no_network_gives_every_way_out(cache):
    raw = datasets.card("chinchilla_epoch").raw_files[0]
    target = cache / RAW["chinchilla_epoch"]
    with pytest.raises(
        DatasetError,
        match=r"Could not get 'chinchilla_epoch'.*was ConnectionError: no route to host",
    ) as caught:
        datasets.load("chinchilla_epoch")
    message = str(caught.value)
    assert f"fetching {raw.url} into {cache} failed. Three ways to proceed" in message
    assert "connect to the network and call jscale.datasets.load('chinchilla_epoch')" in message
    assert 'set os.environ["JSCALE_DATA_DIR"]' in message
    assert f"save it as {target} (JSCALE_CACHE_DIR chooses" in message


def test_wrong_checksum_of_a_download(cache, monkeypatch):
    serve(monkeypatch, b"<html>log in first</html>")
    digest = hashlib.sha256(b"<html>log in first</html>").hexdigest()
    with pytest.raises(
        DatasetError,
        match=rf"Wrong checksum for 'kyotakano_llm'.*SHA-256 2ed2c412.*got {digest}.*JSCALE_DATA_DIR",
    ):
        datasets.load("kyotakano_llm")
    assert not list(cache.iterdir())


def test_corrupt_file_in_the_cache_without_a_network_is_named(cache):
    cache.mkdir()
    target = cache / RAW["kyotakano_llm"]
    target.write_text("C,N,D,loss\n")
    with pytest.raises(
        DatasetError,
        match=r"kyotakano_llm\.df\.csv is not the right one: its SHA-256 is [0-9a-f]{64}, expected 2ed2c412\w+; delete it",
    ) as caught:
        datasets.load("kyotakano_llm")
    assert str(target) in str(caught.value)


@needs_shared
def test_corrupt_file_in_the_cache_is_replaced_from_the_network(cache, monkeypatch):
    cache.mkdir()
    (cache / RAW["kyotakano_llm"]).write_text("C,N,D,loss\n")
    serve(monkeypatch, (Path(SHARED) / "raw" / RAW["kyotakano_llm"]).read_bytes())
    assert len(datasets.load("kyotakano_llm")) == 234


def test_cache_folder_that_cannot_be_made(cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(DatasetError, match="JSCALE_CACHE_DIR chooses another"):
        datasets.load("vocab_sail")


def test_cache_folder_is_pooch_s_own_by_default(monkeypatch):
    monkeypatch.delenv("JSCALE_CACHE_DIR", raising=False)
    assert downloads.cache_folder() == Path(pooch.os_cache("jscale")).resolve()
