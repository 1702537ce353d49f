"""Splits of public data sets, as their sources made them."""

from __future__ import annotations

import pytest

from jscale.data import published_splits
from tests.conftest import data_folder


@pytest.mark.parametrize("corpus", ["c4_original", "rw_original"])
def test_five_runs_are_some_of_the_small_ones_and_large_ones_lie_beyond(corpus: str) -> None:
    data_folder()
    five, small, large = published_splits.overtraining(corpus)
    assert len(five) == 5
    assert set(five.index) < set(small.index)
    assert five["N"].nunique() == 4
    ratio = five["D"] / five["N"]
    assert sorted(ratio.round(-1)) == [20, 20, 20, 20, 320]
    assert large["N"].min() > small["N"].max()
    assert large["C"].max() > 5 * five["C"].max()
    for table in (five, small, large):
        assert list(table.columns) == ["N", "D", "C", "loss"]
