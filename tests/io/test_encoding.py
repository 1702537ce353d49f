"""Values and tables become JSON and come back exact."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from jscale.io.encoding import decode, encode, table_document, table_from


def there_and_back(value: object) -> object:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, 0.1 + 0.2),
        (math.inf, math.inf),
        (np.float64(-math.inf), -math.inf),
        (np.int64(2**60), 2**60),
        (np.bool_(True), True),
        ({"a": (1, None), 2: pd.NA}, {"a": [1, None], "2": None}),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        (pd.Timestamp("2026-03-01"), "2026-03-01 00:00:00"),
    ],
)
def test_values_come_back(value, expected):
    decoded = there_and_back(value)
    assert decoded == expected
    assert type(decoded) is type(expected)


def test_nan_comes_back():
    assert encode(np.nan) == {"float": "nan"}
    assert math.isnan(there_and_back(np.nan))


def test_a_mapping_that_only_looks_like_a_float_stays_a_mapping():
    assert there_and_back({"float": 1.5}) == {"float": 1.5}


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"x": [0.1, np.nan], "n": pd.array([None, 2**60], dtype="Int64")}),
        pd.DataFrame({"x": np.float32([0.1])}, index=pd.Index(["a"], name="run")),
        pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        pd.DataFrame({"x": pd.Series([], dtype="float64")}),
    ],
)
def test_tables_come_back(table):
    pd.testing.assert_frame_equal(table_from(there_and_back(table_document(table))), table)
