"""Designs of simulated runs: each is what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.worlds import TRUTH

SIZES = np.geomspace(1e7, 1e9, 6)
GRID = js.designs.grid([1e7, 1e8], [1e9, 4e9])


def test_designs_are_what_they_say() -> None:
    assert len(js.designs.grid(SIZES, [1e9, 1e10])) == 12
    cuts = js.designs.isoflop([1e18, 1e19], SIZES)
    np.testing.assert_allclose(6 * cuts["N"] * cuts["D"], np.repeat([1e18, 1e19], 6), rtol=1e-12)
    best = js.designs.frontier([1e18, 1e20], 20.0)
    np.testing.assert_allclose(6 * best["N"] * best["D"], [1e18, 1e20], rtol=1e-12)
    np.testing.assert_allclose(best["D"] / best["N"], 20.0)
    drawn = js.designs.random(200, (1e7, 1e9), (1e9, 1e11), seed=1)
    assert drawn["N"].between(1e7, 1e9).all()
    assert drawn["D"].between(1e9, 1e11).all()
    assert abs(np.log10(drawn["N"]).mean() - 8) < 0.15
    pd.testing.assert_frame_equal(drawn, js.designs.random(200, (1e7, 1e9), (1e9, 1e11), seed=1))


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_one_ratio_of_tokens_to_parameters_cannot_tell_the_terms_apart() -> None:
    design = js.designs.fixed_ratio(np.geomspace(1e7, 1e10, 30), 20.0)
    fit = js.fit("chinchilla", js.simulate("chinchilla", TRUTH, design, noise=0.002))
    (note,) = [n for n in fit.notes if n.code == "unidentified"]
    assert any(name in note.seen for name in ("A", "B", "alpha", "beta"))
    both = js.designs.grid(np.geomspace(1e7, 1e10, 6), np.geomspace(2e8, 2e11, 5))
    good = js.fit("chinchilla", js.simulate("chinchilla", TRUTH, both, noise=0.002))
    assert "unidentified" not in [n.code for n in good.notes]


def test_checkpoints_go_along_each_run() -> None:
    design = GRID.assign(C=6 * GRID["N"] * GRID["D"], part="grid").set_index(pd.Index([7] * 4))
    along = js.designs.checkpoints(design, 5, first=0.01)
    assert along.index.tolist() == list(range(20))
    assert along["run"].tolist() == np.repeat(np.arange(4), 5).tolist()
    for (_, run), (_, planned) in zip(along.groupby("run"), design.iterrows(), strict=True):
        # Every half power of ten from a hundredth on, and the end itself exactly.
        np.testing.assert_allclose(run["D"] / planned["D"], 10.0 ** np.arange(-2, 0.1, 0.5))
        assert run["D"].iloc[-1] == planned["D"]
        assert (run["N"] == planned["N"]).all()
        assert (run["part"] == "grid").all()
    np.testing.assert_allclose(along["C"], 6 * along["N"] * along["D"])
    alone = js.designs.checkpoints(GRID, 1)
    pd.testing.assert_frame_equal(alone[["N", "D"]], GRID)


def test_seeds_repeat_each_cell() -> None:
    again = js.designs.seeds(GRID, 3)
    assert again["cell"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert again["seed"].tolist() == [0, 1, 2] * 4
    pd.testing.assert_frame_equal(again.loc[::3, ["N", "D"]].reset_index(drop=True), GRID)
    along = js.designs.checkpoints(js.designs.seeds(GRID, 3), 2)
    assert along.groupby("run")[["cell", "seed"]].nunique().to_numpy().max() == 1
    assert along["run"].nunique() == 12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.designs.grid([-1.0], [1e9]), r"N=\[-1.0\] must be positive, finite numbers"),
        (lambda: js.designs.isoflop("x", [1e9]), "C='x' must be positive"),
        (lambda: js.designs.random(0, (1, 2), (1, 2)), "count=0 must be a whole number, 1 or more"),
        (
            lambda: js.designs.random(3, (1, 2, 3), (1, 2)),
            "must each be bounds, lowest and highest",
        ),
        (lambda: js.designs.seeds(GRID, 2.5), "count=2.5 must be a whole number"),
        (lambda: js.designs.checkpoints(GRID, True), "count=True must be a whole number"),
        (
            lambda: js.designs.checkpoints(GRID, first=0.0),
            "first=0.0 must be a share of D, above 0 and up to 1",
        ),
        (lambda: js.designs.checkpoints(GRID, first="x"), "first='x' must be a share of D"),
        (
            lambda: js.designs.checkpoints(GRID[["N"]]),
            "checkpoints needs the column D; the design has N",
        ),
        (
            lambda: js.designs.checkpoints(GRID.assign(D=-1.0)),
            "D=.* must be positive, finite numbers",
        ),
        (
            lambda: js.designs.checkpoints(js.designs.checkpoints(GRID)),
            "already has a column run, which checkpoints would",
        ),
        (lambda: js.designs.seeds(js.designs.checkpoints(GRID)), "seeds come before checkpoints"),
        (
            lambda: js.designs.seeds(js.designs.seeds(GRID)),
            "already has a column cell, seed, which seeds would overwrite",
        ),
        (
            lambda: js.designs.seeds([1e9]),
            "seeds takes a design as a DataFrame with rows, not list",
        ),
        (lambda: js.designs.checkpoints(GRID[:0]), "a DataFrame with rows, not without rows"),
    ],
)
def test_what_cannot_be_designed_says_so(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()
