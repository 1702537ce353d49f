"""Parallel streams, from the source's own 24 models per corpus: the constants given as published.

Those are the source's objective minimised again by L-BFGS-B, to eight digits of which the search
determines about four; the R² of the fit has five.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.conftest import data_folder

LAW = js.laws.get("parallel")
CORPORA = {"stack": ("Stack-V2-Python", "0.99783"), "pile": ("Pile", "0.99868")}


def models(corpus: str) -> pd.DataFrame:
    """Return the models of a corpus."""
    data_folder()
    table = js.datasets.load("parscale").rename(columns={"params_nonemb": "N", "parallel": "P"})
    return table[table["group"] == corpus].reset_index(drop=True)


def printed(corpus: str) -> dict[str, float]:
    """Return the constants of a corpus."""
    where = CORPORA[corpus][0]
    return dict(next(v for k, v in LAW.published.items() if f", {where} " in k))


def huber_sum(runs: pd.DataFrame, p: dict[str, float]) -> float:
    """Return the source's objective at parameters: Huber terms of log L, delta 1e-3."""
    r = np.abs(np.log(LAW(runs["N"], runs["P"], **p)) - np.log(runs["loss"]))
    return float(np.where(r < 1e-3, 0.5 * r**2, 1e-3 * (r - 5e-4)).sum())


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
@pytest.mark.parametrize("corpus", CORPORA)
def test_the_source_s_objective_gives_the_printed_constants(corpus: str) -> None:
    """To 1e-4: the printed ones lie so far up a flat valley, and ours are no worse."""
    runs, own = models(corpus), printed(corpus)
    assert len(runs) == 24
    fit = js.fit(LAW, runs, objective=js.huber(delta=1e-3))
    found = fit.params.to_dict()
    assert found == pytest.approx(own, rel=1e-4)
    assert fit.agree == (64, 64)
    assert fit.objective == pytest.approx(huber_sum(runs, found), rel=1e-9)
    assert 0 <= huber_sum(runs, own) - fit.objective < 1e-6 * fit.objective
    loss = runs["loss"].to_numpy()
    R2 = 1 - np.sum((loss - fit.fitted) ** 2) / np.sum((loss - loss.mean()) ** 2)
    assert f"{R2:.5f}" == CORPORA[corpus][1]


@pytest.mark.parametrize("corpus", CORPORA)
def test_eight_streams_are_worth_less_than_twice_the_size(corpus: str) -> None:
    """Measured: the smallest models with 8 streams against the next sizes with one."""
    runs, own = models(corpus), printed(corpus)
    multiplier = LAW.quantities["size_multiplier"](own, P=8)
    assert 1.6 < multiplier < 1.9
    one = runs[runs["P"] == 1].sort_values("N")
    eight = runs[runs["P"] == 8].sort_values("N").iloc[0]
    assert eight["loss"] == runs.loc[runs["P"] == 8, "loss"].max()
    # ln N at which one stream has the loss of the smallest model with eight.
    same = np.interp(-eight["loss"], -one["loss"].to_numpy(), np.log(one["N"].to_numpy()))
    assert np.exp(same) / eight["N"] == pytest.approx(multiplier, rel=0.15)
