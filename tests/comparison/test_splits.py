"""Splits: every scheme asks what it says, and no run is on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison import splits
from jscale.data.resampling import run_numbers


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
        (lambda: splits.as_scheme(["holdout"] * 11), "is not a mask: give True or False per row"),
        (lambda: splits.as_scheme(pd.Series(["yes", "no"] * 6, index=list("abcdefghijkl"))),
         r"holdout with text in row 'a' \('yes'\), row 'b' \('no'\).*\(7 more\) \(compare first: column == 'yes'\) is not a mask"),
        (lambda: splits.as_scheme(np.array(["True", "False"])), r"with text in row 0 \('True'\), row 1 \('False'\)"),
        (lambda: splits.as_scheme(pd.Series([True, "False", None, False])),
         r"with text, NoneType in row 1 \('False'\), row 2 \(None\) \(compare first: column == 'False'\) is not a mask"),
        (lambda: splits.as_scheme(pd.Series([True, None], dtype="boolean")), r"with NAType in row 1 \(<NA>\) is not a mask"),
        (lambda: splits.as_scheme([0, 1, 1]), r"with int in row 0 \(0\), row 1 \(1\), row 2 \(1\) is not a mask"),
        (lambda: splits.as_scheme(pd.DataFrame({"a": [True]})), r"holdout of shape \(1, 1\) is not a mask"),
        (lambda: splits.as_scheme("C"), "holdout='C' is not a mask: give True or False per row"),
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
    assert repr(splits.given([([0], [1])])) == "given(1 folds)"
    assert repr(splits.given([([0], [1])], overlapping=True)) == "given(1 folds, overlapping)"


def test_a_mask_of_objects_that_are_true_or_false_is_one() -> None:
    mask = pd.Series([False] * 9 + [True] * 2, dtype=object)
    assert splits.as_scheme(mask).make(runs())[0].test.tolist() == [9, 10]
    (one,) = splits.given([(~mask.astype(bool), mask)]).make(runs())
    assert one.test.tolist() == [9, 10]


# ── Folds as they are given ──────────────────────────────────────────────────────────────────


def test_given_folds_are_masks_or_row_numbers() -> None:
    C = runs()["C"]
    small, large = C < 1e17, C > 1e19
    by_mask = splits.given({"small": (small, large)}).make(runs())
    numbers = (np.flatnonzero(small)[::-1], np.flatnonzero(large).tolist())
    by_number = splits.given([numbers]).make(runs())
    for (one,), label in ((by_mask, "small"), (by_number, 0)):
        assert one.label == label
        np.testing.assert_array_equal(one.fit, np.flatnonzero(small))
        np.testing.assert_array_equal(one.test, np.flatnonzero(large))


def test_given_folds_may_be_made_by_others() -> None:
    """A generator of (fit, test), as those of cross-validation elsewhere, whole runs together."""
    fold = np.array([0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2])
    scheme = splits.given((np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3))
    for _ in range(2):  # a scheme can be made again
        found = scheme.make(clustered())
        assert [s.label for s in found] == [0, 1, 2]
        assert np.sort(np.concatenate([s.test for s in found])).tolist() == list(range(11))


def test_rolling_origins_can_be_given_where_said() -> None:
    pairs = [(np.arange(k), np.arange(k, 11)) for k in (5, 8)]
    found = splits.given(pairs, overlapping=True).make(runs())
    assert [len(s.test) for s in found] == [6, 3]


def test_given_folds_compare_laws() -> None:
    table = js.simulate("power", {"A": 50.0, "alpha": 0.07}, {"C": np.geomspace(1e17, 1e22, 24)},
                        noise=0.01)  # fmt: skip
    folds = {"even": (np.arange(0, 24, 2), np.arange(1, 24, 2))}
    found = js.compare(["power"], table, holdout=splits.given(folds), resamples=50)
    assert set(found.rows["split"]) == {"even"}
    assert sorted(found.rows["place"]) == list(range(1, 24, 2))


MASK = np.arange(11) < 8


def labelled_rows() -> js.Runs:
    return js.Runs.from_frame(runs().frame.set_index(pd.Index(list("abcdefghijk"))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: splits.given("C"), r"'C' is not a sequence of folds: give pairs of rows, js\.splits\.given\(\[\(fit, predict\)"),
        (lambda: splits.given(3), "3 is not a sequence of folds"),
        (lambda: splits.given([]), "There is no fold: give pairs of rows"),
        (lambda: splits.given((MASK, ~MASK)), r"The fold 0 is ndarray of 11 and no pair \(fit, predict\)"),
        (lambda: splits.given([{"fit": MASK}]), "The fold 0 is dict and no pair"),
        (lambda: splits.given({"a": (MASK, np.where(MASK, "no", "yes"))}),
         r"The rows to predict of fold 'a' with text in row 0 \('no'\), .*\(compare first: column == 'no'\): give a mask"),
        (lambda: splits.given([(MASK.astype(float), ~MASK)]), r"The rows to fit of fold 0 with float in row 0 \(1.0\)"),
        (lambda: splits.given([([0, 2.5], [1])]), r"The rows to fit of fold 0 with float in row 0 \(0.0\), row 1 \(2.5\)"),
        (lambda: splits.given([(["C"], ~MASK)]), r"with text in row 0 \('C'\)"),
        (lambda: splits.given([(MASK, 3)]), "The rows to predict of fold 0=3: give a mask"),
        (lambda: splits.given([(MASK, [[1], [2]])]), r"The rows to predict of fold 0 of shape \(2, 1\)"),
        (lambda: splits.given([(MASK[:9], ~MASK)]).make(runs()), "to fit of fold 0: the mask has 9 entries, but there are 11 rows"),
        (lambda: splits.given({"a": ([0, 11, -1], [1])}).make(runs()),
         "The rows to fit of fold 'a': there is no row number 11, -1; they go from 0 to 10"),
        (lambda: splits.given({"a": (MASK.astype(int), [8])}).make(runs()),
         "The rows to fit of fold 'a': the row number 0, 1 is repeated.*a mask holds True and False, not 0 and 1"),
        (lambda: splits.given({"a": (MASK, [7, 8])}).make(labelled_rows()),
         "The fold 'a' both fits and predicts row 'h', so the law would have seen"),
        (lambda: splits.given({"a": (MASK, [8, 9]), "b": (MASK, [9, 10])}).make(labelled_rows()),
         "The folds 'a' and 'b' both predict row 'j', which would count twice.*js.splits.origins, or overlapping=True"),
        (lambda: splits.given([([], [3])]).make(runs()), "The split 0 leaves no row to fit"),
        (lambda: splits.given([(MASK, MASK & False)]).make(runs()), "The split 0 leaves no row to predict"),
        (lambda: splits.given([([0, 2], [1, 3])]).make(clustered()), "The split 0 has rows of run a, b on both sides"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_says_so(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()


# ── Origins that repeat nothing and cut no run ───────────────────────────────────────────────


def test_origins_that_ask_the_same_are_asked_once() -> None:
    """Three sizes of compute have two cuts, however many are asked for; none is lost."""
    few = runs(C=np.repeat([1e15, 1e17, 1e20], [4, 4, 3]))
    found = splits.origins("C", 20).make(few)
    assert [(len(s.fit), len(s.test)) for s in found] == [(8, 3)]
    found = splits.origins("C", 50).make(runs())
    sides = {(s.fit.tobytes(), s.test.tobytes()) for s in found}
    assert len(found) == len(sides) == 5
    assert [len(s.fit) for s in found] == [6, 7, 8, 9, 10]
    labels = [s.label for s in found]
    assert labels == sorted(labels)


def test_cuts_that_differ_in_what_they_predict_are_both_kept() -> None:
    """With a gap after the cut, the same rows may be fitted and fewer predicted."""
    found = splits.origins("C", 40, factor=2.0).make(runs())
    pairs = {(len(s.fit), len(s.test)) for s in found}
    assert len(pairs) == len(found)
    assert len({fit for fit, _ in pairs}) < len(pairs)


def along_runs(count: int = 8) -> js.Runs:
    """Runs of three checkpoints each, of C to 3·C, that overlap in C: each starts at twice the last."""
    end = 3e15 * 2.0 ** np.arange(count)
    C = (end[:, None] * [1 / 3, 0.6, 1.0]).ravel()
    name = np.repeat([f"r{k}" for k in range(count)], 3)
    return js.Runs.from_frame(pd.DataFrame({"C": C, "loss": 2 + C**-0.1, "id": name}), run="id")


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_an_origin_never_cuts_a_run_in_two(factor: float) -> None:
    table = along_runs()
    C, units = table["C"], run_numbers(table)
    ends = np.array([C[units == k].max() for k in range(8)])
    found = splits.origins("C", 6, factor=factor).make(table)
    assert len(found) >= 3
    for s in found:
        assert not np.intersect1d(units[s.fit], units[s.test]).size
        # Every run that had ended by the cut is fitted whole; of the others, what lies beyond.
        fitted = np.unique(units[s.fit])
        cut = float(s.label) * (1 + 1e-5)
        np.testing.assert_array_equal(fitted, np.flatnonzero(ends <= cut))
        np.testing.assert_array_equal(s.fit, np.flatnonzero(np.isin(units, fitted)))
        np.testing.assert_array_equal(s.test, np.flatnonzero(factor * cut < C))
    assert any(len(s.fit) + len(s.test) < len(C) for s in found)


def test_rows_are_units_unless_runs_are_named() -> None:
    assert run_numbers(runs()).tolist() == list(range(11))
    assert run_numbers(clustered()).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]


# ── Families, each split on its own ──────────────────────────────────────────────────────────


def in_families() -> js.Runs:
    """Rows of three families, shuffled; C of "b" is a thousand times as large."""
    C = np.geomspace(1e15, 1e17, 10)
    parts = [pd.DataFrame({"C": C * size, "loss": 2 + C**-0.1, "task": task})
             for task, size in (("a", 1.0), ("b", 1e3), ("c", 1.0))]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[frame["task"] == "c", "loss"] += 1.0
    return js.Runs.from_frame(frame.sample(frac=1.0, random_state=1))


def test_each_family_is_split_as_it_is_alone() -> None:
    table = in_families()
    scheme, found, families = splits.splits_of(table, js.largest("C", 0.2), "task")
    assert repr(scheme) == "largest('C', 0.2)"
    assert families is not None
    assert (
        sorted(families) == [s.label for s in sorted(found, key=lambda s: s.label)] == list("abc")
    )
    task = table["task"]
    for split, family in zip(found, families, strict=True):
        assert set(task[split.fit]) == set(task[split.test]) == {family}
        own = np.flatnonzero(task == family)
        (alone,) = js.largest("C", 0.2).make(table.where(task == family))
        np.testing.assert_array_equal(split.fit, own[alone.fit])
        np.testing.assert_array_equal(split.test, own[alone.test])
        assert len(split.test) == 2


def test_families_of_several_splits_have_both_in_the_label() -> None:
    _, found, families = splits.splits_of(in_families(), splits.origins("C", 3), "task")
    assert families is not None
    assert len(found) == len(families) == 9
    for split, family in zip(found, families, strict=True):
        assert str(split.label).startswith(f"{family}, ")
    assert len({s.label for s in found}) == 9


def test_a_mask_is_cut_by_family() -> None:
    table = in_families()
    mask = table["C"] > np.where(table["task"] == "b", 3e19, 3e16)
    scheme, found, _ = splits.splits_of(table, mask, "task")
    assert repr(scheme) == f"a mask of {mask.sum()} rows"
    tested = np.sort(np.concatenate([s.test for s in found]))
    np.testing.assert_array_equal(tested, np.flatnonzero(mask))


def test_without_families_splits_are_the_schemes() -> None:
    scheme, (one,), families = splits.splits_of(runs(), runs()["C"] > 1e18)
    assert families is None
    assert one.label == "held out"
    assert repr(scheme) == "a mask of 4 rows"


def one_small(**columns: object) -> js.Runs:
    return js.Runs.from_frame(in_families().frame.sort_values(["task", "C"]).assign(**columns))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: splits.splits_of(one_small(), js.largest(), "tsk"), r"The table has no column 'tsk'\. Did you mean 'task'"),
        (lambda: splits.splits_of(one_small(task=[None, *"ab" * 14, "a"]), js.largest(), "task"),
         "column 'task' has no label in row"),
        (lambda: splits.splits_of(one_small(), splits.beyond("C", fit=5e16, predict=5e16), "task"),
         "task='b': The split 'held out' leaves no row to fit: move"),
        (lambda: splits.splits_of(one_small(), np.arange(30) >= 20, "task"),
         "task='a': The split 'held out' leaves no row to predict: move"),
        (lambda: splits.splits_of(one_small(), np.arange(30) < 10, "task"),
         "task='a': The split 'held out' leaves no row to fit: move"),
        (lambda: splits.splits_of(one_small(), np.arange(20) < 10, "task"),
         "^The mask has 20 entries, but there are 30 rows"),
        (lambda: splits.splits_of(one_small(), "C", "task"), "holdout='C' is not a mask"),
        (lambda: splits.origins("C", 1).make(along_runs(2)), "leaves no row to fit: move its boundary"),
    ],
)  # fmt: skip
def test_families_that_cannot_be_split_say_which(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()
