"""Runs: a table is validated, nothing is dropped silently, and doubts are kept and told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning


def table(**columns: Any) -> pd.DataFrame:
    """Four plausible runs, with labels out of order, some columns replaced or added."""
    given = {
        "N": [1e7, 2e7, 4e7, 8e7],
        "D": [1e9, 1e9, 3e9, 4e9],
        "loss": [3.9, 3.6, 3.2, 3.0],
    }
    return pd.DataFrame({**given, **columns}, index=["d", "a", "c", "b"])


# What a table becomes


def test_inputs_are_float64_under_standard_names_and_row_labels_are_kept() -> None:
    frame = table(seed=[0, 1, 2, 3]).rename(columns={"N": "params", "D": "tokens"})
    runs = Runs.from_frame(frame.astype({"params": "int64"}))
    assert runs.inputs == ("N", "D", "C")
    assert runs.frame.columns.tolist() == ["N", "D", "loss", "C", "seed"]
    assert runs.frame.index.tolist() == ["d", "a", "c", "b"]
    assert {runs[name].dtype for name in ("N", "D", "C", "loss")} == {np.dtype("float64")}
    np.testing.assert_array_equal(runs["C"], 6 * runs["N"] * runs["D"])
    assert runs["seed"].tolist() == [0, 1, 2, 3]


def test_a_given_compute_column_is_kept() -> None:
    runs = Runs.from_frame(table(flops=[6.1e16, 1.2e17, 7.2e17, 1.9e18]))
    assert runs["C"].tolist() == [6.1e16, 1.2e17, 7.2e17, 1.9e18]
    assert "flops" not in runs.frame


def test_compute_alone_is_enough() -> None:
    runs = Runs.from_frame(pd.DataFrame({"flops": [1e18, 1e19], "loss": [3.0, 2.5]}))
    assert runs.inputs == ("C",)


def test_a_laws_own_input_is_named_by_keyword() -> None:
    runs = Runs.from_frame(table(learning_rate=[1e-3] * 4), lr="learning_rate")
    assert runs.inputs == ("N", "D", "lr", "C")
    assert runs["lr"].tolist() == [1e-3] * 4


def test_the_named_column_wins_over_one_of_the_standard_name() -> None:
    runs = Runs.from_frame(table(active=[5e6, 6e6, 7e6, 8e6]), N="active")
    assert runs["N"].tolist() == [5e6, 6e6, 7e6, 8e6]


def test_the_source_is_not_changed() -> None:
    frame = table(loss=["3.9", "3.6", "3.2", "3.0"])
    before = frame.copy(deep=True)
    runs = Runs.from_frame(frame)
    pd.testing.assert_frame_equal(frame, before)
    runs.frame.loc["a", "N"] = 1.0
    pd.testing.assert_frame_equal(frame, before)


def test_a_source_whose_labels_repeat_keeps_all_rows() -> None:
    frame = table(note=list("wxyz")).set_index(pd.Index([0, 0, 1, 1]))
    runs = Runs.from_frame(frame)
    assert runs.frame.index.tolist() == [0, 0, 1, 1]
    assert runs["note"].tolist() == list("wxyz")
    assert runs["loss"].tolist() == [3.9, 3.6, 3.2, 3.0]


def test_one_column_may_serve_as_input_run_and_group() -> None:
    runs = Runs.from_frame(table().rename(columns={"N": "params"}), run="params", group="params")
    assert runs["params"].tolist() == runs["N"].tolist()
    assert runs.n_independent == 4


def test_repr_counts_rows_and_shows_spans() -> None:
    runs = Runs.from_frame(table(run=[1, 1, 2, 2]), run="run")
    assert repr(runs) == (
        "Runs(4 rows, 2 independent: N 1e+07…8e+07, D 1e+09…4e+09, C 6e+16…1.92e+18, loss 3…3.9)"
    )


# Tables and columns that cannot be used


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
        ("loss_unit", "nat", r"loss_unit='nat' is not known\. Did you mean 'nats'\? Use "
         r"nats, bits, other, perplexity\."),
        ("count", "totl", r"count='totl' is not known\. Did you mean 'total'\? Use "
         r"total, non_embedding, None\."),
        ("invalid", "dorp", r"invalid='dorp' is not known\. Did you mean 'drop'\? Use "
         r"raise, drop\."),
    ],
)  # fmt: skip
def test_unknown_settings_list_the_legal_ones(setting: str, value: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Runs.from_frame(table(), **{setting: value})


def test_asking_runs_for_a_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no column for 'losss'\. Did you mean 'loss'\?"):
        Runs.from_frame(table())["losss"]


# Rows left out


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
        "N: infinite", "N: zero or negative", "N: missing (NaN)",
    }  # fmt: skip


def test_a_good_table_drops_nothing() -> None:
    runs = Runs.from_frame(table(), invalid="drop")
    assert len(runs.dropped) == 0
    assert runs.doubts == ()


def test_no_row_left() -> None:
    frame = table(N=["7B"] * 4)
    with pytest.raises(DataError, match=r"No row is left: N: not a number\."):
        Runs.from_frame(frame, invalid="drop")


# Doubts


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


def test_perplexities_become_nats_and_bits_stay_bits() -> None:
    frame = table(loss=[50.0, 40.0, 20.0, 10.0])
    runs = Runs.from_frame(frame, loss_unit="perplexity")
    np.testing.assert_allclose(runs["loss"], np.log(frame["loss"]))
    assert runs.loss_unit == "nats"
    bits = Runs.from_frame(table(), loss_unit="bits")
    assert bits["loss"].tolist() == [3.9, 3.6, 3.2, 3.0]
    assert bits.loss_unit == "bits"


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


def test_bad_compute_in_rows_that_are_left_out_anyway_is_no_reason_to_ignore_it() -> None:
    frame = table(C=[6e16, np.nan, 7.2e17, 1.92e18], loss=[3.9, np.nan, 3.2, 3.0])
    with pytest.warns(DataWarning, match="1 of 4 rows were left out"):
        runs = Runs.from_frame(frame, invalid="drop")
    assert runs["C"].tolist() == [6e16, 7.2e17, 1.92e18]
    assert [doubt.code for doubt in runs.doubts] == ["rows-dropped"]


def test_compute_that_is_the_only_input_must_be_right() -> None:
    with pytest.raises(DataError, match=r"C: 1 of 2 values missing"):
        Runs.from_frame(pd.DataFrame({"C": [1e18, np.nan], "loss": [3.0, 2.5]}))


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


# Choosing rows, counting runs, digests


def test_where_takes_a_mask_or_a_function_of_the_frame() -> None:
    runs = Runs.from_frame(table())
    assert runs.where(runs["N"] > 2e7).frame.index.tolist() == ["c", "b"]
    assert runs.where(lambda frame: frame["loss"] > 3.5).frame.index.tolist() == ["d", "a"]
    assert len(runs) == 4


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ([True, False], r"type bool and shape \(2,\); .* each of the 4 rows, such as runs\['C'\]"),
        ([0, 1, 2, 3], r"type int64 and shape \(4,\); it must hold True or False"),
        ([False] * 4, r"The mask keeps none of the 4 rows\."),
    ],
)
def test_a_mask_that_cannot_be_used(mask: list[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        Runs.from_frame(table()).where(mask)


def test_runs_with_several_rows_count_once() -> None:
    frame = table(name=["x", "x", "x", "y"])
    assert Runs.from_frame(frame, run="name").n_independent == 2
    assert Runs.from_frame(frame).n_independent == 4


def test_the_digest_knows_values_and_not_row_labels() -> None:
    digest = Runs.from_frame(table()).digest
    assert digest == Runs.from_frame(table().reset_index(drop=True)).digest
    assert digest == Runs.from_frame(table(seed=[1, 2, 3, 4])).digest
    assert digest != Runs.from_frame(table(loss=[3.9, 3.6, 3.2, 3.0 + 1e-12])).digest
    assert digest != Runs.from_frame(table().iloc[::-1]).digest


@pytest.mark.parametrize("mark", ["run", "group", "weight"])
def test_the_digest_knows_what_runs_families_and_weights_are(mark: str) -> None:
    frame = table(a=[1, 1, 2, 2], b=[1, 2, 2, 2])
    digests = {
        Runs.from_frame(frame).digest,
        Runs.from_frame(frame, **{mark: "a"}).digest,
        Runs.from_frame(frame, **{mark: "b"}).digest,
        Runs.from_frame(frame, run="a", group="a", weight="a").digest,
    }
    assert len(digests) == 4


def test_scores_have_no_unit_to_doubt():
    """Outputs that are no losses may be zero, negative, or far above any loss in nats."""
    frame = pd.DataFrame({"N": [1e6, 2e6, 3e6], "score": [-1.0, 0.0, 60.0]})
    assert Runs.from_frame(frame, output="score").loss_unit == "other"
    assert Runs.from_frame(frame.assign(loss=2.0)).loss_unit == "nats"
    with pytest.raises(DataError, match="score"):
        Runs.from_frame(frame, output="score", loss_unit="nats")
