"""Values that cannot be used: each error names the column, the rows, the values and the remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jscale.data.runs import Runs
from jscale.errors import DataError


def table(**columns: list[Any]) -> pd.DataFrame:
    """Three plausible runs, some columns replaced."""
    given = {"N": [1e7, 2e7, 4e7], "D": [1e9, 1e9, 3e9], "loss": [3.9, 3.6, 3.2]}
    return pd.DataFrame({**given, **columns}, index=["small", "middle", "large"])


def test_text_is_not_a_number() -> None:
    with pytest.raises(
        DataError,
        match=r"N \(column 'params'\): 1 of 3 values not a number: row 'middle' \('7B'\)\. "
        r"Numbers are needed, such as 7e9 and not '7B'\. Correct the table, or leave these rows out "
        r'with Runs\.from_frame\(\.\.\., invalid="drop"\)\.',
    ):
        Runs.from_frame(table(params=[1e7, "7B", 4e7]).drop(columns="N"))


def test_text_that_is_a_number_is_read_as_one() -> None:
    runs = Runs.from_frame(table(N=["1e7", " 2e7", "40000000"]))
    assert runs["N"].tolist() == [1e7, 2e7, 4e7]
    assert runs["N"].dtype == np.float64


@pytest.mark.parametrize(
    "odd",
    [
        pd.date_range("2024-01-01", periods=3),
        [1 + 2j, 2 + 0j, 3 + 0j],
        [[1e7], [2e7], [4e7]],
    ],
    ids=["dates", "complex", "lists"],
)
def test_dates_complex_numbers_and_lists_are_no_numbers(odd: Any) -> None:
    with pytest.raises(DataError, match="N: 3 of 3 values not a number: row 'small'"):
        Runs.from_frame(table(N=list(odd)))


@pytest.mark.parametrize("kind", ["Int64", "Float64"])
def test_nullable_columns_are_read_and_their_gaps_are_missing(kind: str) -> None:
    frame = table()
    frame["N"] = pd.array([10**7, None, 4 * 10**7], dtype=kind)  # pyright: ignore
    with pytest.raises(
        DataError, match=r"N: 1 of 3 values missing \(NaN\): row 'middle' \((<NA>|nan)\)"
    ):
        Runs.from_frame(frame)
    runs = Runs.from_frame(frame.fillna(2e7))
    assert runs["N"].tolist() == [1e7, 2e7, 4e7]


def test_nan_is_missing() -> None:
    with pytest.raises(
        DataError,
        match=r"loss: 1 of 3 values missing \(NaN\): row 'large' \(nan\)\. Correct the table, or",
    ):
        Runs.from_frame(table(loss=[3.9, 3.6, np.nan]))


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_infinite_values(infinite: float) -> None:
    with pytest.raises(DataError, match=r"D: 1 of 3 values infinite: row 'small' \(-?inf\)\."):
        Runs.from_frame(table(D=[infinite, 1e9, 3e9]))


def test_zero_and_negative_values() -> None:
    with pytest.raises(
        DataError,
        match=r"N: 2 of 3 values zero or negative: row 'small' \(0\.0\), row 'large' \(-1\.0\)\. "
        r"A scaling law takes its logarithm, so it must be positive\. Correct the table, or",
    ):
        Runs.from_frame(table(N=[0.0, 2e7, -1.0]))


def test_more_than_five_rows_are_counted_and_not_listed() -> None:
    frame = pd.DataFrame({"N": np.zeros(8), "D": np.ones(8), "loss": np.ones(8)})
    with pytest.raises(DataError, match=r"8 of 8 .*row 4 \(0\.0\), … \(3 more\)\."):
        Runs.from_frame(frame)


def test_a_score_of_zero_is_told_how_to_say_that_it_is_no_loss() -> None:
    frame = table(score=[0.0, 0.2, 0.3])
    with pytest.raises(
        DataError, match=r'score: .* If it is a score and not a loss, pass loss_unit="other"\.'
    ):
        Runs.from_frame(frame, output="score", loss_unit="nats")
    runs = Runs.from_frame(frame, output="score", loss_unit="other")
    assert runs["score"].tolist() == [0.0, 0.2, 0.3]


def test_a_perplexity_is_above_one() -> None:
    with pytest.raises(
        DataError,
        match=r"loss: 2 of 3 values at or below 1, the lowest perplexity: "
        r"row 'middle' \(1\.0\), row 'large' \(0\.5\)\. "
        r'If it is a loss in nats, pass loss_unit="nats"\.',
    ):
        Runs.from_frame(table(loss=[3.9, 1.0, 0.5]), loss_unit="perplexity")


def test_an_input_that_the_glossary_does_not_know_may_have_any_sign() -> None:
    runs = Runs.from_frame(table(shift=[-1.0, 0.0, 1.0]), shift="shift")
    assert runs["shift"].tolist() == [-1.0, 0.0, 1.0]


def test_compute_that_wrapped_around_in_int64_is_an_error_that_names_the_overflow() -> None:
    N = np.array([10**8, 10**9, 10**10], dtype=np.int64)
    D = np.array([10**9, 10**9, 2 * 10**9], dtype=np.int64)
    with np.errstate(over="ignore"):
        wrapped = 6 * N * D
    assert wrapped[2] < 0
    frame = pd.DataFrame({"N": N, "D": D, "C": wrapped, "loss": [3.0, 2.8, 2.6]})
    with pytest.raises(
        DataError,
        match=r"C: 1 of 3 values zero or negative: row 2 \(-\d+\)\. .* Its type is an integer: a "
        r"product such as 6\*N\*D beyond 2\*\*63 wraps around to negative numbers; compute it "
        r"from df\.astype\(float\)\.",
    ):
        Runs.from_frame(frame, C="C")


def test_a_negative_integer_that_is_no_compute_has_not_wrapped_around() -> None:
    with pytest.raises(
        DataError, match=r"N: 1 of 3 values zero or negative.* be positive\. Correct"
    ):
        Runs.from_frame(table(N=[-1, 2 * 10**7, 4 * 10**7]))


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0, -2.0, 1.0], r"row 'middle' \(-2\.0\)\. Use 0 to leave a row out of the fit\."),
        ([np.nan, 1.0, 1.0], r"row 'small' \(nan\)"),
        ([1.0, 1.0, np.inf], r"row 'large' \(inf\)"),
        ([1.0, "heavy", 1.0], r"row 'middle' \(nan\)"),
    ],
)
def test_weights_are_finite_and_not_negative(weights: list[Any], says: str) -> None:
    with pytest.raises(
        DataError, match=f"column 'w': weights must be finite and not negative, but {says}"
    ):
        Runs.from_frame(table(w=weights), weight="w")


def test_some_weight_must_be_positive() -> None:
    with pytest.raises(
        DataError, match=r"column 'w': all 3 weights are zero; give some row a weight\."
    ):
        Runs.from_frame(table(w=[0.0, 0.0, 0.0]), weight="w")


@pytest.mark.parametrize("mark", ["run", "group"])
def test_a_run_or_family_without_a_label_is_an_error(mark: str) -> None:
    with pytest.raises(
        DataError,
        match=rf"{mark} \(column 'name'\): 1 of 3 values missing \(NaN\): row 'middle'",
    ):
        Runs.from_frame(table(name=["a", None, "b"]), **{mark: "name"})
