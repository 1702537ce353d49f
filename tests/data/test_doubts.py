"""Doubts: what is suspicious about a table is warned of, kept, and told with a remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jscale.data import doubts
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning
from tests.data.frames import four_runs as table


def test_repeated_rows_are_doubtful() -> None:
    frame = table()
    frame.loc["e"] = frame.loc["a"]
    with pytest.warns(
        DataWarning,
        match=r"1 rows repeat another one in every number: row 'e' \(3\.6\)\. If they are one run "
        r"logged twice, use df\.drop_duplicates\(\); .* run=\"<column>\"\.",
    ):
        runs = Runs.from_frame(frame)
    assert len(runs) == 5
    assert runs.n_independent == 4
    assert [doubt.code for doubt in runs.doubts] == ["duplicate-runs"]


def test_compute_far_from_six_n_d_is_doubtful() -> None:
    frame = table(flop=[6e16, 1.2e17, 7.2e20, 1.92e18])
    with pytest.warns(
        DataWarning,
        match=r"C is not near 6\*N\*D in 1 of 4 rows; C/\(6\*N\*D\) is row 'c' \(1000\.0\)\. "
        r'.* to use 6\*N\*D instead, df\.drop\(columns="flop"\)\.',
    ):
        runs = Runs.from_frame(frame)
    assert runs["C"][2] == 7.2e20


def test_losses_that_look_like_perplexities_are_doubtful() -> None:
    with pytest.warns(
        DataWarning,
        match=r"assumed to be in nats, but its median is 30, above .* these look like perplexities\. "
        r'State its unit: loss_unit="perplexity" \(or "bits"\), or "other"\.',
    ):
        Runs.from_frame(table(loss=[50.0, 40.0, 20.0, 10.0]))


def test_a_column_named_after_another_unit_is_doubtful() -> None:
    frame = table().rename(columns={"loss": "val_bpb"})
    with pytest.warns(DataWarning, match="its name 'val_bpb' says bits"):
        Runs.from_frame(frame, loss="val_bpb")
    assert Runs.from_frame(frame, loss="val_bpb", loss_unit="bits").doubts == ()


def test_compute_found_by_itself_with_bad_values_is_ignored_and_computed() -> None:
    frame = table(flops=[6e16, np.nan, 7.2e17, 1.92e18])
    with pytest.warns(
        DataWarning,
        match=r"The column 'flops' looks like C, but 1 of 4 values are missing \(NaN\): row 'a' "
        r"\(nan\)\. It is ignored\. C is computed as 6\*N\*D\. Correct those values; to make them an "
        r"error, name the column: Runs\.from_frame\(df, C='flops'\)\.",
    ):
        runs = Runs.from_frame(frame)
    np.testing.assert_array_equal(runs["C"], 6 * runs["N"] * runs["D"])
    assert (runs.inputs, len(runs)) == (("N", "D", "C"), 4)
    assert [doubt.code for doubt in runs.doubts] == ["column-ignored"]
    with pytest.raises(DataError, match=r"C \(column 'flops'\): 1 of 4 values missing"):
        Runs.from_frame(frame, C="flops")


def test_unique_tokens_found_by_themselves_with_bad_values_are_carried_along() -> None:
    frame = table(U=[1e9, "many", 1e9, 1e9])
    with pytest.warns(DataWarning, match=r"The column 'U' looks like U.* 'a' \('many'\)"):
        runs = Runs.from_frame(frame, invalid="drop")
    assert (runs.inputs, len(runs)) == (("N", "D", "C"), 4)
    assert runs["U"].tolist() == frame["U"].tolist()


def test_fewer_rows_have_the_doubts_of_their_own_rows() -> None:
    frame = table(C=[6e16, 1.2e17, 7.2e20, 1.92e21])
    frame.loc["e"] = frame.loc["a"]
    with pytest.warns(DataWarning) as caught:
        runs = Runs.from_frame(frame)
    assert len(caught) == 2
    fewer = runs.where(runs["N"] < 5e7)
    assert [doubt.code for doubt in fewer.doubts] == ["duplicate-runs", "flops-mismatch"]
    assert fewer.doubts[0] == runs.doubts[0]
    assert fewer.doubts[1].seen.startswith("C is not near 6*N*D in 1 of 4 rows; ")
    assert fewer.doubts[1].remedy == runs.doubts[1].remedy
    assert runs.where(runs["C"] == 6e16).doubts == ()


def test_fewer_rows_keep_other_doubts() -> None:
    with pytest.warns(DataWarning, match="1 of 4 rows were left out"):
        runs = Runs.from_frame(table(loss=[3.9, np.nan, 3.2, 3.0]), invalid="drop")
    assert runs.where(runs["N"] > 2e7).doubts == runs.doubts


def test_int64_columns_whose_product_would_overflow_are_doubtful_and_computed_right() -> None:
    frame = table(N=[10**7, 10**8, 10**11, 10**8], D=[10**9, 10**9, 10**12, 10**9])
    assert frame["N"].dtype == np.int64
    with pytest.warns(
        DataWarning,
        match=r"'N' and 'D' are int64 and 6\*N\*D exceeds 2\*\*63 in row 'c' \(6e\+23\)\. "
        r"jscale computes it in float64; .* use df\.astype\(float\) in your own code\.",
    ):
        runs = Runs.from_frame(frame)
    assert [doubt.code for doubt in runs.doubts] == ["int64-overflow"]
    np.testing.assert_allclose(runs["C"][2], 6e23, rtol=1e-15)


def test_compute_that_wrapped_around_to_a_positive_number_is_doubtful() -> None:
    N, D = np.int64(10**10), np.int64(10**9)
    with np.errstate(over="ignore"):
        wrapped = 6 * N * D
    assert wrapped > 0
    frame = pd.DataFrame({"N": [N], "D": [D], "C": [wrapped], "loss": [2.6]})
    with pytest.warns(DataWarning) as caught:
        Runs.from_frame(frame)
    assert "exceeds 2**63 in row 0 (6e+19)" in str(caught[0].message)
    assert "C is not near 6*N*D in 1 of 1 rows" in str(caught[1].message)


def test_int64_columns_whose_product_fits_are_fine() -> None:
    runs = Runs.from_frame(table(N=[10**7, 10**8, 10**9, 10**9], D=[10**8, 10**8, 10**9, 10**8]))
    assert runs.doubts == ()


def test_nothing_suspicious_has_no_doubt() -> None:
    frame = table(C=[6e16, 1.2e17, 7.2e17, 1.92e18])
    assert doubts.about_dropped_rows(np.ones(4, dtype=bool)) is None
    assert doubts.about_unit(frame["loss"].to_numpy(), "loss", "nats") is None
    assert doubts.about_overflow(frame, "N", "D") is None
    assert doubts.about_rows(frame, ("N", "D", "C"), "loss", "C") == []


@pytest.mark.parametrize(
    ("ratio", "doubtful"), [(0.81, False), (0.79, True), (1.24, False), (1.26, True)]
)
def test_compute_may_be_a_quarter_off(ratio: float, doubtful: bool) -> None:
    frame = table().assign(C=lambda t: 6 * t["N"] * t["D"])
    frame.loc["c", "C"] *= ratio
    seen = doubts.seen_in_rows(frame, ("N", "D", "C"), "loss")
    assert bool(seen["flops-mismatch"]) == doubtful
    assert seen["duplicate-runs"] == ""
    # Without N there is nothing to hold C against.
    assert doubts.seen_in_rows(frame, ("D", "C"), "loss")["flops-mismatch"] == ""


def test_a_row_repeated_twice_counts_twice_and_one_number_apart_is_no_repeat() -> None:
    frame = table()
    frame.loc["e"] = frame.loc["f"] = frame.loc["a"]
    frame.loc["g"] = [2e7, 1e9, 3.7]
    seen = doubts.seen_in_rows(frame, ("N", "D"), "loss")["duplicate-runs"]
    assert seen == "2 rows repeat another one in every number: row 'e' (3.6), row 'f' (3.6)."
