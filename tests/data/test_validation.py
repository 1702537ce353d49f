"""Validation: which tables and columns can be used, which rows are left out, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jscale.data.runs import Runs
from jscale.data.validation import Reading, validate
from jscale.errors import DataError, DataWarning
from tests.data.frames import four_runs as table


@pytest.mark.parametrize("thing", [{"N": [1.0]}, np.ones((2, 3)), None, "runs.csv"])
def test_only_a_dataframe_is_taken(thing: Any) -> None:
    with pytest.raises(
        DataError,
        match=rf"made from a pandas DataFrame, not from {type(thing).__name__}; "
        r"try pandas\.DataFrame\(",
    ):
        Runs.from_frame(thing)


def test_no_rows() -> None:
    with pytest.raises(DataError, match=r"The table has no rows\. A scaling law needs at least"):
        Runs.from_frame(table().iloc[:0])


def test_columns_of_the_same_name() -> None:
    frame = table()
    frame = pd.concat([frame, frame[["loss"]]], axis=1)
    with pytest.raises(
        DataError,
        match=r"Several columns have the same name: loss\. Keep one of each: "
        r"df\.loc\[:, ~df\.columns\.duplicated\(\)\]\.",
    ):
        Runs.from_frame(frame)


def test_a_missing_output_is_named_with_the_likely_column() -> None:
    frame = table().rename(columns={"loss": "val_los"})
    with pytest.raises(
        DataError,
        match=r"no column for 'loss' \(held-out loss\)\. Did you mean 'val_los'\? "
        r"Its columns are: N, D, val_los\. .*Runs\.from_frame\(df, loss=\"<column>\"\)",
    ):
        Runs.from_frame(frame)


@pytest.mark.parametrize("name", ["N", "lr", "run", "group", "weight"])
def test_a_named_column_that_is_missing(name: str) -> None:
    columns: dict[str, Any] = {name: "sead"}
    with pytest.raises(
        DataError,
        match=rf"no column for '{name}'.*, named 'sead'\. Did you mean 'seed'\? "
        rf".*Runs\.from_frame\(df, {name}=\"<column>\"\)",
    ):
        Runs.from_frame(table(seed=[1, 2, 3, 4]), **columns)


@pytest.mark.parametrize("name", ["N", "weight"])
def test_values_given_instead_of_a_columns_name(name: str) -> None:
    columns: dict[str, Any] = {name: table()["N"]}
    with pytest.raises(
        DataError,
        match=rf"{name} must be the name of a column, not Series\. Add it to the table, "
        rf"df\['{name}'\] = …, and name it: Runs\.from_frame\(df, {name}='{name}'\)\.",
    ):
        Runs.from_frame(table(), **columns)


def test_a_column_with_two_aliases_must_be_named() -> None:
    frame = table(test_loss=[4.0] * 4).rename(columns={"loss": "val_loss"})
    with pytest.raises(DataError, match=r"could be 'loss': val_loss, test_loss\. Name one: "):
        Runs.from_frame(frame)
    runs = Runs.from_frame(frame, loss="val_loss")
    assert runs["loss"].tolist() == [3.9, 3.6, 3.2, 3.0]
    assert runs["test_loss"].tolist() == [4.0] * 4


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        (
            "loss_unit",
            "nat",
            r"loss_unit='nat' is not known\. Did you mean 'nats'\? Use "
            r"nats, bits, other, perplexity\.",
        ),
        (
            "count",
            "totl",
            r"count='totl' is not known\. Did you mean 'total'\? Use "
            r"total, non_embedding, None\.",
        ),
        (
            "invalid",
            "dorp",
            r"invalid='dorp' is not known\. Did you mean 'drop'\? Use "
            r"raise, drop\.",
        ),
    ],
)
def test_unknown_settings_list_the_legal_ones(setting: str, value: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Runs.from_frame(table(), **{setting: value})


def test_invalid_rows_are_left_out_with_reasons_and_a_warning() -> None:
    frame = table(N=[1e7, "7B", 4e7, 8e7], loss=[3.9, 3.6, np.nan, 3.0])
    with pytest.warns(
        DataWarning, match=r"2 of 4 rows were left out\. They are listed with reasons in runs\.dro"
    ):
        runs = Runs.from_frame(frame, invalid="drop")
    assert runs.frame.index.tolist() == ["d", "b"]
    assert runs.dropped["reason"].to_dict() == {"a": "N: not a number", "c": "loss: missing (NaN)"}
    assert runs.dropped.loc["a", "N"] == "7B"
    assert [doubt.code for doubt in runs.doubts] == ["rows-dropped"]
    assert "2 rows dropped" in repr(runs)


def test_kept_and_dropped_rows_are_all_the_rows() -> None:
    frame = table(N=[np.inf, 0.0, np.nan, 8e7], weight=[1.0, np.nan, np.nan, 2.0])
    with pytest.warns(DataWarning, match="3 of 4 rows were left out"):
        runs = Runs.from_frame(frame, invalid="drop", weight="weight")
    assert sorted([*runs.frame.index, *runs.dropped.index]) == sorted(frame.index)
    assert set(runs.dropped["reason"]) == {
        "N: infinite",
        "N: zero or negative",
        "N: missing (NaN)",
    }


def test_a_good_table_drops_nothing() -> None:
    runs = Runs.from_frame(table(), invalid="drop")
    assert len(runs.dropped) == 0
    assert runs.doubts == ()


def test_no_row_left() -> None:
    frame = table(N=["7B"] * 4)
    with pytest.raises(DataError, match=r"No row is left: N: not a number\."):
        Runs.from_frame(frame, invalid="drop")


def test_perplexities_become_nats_and_bits_stay_bits() -> None:
    frame = table(loss=[50.0, 40.0, 20.0, 10.0])
    runs = Runs.from_frame(frame, loss_unit="perplexity")
    np.testing.assert_allclose(runs["loss"], np.log(frame["loss"]))
    assert runs.loss_unit == "nats"
    bits = Runs.from_frame(table(), loss_unit="bits")
    assert bits["loss"].tolist() == [3.9, 3.6, 3.2, 3.0]
    assert bits.loss_unit == "bits"


def test_bad_compute_in_rows_that_are_left_out_anyway_is_no_reason_to_ignore_it() -> None:
    frame = table(C=[6e16, np.nan, 7.2e17, 1.92e18], loss=[3.9, np.nan, 3.2, 3.0])
    with pytest.warns(DataWarning, match="1 of 4 rows were left out"):
        runs = Runs.from_frame(frame, invalid="drop")
    assert runs["C"].tolist() == [6e16, 7.2e17, 1.92e18]
    assert [doubt.code for doubt in runs.doubts] == ["rows-dropped"]


def test_compute_that_is_the_only_input_must_be_right() -> None:
    with pytest.raises(DataError, match=r"C: 1 of 2 values missing"):
        Runs.from_frame(pd.DataFrame({"C": [1e18, np.nan], "loss": [3.0, 2.5]}))


READING = Reading("loss", "nats", "total", "drop", {"run": None, "group": None, "weight": None}, {})


def test_what_validation_returns() -> None:
    """Numbers first, in the order N, D, C; other columns untouched behind them; C computed."""
    frame = table(seed=["x", "y", "z", "w"], N=[1e7, 0.0, 4e7, 8e7]).rename(columns={"D": "tokens"})
    valid = validate(frame, READING)
    assert valid.frame.columns.tolist() == ["N", "D", "loss", "C", "seed"]
    assert valid.inputs == ("N", "D", "C")
    assert valid.frame.index.tolist() == ["d", "c", "b"]
    assert valid.frame["seed"].tolist() == ["x", "z", "w"]
    np.testing.assert_array_equal(valid.frame["C"], 6 * valid.frame["N"] * valid.frame["D"])
    assert valid.dropped["reason"].tolist() == ["N: zero or negative"]
    assert valid.loss_unit == "nats"


def test_a_row_with_several_faults_is_told_its_first() -> None:
    frame = table(N=[1e7, -1.0, 4e7, 8e7], loss=[3.9, np.nan, np.inf, 3.0])
    dropped = validate(frame, READING).dropped
    assert dropped["reason"].to_dict() == {"a": "N: zero or negative", "c": "loss: infinite"}


def test_a_column_that_marks_runs_keeps_its_own_name_too() -> None:
    marks = {"run": "params", "group": None, "weight": None}
    frame = table().rename(columns={"N": "params"})
    valid = validate(frame, Reading("loss", "nats", "total", "raise", marks, {}))
    assert valid.frame["params"].tolist() == valid.frame["N"].tolist()
