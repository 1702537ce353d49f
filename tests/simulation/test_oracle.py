"""oracle: the intervals of one who knows the law and its noise, against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, t

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, compute
from jscale.uncertainty.noise.model import NoiseModel

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
DESIGN = compute(1e17, 1e22, 5)
CURVE = js.laws.get("power_const")(DESIGN["C"].to_numpy(), **POWER)


def ends(noise: float | js.Noise, design: pd.DataFrame = DESIGN, **settings) -> np.ndarray:
    """The interval's ends (2, n) over the curve, in logarithm."""
    frame = js.oracle("power_const", POWER, design, noise=noise, **settings)
    np.testing.assert_allclose(frame["curve"], CURVE[: len(frame)], rtol=1e-14)
    ratio = [frame[f"prediction_{side}"] / frame["curve"] for side in ("low", "high")]
    return np.log(np.array(ratio))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_normal_noise(level: float) -> None:
    q = (1 + level) / 2
    slack = 5 * np.sqrt(q * (1 - q) / 200_000) / norm.pdf(norm.ppf(q))
    bounds = ends(0.02, level=level) / 0.02
    np.testing.assert_allclose(bounds[1], norm.ppf(q), atol=slack)
    np.testing.assert_allclose(bounds[0], -norm.ppf(q), atol=slack)


@pytest.mark.parametrize("freedom", [1.5, 3.0, 10.0])
def test_student_noise(freedom: float) -> None:
    heavy = t(freedom)
    slack = 5 * np.sqrt(0.05 * 0.95 / 200_000) / heavy.pdf(heavy.ppf(0.95))
    for bounds in (
        ends(js.Noise(0.02, "student_t", freedom)),
        *([ends(0.02, distribution="student_t")] if freedom == 3.0 else []),
    ):
        np.testing.assert_allclose(bounds[1] / 0.02, heavy.ppf(0.95), atol=slack)
        np.testing.assert_allclose(bounds[0] / 0.02, heavy.ppf(0.05), atol=slack)


def test_effects_that_rows_share_widen_each_rows_interval() -> None:
    """A new run has its own error, and those of a new seed and a new recipe."""
    design = DESIGN.assign(seed=[0, 0, 1, 1, 2], recipe="a")
    noise = js.Noise(0.01, shared={"seed": 0.02, "recipe": 0.03})
    sd = np.sqrt(0.01**2 + 0.02**2 + 0.03**2)
    bounds = ends(noise, design) / sd
    np.testing.assert_allclose(bounds, np.outer([-1, 1], np.full(5, norm.ppf(0.95))), atol=0.025)


def test_noise_that_changes_with_compute() -> None:
    """sd·(C/C0)^trend with C0 the geometric mean; what is shared stays. Rows in any order."""
    C = np.array([1e19, 1e22, 1e17, 1e19, 3e17])
    growth = (C / np.exp(np.log(C).mean())) ** 0.1
    design = pd.DataFrame({"C": C, "recipe": 0})
    shared = js.Noise(0.01, trend=0.1, shared={"recipe": 0.02})
    for noise, sd in (
        (js.Noise(0.01, trend=0.1), 0.01 * growth),
        (shared, np.hypot(0.01 * growth, 0.02)),
    ):
        bounds = js.oracle("power_const", POWER, design, noise=noise)
        for side, sign in (("low", -1), ("high", 1)):
            off = np.log(bounds[f"prediction_{side}"] / bounds["curve"])
            # 20000 draws for each row: the fifth percentile of a normal is known to 1%.
            np.testing.assert_allclose(off, sign * norm.ppf(0.95) * sd, rtol=0.05)


def test_rows_that_are_badly_trained_lift_the_upper_end() -> None:
    bounds = ends(js.Noise(0.01, outliers=0.2, outlier_size=10.0)) / 0.01

    def quantile(q: float) -> float:
        return brentq(lambda x: 0.8 * norm.cdf(x) + 0.2 * norm.cdf(x - 10.0) - q, -9, 20)

    np.testing.assert_allclose(bounds[0], quantile(0.05), atol=0.03)
    np.testing.assert_allclose(bounds[1], quantile(0.95), atol=0.03)
    assert bounds[1].min() > 9


def test_without_noise_the_interval_is_the_curve() -> None:
    assert np.abs(ends(0.0)).max() == 0.0


def test_a_parameter_may_have_a_value_for_each_row() -> None:
    E = np.linspace(1.0, 2.0, 5)
    bounds = js.oracle("power_const", {**POWER, "E": E}, DESIGN)
    np.testing.assert_allclose(bounds["curve"], CURVE - POWER["E"] + E, rtol=1e-14)


