"""Reinforcement learning: efficiency, ceilings, and intrinsic performance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.laws.reinforcement import least_compute
from tests.laws.numeric import lowest, solve

POST = {"K_max": 0.25, "N_0": 3e9, "E": 0.1}
RECIPE = {"R_0": 0.3, "A": 0.65, "C_mid": 3e3, "B": 1.7}
AGENT = {"N_c": 2e-2, "alpha_N": 0.5, "E_c": 0.1, "alpha_E": 0.4}


def test_efficiency_levels_off_in_size() -> None:
    efficiency = js.laws.get("rl_post_training").quantities["efficiency"]
    assert efficiency(POST, N=3e9) == pytest.approx(0.125, rel=1e-14)
    assert efficiency(POST, N=1e16) == pytest.approx(0.25, rel=1e-6)
    assert efficiency(POST, N=3e3) == pytest.approx(0.25e-6, rel=1e-5)


def test_a_size_falls_as_its_power_and_the_input_for_an_error() -> None:
    law = js.laws.get("rl_post_training")
    X = np.geomspace(1e3, 1e8, 6)
    slopes = np.diff(np.log(law(7e9, X, **POST))) / np.diff(np.log(X))
    np.testing.assert_allclose(slopes, -law.quantities["efficiency"](POST, N=7e9), rtol=1e-12)
    compute = law.quantities["input_for_error"](POST, error=0.1, N=7e9)
    assert compute == pytest.approx(solve(lambda x: law(7e9, x, **POST) - 0.1, 1.0, 1e20), rel=1e-9)


@pytest.mark.full
def test_each_size_has_its_own_level() -> None:
    """The source's fit, in FLOPs: k(N) common to all sizes, E free for each."""
    law = js.laws.get("rl_post_training")
    levels = {"1.5B": 1.27, "7B": 3.19, "14B": 3.9, "72B": 4.8}
    sizes = {"1.5B": 1.5e9, "7B": 7e9, "14B": 14e9, "72B": 72e9}
    rows = [(m, sizes[m], x) for m in levels for x in np.geomspace(1e17, 1e20, 8)]
    table = pd.DataFrame(rows, columns=["model", "N", "X"])
    constants = {"K_max": 0.14, "N_0": 4e9, "E": table["model"].map(levels).to_numpy()}
    table["error"] = law(table["N"].to_numpy(), table["X"].to_numpy(), **constants)
    assert table["error"].between(0.01, 0.9).all()
    fit = js.fit(law, table, per={"E": "model"})
    assert fit.params["K_max"] == pytest.approx(0.14, rel=1e-6)
    assert fit.params["N_0"] == pytest.approx(4e9, rel=1e-6)
    for model, level in levels.items():
        assert fit.params[f"E[{model}]"] == pytest.approx(level, rel=1e-6)
    derived = js.derive(js.laplace(fit, 50), "input_for_error", error=0.05, N=7e9, model="7B")
    point = {"K_max": 0.14, "N_0": 4e9, "E": 3.19}
    by_hand = law.quantities["input_for_error"](point, error=0.05, N=7e9)
    assert derived.frame["estimate"].item() == pytest.approx(by_hand, rel=1e-5)


def test_between_the_first_score_and_the_ceiling() -> None:
    law = js.laws.get("rl_compute")
    assert law(1e-9, **RECIPE) == pytest.approx(0.3, rel=1e-9)
    assert law(1e15, **RECIPE) == pytest.approx(0.65, rel=1e-9)
    assert law(3e3, **RECIPE) == pytest.approx(law.quantities["halfway_score"](RECIPE), rel=1e-14)
    by_hand = 0.3 + 0.35 / (1 + (3e3 / 1e4) ** 1.7)
    assert law(1e4, **RECIPE) == pytest.approx(by_hand, rel=1e-14)


def test_compute_for_a_score() -> None:
    law = js.laws.get("rl_compute")
    needed = law.quantities["compute_for_score"]
    compute = needed(RECIPE, score=0.55)
    assert compute == pytest.approx(solve(lambda c: law(c, **RECIPE) - 0.55, 1.0, 1e9), rel=1e-9)
    assert np.isnan(needed(RECIPE, score=[0.3, 0.29, 0.65, 0.7])).all()


@pytest.mark.parametrize("target", [1e12, 1e16])
def test_intrinsic_performance_is_the_least_compute(target: float) -> None:
    """Its definition: over all sizes, the least of the compute that I takes is I itself."""
    law = js.laws.get("intrinsic_performance")
    unit = law.quantities["unit_compute"](AGENT)

    def compute(N: float) -> float:
        E = solve(lambda e: law(N, e, **AGENT) / target - 1, 1e-8, 1e40)
        return float(unit * N * E)

    floor = 1.01 * AGENT["N_c"] * target ** (law.quantities["beta"](AGENT) / AGENT["alpha_N"])
    N, least = lowest(lambda n: np.log(compute(n)), floor, 1e6 * floor)
    assert np.exp(least) == pytest.approx(target, rel=1e-9)
    assert law.quantities["optimal_size"](AGENT, I=target) == pytest.approx(N, rel=1e-4)
    E = law.quantities["optimal_interactions"](AGENT, I=target)
    assert law(law.quantities["optimal_size"](AGENT, I=target), E, **AGENT) == pytest.approx(target)


