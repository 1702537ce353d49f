"""frontier: the rows that no cheaper row beats, their paths, and what is said of them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.resampling import resample_counts
from tests.curves.worlds import best_size, slices
from tests.worlds import TRUTH, scattered


def runs_at_random(rows: int = 60, noise: float = 0.02, seed: int = 0) -> js.Runs:
    runs = js.simulate("chinchilla", TRUTH, scattered(rows, seed), noise=noise, seed=seed)
    frame = runs.frame.set_index("r" + runs.frame.index.astype(str))
    return js.Runs.from_frame(frame.assign(run=np.arange(rows) // 2), run="run")


def by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """The rule in two lines: no run of at most 1% more compute has a lower loss."""
    lowest = [table.loc[table["C"] <= 1.01 * c, "loss"].min() for c in table["C"]]
    return table[table["loss"] <= lowest].sort_values("C")


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.5])
def test_it_is_the_rule_row_by_row(tolerance: float) -> None:
    runs = runs_at_random()
    best = js.frontier(runs, tolerance=tolerance, resamples=10)
    C, loss = runs["C"], runs["loss"]
    expected = [
        label
        for label, c, lowest in zip(runs.frame.index, C, loss, strict=True)
        if not any(loss[(1 + tolerance) * c >= C] < lowest)
    ]
    assert sorted(best.table.index) == sorted(expected)
    assert best.table["C"].is_monotonic_increasing
    assert best.table.columns.tolist() == ["C", "N", "D", "loss"]


def test_of_equal_runs_all_are_on_it() -> None:
    frame = pd.DataFrame({"C": [1e18, 1e18, 1e19, 1e19], "loss": [3.0, 3.0, 2.0, 2.1]})
    frame["N"] = [1e8, 2e8, 1e9, 2e9]
    assert js.frontier(frame, resamples=10).table.index.tolist() == [0, 1, 2]


def test_the_path_of_runs_trained_at_the_optimum() -> None:
    runs = slices(count=1, width=1.0, C=np.geomspace(1e18, 1e22, 9))
    paths = js.frontier(runs, resamples=50).paths
    exponent = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    assert paths.index.tolist() == ["N", "D"]
    np.testing.assert_allclose(paths["exponent"], [exponent, 1 - exponent], rtol=1e-9)
    C = 1e20
    size = paths.loc["N", "coefficient"] * C ** paths.loc["N", "exponent"]
    assert size == pytest.approx(best_size(TRUTH, np.array(C)), rel=1e-8)
    np.testing.assert_allclose(paths["exponent_low"], paths["exponent_high"], rtol=1e-8)


def test_bounds_are_those_of_doing_it_again_with_resampled_runs() -> None:
    runs = runs_at_random()
    best = js.frontier(runs, level=0.8, resamples=60, seed=4)
    seed = int(np.random.SeedSequence(4).generate_state(1)[0])
    exponents = []
    for counts in resample_counts(runs, {}, 60, seed):
        drawn = runs.frame.iloc[np.repeat(np.arange(len(runs)), counts.astype(int))]
        by_hand = by_rule(drawn)
        exponents.append(np.polyfit(np.log(by_hand["C"]), np.log(by_hand["D"]), 1)[0])
    expected = np.quantile(exponents, [0.1, 0.9])
    got = best.paths.loc["D", ["exponent_low", "exponent_high"]]
    np.testing.assert_allclose(got.astype(float), expected, rtol=1e-9)
    again = js.frontier(runs, level=0.8, resamples=60, seed=4)
    pd.testing.assert_frame_equal(again.paths, best.paths)


@pytest.mark.full
def test_bounds_do_not_know_how_far_the_frontier_lies_from_the_best() -> None:
    """300 runs at random, 2% noise: the 90% interval holds the law's exponent in about half."""
    exponent = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    inside = 0
    for seed in range(100):
        design = js.designs.random(300, (1e7, 1e9), (1e9, 1e11), seed=seed)
        runs = js.simulate("chinchilla", TRUTH, design, noise=0.02, seed=seed)
        row = js.frontier(runs, resamples=200, seed=seed).paths.loc["N"]
        inside += row["exponent_low"] <= exponent <= row["exponent_high"]
    assert 30 <= inside <= 60