def test_its_intervals_hold_simulated_runs_as_often_as_they_say() -> None:
    design = js.designs.checkpoints(js.designs.random(400, (1e7, 1e9), (1e9, 1e11)), 1)
    noise = js.Noise(0.01, "student_t", trend=0.2, outliers=0.05, shared={"run": 0.01})
    known = js.oracle("chinchilla", CHINCHILLA, design, noise=noise, level=0.8)
    runs = js.simulate("chinchilla", CHINCHILLA, design, noise=noise, worlds=10, seed=5)
    loss = runs["loss"].reshape(10, 400)
    inside = (known["prediction_low"].to_numpy() <= loss) & (
        loss <= known["prediction_high"].to_numpy()
    )
    assert inside.mean() == pytest.approx(0.8, abs=5 * np.sqrt(0.16 / 4000))
    below = (loss < known["prediction_low"].to_numpy()).mean()
    assert below == pytest.approx(0.1, abs=5 * np.sqrt(0.09 / 4000))


@pytest.mark.full
@pytest.mark.parametrize("space", ["log", "linear"])
def test_noise_that_was_learnt_from_runs(space: str) -> None:
    """Its intervals hold runs that are simulated with the same noise, as often as they say."""
    design = {"C": np.geomspace(1e17, 1e21, 300)}
    runs = js.simulate("power_const", POWER, design, noise=js.Noise(0.01, trend=0.1), seed=1)
    noise = js.noise_model(js.fit("power_const", runs, objective=js.least_squares(space=space)))
    known = js.oracle("power_const", POWER, design, noise=noise, level=0.8)
    loss = js.simulate("power_const", POWER, design, noise=noise, worlds=100)["loss"]
    loss = loss.reshape(100, 300)
    low, high = known["prediction_low"].to_numpy(), known["prediction_high"].to_numpy()
    # Each world has a slope of its own, so that its runs are not independent.
    assert (loss < low).mean() == pytest.approx(0.1, abs=0.01)
    assert (loss > high).mean() == pytest.approx(0.1, abs=0.01)
    assert (high - low)[-1] > 1.5 * (high - low)[0]
    same = js.oracle("power_const", POWER, {"C": [1e19] * 3}, noise=noise)
    assert same["prediction_low"].nunique() == 1


def test_it_is_the_same_each_time_and_leaves_the_design_alone() -> None:
    design = DESIGN.set_index(pd.Index(list("abcde")))
    first, again = (js.oracle("power_const", POWER, design, noise=0.01) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first.index.tolist() == list("abcde")
    assert list(design) == ["C"]
    assert list(first) == ["curve", "prediction_low", "prediction_high"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"level": 90}, js.JscaleError, "level=90 must lie strictly between 0 and 1"),
        ({"params": {"E": 1.0}}, js.LawError, "params lacks A, alpha; power_const has E, A, alpha"),
        ({"design": {"N": [1e9]}}, js.DataError, "The design has no column C; power_const needs C"),
        ({"design": {"C": 1e9}}, js.DataError, "The design is not a table"),
        ({"noise": -1.0}, js.DataError, r"noise=-1\.0 must be a finite number, zero or more"),
        ({"distribution": "cauchy"}, js.DataError, "distribution='cauchy' is not known"),
        (
            {"noise": js.Noise(0.1), "distribution": "student_t"},
            js.DataError,
            r"Give the distribution to Noise\(…\), not to simulate as well",
        ),
        (
            {"noise": NoiseModel("run", None, None, None, ""), "distribution": "student_t"},
            js.DataError,
            r"noise learnt by noise_model\(fit\) has its own",
        ),
        ({"law": "powers"}, js.LawError, "There is no law 'powers'"),
        ({"law": "auto"}, js.LawError, '"auto" is not one law'),
    ],
)
def test_what_an_oracle_cannot_know(change, error, message) -> None:
    given = {"law": "power_const", "params": POWER, "design": DESIGN, **change}
    with pytest.raises(error, match=message):
        js.oracle(given.pop("law"), given.pop("params"), given.pop("design"), **given)


def test_a_trend_needs_compute() -> None:
    with pytest.raises(js.DataError, match="trend needs the compute of each run"):
        js.oracle("power:D", {"A": 2.0, "alpha": 0.1}, {"D": [1e9]}, noise=js.Noise(0.1, trend=0.1))
