"""Curves: rows of whole loss curves with the areas of their schedules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js


def table(**changed) -> pd.DataFrame:
    steps = [10, 20, 30, 40]
    rows = {
        "run": ["a"] * 4 + ["b"] * 4,
        "step": steps * 2,
        "lr": [0.5, 1.0, 1.0, 1.0, 0.5, 1.0, 0.6, 0.2],
        "loss": [4.0, 3.0, 2.8, 2.7, 4.0, 3.0, 2.7, 2.5],
        "tag": list("stuvwxyz"),
    }
    return pd.DataFrame({**rows, **changed}, index=list("ABCDEFGH"))


def test_rows_have_the_areas_of_their_schedules() -> None:
    curves = js.Curves.from_frame(table(), warmup=20)
    assert list(curves.frame.index) == list("BCDFGH")
    assert list(curves.dropped.index) == ["A", "E"]
    assert curves.frame["tag"].tolist() == list("tuvxyz")
    b = curves.schedule_of("b")
    second = curves.frame[curves.frame["run"] == "b"]
    np.testing.assert_allclose(second["S1"], b.area([20, 30, 40]))
    np.testing.assert_allclose(second["S2"], b.annealing_area([20, 30, 40]))
    assert second["schedule"].tolist() == [1.0] * 3
    assert "b: 3 losses" in repr(curves)


def test_schedules_given_are_taken_as_they_are() -> None:
    given = {"a": js.schedules.constant(50, 1.0), "b": js.schedules.linear(40, 1.0)}
    curves = js.Curves.from_frame(table().drop(columns="lr"), schedules=given)
    assert curves.schedule_of("b").rate([20])[0] == pytest.approx(0.5)
    assert len(curves) == 8


def test_some_curves_keep_their_codes() -> None:
    curves = js.Curves.from_frame(table(), warmup=20)
    only = curves.where(["b"])
    assert set(only.frame["schedule"]) == {1.0}
    assert only.schedules == curves.schedules
    with pytest.raises(js.DataError, match=r"no run 'c'.* Runs are a, b"):
        curves.where(["c"])


def test_stretches_of_a_curve_are_the_independent_runs() -> None:
    curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    runs = curves.where([curves.frame["run"].iloc[0]]).runs(blocks=5)
    assert runs.n_independent == 5
    counts = runs.frame["stretch"].value_counts()
    assert counts.max() - counts.min() <= 1
    with pytest.raises(js.DataError, match=r"blocks=0 must be 1 or more"):
        curves.runs(blocks=0)


@pytest.mark.full
@pytest.mark.filterwarnings("error::jscale.DataWarning", "ignore::jscale.FitWarning")
def test_one_curve_is_no_doubtful_input() -> None:
    """The code of a schedule measures nothing, so that it is the same in all rows is fine."""
    curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    runs = curves.where([curves.frame["run"].iloc[0]]).runs()
    law = js.multi_power(curves.schedules)
    fit = js.fit(law, runs, fixed={"B": 5.0, "C": 2.0, "beta": 0.6, "gamma": 0.6})
    assert not [n for n in fit.notes if n.code in ("constant-input", "inputs-move-together")]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step": [10, 20, 20, 40] * 2}, r"repeat or run backwards in row 'C' \(20.0\), row 'G'"),
        ({"step": [10, 30, 20, 40, 10, 20, 30, 40]}, r"run backwards in row 'C' .* of run 'a'"),
        ({"step": [10, 20, 30.5, 40] * 2}, r"whole numbers, but are not in row 'C' \(30.5\)"),
        ({"run": ["a"] * 4 + ["b", None, "b", "b"]}, r"run: 1 of 8 values missing .*row 'F'"),
        ({"lr": [0.5, 1.0, -1.0, 1.0] * 2}, r"'lr' is below 0 in row 'C' \(-1.0\)"),
        ({"loss": [4.0, 0.0, 2.0, 1.0] * 2}, r"loss.*zero or negative.*'B'"),
    ],
)
def test_bad_rows_are_named(changed, message: str) -> None:
    with pytest.raises(js.DataError, match=message):
        js.Curves.from_frame(table(**changed))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedules": {"a": js.Schedule([1.0] * 40)}}, r"no schedule for the run 'b'.* has a"),
        ({"schedules": {k: js.Schedule([1.0] * 39) for k in "ab"}}, r"has 39 steps, .* step 40"),
        ({"learning_rate": "eta"}, r"no column of the learning rate, named 'eta'"),
        ({"run": "model"}, r"no column for 'run', named 'model'"),
        ({"step": "tick"}, r"no column for 'S' .*named 'tick'"),
    ],
)
def test_bad_choices(options, message: str) -> None:
    with pytest.raises(js.DataError, match=message):
        js.Curves.from_frame(table(), **options)


def test_columns_of_a_taken_name_are_kept_under_another() -> None:
    curves = js.Curves.from_frame(table(schedule=list("pqrstuvw"), S1=range(8)), warmup=20)
    assert curves.frame["schedule_given"].tolist() == list("qrsuvw")
    assert curves.frame["S1_given"].tolist() == [1, 2, 3, 5, 6, 7]


def test_no_table() -> None:
    with pytest.raises(js.DataError, match="a row for each loss"):
        js.Curves.from_frame([1, 2])  # type: ignore[arg-type]
