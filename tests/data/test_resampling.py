"""Resampling: which rows are drawn together, within which parts, and how often."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.resampling import check_cluster, count_units, resample_counts, units_of

RESAMPLES = 200


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    """42 runs of six sizes."""
    N, D = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7)))
    loss = 1.7 + 400 * N**-0.34 + 410 * D**-0.28
    return js.Runs.from_frame(pd.DataFrame({"N": N, "D": D, "loss": loss}))


def labelled(runs: js.Runs, **columns: list[str]) -> pd.DataFrame:
    return runs.frame.assign(**columns)


def repeated(labels: str, rows: int) -> list[str]:
    return [labels[i % len(labels)] for i in range(rows)]


def families(runs: js.Runs, count: int, **more: object) -> pd.DataFrame:
    return runs.frame.assign(family=np.arange(len(runs)) % count, **more)


def test_plain_counts_are_as_many_as_the_rows(runs):
    counts = resample_counts(runs, {}, RESAMPLES, seed=0)
    assert counts.shape == (RESAMPLES, len(runs))
    assert (counts.sum(axis=1) == len(runs)).all()
    # Each count is binomial(n, 1/n): mean 1, variance 1 - 1/n; five standard errors of slack.
    slack = 5 / np.sqrt(counts.size)
    assert abs(counts.var() - (1 - 1 / len(runs))) < 2 * slack


def test_group_is_a_stratum(runs):
    frame = labelled(runs, family=repeated("aab", len(runs)))
    counts = resample_counts(js.Runs.from_frame(frame, group="family"), {}, RESAMPLES, seed=0)
    for _, rows in frame.reset_index(drop=True).groupby("family"):
        assert (counts[:, rows.index].sum(axis=1) == len(rows)).all()


def test_group_and_per_columns_make_strata_together(runs):
    frame = labelled(runs, family=repeated("aab", len(runs)), corpus=repeated("xyxyy", len(runs)))
    grouped = js.Runs.from_frame(frame, group="family")
    counts = resample_counts(grouped, {"E": "corpus", "A": "family"}, RESAMPLES, seed=0)
    cells = frame.reset_index(drop=True).groupby(["family", "corpus"])
    assert cells.ngroups == 4
    for _, rows in cells:
        assert (counts[:, rows.index].sum(axis=1) == len(rows)).all()


def test_rows_of_a_run_stay_together(runs):
    names = [f"run{i // 3}" for i in range(len(runs))]
    by_run = js.Runs.from_frame(labelled(runs, id=names), run="id")
    counts = resample_counts(by_run, {}, RESAMPLES, seed=0)
    by_run = counts.reshape(RESAMPLES, -1, 3)
    assert (by_run == by_run[:, :, :1]).all()
    assert (by_run[:, :, 0].sum(axis=1) == len(runs) // 3).all()
    assert len(np.unique(by_run[:, :, 0])) > 2


def test_runs_are_drawn_within_their_group(runs):
    frame = labelled(
        runs,
        id=[f"run{i // 3}" for i in range(len(runs))],
        family=["a" if i < 12 else "b" for i in range(len(runs))],
    )
    grouped = js.Runs.from_frame(frame, run="id", group="family")
    counts = resample_counts(grouped, {}, RESAMPLES, seed=0)
    assert (counts[:, :12:3].sum(axis=1) == 4).all()
    assert (counts[:, 12::3].sum(axis=1) == len(runs) // 3 - 4).all()


def test_smooth_weights_are_of_whole_units_within_their_strata(runs):
    part = js.Runs.from_frame(
        labelled(runs, run=repeated("abcdefgh", len(runs))), run="run", group=None
    )
    units = units_of(part, {})
    drawn = count_units(units, 3000, np.random.default_rng(1), smooth=True)
    whole = drawn[:, units.unit == 0]
    assert (whole == whole[:, :1]).all()
    first = np.stack([drawn[:, np.argmax(units.unit == u)] for u in range(8)], axis=1)
    np.testing.assert_allclose(first.sum(axis=1), 8.0)
    assert (first > 0).all()
    assert first.var() == pytest.approx(7 / 9, rel=0.1)  # 8²·(7/(8²·9)): a share of 8


def test_cluster_rows_are_drawn_together_across_groups_of_that_name(runs):
    grouped = js.Runs.from_frame(families(runs, 14), group="family")
    counts = resample_counts(grouped, {}, RESAMPLES, seed=0, cluster="family")
    by_family = counts.reshape(RESAMPLES, 3, 14)
    assert (by_family == by_family[:, :1]).all()
    assert (by_family[:, 0].sum(axis=1) == 14).all()
    # multinomial: mean 1, variance 1 - 1/14
    assert abs(by_family[:, 0].var() - 13 / 14) < 5 * np.sqrt(2 / RESAMPLES / 14)


def test_clusters_stay_within_groups(runs):
    frame = families(runs, 14).assign(lab=lambda t: t["family"] // 7)
    grouped = js.Runs.from_frame(frame, group="lab")
    counts = resample_counts(grouped, {}, RESAMPLES, seed=0, cluster="family")
    for _, rows in grouped.frame.reset_index(drop=True).groupby("lab"):
        assert (counts[:, rows.index].sum(axis=1) == len(rows)).all()


def test_the_same_seed_draws_the_same_counts(runs):
    first, again, other = (resample_counts(runs, {}, 20, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_strata_of_a_single_unit_are_alone(runs):
    frame = families(runs, 14).assign(lab=["x"] * 3 + ["y"] * (len(runs) - 3))
    units = units_of(js.Runs.from_frame(frame, group="lab", run="lab"), {})
    assert units.alone.tolist() == [0, 1]
    assert units_of(js.Runs.from_frame(frame, group="lab"), {}).alone.tolist() == []
    assert (count_units(units, 50, np.random.default_rng(0)) == 1).all()


def test_a_cluster_that_is_also_a_column_of_parameters_is_no_stratum(runs):
    grouped = js.Runs.from_frame(families(runs, 14), group="family")
    assert (units_of(grouped, {"E": "family"}, "family").stratum == 0).all()
    assert len(np.unique(units_of(grouped, {"E": "family"}).stratum)) == 14


def test_smooth_shares_sum_to_the_units_of_each_stratum(runs):
    units = units_of(js.Runs.from_frame(families(runs, 2), group="family"), {})
    drawn = count_units(units, 30, np.random.default_rng(2), smooth=True)
    for stratum in (0, 1):
        np.testing.assert_allclose(drawn[:, units.stratum == stratum].sum(axis=1), 21)
    assert (drawn > 0).all()


def test_clusters_that_cannot_be_drawn(runs):
    grouped = js.Runs.from_frame(families(runs, 14, lab=repeated("xyy", len(runs))), group="lab")
    with pytest.raises(js.DataError, match=r"no column 'famly' .*Did you mean 'family'\?"):
        check_cluster(grouped, "famly")
    with pytest.raises(js.DataError, match=r"rows labelled 0, 1.* in several strata by 'lab'"):
        units_of(grouped, {}, "family")
    unlabelled = grouped.frame.assign(family=[None, *range(41)])
    with pytest.raises(js.DataError, match=r"column 'family' has no label in row 0"):
        check_cluster(js.Runs.from_frame(unlabelled), "family")
