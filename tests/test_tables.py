"""The embedded table of real runs agrees with its card and with itself."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

TABLES = files("jscale") / "data" / "tables"
# fmt: off
COLUMNS = [
    "run", "split", "N", "N_non_embedding", "D", "unique_bytes", "C", "loss", "seed", "steps",
    "batch", "context", "peak_lr", "schedule", "layers", "width", "heads", "epochs", "corpus",
    "jax", "python", "device", "seconds",
]
# fmt: on
# Two runs of neighbouring cells may differ by noise: a loss may rise by this share and no more.
NOISE = 0.005
LOSS_OF_A_UNIFORM_GUESS = np.log(256)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    with (TABLES / "stdlib_lm.csv").open() as handle:
        return pd.read_csv(handle)


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads((TABLES / "stdlib_lm.json").read_text())


def test_card_names_exactly_these_bytes(card):
    content = (TABLES / "stdlib_lm.csv").read_bytes()
    assert card["csv_sha256"] == hashlib.sha256(content).hexdigest()


def test_columns(table, card):
    assert list(table.columns) == COLUMNS
    assert list(card["columns"]) == COLUMNS


def test_card_counts_and_corpus(table, card):
    assert card["rows"] == len(table)
    assert card["splits"] == table["split"].value_counts().to_dict()
    assert set(table["corpus"]) == {card["corpus"]["digest"]}
    assert set(table["unique_bytes"]) == {card["corpus"]["train_bytes"]}


def test_sizes_lengths_and_compute_are_consistent(table):
    assert (table["C"] == 6 * table["N"] * table["D"]).all()
    assert (table["D"] == table["steps"] * table["batch"] * table["context"]).all()
    assert (table["N"] == table["N_non_embedding"] + 256 * table["width"]).all()
    assert (table["D"] <= 0.9 * table["unique_bytes"]).all()


def test_losses_are_those_of_a_model_that_learnt_something(table):
    assert table["loss"].between(0.5, 0.6 * LOSS_OF_A_UNIFORM_GUESS).all()


def test_every_run_is_there_once(table):
    assert table["run"].is_unique
    assert not table.duplicated(["N", "D", "seed"]).any()


def test_held_out_runs_lie_beyond_every_fit_run(table):
    fit, holdout = (table[table["split"] == split] for split in ("fit", "holdout"))
    assert len(fit) + len(holdout) == len(table)
    assert fit["C"].between(5e9, 1e12).all()
    assert len(holdout) >= 3
    assert holdout["C"].between(4e12, 1e13).all()


@pytest.mark.parametrize(("fixed", "growing"), [("N", "D"), ("D", "N")])
def test_loss_falls(table, fixed, growing):
    for _, line in table.groupby(fixed):
        losses = line.sort_values(growing)["loss"].to_numpy()
        assert (losses[1:] <= losses[:-1] * (1 + NOISE)).all()
