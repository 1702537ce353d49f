"""Data sets: names, both ways of reading, and every message of what can go wrong.

Tests that need the authors' numbers use the folder in JSCALE_DATA_DIR (tidy tables, and raw
files in ``raw/``) and are skipped without it. No test needs a network or uses one.
"""

import csv
import hashlib
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jscale.data import datasets
from jscale.errors import DatasetError, DataWarning
from tests.data.public import DOWNLOADABLE, EMBEDDED, PUBLIC, SHARED, needs_shared


def tidy_csv(name):
    """The tidy table as it lies in the shared folder, parsed by Python alone."""
    with open(Path(SHARED) / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


# ── Names ────────────────────────────────────────────────────────────────────────────────────


def test_public_sets_come_after_the_embedded_ones():
    assert len(PUBLIC) >= 16
    assert datasets.names() == [*EMBEDDED, *PUBLIC]


def test_table_lists_every_set():
    table = datasets.table()
    assert list(table.columns) == ["name", "rows", "usable_for", "license", "where"]
    assert list(table["name"]) == datasets.names()
    assert set(table["where"]) <= {"embedded", "download", "only with JSCALE_DATA_DIR"}


@pytest.mark.parametrize("call", [datasets.card, datasets.load])
def test_unknown_name_suggests_and_lists(call):
    with pytest.raises(
        DatasetError,
        match=r"No data set is called 'chinchila'\. Did you mean 'chinchilla_epoch'\? .*vocab_sail.*table\(\)",
    ):
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


def test_every_table_has_a_card():
    tables = sorted(path.name for path in (files("jscale.data") / "tables").iterdir())
    assert tables == sorted(f"{name}.{kind}" for name in EMBEDDED for kind in ("csv", "json"))


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_set_is_the_table_that_its_card_describes(name):
    content = (files("jscale.data") / "tables" / f"{name}.csv").read_bytes()
    card, frame = datasets.card(name), datasets.load(name)
    digest = hashlib.sha256(content).hexdigest()
    assert frame.attrs["provenance"]["csv_sha256"] == digest
    assert card.csv_sha256 == digest
    assert card.rows == len(frame)
    assert list(card.columns) == list(frame.columns)
    assert all(card.columns.values()), "a column without a description"
    assert card.license
    assert card.usable_for


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
    with pytest.warns(
        DataWarning,
        match=r"kyotakano_llm\.csv is not the table that jscale knows .*SHA-256 is [0-9a-f]{64}, expected a6196325.*unset JSCALE_DATA_DIR",
    ) as caught:
        frame = datasets.load("kyotakano_llm")
    assert caught[0].filename == __file__
    assert frame["D"].tolist() == [20.0]
    assert frame.attrs["provenance"]["rows"] == 1
    assert frame.attrs["provenance"]["csv_sha256"] in str(caught[0].message)


@pytest.mark.filterwarnings("ignore::jscale.errors.DataWarning")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "flops,params,loss\n1e18,10,3.5\n",
            r"lacks the column\(s\) tokens\. Restore the table .*card\('kyotakano_llm'\)",
        ),
        ("", "is not a readable CSV table: No columns"),
        ("flops,params,tokens,loss\n1e18,ten,20,3.5\n", "is not a readable CSV table: .*ten"),
    ],
)
def test_table_that_cannot_be_used(tmp_path, monkeypatch, content, message):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    (tmp_path / "kyotakano_llm.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        datasets.load("kyotakano_llm")


def test_data_folder_that_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(
        DatasetError,
        match=r"JSCALE_DATA_DIR is '.*nowhere', which is not a folder.*os\.environ\.pop",
    ):
        datasets.load("chinchilla_epoch")


# ── Downloading ──────────────────────────────────────────────────────────────────────────────


def test_data_folder_without_the_table_falls_back_to_downloading(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetError, match="fetching https"):
        datasets.load("chinchilla_epoch")


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - set(DOWNLOADABLE)))
def test_set_without_a_tidy_function_says_so(name, cache):
    card = datasets.card(name)
    with pytest.raises(
        DatasetError, match="has no tidy function for it yet, and JSCALE_DATA_DIR is not set"
    ) as caught:
        datasets.load(name)
    message = str(caught.value)
    assert f"Its source is {card.source_repo} at commit {card.commit}" in message
    assert f"What to do: put the tidy table {name}.csv (SHA-256 {card.csv_sha256})" in message
    assert "Sets that need no such folder" in message


def test_set_without_a_tidy_function_names_the_data_folder_that_lacks_it(
    cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("JSCALE_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetError, match=r"has no parscale\.csv"):
        datasets.load("parscale")


def test_importing_does_not_import_pooch():
    code = "import sys, jscale.data.datasets; sys.exit('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
