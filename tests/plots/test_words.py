"""Numbers, intervals and tables in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.plots.words import amount, joined, number, percent, point, sheet, span, with_unit


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.69, 4, "1.69"),
        (-0.5, 4, "−0.5"),
        (3e9, 4, "3×10⁹"),
        (1e24, 4, "10²⁴"),
        (-1e24, 4, "−10²⁴"),
        (-2.5e-7, 4, "−2.5×10⁻⁷"),
        (0.001, 4, "0.001"),
        (0.00099, 4, "9.9×10⁻⁴"),
        (99_999.0, 5, "99999"),
        (99_999.0, 4, "10⁵"),
        (99_994.0, 4, "99990"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (1234.5678, 2, "1200"),
        (7, 1, "7"),
        (np.inf, 4, "∞"),
        (-np.inf, 4, "−∞"),
        (np.nan, 4, "n/a"),
    ],
)
def test_numbers_as_people_write_them(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_intervals_have_digits_enough_to_show_their_width() -> None:
    assert span(0.3456, 0.2, 0.5) == ("0.346", "0.2", "0.5")
    assert span(2.00013, 2.00011, 2.00016) == ("2.00013", "2.00011", "2.00016")
    # Without a width, or with an open end, three digits do.
    assert span(2.00013, 2.00013, 2.00013) == ("2", "2", "2")
    assert span(2.00013, 1.0, np.inf) == ("2", "1", "∞")


def test_digits_of_an_interval_end_with_those_of_a_double() -> None:
    middle, low, high = span(1.0, 1.0 - 1e-15, 1.0 + 1e-15)
    assert (middle, low, high) == ("1", "1", "1")


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_words_are_joined_as_in_a_sentence(parts: list[str], text: str) -> None:
    assert joined(parts) == text


def test_points_in_a_sentence() -> None:
    assert point({"N": 7e9, "D": np.int64(5), "moe": True}) == "N = 7×10⁹, D = 5 and moe = yes"
    assert point({"family": "gpt"}) == "family = gpt"
    assert percent(0.9) == "90%"
    assert percent(0.995) == "99.5%"


def test_outputs_are_named_with_the_unit_of_their_loss() -> None:
    frame = pd.DataFrame({"N": [1e6, 1e7], "loss": [3.0, 2.0], "score": [0.1, 0.2]})
    nats = js.Runs.from_frame(frame)
    assert with_unit("loss", nats) == "loss (nats)"
    assert amount("loss", nats, "2.1") == "a loss of 2.1 nats"
    other = js.Runs.from_frame(frame, output="score")
    assert with_unit("score", other) == "score"
    assert amount("score", other, "0.4") == "score = 0.4"


def test_a_table_as_text() -> None:
    frame = pd.DataFrame(
        {"x": [1e9, np.nan], "ok": [True, False], 3: ["a", "b"]}, index=["first", "second"]
    )
    text = sheet(frame)
    assert text.headings == ("x", "ok", "3")
    assert text.rows == (("10⁹", "yes", "a"), ("n/a", "no", "b"))
    assert text.numeric == (True, True, False)
    assert text.left_out == 0
    named = sheet(frame, index="run", most=1)
    assert named.headings == ("run", "x", "ok", "3")
    assert named.rows == (("first", "10⁹", "yes", "a"),)
    assert named.left_out == 1
    assert sheet(pd.DataFrame({"x": []})).rows == ()


def test_columns_of_one_name_are_all_written() -> None:
    twice = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    assert sheet(twice).rows == (("1", "2"),)
