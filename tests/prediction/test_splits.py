"""Splits: every scheme asks what it says, and no run is on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction import splits


def runs(**columns: object) -> js.Runs:
    C = np.geomspace(1e15, 1e20, 11)
    frame = pd.DataFrame({"C": C, "loss": 2 + C**-0.1, **columns})
    return js.Runs.from_frame(frame)


def clustered() -> js.Runs:
    frame = runs().frame.assign(id=np.repeat(list("abcdef"), 2)[:11])
    return js.Runs.from_frame(frame, run="id")


def test_largest_holds_out_at_least_its_share_and_ties_together() -> None:
    (one,) = js.largest("C", 0.2).make(runs())
    assert one.test.tolist() == [8, 9, 10]
    assert one.fit.tolist() == list(range(8))
    tied = js.Runs.from_frame(runs().frame.assign(C=[1e15] * 7 + [1e20] * 4))
    assert js.largest("C", 0.1).make(tied)[0].test.tolist() == [7, 8, 9, 10]


def test_beyond_leaves_a_gap() -> None:
    (one,) = splits.beyond("C", fit=1e17, predict=1e19).make(runs())
    C = runs()["C"]
    assert (C[one.fit] < 1e17).all()
    assert (C[one.test] >= 1e19).all()
    assert len(one.fit) + len(one.test) < len(C)


def test_labelled_and_masks() -> None:
    table = runs(split=["fit"] * 9 + ["holdout"] * 2)
    (one,) = splits.labelled().make(table)
    assert one.test.tolist() == [9, 10]
    (other,) = splits.as_scheme(table.frame["split"] == "holdout").make(table)
    assert other.test.tolist() == [9, 10]


def test_origins_roll_forward() -> None:
    found = splits.origins("C", 4, factor=3.0).make(runs())
    C = runs()["C"]
    sizes = [len(s.fit) for s in found]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 5
    for s in found:
        assert C[s.test].min() > 3 * C[s.fit].max() * (1 - 1e-9)
        assert len(s.test) >= 1


def test_a_row_at_an_origin_is_on_one_side_only() -> None:
    for count in range(1, 9):
        for s in splits.origins("C", count).make(runs()):
            assert not np.intersect1d(s.fit, s.test).size
            assert len(s.fit) + len(s.test) == 11


def test_leave_out_and_folds_partition_the_rows() -> None:
    for scheme in (splits.leave_out("id"), splits.folds(3)):
        found = scheme.make(clustered())
        tested = np.sort(np.concatenate([s.test for s in found]))
        assert tested.tolist() == list(range(11))
    assert [s.label for s in splits.leave_out("id").make(clustered())] == list("abcdef")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.largest("C", 20), "share=20 must lie strictly between 0 and 1"),
        (lambda: js.largest("c").make(runs()), r"The table has no column 'c'\. Did you mean 'C'"),
        (lambda: splits.beyond("C", fit=2, predict=1), "must not lie above predict=1"),
        (lambda: splits.beyond("C", fit=1e3, predict=1e4).make(runs()), "leaves no row to fit: move"),
        (lambda: splits.beyond("C", fit=1e30, predict=1e31).make(runs()), "leaves no row to predict"),
        (lambda: splits.as_scheme(["holdout"] * 11), "is no mask: give True or False per row"),
        (lambda: splits.as_scheme([True, False]).make(runs()), "The mask has 2 entries, but there are 11"),
        (lambda: splits.origins("C", 0), "count=0 must be 1 or more"),
        (lambda: splits.origins("C", 3, factor=1e6).make(runs()), "spans too little for origins"),
        (lambda: splits.origins("name").make(runs(name=list("abcdefghijk"))), "must be a positive number to split by"),
        (lambda: splits.leave_out("f").make(runs(f=["a"] * 11)), "has one label, 'a': nothing is left"),
        (lambda: splits.leave_out("f").make(runs(f=[None] + ["a"] * 10)), "column 'f' has no label in row"),
        (lambda: splits.folds(12).make(runs()), "count=12 must lie between 2 and the number of runs, 11"),
        (lambda: js.largest("C", 0.3).make(js.Runs.from_frame(clustered().frame.assign(C=[1e15, 1e20] * 5 + [1e15]), run="id")),
         r"has rows of run a, b, c, d, e on both sides.*js\.splits\.leave_out\('id'\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_split_says_so(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()


def test_a_scheme_says_what_it_is() -> None:
    assert repr(splits.origins("C", 4, factor=3.0)) == "origins('C', 4, factor=3)"
    assert repr(splits.as_scheme([True, False])) == "a mask of 1 rows"
