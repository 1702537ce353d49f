"""The best learning rate and batch size of the Step Law's released grid, beside its printed laws.

The source prints means over 1000 bootstraps of its own; which rows they took is not said, and
one optimum for each (N, D) of the released dense grid (17 of them) does not give them. So the tests
are of three kinds: what least squares gives on the released optima, to the digits; that the printed
exponents lie within our 95% intervals one by one, yet not jointly; and that the printed laws do what
the source says of them on that grid, to lie within 0.1% of the lowest loss.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.curves.optima import optima
from tests.conftest import data_folder

RATE = js.laws.get("optimal_learning_rate")
BATCH = js.laws.get("optimal_batch_size")
MEANS = "arXiv:2503.04715, means of its released bootstraps"
PRINTED = "arXiv:2503.04715, as printed"
# Of the source's 1000 bootstraps: 95% intervals of the exponents.
INTERVALS = {"a": (-0.7744, -0.6551), "b": (0.2713, 0.3452), "batch": (0.5340, 0.6056)}
LENGTH = 2048


@pytest.fixture(scope="module")
def sweep() -> pd.DataFrame:
    """The dense grid: batch sizes in tokens, the smoothed loss as the loss."""
    table = pd.read_csv(data_folder() / "steplaw_dense.csv").drop(columns="loss")
    table = table.rename(columns={"params": "N", "tokens": "D", "smooth_loss": "loss"})
    return table.astype({"N": float, "D": float}).assign(B=table["batch_seqs"] * float(LENGTH))


@pytest.fixture(scope="module")
def best(sweep: pd.DataFrame) -> pd.DataFrame:
    return optima(sweep)


def fit_rate(best: pd.DataFrame) -> js.Fit:
    table = best[["N", "D"]].assign(learning_rate=best["lr"])
    return js.fit(RATE, table, objective=js.least_squares())


def fit_batch(best: pd.DataFrame) -> js.Fit:
    return js.fit(BATCH, best[["N", "D"]].assign(batch=best["B"]), objective=js.least_squares())


def test_the_optima(best: pd.DataFrame) -> None:
    assert len(best) == 17
    assert not best["at_edge"].any()
    first = best.loc[575]
    assert (first["lr"], first["B"]) == (0.002762, 128 * LENGTH)
    assert f"{first['loss']:.6f}" == "2.621446"


@pytest.mark.full
def test_least_squares_of_the_optima(best: pd.DataFrame) -> None:
    """Exponents to three digits, by normal equations of our own and by the fit."""
    N, D = np.log(best["N"]), np.log(best["D"])
    rate = np.linalg.lstsq(np.column_stack([N**0, N, D]), np.log(best["lr"]), rcond=None)[0]
    batch = np.linalg.lstsq(np.column_stack([D**0, D]), np.log(best["B"]), rcond=None)[0]
    found = fit_rate(best).params
    np.testing.assert_allclose([np.log(found["c"]), found["a"], found["b"]], rate, rtol=1e-7)
    found = fit_batch(best).params
    np.testing.assert_allclose([np.log(found["c"]), found["b"]], batch, rtol=1e-7)
    assert [f"{v:.3f}" for v in (*rate[1:], batch[1])] == ["-0.823", "0.288", "0.498"]


def test_each_printed_exponent_is_in_our_interval_but_not_all_together(best: pd.DataFrame) -> None:
    """One by one, intervals overlap; jointly the printed law is off (7.8 is the 95% point)."""
    drawn = js.bootstrap(fit_rate(best), 2000, seed=0).to_frame()
    sample = drawn.assign(c=np.log(drawn["c"]))
    printed = pd.Series(RATE.published[MEANS])
    printed["c"] = np.log(printed["c"])
    low, high = sample.quantile(0.025), sample.quantile(0.975)
    assert ((low < printed) & (printed < high)).all()
    for name in ("a", "b"):
        assert low[name] < INTERVALS[name][1]
        assert high[name] > INTERVALS[name][0]
    away = (printed - sample.mean())[["c", "a", "b"]].to_numpy()
    distance = away @ np.linalg.solve(sample[["c", "a", "b"]].cov(), away)
    assert distance == pytest.approx(14, abs=4)


@pytest.mark.full
def test_intercept_and_exponent_err_together(best: pd.DataFrame) -> None:
    """Almost perfectly correlated: marginal intervals hide that the batch itself is well known."""
    drawn = js.bootstrap(fit_batch(best), 2000, seed=0).to_frame()
    c, b = np.log(drawn["c"]), drawn["b"]
    assert np.corrcoef(c, b)[0, 1] < -0.999
    low, high = b.quantile(0.025), b.quantile(0.975)
    assert low < BATCH.published[MEANS]["b"] < high
    assert low < INTERVALS["batch"][1]
    assert high > INTERVALS["batch"][0]
    middle = c + b * np.log(best["D"]).mean()
    assert np.ptp(np.quantile(c, [0.025, 0.975])) > 8.0
    assert np.ptp(np.quantile(middle, [0.025, 0.975])) < 0.3


def test_loss_at_the_printed_optimum(sweep: pd.DataFrame) -> None:
    """At the run nearest to the printed laws: 0.096% above the grid's lowest loss on average.

    The source says at most 0.07 to 0.09%; the tolerance is one step of the grid, which alone moves
    a single cell's figure by some 0.1%, a mean of 17 by 0.02%.
    """
    excess = []
    for (N, D), cell in sweep.groupby(["N", "D"]):
        x = np.log(cell["lr"] / RATE(N, D, **RATE.published[PRINTED]))
        y = np.log(cell["B"] / BATCH(D, **BATCH.published[PRINTED]))
        nearest = (x**2 + y**2).idxmin()
        excess.append(cell.loc[nearest, "loss"] / cell["loss"].min() - 1)
    assert np.mean(excess) == pytest.approx(0.0009, abs=0.0002)
    assert max(excess) < 0.004


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_a_surface_over_all_runs_within_three_per_cent(sweep: pd.DataFrame) -> None:
    """Its batch law is the printed one, within that one's 95% interval; its exponents of the rate
    are smaller than those of the optima, and the two forms of evidence disagree by more than
    their errors."""
    lowest = sweep.groupby(["N", "D"])["loss"].transform("min")
    near = sweep.loc[sweep["loss"] <= 1.03 * lowest, ["N", "D", "lr", "B", "loss"]]
    assert len(near) == 1225
    fit = js.fit("learning_rate_surface", near, starts=8)
    assert fit.agree == (8, 8)
    found = fit.params
    assert INTERVALS["batch"][0] < found["g"] < INTERVALS["batch"][1]
    assert [f"{found[n]:.3f}" for n in ("a", "b", "g", "s")] == [
        "-0.516",
        "0.156",
        "0.565",
        "0.395",
    ]
    factor = fit.law.quantities["rate_factor"](found, penalty=0.001)
    assert factor == pytest.approx(1.496, abs=0.005)
