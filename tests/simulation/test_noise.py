"""Noise of simulated runs: spread, tails, outliers, trends, and effects that rows share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.worlds import TRUTH

SIZES = np.geomspace(1e7, 1e9, 6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sd": -1.0}, "noise=-1.0 must be a finite number, zero or more"),
        ({"sd": "0.1"}, "noise='0.1' must be a finite number, zero or more"),
        ({"outliers": 2.0}, "outliers=2.0 must be a finite number, between 0 and 1"),
        ({"outlier_size": np.inf}, "outlier_size=inf must be a finite number, zero or more"),
        ({"distribution": "norml"}, "is not known. Did you mean 'normal'"),
        ({"shared": {"seed": -1.0}}, r"shared\['seed'\]=-1.0 must be"),
        ({"shared": "run"}, r"shared='run' must map columns to standard deviations"),
        ({"freedom": 0.0}, "freedom=0.0 must be a finite number, positive"),
        ({"trend": np.nan}, "trend=nan must be a finite number, any size"),
    ],
)
def test_settings_that_cannot_be(settings, message) -> None:
    with pytest.raises(js.DataError, match=message):
        js.Noise(**settings)


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
    with pytest.raises(js.DataError, match=r"'seed', but the design has no label in row 1 \("):
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


def test_quantiles_are_those_of_errors_and_shared_effects_together() -> None:
    """Of a normal with variance 0.03² + 0.04²; five standard errors of 200,000 draws."""
    frame = pd.DataFrame({"C": [1e18, 1e19], "run": ["a", "b"]})
    low, middle, high = js.Noise(0.03, shared={"run": 0.04}).quantiles(frame, [0.05, 0.5, 0.95])
    slack = 0.05 * 5 * np.sqrt(0.05 * 0.95 / 200_000) / 0.103
    np.testing.assert_allclose(high, 1.645 * 0.05, atol=slack)
    np.testing.assert_allclose(low, -1.645 * 0.05, atol=slack)
    np.testing.assert_allclose(middle, 0.0, atol=slack)


def test_quantiles_follow_the_trend_row_by_row_and_repeat() -> None:
    frame = pd.DataFrame({"C": [1e16, 1e20, 1e16]})
    noise = js.Noise(0.01, trend=0.25)
    wide = noise.quantiles(frame, [0.05, 0.95])
    assert wide.shape == (2, 3)
    np.testing.assert_array_equal(wide[:, 0], wide[:, 2])
    # C0 is the geometric mean of the three: both rows differ by (1e20/1e16)^0.25.
    np.testing.assert_allclose(wide[:, 1] / wide[:, 0], 10.0, rtol=1e-12)
    np.testing.assert_array_equal(noise.quantiles(frame, [0.05, 0.95]), wide)
