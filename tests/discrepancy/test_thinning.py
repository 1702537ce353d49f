"""Thinning: a spread of rows, and the experts that matter on them."""

from __future__ import annotations

import numpy as np

from jscale.discrepancy.experts import Solved
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.thinning import screened, spread_rows, thinned


def table(n: int) -> Observations:
    rng = np.random.default_rng(0)
    N, D = (np.exp(rng.uniform(10, 20, n)) for _ in range(2))
    return Observations((N, D), np.arange(n) * 1.0, run=np.arange(n) // 2, known=np.arange(n) * 0.1)


def test_rows_are_spread_over_sizes_with_both_ends() -> None:
    whole = table(1000)
    rows = spread_rows(whole, 100)
    assert len(np.unique(rows)) == 100
    size = np.log(whole.inputs[0]) + np.log(whole.inputs[1])
    assert {int(size.argmin()), int(size.argmax())} <= set(rows.tolist())
    ranks = np.sort(np.argsort(np.argsort(size))[rows])
    assert np.diff(ranks).max() <= 11


def test_everything_of_a_row_goes_with_it() -> None:
    part = thinned(table(50), 10)
    assert len(part) == len(part.inputs[0]) == 10
    at = part.target.astype(int)
    np.testing.assert_array_equal(part.run, at // 2)
    np.testing.assert_allclose(part.known, at * 0.1)
    assert part.relative is None


def test_short_tables_are_left_as_they_are() -> None:
    np.testing.assert_array_equal(thinned(table(5), 10).target, np.arange(5.0))


def test_experts_that_matter_keep_their_prior_weights(solved: Solved) -> None:
    member = solved.member
    logs = np.full(solved.log_weights.shape, -20.0)
    logs[[2, 5, 6], 1, 1] = np.log([0.5, 0.3, 0.2])
    part, variants = screened(member, logs)
    whole = member.prior.log_weights(25, 0.005)
    kept = [member.prior.kernels.index(kernel) for kernel in part.prior.kernels]
    assert {2, 5, 6} <= set(kept)
    assert len(kept) == 4
    assert variants.tolist() == [0, 1]
    np.testing.assert_allclose(part.prior.log_weights(25, 0.005), whole[kept][:, :, variants])
    np.testing.assert_array_equal(part.mean, member.mean[variants])
