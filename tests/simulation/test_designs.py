"""Designs and the scatter of simulated runs: each is what it says."""

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
        (lambda: js.designs.random(3, (1, 2, 3), (1, 2)), "must each be bounds, lowest and highest"),
        (lambda: js.designs.seeds(GRID, 2.5), "count=2.5 must be a whole number"),
        (lambda: js.designs.checkpoints(GRID, True), "count=True must be a whole number"),
        (lambda: js.designs.checkpoints(GRID, first=0.0), "first=0.0 must be a share of D, above 0 and up to 1"),
        (lambda: js.designs.checkpoints(GRID, first="x"), "first='x' must be a share of D"),
        (lambda: js.designs.checkpoints(GRID[["N"]]), "checkpoints needs the column D; the design has N"),
        (lambda: js.designs.checkpoints(GRID.assign(D=-1.0)), "D=.* must be positive, finite numbers"),
        (lambda: js.designs.checkpoints(js.designs.checkpoints(GRID)), "has a column run already, which checkpoints would"),
        (lambda: js.designs.seeds(js.designs.checkpoints(GRID)), "seeds come before checkpoints"),
        (lambda: js.designs.seeds(js.designs.seeds(GRID)), "has a column cell, seed already, which seeds would overwrite"),
        (lambda: js.designs.seeds([1e9]), "seeds takes a design as a DataFrame with rows, not list"),
        (lambda: js.designs.checkpoints(GRID[:0]), "a DataFrame with rows, not without rows"),
        (lambda: js.Noise(sd=-1.0), "noise=-1.0 must be a finite number, zero or more"),
        (lambda: js.Noise(outliers=2.0), "outliers=2.0 must be a finite number, between 0 and 1"),
        (lambda: js.Noise(distribution="norml"), "is not known. Did you mean 'normal'"),
        (lambda: js.Noise(shared={"seed": -1.0}), r"shared\['seed'\]=-1.0 must be"),
        (lambda: js.Noise(shared="run"), r"shared='run' must map columns to standard deviations"),
        (lambda: js.Noise(freedom=0.0), "freedom=0.0 must be a finite number, positive"),
        (lambda: js.Noise(trend=np.nan), "trend=nan must be a finite number, any size"),
    ],
)  # fmt: skip
def test_what_cannot_be_designed_says_so(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()


# Noise


def errors(noise: js.Noise, frame: pd.DataFrame, seed: int = 0) -> np.ndarray:
    return noise.draw(frame, np.random.default_rng(seed))


def test_plain_noise_is_the_number() -> None:
    frame = js.designs.grid(SIZES, SIZES * 20)
    plain = js.simulate("chinchilla", TRUTH, frame, noise=0.01, seed=3)
    same = js.simulate("chinchilla", TRUTH, frame, noise=js.Noise(0.01), seed=3)
    np.testing.assert_array_equal(plain["loss"], same["loss"])
    with pytest.raises(js.DataError, match="Give the distribution to Noise"):
        js.simulate("chinchilla", TRUTH, frame, noise=js.Noise(0.01), distribution="student_t")


def test_a_trend_makes_noise_grow_with_compute() -> None:
    frame = pd.DataFrame({"C": np.repeat(np.geomspace(1e16, 1e20, 5), 2000)})
    drawn = errors(js.Noise(0.01, trend=0.25), frame).reshape(5, -1).std(axis=1)
    np.testing.assert_allclose(drawn, 0.01 * np.geomspace(10**-0.5, 10**0.5, 5), rtol=0.06)
    from_sizes = js.designs.fixed_ratio(SIZES)
    assert np.ptp(errors(js.Noise(0.01, trend=0.25), from_sizes)) > 0
    with pytest.raises(js.DataError, match="trend needs the compute of each run"):
        errors(js.Noise(0.01, trend=0.1), pd.DataFrame({"N": SIZES}))


def test_a_trend_below_zero_makes_noise_shrink() -> None:
    frame = pd.DataFrame({"C": np.repeat(np.geomspace(1e16, 1e20, 5), 2000)})
    drawn = errors(js.Noise(0.01, trend=-0.25), frame).reshape(5, -1).std(axis=1)
    np.testing.assert_allclose(drawn, 0.01 * np.geomspace(10**0.5, 10**-0.5, 5), rtol=0.06)


def test_student_t_noise_has_its_degrees_of_freedom() -> None:
    from scipy import stats

    frame = pd.DataFrame({"C": np.ones(40_000)})
    for freedom in (2.0, 6.0):
        drawn = errors(js.Noise(0.02, "student_t", freedom=freedom), frame) / 0.02
        # A probability p is met to five standard errors, √(p(1 − p)/n).
        for p in (0.5, 0.9, 0.99):
            share = (np.abs(drawn) < stats.t.ppf(0.5 + p / 2, freedom)).mean()
            assert share == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / len(drawn)))


