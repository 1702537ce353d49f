"""Repeated data, from the source's own 182 runs: its constants, and how little they determine.

The runs and constants are those of the code of arXiv:2305.16264.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.conftest import data_folder

LAW = js.laws.get("data_constrained")
SOURCE = dict(next(iter(LAW.published.values())))
BASE = {name: SOURCE[name] for name in ("E", "A", "alpha", "B", "beta")}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    data_folder()
    table = js.datasets.load("datablations")
    table = table[table["in_fit_182"] == 1].rename(columns={"unique_tokens": "U"})
    return table[["N", "D", "U", "loss"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def two_steps(runs: pd.DataFrame) -> js.Fit:
    """The source's second step: the five parameters of chinchilla held, two free."""
    return js.fit(LAW, runs, fixed=BASE)


def test_published_constants_give_the_published_figures(runs: pd.DataFrame) -> None:
    assert len(runs) == 182
    fitted = LAW(*(runs[x].to_numpy() for x in ("N", "D", "U")), **SOURCE)
    r = np.abs(np.log(fitted) - np.log(runs["loss"]))
    objective = np.where(r < 1e-3, 0.5 * r**2, 1e-3 * (r - 5e-4)).sum()
    assert f"{objective:.7f}" == "0.0158259"
    loss = runs["loss"].to_numpy()
    R2 = 1 - np.sum((loss - fitted) ** 2) / np.sum((loss - loss.mean()) ** 2)
    assert f"{R2:.4f}" == "0.7722"


@pytest.mark.full
def test_a_far_away_pair_fits_better_than_the_published_one(two_steps: js.Fit) -> None:
    """Five times the published R*_D, a third of its R*_N, and 0.13% less of the objective."""
    assert two_steps.objective <= 0.0158047
    assert two_steps.params["R_D_star"] > 5 * SOURCE["R_D_star"]
    assert two_steps.params["R_N_star"] < SOURCE["R_N_star"] / 2
    agree, count = two_steps.agree
    assert agree < count / 2  # the other starts end at other such pairs


@pytest.mark.full
def test_the_repetition_constants_are_undetermined(two_steps: js.Fit) -> None:
    interval = js.bootstrap(two_steps, 200, seed=0).summary().loc["R_D_star"]
    assert interval["high_90%"] > 1000 * interval["low_90%"]
    profile = js.profile(two_steps, "R_D_star")
    assert np.isinf(profile.interval()[1])
    assert [note.code for note in profile.notes] == ["profile-open"]


def test_the_published_pair_is_named_as_another_optimum_as_good(two_steps: js.Fit) -> None:
    (note,) = [note for note in two_steps.notes if note.code == "unidentified"]
    assert "Another optimum fits the runs as well as the best one" in note.seen
    assert f"R_D_star from {SOURCE['R_D_star']:.3g}" in note.seen
    assert f"to {SOURCE['R_N_star']:.2g}" in note.seen


@pytest.mark.full
def test_all_seven_at_once_are_noted_as_unidentified(runs: pd.DataFrame) -> None:
    with pytest.warns(js.FitWarning, match="unidentified"):
        fit = js.fit(LAW, runs)
    note = next(note for note in fit.notes if note.code == "unidentified")
    assert "R_N_star" in note.seen
    assert fit.objective < 0.0069
