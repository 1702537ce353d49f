"""Optima of sweeps: the lowest row of each cell, how flat it is there, and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.curves.optima import optima


def sweep() -> pd.DataFrame:
    """Two sizes, each with a bowl whose optimum lies on the grid."""
    rows = [
        (n, 1e10, lr, b, 2.0 + 0.1 * np.log(lr / (1e5 / n)) ** 2 + 0.05 * np.log(b / 4e5) ** 2)
        for n in (1e8, 1e9)
        for lr in (1e-5, 1e-4, 1e-3, 1e-2)
        for b in (1e5, 2e5, 4e5, 8e5)
    ]
    table = pd.DataFrame(rows, columns=["N", "D", "lr", "B", "loss"])
    return table.sample(frac=1, random_state=0)


def test_the_lowest_row_of_each_cell() -> None:
    table = sweep()
    lowest = optima(table)
    assert lowest["N"].tolist() == [1e8, 1e9]
    assert lowest["lr"].tolist() == pytest.approx([1e-3, 1e-4])
    assert lowest["B"].tolist() == [4e5, 4e5]
    assert lowest["rows"].tolist() == [16, 16]
    assert not lowest["at_edge"].any()
    # The index is the row's label in the table.
    pd.testing.assert_series_equal(table.loc[lowest.index, "loss"], lowest["loss"])


def test_the_range_of_rows_that_are_nearly_as_low() -> None:
    """At factors of 2 in B the loss is 0.05·ln²2 = 0.024 above 2, at ten in lr 0.53."""
    lowest = optima(sweep(), within=0.02).iloc[0]
    assert (lowest["B_low"], lowest["B_high"], lowest["near"]) == (2e5, 8e5, 3)
    assert lowest["lr_low"] == lowest["lr_high"] == lowest["lr"]
    narrow = optima(sweep(), within=0.001).iloc[0]
    assert (narrow["B_low"], narrow["B_high"], narrow["near"]) == (4e5, 4e5, 1)


def test_an_optimum_at_the_edge_of_what_was_tried() -> None:
    table = sweep()
    high = table[(table["N"] == 1e9) | (table["lr"] <= 1e-3)]
    assert optima(high)["at_edge"].tolist() == [True, False]
    one_batch = table[table["B"] == 4e5]  # not swept: no edge
    assert not optima(one_batch)["at_edge"].any()


def test_diverged_runs_are_passed_over_but_were_tried() -> None:
    table = sweep()
    table["loss"] = table["loss"].where(table["lr"] < 5e-3)
    lowest = optima(table)
    assert lowest["rows"].tolist() == [12, 12]
    assert not lowest["at_edge"].any()


def test_other_columns() -> None:
    table = sweep().rename(columns={"N": "width", "loss": "nats"})
    lowest = optima(table, by=("width",), over=("lr",), loss="nats")
    assert list(lowest) == ["width", "lr", "nats", "lr_low", "lr_high", "rows", "near", "at_edge"]


@pytest.mark.parametrize(
    ("changed", "options", "says"),
    [
        (
            {},
            {"over": ("rate",)},
            r"no column 'rate'.*Its columns are: N, D, lr, B, loss.*Name them",
        ),
        ({}, {"by": "N"}, r"by='N' must list one or more columns"),
        ({}, {"over": ()}, r"over=\(\) must list one or more"),
        ({}, {"over": ("lr", "N")}, r"N: named more than once"),
        ({"lr": "fast"}, {}, r"lr is not a finite number in row 0 \('fast'\)"),
        (
            {"loss": np.nan},
            {},
            r"Fewer than 2 rows with a finite loss in the cell N, D = 1e\+08, 1e",
        ),
    ],
)
def test_bad_tables_are_named(changed: Any, options: Any, says: str) -> None:
    table = sweep().sort_index().astype({"lr": object})
    for name, value in changed.items():
        rows = table["N"] == 1e8 if name == "loss" else table.index == 0
        table.loc[rows, name] = value
    with pytest.raises(js.DataError, match=says):
        optima(table, **options)


def test_no_table_and_a_bad_width() -> None:
    nothing: Any = [1, 2]
    with pytest.raises(js.DataError, match=r"optima takes a pandas DataFrame, not list"):
        optima(nothing)
    with pytest.raises(js.JscaleError, match=r"within=1.5 must lie strictly between 0 and 1"):
        optima(sweep(), within=1.5)
