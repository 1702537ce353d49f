"""The held-out check: runs that the fit did not see, predicted, counted and reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.reporting.held_out import HeldOut, check_held_out, missed
from jscale.reporting.page import report


def test_the_held_out_check_counts(fit, draws, held_out, page):
    frame = js.predict(draws, held_out.frame[["N", "D"]]).frame
    seen = held_out["loss"]
    inside = int(np.sum((frame["prediction_low"] <= seen) & (seen <= frame["prediction_high"])))
    assert f"{inside} of {len(seen)} inside the 90% prediction interval" in page.content["held_out"]
    assert len(page.content["held_out_table"]["rows"]) == len(seen)
    assert [row[-1] for row in page.content["held_out_table"]["rows"]].count("inside") == inside


@pytest.mark.full
def test_held_out_runs_that_the_law_misses_are_a_warning_next_to_the_answer(fit, draws, held_out):
    off = replace(held_out, frame=held_out.frame.assign(loss=held_out["loss"] * 1.1))
    page = report(fit, draws, held_out=off)
    (note,) = page.content["warnings"]
    assert note["code"] == "held-out-missed"
    assert f"0 of {len(off)} held-out runs lie inside" in note["seen"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="loss"), "has no column 'loss', the output of the law"),
        (lambda t: t.iloc[:0], "The held-out table has no rows; omit held_out"),
        (lambda t: t.assign(loss="low"), "The held-out loss is not a finite number in row 34"),
    ],
)
def test_held_out_tables_that_cannot_be_used(fit, draws, held_out, change, message):
    table = held_out.frame.set_axis(range(34, 34 + len(held_out)))
    with pytest.raises(js.DataError, match=message):
        report(fit, draws, held_out=change(table))


def test_held_out_runs_in_another_unit(fit, draws, held_out):
    with pytest.raises(
        js.DataError,
        match=r"held-out runs are in bits \(count=None\), the fitted ones "
        "in nats",
    ):
        report(fit, draws, held_out=replace(held_out, loss_unit="bits"))


def test_rows_of_a_run_count_once() -> None:
    """Twenty checkpoints of two runs, those of one outside, count as two runs."""
    inside, runs = np.arange(20) < 10, np.repeat(["a", "b"], 10)
    assert missed(inside, None, 0.9) is not None
    assert missed(inside, runs, 0.9) is None
    many = missed(np.arange(80) % 4 == 0, np.repeat(np.arange(20), 4), 0.9)
    assert many is not None
    assert (many.inside, many.runs) == (5, 20)


def frame_of(curve: list[float], observed: list[float], **columns: list[float]) -> pd.DataFrame:
    """A prediction's columns, with intervals of a tenth around the curve."""
    middle = np.array(curve)
    return pd.DataFrame(
        {
            "C": [1e20 * 10**i for i in range(len(curve))],
            "curve": middle,
            "prediction_low": middle - 0.1,
            "prediction_high": middle + 0.1,
            "extrapolation": [2.0 * 10**i for i in range(len(curve))],
            "observed": observed,
            **columns,
        }
    )


def test_the_ends_of_an_interval_are_inside_and_errors_are_those_of_the_curve() -> None:
    held = HeldOut(frame_of([2.0, 3.0, 4.0], [2.1, 3.2, 3.9]), "loss", 0.9)
    assert held.inside.tolist() == [True, False, True]
    assert held.error == pytest.approx(np.mean([0.1 / 2.1, 0.2 / 3.2, 0.1 / 3.9]))
    assert held.sentence == (
        "3 held-out runs, up to 200 times the largest fitted compute: 2 of 3 "
        "inside the 90% prediction interval; mean absolute error of the curve 4.53%."
    )


def test_rows_and_runs_are_both_counted_where_they_differ() -> None:
    frame = frame_of([2.0, 3.0, 4.0], [2.0, 3.0, 4.0], extrapolation=[np.nan] * 3)
    held = HeldOut(frame, "loss", 0.9, np.array(["a", "a", "b"]))
    assert held.sentence.startswith("3 rows of 2 held-out runs: 3 of 3 inside")
    alone = HeldOut(frame.iloc[:2], "loss", 0.9, np.array([7, 7]))
    assert alone.sentence.startswith("2 rows of 1 held-out run: 2 of 2")


def test_the_table_shows_signed_errors_of_the_prediction() -> None:
    table = HeldOut(frame_of([2.0, 3.0], [1.6, 3.0]), "loss", 0.8).table()
    assert list(table) == ["C", "observed", "predicted", "error", "80% prediction interval", ""]
    assert table["error"].tolist() == ["+25.00%", "+0.00%"]
    assert table["80% prediction interval"].tolist() == ["1.9 to 2.1", "2.9 to 3.1"]
    assert table[""].tolist() == ["outside", "inside"]


@pytest.mark.parametrize(("inside", "noted"), [(1, True), (2, False)])
def test_a_note_where_chance_does_not_explain_the_misses(inside: int, noted: bool) -> None:
    """Of 4 at 90%, at most 1 inside has probability 0.0037, at most 2 has 0.0523."""
    observed = [2.0 if i < inside else 9.0 for i in range(4)]
    notes = list(HeldOut(frame_of([2.0] * 4, observed), "loss", 0.9).notes())
    assert [note.code for note in notes] == (["held-out-missed"] if noted else [])
    if noted:
        assert "probability 0.004." in notes[0].seen


def test_runs_that_a_table_names_are_taken_from_it(fit, draws, held_out) -> None:
    frame = held_out.frame.assign(id=np.arange(len(held_out)) // 2)
    named = js.Runs.from_frame(frame, run="id")
    held = check_held_out(draws, named, 0.9)
    assert held.runs.tolist() == frame["id"].tolist()
    assert check_held_out(draws, held_out, 0.9).runs is None
    np.testing.assert_array_equal(held.frame["observed"], held_out["loss"])
