"""Designs and the scatter of simulated runs: each is what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.worlds import TRUTH

SIZES = np.geomspace(1e7, 1e9, 6)


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.designs.grid([-1.0], [1e9]), r"N=\[-1.0\] must be positive, finite numbers"),
        (lambda: js.designs.isoflop("x", [1e9]), "C='x' must be positive"),
        (lambda: js.designs.random(0, (1, 2), (1, 2)), "count=0 must be 1 or more"),
        (lambda: js.designs.random(3, (1, 2, 3), (1, 2)), "must each be bounds, lowest and highest"),
        (lambda: js.Noise(sd=-1.0), "noise=-1.0 must be a finite number, zero or more"),
        (lambda: js.Noise(outliers=2.0), "outliers=2.0 must be a finite number, between 0 and 1"),
        (lambda: js.Noise(distribution="norml"), "is not known. Did you mean 'normal'"),
        (lambda: js.Noise(shared={"seed": -1.0}), r"shared\['seed'\]=-1.0 must be"),
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