def test_long_tables_are_resampled_piece_by_piece(monkeypatch) -> None:
    from jscale.curves import frontier as module

    runs = runs_at_random()
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 7 * len(runs))
    pieces = list(module._resampled(runs, 30, 0))
    assert [len(p) for p in pieces] == [7, 7, 7, 7, 2]
    assert all(p.sum(axis=1) == pytest.approx(len(runs)) for p in pieces)
    assert not np.array_equal(pieces[0], pieces[1])


@pytest.mark.full
def test_a_law_fitted_to_the_frontier_says_that_its_runs_were_picked() -> None:
    table = js.datasets.load("stdlib_lm")
    best = js.frontier(table[table["split"] == "fit"], resamples=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.FitWarning)
        fit = js.fit("power_const", best.runs)
    (note,) = [n for n in fit.notes if n.code == "frontier-selected"]
    assert "28 of 103 rows make the frontier" in note.seen
    assert "predicts the best run for a budget, not a typical one" in note.seen
    assert "picked to be low" in note.seen
    assert len(fit.runs) == 28
    assert "frontier-selected" in [n.code for n in js.frontier(best.runs, resamples=5).notes]
    again = js.frontier(best.runs, resamples=5).runs
    assert [d.code for d in again.doubts].count("frontier-selected") == 1


def test_rows_of_no_weight_are_not_there() -> None:
    runs = runs_at_random(40)
    out = js.frontier(runs, resamples=5).table.index[0]
    frame = runs.frame.assign(weight=(runs.frame.index != out).astype(float))
    weighted = js.frontier(js.Runs.from_frame(frame, run="run", weight="weight"), resamples=5)
    kept = js.frontier(runs.where(runs.frame.index != out), resamples=5)
    assert weighted.table.index.tolist() == kept.table.index.tolist()
    np.testing.assert_allclose(weighted.paths["exponent"], kept.paths["exponent"], rtol=1e-12)


def test_runs_of_compute_alone_have_a_frontier_and_no_path() -> None:
    frame = pd.DataFrame(
        {"C": np.geomspace(1e18, 1e20, 6), "loss": [3.0, 2.9, 2.95, 2.8, 2.7, 2.6]}
    )
    best = js.frontier(frame, resamples=5)
    assert len(best.table) == 5
    assert len(best.paths) == 0
    assert "Frontier of 5 of 6 rows" in repr(best)


@pytest.mark.filterwarnings("ignore::jscale.errors.DataWarning")
def test_notes_on_few_runs_lost_resamples_and_doubts() -> None:
    frame = pd.DataFrame({"N": [1e8, 1e9, 1e9], "D": 1e10, "C": [6e18, 6e19, 9e19]})
    best = js.frontier(frame.assign(loss=[3.0, 2.5, 2.6]), resamples=200)
    notes = {n.code: n for n in best.notes}
    assert set(notes) == {"frontier-selected", "few-runs", "resamples-lost", "flops-mismatch"}
    assert "2 of 3 rows make the frontier" in notes["frontier-selected"].seen
    assert "2 independent runs" in notes["few-runs"].seen
    # Without the first run, or without both others, or with the others alone: one compute.
    share = float(notes["resamples-lost"].seen.split("%")[0])
    assert 25 < share < 50


def test_it_prints_as_text_and_as_html() -> None:
    runs = runs_at_random(12)
    frame = runs.frame.rename(index={runs.frame.index[0]: "<b>bold</b>"})
    frame = frame.assign(loss=np.where(frame.index == "<b>bold</b>", 1.0, frame["loss"]))
    best = js.frontier(js.Runs.from_frame(frame), resamples=20, level=0.8)
    assert "<b>bold</b>" in best.table.index
    text, page = repr(best), best._repr_html_()
    assert f"Frontier of {len(best.table)} of 12 rows, 80% intervals" in text
    assert "exponent_low" in text
    assert "[caution] frontier-selected" in text
    assert "<b>" not in page
    assert "&lt;b&gt;bold" in page
    assert "<table" in page


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, np.inf, "0.01", True])
def test_a_tolerance_that_cannot_be(tolerance) -> None:
    with pytest.raises(js.JscaleError, match=r"tolerance=.* must be a number, 0 or more"):
        js.frontier(runs_at_random(), tolerance=tolerance)


def test_runs_without_compute() -> None:
    frame = pd.DataFrame({"N": [1e8, 1e9], "loss": [3.0, 2.5]})
    wrong = r"frontier needs C of each run; these runs have no C, they have N, loss\. Name it: .*C="
    with pytest.raises(js.DataError, match=wrong):
        js.frontier(frame)
