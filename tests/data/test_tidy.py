"""Tidy tables: the raw file of the authors gives the same frame, under the library's names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jscale.data import datasets
from jscale.data.tidy import TIDY_COLUMNS, canonical, parse, renames, tidy
from tests.data.public import DOWNLOADABLE, SHARED, needs_shared, put_raw


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
def test_chinchilla_epoch_marks_the_five_points_that_epoch_drops(cache):
    put_raw(cache, "chinchilla_epoch")
    frame = datasets.load("chinchilla_epoch")
    dropped = frame["outlier_top5"] == 1
    assert dropped.sum() == 5
    assert frame.loc[dropped, "loss"].min() > frame.loc[~dropped, "loss"].max()
    np.testing.assert_array_equal(frame["D"], frame["C"] / (6 * frame["N"]))


def test_columns_get_the_librarys_names_unless_their_units_differ() -> None:
    assert renames("chinchilla_epoch") == {"params": "N", "tokens": "D", "flops": "C"}
    assert renames("gadre_overtraining")["flops_6nd"] == "C"
    assert renames("sloth_leaderboard") == {"params": "N", "tokens": "tokens", "flops": "flops"}


def test_sizes_become_floats_so_that_products_do_not_overflow() -> None:
    frame = pd.DataFrame({"params": [10**10], "tokens": [10**12], "steps": [5]})
    made = canonical("kyotakano_llm", frame)
    assert made.dtypes.astype(str).to_dict() == {"N": "float64", "D": "float64", "steps": "int64"}
    assert (6 * made["N"] * made["D"]).item() == 6e22


def test_floats_are_read_to_the_last_bit() -> None:
    texts = ["0.1", "2.2250738585072014e-308", "9007199254740993", "1e22"]
    frame = parse(("x\n" + "\n".join(texts) + "\n").encode())
    assert frame["x"].tolist() == [float(text) for text in texts]


def test_five_highest_losses_are_marked_and_tokens_computed() -> None:
    raw = pd.DataFrame(
        {
            "Model Size": [1e8] * 7,
            "Training FLOP": [6e17 * i for i in range(1, 8)],
            "loss": [3.0, 9.0, 8.0, 2.0, 7.0, 6.0, 6.0],
        }
    )
    table = tidy("chinchilla_epoch", raw)
    assert list(table) == ["params", "flops", "tokens", "loss", "outlier_top5"]
    np.testing.assert_allclose(table["tokens"], 1e9 * np.arange(1, 8))
    assert table["outlier_top5"].tolist() == [0, 1, 1, 0, 1, 1, 1]


def test_other_tables_carry_ten_digits() -> None:
    raw = pd.DataFrame({old: [1 / 3] for old in TIDY_COLUMNS["kyotakano_llm"]})
    table = tidy("kyotakano_llm", raw)
    assert list(table) == ["flops", "params", "tokens", "loss"]
    assert table["loss"].item() == 0.3333333333
