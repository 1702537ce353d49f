"""Cards: complete, in agreement with those of the shared folder, and what is made of a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jscale.data import datasets, tidy
from jscale.data.cards import DOWNLOAD, card_from, provenance
from tests.data.public import DOWNLOADABLE, PUBLIC, SHARED, needs_shared


@pytest.mark.parametrize("name", PUBLIC)
def test_card_is_complete(name):
    card = datasets.card(name)
    assert card.name == name
    assert card.rows > 0
    assert card.license
    assert card.usable_for
    assert card.where == ("download" if name in DOWNLOADABLE else "only with JSCALE_DATA_DIR")
    assert len(card.commit) == 40
    assert len(card.csv_sha256) == 64
    repository = card.source_repo.removeprefix("https://github.com/")
    for raw in card.raw_files:
        assert raw.url == f"https://raw.githubusercontent.com/{repository}/{card.commit}/{raw.path}"
        assert len(raw.sha256) == 64
        assert raw.bytes > 0


@needs_shared
@pytest.mark.parametrize("name", PUBLIC)
def test_card_agrees_with_the_shared_card(name):
    known = json.loads((Path(SHARED) / f"{name}.json").read_text())
    card = datasets.card(name)
    for key in ("name", "source_repo", "commit", "csv_sha256", "rows"):
        assert getattr(card, key) == known[key], key
    renames = tidy.renames(name)
    assert list(card.columns) == [renames.get(column, column) for column in known["columns"]]
    assert all(card.columns.values())  # every column says what it is
    assert (card.subset == "all rows") == (known.get("subset", "all rows") == "all rows")
    assert ("none stated" in card.license) == ("no licence file" in known["license"])
    ours = [(raw.path, raw.sha256, raw.bytes, raw.url) for raw in card.raw_files]
    assert ours == [(r["path"], r["sha256"], r["bytes"], r["url"]) for r in known["raw_files"]]


def test_card_gives_columns_under_their_loaded_names():
    assert list(datasets.card("chinchilla_epoch").columns) == [
        "N",
        "C",
        "D",
        "loss",
        "outlier_top5",
    ]
    # Those of this set are in 1e9, 1e12 and 1e21, so they must not look standard.
    assert not {"N", "D", "C"} & set(datasets.card("sloth_leaderboard").columns)


RECORD = {
    "name": "mine",
    "rows": 3,
    "columns": {"params": "parameters", "loss": "held-out loss"},
    "source_repo": "https://github.com/me/mine",
    "commit": "c" * 40,
    "raw_files": [["data/a table.csv", "5" * 64, 17]],
    "jax": "0.10.2",
}


def test_a_record_becomes_a_card() -> None:
    """Columns go by the names of the loaded frame; what has no field of its own is kept."""
    record = dict(RECORD)
    card = card_from("mine", DOWNLOAD, record)
    assert (card.name, card.where, card.rows) == ("mine", "download", 3)
    assert list(card.columns) == ["N", "loss"]
    assert card.license == card.citation == ""
    assert card.extra == {"jax": "0.10.2"}
    assert record == RECORD


def test_the_address_of_a_raw_file_is_that_of_its_commit() -> None:
    (raw,) = card_from("mine", DOWNLOAD, dict(RECORD)).raw_files
    assert raw.url == f"https://raw.githubusercontent.com/me/mine/{'c' * 40}/data/a table.csv"
    assert (raw.path, raw.sha256, raw.bytes) == ("data/a table.csv", "5" * 64, 17)


def test_the_origin_of_a_card_can_be_written_as_json() -> None:
    known = card_from("mine", DOWNLOAD, dict(RECORD))
    origin = json.loads(json.dumps(provenance(known)))
    assert origin["name"] == "mine"
    assert origin["jax"] == "0.10.2"
    assert origin["raw_files"] == [{"url": known.raw_files[0].url, "sha256": "5" * 64}]
    assert "usable_for" not in origin
