"""Data sets: cards, both ways of reading, and every message of what can go wrong.

Tests that need the authors' numbers use the folder in JSCALE_DATA_DIR (tidy tables, and raw
files in ``raw/``) and are skipped without it. No test needs a network or uses one.
"""

import csv
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
import requests

from jscale.data import datasets, downloads, tidy
from jscale.errors import DatasetError, DataWarning

SHARED = os.environ.get("JSCALE_DATA_DIR", "")
needs_shared = pytest.mark.skipif(not SHARED, reason="JSCALE_DATA_DIR is not set")
PUBLIC = [name for name in datasets.names() if datasets.card(name).where != "embedded"]
EMBEDDED = [
    "stdlib_lm",
    "stdlib_lm_curves",
    "stdlib_lm_pilot",
    "stdlib_lm_repeated",
    "stdlib_lm_seeds",
]
RAW = {
    "chinchilla_epoch": "chinchilla_epoch.svg_extracted_data.csv",
    "kyotakano_llm": "kyotakano_llm.df.csv",
    "steplaw_dense": "steplaw_dense.dense_lr_bs_loss.csv",
    "vocab_sail": "vocab_sail.exp_data.csv",
}
DOWNLOADABLE = list(RAW)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, no JSCALE_DATA_DIR, and no network."""
    monkeypatch.delenv("JSCALE_DATA_DIR", raising=False)
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(tmp_path / "cache"))
    serve(monkeypatch, requests.exceptions.ConnectionError("no route to host"))
    return tmp_path / "cache"


def serve(monkeypatch, answer):
    """Make every HTTP download give these bytes, or raise this error; return the URLs asked for."""
    asked = []

    def download(self, url, output_file, pooch, check_only=False):
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        Path(output_file).write_bytes(answer)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    return asked


def put_raw(cache, name):
    cache.mkdir(exist_ok=True)
    shutil.copy(Path(SHARED) / "raw" / RAW[name], cache / RAW[name])


def tidy_csv(name):
    """The tidy table as it lies in the shared folder, parsed by Python alone."""
    with open(Path(SHARED) / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


# ── Cards ────────────────────────────────────────────────────────────────────────────────────


def test_all_sixteen_public_sets_are_registered():
    assert len(PUBLIC) == 16
    assert datasets.names()[-16:] == PUBLIC


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


def test_table_lists_every_set():
    table = datasets.table()
    assert list(table.columns) == ["name", "rows", "usable_for", "license", "where"]
    assert list(table["name"]) == datasets.names()
    assert set(table["where"]) <= {"embedded", "download", "only with JSCALE_DATA_DIR"}


@pytest.mark.parametrize("call", [datasets.card, datasets.load])
def test_unknown_name_suggests_and_lists(call):
    with pytest.raises(DatasetError, match=r"No data set is called 'chinchila'\. Did you mean 'chinchilla_epoch'\? .*vocab_sail.*table\(\)"):  # fmt: skip
        call("chinchila")


def test_unknown_name_of_another_type():
    with pytest.raises(DatasetError, match="No data set is called None"):
        datasets.load(None)  # type: ignore[arg-type]


# ── Embedded ─────────────────────────────────────────────────────────────────────────────────


def test_stdlib_lm_is_embedded(monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", "/no/such/folder")  # embedded sets do not look there
    frame = datasets.load("stdlib_lm")
    card, provenance = datasets.card("stdlib_lm"), frame.attrs["provenance"]
    assert {"run", "N", "D", "C", "loss", "seed"} <= set(frame.columns)
    assert set(card.columns) == set(frame.columns)
    assert (frame[["N", "D", "C"]].dtypes == "float64").all()
    assert datasets.names()[0] == "stdlib_lm"
    assert card.where == provenance["read_from"] == "embedded"
    assert len(frame) == card.rows == provenance["rows"]
    assert card.license


def test_stdlib_lm_is_the_table_that_its_card_describes():
    content = (files("jscale.data") / "tables" / "stdlib_lm.csv").read_bytes()
    card = datasets.card("stdlib_lm")
    found = hashlib.sha256(content).hexdigest()
    assert datasets.load("stdlib_lm").attrs["provenance"]["csv_sha256"] == found
    assert card.csv_sha256 in ("", found)


def test_embedded_set_with_a_stand_in(tmp_path, monkeypatch):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "mine.csv").write_text("run,N,D,loss\na,1000000000,20000000000,2.5\n")
    columns = dict.fromkeys(["run", "N", "D", "loss"], "")
    card = {"name": "mine", "rows": 1, "columns": columns, "jax": "0.10.2"}
    (tmp_path / "tables" / "mine.json").write_text(json.dumps(card))
    monkeypatch.setattr(datasets, "_package", lambda: tmp_path)
    monkeypatch.setattr(datasets, "_public", dict)
    frame = datasets.load("mine")
    assert datasets.names() == ["mine"]
    assert frame.attrs["provenance"]["read_from"] == "embedded"
    assert frame.attrs["provenance"]["jax"] == "0.10.2"
    assert 6 * frame["N"].iloc[0] * frame["D"].iloc[0] == 1.2e20  # int64 would overflow


def test_no_public_table_is_in_the_package():
    checksums = {datasets.card(name).csv_sha256 for name in PUBLIC}
    checksums |= {raw.sha256 for name in PUBLIC for raw in datasets.card(name).raw_files}
    package = Path(datasets.__file__).parents[1]
    kinds = {".csv", ".gz", ".xz", ".parquet", ".pickle", ".ipynb"}
    for path in (path for path in package.rglob("*") if path.suffix in kinds):
        assert not path.name.startswith(tuple(PUBLIC)), path
        assert hashlib.sha256(path.read_bytes()).hexdigest() not in checksums, path
    tables = {path.name for path in (package / "data" / "tables").iterdir()}
    assert tables <= {f"{name}.{kind}" for name in EMBEDDED for kind in ("csv", "json")}


# ── JSCALE_DATA_DIR ──────────────────────────────────────────────────────────────────────────


@needs_shared
@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_set_reads_from_the_data_folder(name):
    frame, card = datasets.load(name), datasets.card(name)
    assert len(frame) == card.rows
    assert list(frame.columns) == list(card.columns)
    for column in {"N", "D", "C"} & set(frame.columns):
        assert frame[column].dtype == "float64"
        assert (frame[column] > 0).all()
    provenance = frame.attrs["provenance"]
    assert provenance["read_from"] == "JSCALE_DATA_DIR"
    assert provenance["csv_sha256"] == card.csv_sha256
    assert provenance["license"] == card.license
    assert [raw["sha256"] for raw in provenance["raw_files"]] == [r.sha256 for r in card.raw_files]
    json.dumps(provenance)


@needs_shared
@pytest.mark.parametrize("name", PUBLIC)
def test_values_are_those_of_the_tidy_table_to_the_last_bit(name):
    frame = datasets.load(name)
    for (column, texts), loaded in zip(tidy_csv(name).items(), frame.columns, strict=True):
        values = frame[loaded]
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            assert [str(v) for v in values.fillna("")] == texts, column
        else:
            expected = [float(text or "nan") for text in texts]
            np.testing.assert_array_equal(values.to_numpy(dtype=float), expected, err_msg=column)


@needs_shared
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("chinchilla_epoch", ["N", "D", "C", "loss", "outlier_top5"]),
        ("gadre_overtraining", ["N", "D", "C", "params_nonemb"]),
        ("isoflops_open_athena", ["N", "D", "C", "loss"]),
        ("porian_isoflop", ["N", "D", "C", "loss"]),
    ],
)
def test_standard_columns_mean_what_their_names_say(name, columns):
    frame = datasets.load(name)
    assert set(columns) <= set(frame.columns)
    ratio = frame["C"] / (6 * frame["N"] * frame["D"])
    assert ratio.between(0.9, 1.12).all()


def test_changed_table_warns_and_is_still_read(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    (tmp_path / "kyotakano_llm.csv").write_text("flops,params,tokens,loss\n1e18,10,20,3.5\n")
    with pytest.warns(DataWarning, match=r"kyotakano_llm\.csv is not the table that jscale knows .*SHA-256 is [0-9a-f]{64}, expected a6196325.*unset JSCALE_DATA_DIR") as caught:  # fmt: skip
        frame = datasets.load("kyotakano_llm")
    assert caught[0].filename == __file__
    assert frame["D"].tolist() == [20.0]
    assert frame.attrs["provenance"]["rows"] == 1
    assert frame.attrs["provenance"]["csv_sha256"] in str(caught[0].message)


@pytest.mark.filterwarnings("ignore::jscale.errors.DataWarning")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("flops,params,loss\n1e18,10,3.5\n", r"lacks the column\(s\) tokens\. Restore the table .*card\('kyotakano_llm'\)"),
        ("", "is not a readable CSV table: No columns"),
        ("flops,params,tokens,loss\n1e18,ten,20,3.5\n", "is not a readable CSV table: .*ten"),
    ],
)  # fmt: skip
def test_table_that_cannot_be_used(tmp_path, monkeypatch, content, message):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    (tmp_path / "kyotakano_llm.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        datasets.load("kyotakano_llm")


def test_data_folder_that_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match=r"JSCALE_DATA_DIR is '.*nowhere', which is not a folder.*os\.environ\.pop"):  # fmt: skip
        datasets.load("chinchilla_epoch")


# ── Downloading ──────────────────────────────────────────────────────────────────────────────


@needs_shared
@pytest.mark.parametrize("name", DOWNLOADABLE)
def test_raw_file_in_the_cache_gives_the_same_frame_as_the_tidy_table(name, cache, monkeypatch):
    put_raw(cache, name)
    downloaded = datasets.load(name)
    monkeypatch.setenv("JSCALE_DATA_DIR", SHARED)
    read = datasets.load(name)
    pd.testing.assert_frame_equal(downloaded, read, check_exact=True)
    origins = [downloaded.attrs["provenance"], read.attrs["provenance"]]
    assert [origin.pop("read_from") for origin in origins] == ["download", "JSCALE_DATA_DIR"]
    assert origins[0] == origins[1]


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


@needs_shared
def test_chinchilla_epoch_marks_the_five_points_that_epoch_drops(cache):
    put_raw(cache, "chinchilla_epoch")
    frame = datasets.load("chinchilla_epoch")
    dropped = frame["outlier_top5"] == 1
    assert dropped.sum() == 5
    assert frame.loc[dropped, "loss"].min() > frame.loc[~dropped, "loss"].max()
    np.testing.assert_array_equal(frame["D"], frame["C"] / (6 * frame["N"]))


def test_no_network_gives_every_way_out(cache):
    raw = datasets.card("chinchilla_epoch").raw_files[0]
    target = cache / RAW["chinchilla_epoch"]
    with pytest.raises(DatasetError, match=r"Could not get 'chinchilla_epoch'.*was ConnectionError: no route to host") as caught:  # fmt: skip
        datasets.load("chinchilla_epoch")
    message = str(caught.value)
    assert f"fetching {raw.url} into {cache} failed. Three ways to proceed" in message
    assert "connect to the network and call jscale.datasets.load('chinchilla_epoch')" in message
    assert 'set os.environ["JSCALE_DATA_DIR"]' in message
    assert f"save it as {target} (JSCALE_CACHE_DIR chooses" in message


def test_data_folder_without_the_table_falls_back_to_downloading(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetError, match="fetching https"):
        datasets.load("chinchilla_epoch")


def test_wrong_checksum_of_a_download(cache, monkeypatch):
    serve(monkeypatch, b"<html>log in first</html>")
    found = hashlib.sha256(b"<html>log in first</html>").hexdigest()
    with pytest.raises(DatasetError, match=rf"Wrong checksum for 'kyotakano_llm'.*SHA-256 2ed2c412.*got {found}.*JSCALE_DATA_DIR"):  # fmt: skip
        datasets.load("kyotakano_llm")
    assert not list(cache.iterdir())


def test_corrupt_file_in_the_cache_without_a_network_is_named(cache):
    cache.mkdir()
    target = cache / RAW["kyotakano_llm"]
    target.write_text("C,N,D,loss\n")
    with pytest.raises(DatasetError, match=r"kyotakano_llm\.df\.csv is not the right one: its SHA-256 is [0-9a-f]{64}, expected 2ed2c412\w+; delete it") as caught:  # fmt: skip
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


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - set(DOWNLOADABLE)))
def test_set_without_a_tidy_function_says_so(name, cache):
    card = datasets.card(name)
    with pytest.raises(DatasetError, match="has no tidy function for it yet, and JSCALE_DATA_DIR is not set") as caught:  # fmt: skip
        datasets.load(name)
    message = str(caught.value)
    assert f"Its source is {card.source_repo} at commit {card.commit}" in message
    assert f"What to do: put the tidy table {name}.csv (SHA-256 {card.csv_sha256})" in message
    assert "Sets that need no such folder" in message


def test_set_without_a_tidy_function_names_the_data_folder_that_lacks_it(cache, tmp_path, monkeypatch):  # fmt: skip
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetError, match=r"has no parscale\.csv"):
        datasets.load("parscale")


def test_importing_does_not_import_pooch():
    code = "import sys, jscale.data.datasets; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
