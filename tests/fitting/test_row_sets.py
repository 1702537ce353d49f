"""Sets of rows fitted in one batch: chunks that change nothing, draws of each set, and order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting import row_sets
from jscale.fitting.row_sets import RowSets, Sampling, fit_sets
from jscale.fitting.settings import Settings
from tests.fitting.families import family


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_chunks_change_nothing(
    ragged: pd.DataFrame, fits: js.FitTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_sets, "_LANES_AT_ONCE", 16)
    one_by_one = js.fit_many("power_const:N", ragged, by="family", starts=16)
    for name in ("objective", "status", "agree"):
        first, second = fits.summary[name][:5], one_by_one.summary[name][:5]
        if name == "objective":
            np.testing.assert_allclose(first, second, rtol=1e-12)
        else:
            assert first.tolist() == second.tolist()


def sets_of(
    frame: pd.DataFrame, sets: list[np.ndarray], resamples: int = 20_000, method: str = "laplace"
) -> js.FitTable:
    law = js.laws.get("power_const:N")
    runs = js.Runs.from_frame(frame)
    rows = RowSets(sets, [f"set {k}" for k in range(len(sets))], "split")
    sampling = Sampling(resamples, method)
    return fit_sets(law, runs, rows, Settings(js.huber(), seed=3), sampling=sampling)


@pytest.fixture(scope="module")
def quick() -> js.FitTable:
    """Overlapping sets of 22 runs: all, 16, as many as there are parameters, and fewer."""
    return sets_of(family("c", 22, 2), [np.arange(k) for k in (22, 16, 3, 2)])


def test_quick_draws_are_those_of_laplace(quick: js.FitTable) -> None:
    """The same t around the same fit, from another generator."""
    assert quick.draws is not None
    assert quick.draws.shape == (4, 20_000, 3)
    whole = family("c", 22, 2)
    for k, rows in enumerate((22, 16)):
        alone = js.laplace(js.fit("power_const:N", whole[:rows]), 20_000, seed=8).flat
        found = quick.draws[k]
        spread = np.subtract(*np.quantile(np.log(alone), [0.75, 0.25], axis=0))
        for q, slack in ((0.05, 0.1), (0.5, 0.05), (0.95, 0.1)):
            own, other = (np.quantile(np.log(d), q, axis=0) for d in (found, alone))
            np.testing.assert_allclose(own / spread, other / spread, atol=slack, err_msg=f"{q}")


def test_quick_draws_are_near_the_bootstraps() -> None:
    runs, rows = family("c", 22, 2), [np.arange(22)]
    tables = {m: sets_of(runs, rows, 400, m) for m in ("laplace", "bootstrap")}
    sd = {m: np.log(table.draws[0]).std(axis=0) for m, table in tables.items()}
    np.testing.assert_allclose(sd["laplace"], sd["bootstrap"], rtol=0.35)
    np.testing.assert_array_equal(tables["laplace"].params, tables["bootstrap"].params)
    assert tables["laplace"].summary["unsettled"].tolist() == [0]
    assert tables["laplace"].draws[0].shape == (400, 3)


@pytest.mark.full
def test_weighted_runs_spread_as_resampled_ones_do() -> None:
    runs, rows = family("c", 60, 2), [np.arange(60)]
    tables = {m: sets_of(runs, rows, 400, m) for m in ("bayesian", "bootstrap")}
    assert tables["bayesian"].draws is not None
    sd = {m: np.log(table.draws[0]).std(axis=0) for m, table in tables.items()}
    np.testing.assert_allclose(sd["bayesian"], sd["bootstrap"], rtol=0.25)
    assert len(np.unique(tables["bayesian"].draws[0, :, 0])) == 400  # no two weightings are alike


def test_weights_are_of_whole_runs_and_add_up_to_their_number() -> None:
    runs = js.Runs.from_frame(family("c", 22, 2).assign(part=np.arange(22) // 2), run="part")
    problem = js.fit("power_const:N", runs).problem
    drawn = row_sets._weights(problem, 4000, (3, 0), js.methods.get("bayesian").weigh)
    np.testing.assert_allclose(drawn.sum(axis=1), 22)
    np.testing.assert_array_equal(drawn[:, ::2], drawn[:, 1::2])
    # A share of 11 by a flat Dirichlet has mean 1/11 and variance 10/(11²·12).
    assert drawn.mean() == pytest.approx(1.0)
    assert drawn[:, ::2].var() == pytest.approx(11**2 * 10 / (11**2 * 12), rel=0.05)


def test_a_set_without_a_run_to_spare_has_no_draws(quick: js.FitTable) -> None:
    assert quick.draws is not None
    assert quick.labels == ("set 0", "set 1", "set 2", "set 3")
    assert quick.summary.index.name == "split"
    assert quick.failures == {"set 3": "2 independent runs for 3 free parameters"}
    assert quick.params.loc["set 2"].notna().all()
    assert quick.summary["unsettled"].tolist() == [0, 0, 20_000, 0]
    assert np.isnan(quick.draws[2:]).all()
    assert np.isfinite(quick.draws[:2]).all()


def test_quick_draws_repeat_with_their_seed(quick: js.FitTable) -> None:
    again = sets_of(family("c", 22, 2), [np.arange(k) for k in (22, 16, 3, 2)])
    np.testing.assert_array_equal(again.draws, quick.draws)
    assert quick.draws is not None
    two = sets_of(family("c", 22, 2), [np.arange(22), np.arange(22)])
    assert two.draws is not None
    np.testing.assert_array_equal(two.draws[0], quick.draws[0])
    assert (two.draws[0] != two.draws[1]).all()


def test_only_refits_count_as_resamples() -> None:
    assert [
        Sampling(n, m).refits
        for n, m in ((0, "bootstrap"), (9, "bootstrap"), (9, "bayesian"), (9, "laplace"))
    ] == [False, True, True, False]