def test_outliers_are_of_their_size_and_follow_the_trend() -> None:
    frame = pd.DataFrame({"C": np.repeat([1e16, 1e20], 4000)})
    low, high = errors(js.Noise(0.001, trend=0.25, outliers=0.1, outlier_size=50.0), frame).reshape(
        2, -1
    )
    for drawn, sd in ((low, 0.001 / 10**0.5), (high, 0.001 * 10**0.5)):
        far = drawn > 25 * sd
        assert far.mean() == pytest.approx(0.1, abs=0.025)
        assert drawn[far].mean() == pytest.approx(50 * sd, rel=0.01)
        assert drawn[~far].std() == pytest.approx(sd, rel=0.06)


def test_outliers_are_as_many_as_asked_and_too_high() -> None:
    frame = pd.DataFrame({"C": np.ones(20_000)})
    drawn = errors(js.Noise(0.01, outliers=0.05), frame)
    far = np.abs(drawn) > 0.05
    assert far.mean() == pytest.approx(0.05, abs=0.005)
    assert (drawn[far] > 0).all()


def test_shared_effects_are_those_of_their_column() -> None:
    frame = pd.DataFrame({"seed": np.repeat(np.arange(2000), 3)})
    drawn = errors(js.Noise(0.0, shared={"seed": 0.02}), frame).reshape(-1, 3)
    assert np.ptp(drawn, axis=1).max() == 0.0
    assert drawn[:, 0].std() == pytest.approx(0.02, rel=0.06)
    with pytest.raises(js.DataError, match="shared names 'run', but the design has no such column"):
        errors(js.Noise(0.01, shared={"run": 0.01}), frame)
    with pytest.raises(
        js.DataError, match=r"'seed', but the design has no label there in row 1 \("
    ):
        errors(js.Noise(0.01, shared={"seed": 0.01}), pd.DataFrame({"seed": ["a", None]}))


def test_checkpoints_of_a_run_err_together() -> None:
    """Variance 0.03² + 0.04² each, correlation 9/25 within a run and none between runs."""
    design = js.designs.checkpoints(js.designs.random(4000, (1e7, 1e9), (1e9, 1e11)), 4)
    drawn = errors(js.Noise(0.04, shared={"run": 0.03}), design).reshape(-1, 4)
    assert drawn.std() == pytest.approx(0.05, rel=0.04)
    within = np.corrcoef(drawn.T)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(within, 9 / 25, atol=0.07)
    assert np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1] == pytest.approx(0.0, abs=0.08)


def test_cells_and_seeds_have_effects_of_their_own() -> None:
    """Noise between seeds of a cell, an effect of the cell, and one that a seed has everywhere."""
    design = js.designs.seeds(js.designs.random(3000, (1e7, 1e9), (1e9, 1e11)), 4)
    drawn = errors(js.Noise(0.01, shared={"cell": 0.03}), design).reshape(-1, 4)
    # Of four numbers the mean standard deviation is 0.9213 times the true one.
    assert drawn.std(axis=1, ddof=1).mean() == pytest.approx(0.01 * 0.9213, rel=0.03)
    assert drawn.mean(axis=1).std() == pytest.approx(np.sqrt(0.03**2 + 0.01**2 / 4), rel=0.05)
    drawn = errors(js.Noise(0.01, shared={"seed": 0.5}), design).reshape(-1, 4)
    assert np.ptp(drawn.mean(axis=0)) > 0.1
    np.testing.assert_allclose((drawn - drawn.mean(axis=0)).std(axis=0), 0.01, rtol=0.06)
