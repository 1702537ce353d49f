"""Comparison: the table of criteria, coverage read off the rows, notes, and how it shows itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison.comparison import Comparison, comparison_notes, tabulate


def rows_of(score: list[float], log_score: float = -1.0) -> pd.DataFrame:
    """Rows of a law with these interval scores, of runs of 2.0."""
    curve = 2.0 + 0.1 * np.arange(len(score))
    return pd.DataFrame(
        {"curve": curve, "measured": 2.0, "absolute_error": curve / 2.0 - 1, "bias": 0.0,
         "interval_score": score, "log_score": log_score}
    )  # fmt: skip


def by_hand(**changed: Any) -> Comparison:
    """A comparison of two laws on four runs, with these places in their predictions."""
    pit = {"b": [0.5, 0.04, 0.96, 0.3], "a": [0.5, 0.5, 0.5, 0.99]}
    rows = pd.DataFrame([{"law": n, "pit": p} for n, places in pit.items() for p in places])
    table = tabulate(
        {"a": rows_of([3.0] * 4), "b": rows_of([1.0, 2.0, 1.0, 1.5])}, np.arange(4), "auto"
    ).assign(coverage=[0.5, 0.75])
    return Comparison(table, rows, {}, "the <largest> runs", 0.9,
                      ("[caution] few-held-out: <2> questions",), {}, **changed)  # fmt: skip


def test_how_far_behind_the_best_a_law_is_in_pairs() -> None:
    scores = {"late": [2.0, 4.0, 2.5, 3.5], "best": [1.0, 2.0, 1.5, 1.5]}
    table = tabulate({n: rows_of(s) for n, s in scores.items()}, np.arange(4), "auto")
    assert table.index.tolist() == ["best", "late"]
    paired = np.subtract(scores["late"], scores["best"])
    assert table.loc["late", "behind"] == pytest.approx(paired.mean())
    assert table.loc["late", "behind_error"] == pytest.approx(paired.std(ddof=1) / 2)
    assert table.loc["best", ["behind", "behind_error"]].tolist() == [0.0, 0.0]
    assert table.loc["best", "median_error"] == pytest.approx(0.075)


def test_rows_that_err_together_count_as_one() -> None:
    parts = {"a": rows_of([1.0, 1.0, 2.0, 2.0]), "b": rows_of([3.0, 3.0, 6.0, 6.0])}
    alone, together = (
        tabulate(parts, clusters, "auto").loc["b", "behind_error"]
        for clusters in (np.arange(4), np.array([0, 0, 1, 1]))
    )
    assert together > 1.5 * alone


def test_a_law_that_is_infinitely_behind_comes_last() -> None:
    parts = {"mute": rows_of([np.inf] * 3), "mum": rows_of([np.inf] * 3), "b": rows_of([1.0] * 3)}
    table = tabulate(parts, np.arange(3), "auto")
    assert table.index[0] == "b"
    assert table["behind"].tolist() == [0.0, np.inf, np.inf]


def test_auto_takes_no_part_in_the_weights() -> None:
    parts = {
        "auto": rows_of([1.0] * 3, 9.0), "a": rows_of([2.0] * 3, -1.0), "b": rows_of([3.0] * 3, -9.0)
    }  # fmt: skip
    table = tabulate(parts, np.arange(3), "auto")
    assert np.isnan(table.loc["auto", "weight"])
    assert table.loc[["a", "b"], "weight"].sum() == pytest.approx(1.0)
    assert table.loc["a", "weight"] > 0.9
    alone = tabulate({"auto": parts["auto"]}, np.arange(3), "auto")
    assert np.isnan(alone.loc["auto", "weight"])


def test_coverage_is_the_share_of_places_near_the_middle() -> None:
    found = by_hand().coverage([0.5, 0.9, 0.95])
    assert found.loc["b"].tolist() == [0.5, 0.5, 1.0]
    assert found.loc["a"].tolist() == [0.75, 0.75, 0.75]


def test_levels_that_cannot_be() -> None:
    with pytest.raises(js.JscaleError, match=r"levels=\(\) names no level: give some"):
        by_hand().coverage(())
    with pytest.raises(js.JscaleError, match="level=90 must lie strictly between 0 and 1"):
        by_hand().coverage((0.5, 90))


def test_a_comparison_shows_itself() -> None:
    found = by_hand()
    assert found.best == "b"
    lines = repr(found).splitlines()
    head = "Comparison on the <largest> runs, 90% prediction intervals with each law's discrepancy"
    assert lines[0] == head
    assert lines[-1] == "[caution] few-held-out: <2> questions"
    page = found._repr_html_()
    assert "the &lt;largest&gt; runs" in page
    assert "<li>[caution] few-held-out: &lt;2&gt; questions</li>" in page


def test_its_table_can_be_changed_only_as_a_copy() -> None:
    found = by_hand()
    copy = found.to_frame()
    copy["behind"] = 99.0
    assert found.table["behind"].max() < 99.0


def notes_of(clusters: list[int], rows: list[int], fits: Any = None) -> list[str]:
    found = comparison_notes(fits or {}, np.array(clusters), np.array(rows))
    return [note.split("] ")[1].split(":")[0] for note in found]


def test_what_makes_a_comparison_doubtful() -> None:
    assert notes_of([0, 1, 2, 3, 4], [0, 1, 2, 3, 4]) == []
    assert notes_of([0, 1, 2, 3, 3], [0, 1, 2, 3, 4]) == ["few-held-out"]
    assert notes_of([0, 1, 2, 3, 4], [0, 1, 2, 3, 3]) == ["shared-runs"]


class Fits(SimpleNamespace):
    """What the notes read of a table of fits: draws (F, R, p), and how many did not converge."""

    def __init__(self, *unsettled: int) -> None:
        many = len(unsettled)
        super().__init__(
            draws=np.zeros((many, 100, 2)), summary=pd.DataFrame({"unsettled": unsettled})
        )

    def __len__(self) -> int:
        return len(self.summary)


def test_draws_that_did_not_converge_are_counted_by_split() -> None:
    places = [0, 1, 2, 3, 4]
    assert notes_of(places, places, {"a": Fits(1, 0, 1)}) == []
    fits = {"a": Fits(2, 0, 5), "b": SimpleNamespace(draws=None)}
    [note] = comparison_notes(fits, np.array(places), np.array(places))  # type: ignore[arg-type]
    assert "a has over 1% of resamples that did not converge in 2 of 3 splits" in note


def test_a_law_that_says_no_number_has_no_weight() -> None:
    rows = pd.DataFrame({"curve": [1.0], "measured": [1.0], "absolute_error": [0.0]})
    parts = {
        "good": rows.assign(interval_score=1.0, log_score=-1.7),
        "mute": rows.assign(interval_score=np.inf, log_score=np.nan),
    }
    table = tabulate(parts, np.zeros(1), "auto")
    assert table.loc["good", "weight"] == pytest.approx(1.0)
