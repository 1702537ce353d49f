"""Runs: a table is validated, nothing is dropped silently, and doubts are kept and told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jscale.data.runs import Runs
from jscale.errors import DataError
from tests.data.frames import four_runs as table

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


def test_asking_runs_for_a_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no column for 'losss'\. Did you mean 'loss'\?"):
        Runs.from_frame(table())["losss"]


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