def test_either_input_alone_limits_performance() -> None:
    law = js.laws.get("intrinsic_performance")
    beta = law.quantities["beta"](AGENT)
    assert beta == pytest.approx(0.5 * 0.4 / 0.9, rel=1e-14)
    by_size = (AGENT["N_c"] / 1e5) ** (-0.5 / beta)
    assert law(1e5, 1e60, **AGENT) == pytest.approx(by_size, rel=1e-9)
    by_hand = ((2e-2 / 1e5) ** 0.5 + (0.1 / 1e7) ** 0.4) ** (-1 / beta)
    assert law(1e5, 1e7, **AGENT) == pytest.approx(by_hand, rel=1e-12)


def test_intrinsic_performance_from_checkpoints() -> None:
    """Returns that are a monotone map of I give I back, up to the grid of sizes."""
    law = js.laws.get("intrinsic_performance")
    unit = float(law.quantities["unit_compute"](AGENT))
    table = pd.DataFrame(
        [(n, e) for n in np.geomspace(1e2, 1e7, 81) for e in np.geomspace(1e4, 1e10, 241)],
        columns=["N", "E"],
    )
    true = law(table["N"].to_numpy(), table["E"].to_numpy(), **AGENT)
    returns = 10 * (1 - (1e13 / true) ** 0.3)
    performance = least_compute(unit * table["N"] * table["E"], returns)
    inside = (true > 1e12) & (true < 1e15)
    excess = performance[inside] / true[inside]
    assert inside.sum() > 1000
    assert excess.min() > 1 - 1e-9
    assert excess.max() < 1.08  # steps of the grid: 6% in interactions, within 2% of the best size


def test_least_compute_by_brute_force() -> None:
    rng = np.random.default_rng(7)
    C, score = np.exp(rng.normal(0, 2, 60)), np.round(rng.normal(0, 1, 60), 1)
    by_hand = [C[score >= s].min() for s in score]
    assert least_compute(C, score).tolist() == by_hand


@pytest.mark.parametrize(
    ("C", "score", "match"),
    [
        ([1.0, 2.0], [0.1], r"C has shape \(2,\) and score \(1,\)"),
        ([1.0, 0.0], [0.1, 0.2], r"Position 1 has C=0 and score=0\.2 \(1 invalid"),
        ([1.0, 2.0], [np.nan, 0.2], r"Position 0 has C=1 and score=nan"),
    ],
)
def test_columns_that_have_no_least_compute(C: list[float], score: list[float], match: str) -> None:
    with pytest.raises(js.LawError, match=match):
        least_compute(C, score)


def tables() -> dict[str, pd.DataFrame]:
    C = np.geomspace(2e2, 1e5, 12)
    N, X = np.geomspace(1e9, 7e10, 12), np.geomspace(1e7, 1e4, 12)
    error = js.laws.get("rl_post_training")(N, X, **POST)
    return {
        "rl_compute": pd.DataFrame({"C": C, "score": js.laws.get("rl_compute")(C, **RECIPE)}),
        "rl_post_training": pd.DataFrame({"N": N, "X": X, "error": error}),
        "intrinsic_performance": pd.DataFrame({"N": N, "E": X, "I": 1e12}),
        "train_test_exchange": pd.DataFrame({"C": N, "T": X, "score": np.linspace(0, 1, 12)}),
    }


@pytest.mark.parametrize("value", [1.3, -0.1])
@pytest.mark.parametrize(
    ("name", "output"), [("rl_compute", "score"), ("rl_post_training", "error")]
)
def test_rates_outside_zero_and_one_are_named(name: str, output: str, value: float) -> None:
    table = tables()[name]
    table.loc[8, output] = value
    with pytest.raises(js.DataError, match=rf"{output}.*row 8"):
        js.fit(name, table)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("rl_compute", "C"),
        ("rl_post_training", "N"),
        ("rl_post_training", "X"),
        ("intrinsic_performance", "E"),
        ("train_test_exchange", "T"),
    ],
)
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_inputs_must_be_positive(name: str, column: str, value: float) -> None:
    table = tables()[name]
    table.loc[3, column] = value
    with pytest.raises(js.DataError, match=rf"{column}.*zero or negative.*row 3"):
        js.fit(name, table)
