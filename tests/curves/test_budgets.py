"""Budgets: runs of one compute are found, or go to the budget that they are near."""

from __future__ import annotations

import re

import numpy as np
import pytest

import jscale as js
from jscale.curves.budgets import checked_budgets, find_budgets

SIZES = np.geomspace(1e7, 1e9, 6)


def grouped(C: np.ndarray, N: np.ndarray, within: float = 0.1, given=None):
    return find_budgets(C, N, np.ones(len(C), dtype=bool), within, checked_budgets(given))


def test_scattered_compute_is_put_together() -> None:
    rng = np.random.default_rng(0)
    C = np.repeat([1e18, 1e19, 1e20], 6) * (1 + 0.02 * rng.uniform(-1, 1, 18))
    N = np.tile(SIZES, 3)
    shuffle = rng.permutation(18)
    groups = grouped(C[shuffle], N[shuffle])
    assert [sorted(shuffle[rows]) for rows in groups.rows] == [
        list(range(6)),
        list(range(6, 12)),
        list(range(12, 18)),
    ]
    np.testing.assert_allclose(groups.C, np.exp(np.log(C).reshape(3, 6).mean(axis=1)))


def test_a_dense_table_does_not_chain_into_one_budget() -> None:
    """A run every 2% of compute, and 24 more at each of two budgets."""
    dense = 1e18 * 1.02 ** np.arange(200)
    C = np.concatenate([dense, np.repeat([2e18, 2e19], 24)])
    N = np.concatenate([np.tile(SIZES[:3], 67)[:200], np.tile(np.geomspace(1e7, 1e9, 24), 2)])
    groups = grouped(C, N)
    assert len(groups.C) == 2
    for rows, budget in zip(groups.rows, (2e18, 2e19), strict=True):
        assert C[rows].max() <= 1.1 * C[rows].min()
        assert np.sum(C[rows] == budget) == 24


def test_of_windows_with_as_many_sizes_the_narrowest_is_taken() -> None:
    """A seventh run 8% below repeats a size: the window without it is narrower."""
    C = np.concatenate([[0.92e18], np.full(6, 1e18), np.full(6, 1e19)])
    N = np.concatenate([SIZES[:1], SIZES, SIZES])
    assert [rows.tolist() for rows in grouped(C, N).rows] == [list(range(1, 7)), list(range(7, 13))]


def test_rows_that_are_not_used_are_in_no_budget() -> None:
    C, N = np.repeat([1e18, 1e19], 6), np.tile(SIZES, 2)
    used = np.arange(12) != 3
    groups = find_budgets(C, N, used, 0.1, None)
    assert 3 not in groups.places
    assert groups.codes.tolist() == [0] * 5 + [1] * 6


def test_given_budgets_take_the_runs_near_them() -> None:
    C = np.concatenate(
        [np.full(6, 1.0e18), np.full(6, 1.09e18), np.full(6, 1e19), np.full(3, 1e20)]
    )
    groups = grouped(C, np.resize(SIZES, 21), given=[1e19, 1e18, 1e20, 1.06e18])
    np.testing.assert_array_equal(groups.C, [1e18, 1.06e18, 1e19])
    assert [C[rows].tolist() for rows in groups.rows] == [[1e18] * 6, [1.09e18] * 6, [1e19] * 6]
    assert groups.short == ((1e20, 3),)


@pytest.mark.parametrize("ratio", [1.2, 1 / 1.2])
def test_within_bounds_how_far_a_run_may_be(ratio: float) -> None:
    C = np.concatenate([np.full(6, 1e18), np.full(6, 1e19), np.full(4, 1e20)])
    C[0] *= ratio
    N = np.concatenate([SIZES, SIZES, SIZES[:4]])
    assert 0 not in grouped(C, N, given=[1e18, 1e19]).places
    assert 0 in grouped(C, N, within=0.21, given=[1e18, 1e19]).places


def test_too_few_sizes() -> None:
    C, N = np.repeat([1e18, 1e19], 6), np.tile(SIZES[:3], 4)
    wrong = "isoflop found no two budgets of at least 4 sizes N within 10% of C among 12 rows"
    with pytest.raises(js.DataError, match=re.escape(wrong) + r".*budgets=\[1e18, 1e19\]"):
        grouped(C, N)
    wrong = "fewer than 4 sizes N near the budgets C=1e+18 (3), C=1e+19 (3) among 12 rows"
    with pytest.raises(js.DataError, match=re.escape(wrong)):
        grouped(C, N, given=[1e18, 1e19])


@pytest.mark.parametrize(
    "budgets", [[1e18, -1e19], 0.0, [], "many", [[1e18, 1e19]], [1e18, np.nan], [1e18, np.inf]]
)
def test_budgets_must_be_positive(budgets) -> None:
    with pytest.raises(js.DataError, match=r"budgets=.* must be positive, finite numbers of FLOPs"):
        checked_budgets(budgets)
