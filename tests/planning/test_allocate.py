"""allocate: closed forms, numeric answers, costs, bounds, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, minimize_scalar

import jscale as js
from jscale.planning.search import Planner
from tests.planning.conftest import draws_of

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
BUDGETS = np.array([1e11, 1e12, 1e13])


def test_chinchilla_has_a_closed_form(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, BUDGETS)
    for i, name in enumerate(("optimal_size", "optimal_tokens")):
        exact = js.derive(chinchilla, name, C=BUDGETS)
        np.testing.assert_allclose(plan.samples[..., i], exact.samples, rtol=1e-8)
        np.testing.assert_allclose(plan.frame["ND"[i]], exact.frame["estimate"], rtol=1e-8)
        np.testing.assert_allclose(
            plan.frame[f"{'ND'[i]}_low"], exact.frame["confidence_low"], rtol=0.02
        )
    exact = js.derive(chinchilla, "optimal_loss", C=BUDGETS)
    np.testing.assert_allclose(plan.outputs, exact.samples, rtol=1e-10)
    p = chinchilla.fit.params
    expected = p["beta"] / (p["alpha"] + p["beta"])
    size = plan.exponents.loc[plan.exponents["input"] == "N"]
    np.testing.assert_allclose(size["exponent"], expected, rtol=1e-8)


@pytest.mark.first_quick
@pytest.mark.parametrize("name", ["chinchilla_tied", "kaplan", "farseer"])
def test_other_surfaces_against_a_search_of_their_own(name: str) -> None:
    drawn = draws_of(name)
    law, largest = drawn.fit.law, float(drawn.fit.runs["C"].max())
    plan = js.allocate(drawn, [largest / 10, largest])
    for row in plan.frame.to_dict("records"):
        found: Any = minimize_scalar(
            lambda u, C=row["C"]: float(law(np.exp(u), C / 6 / np.exp(u), **drawn.fit.params)),
            bounds=(np.log(row["N"]) - 1, np.log(row["N"]) + 1), method="bounded",
            options={"xatol": 1e-10},
        )  # fmt: skip
        assert row["loss"] <= found.fun * (1 + 1e-12)
        assert row["N"] == pytest.approx(np.exp(found.x), rel=1e-4)


@pytest.mark.full
def test_three_inputs_at_once() -> None:
    """A cost of two kinds of parameters and a batch of data, against SciPy's constrained search."""

    @js.law
    def three(N: Any, V: Any, D: Any, *, E: js.Floor, A: js.Scale, B: js.Scale, G: js.Scale) -> Any:
        return E + A * N**-0.3 + G * V**-0.4 + B * D**-0.35

    rng = np.random.default_rng(0)
    design = pd.DataFrame(
        np.exp(rng.uniform(np.log(1e6), np.log(1e9), (60, 3))), columns=list("NVD")
    )
    truth = {"E": 1.5, "A": 100.0, "B": 300.0, "G": 200.0}
    fit = js.fit(three, js.simulate(three, truth, design, noise=0.002))

    def cost(N: Any, V: Any, D: Any) -> Any:
        return 6.0 * (N + 3.0 * V) * D

    plan = js.allocate(js.laplace(fit, 20), 1e18, cost=cost)
    row = plan.frame.iloc[0]
    spent = cost(row["N"], row["V"], row["D"])
    assert spent == pytest.approx(1e18, rel=1e-9)
    found: Any = minimize(
        lambda u: float(three(*np.exp(u), **fit.params)), np.log([1e8, 1e7, 1e9]),
        constraints={"type": "eq", "fun": lambda u: np.log(cost(*np.exp(u))) - np.log(1e18)},
        method="SLSQP", options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert row["loss"] <= found.fun * (1 + 1e-9)
    np.testing.assert_allclose(np.log(row[["N", "V", "D"]].astype(float)), found.x, atol=2e-3)


@pytest.mark.full
def test_the_split_of_encoder_and_decoder() -> None:
    drawn = draws_of("encoder_decoder")
    plan = js.allocate(drawn, [1e8, 1e9], cost=lambda N_e, N_d: N_e + N_d)
    share = plan.frame["N_e"] / plan.frame["C"]
    exact = js.derive(drawn, "encoder_share")
    np.testing.assert_allclose(share, exact.frame["estimate"].item(), rtol=1e-8)


@pytest.mark.first_quick
@pytest.mark.parametrize(
    "cost",
    [
        js.costs.lifetime(1e7), js.costs.attention(128), js.costs.embeddings(100.0),
        lambda N, D: 6 * N * D + 3 * N * 1e6,
    ],
    ids=["lifetime", "attention", "embeddings", "own"],
)  # fmt: skip
def test_costs_that_are_no_product(chinchilla: js.Draws, cost: Any) -> None:
    """The budget is met exactly, and no other size is better."""
    plan = js.allocate(chinchilla, [1e12, 1e13], cost=cost)
    law, params = chinchilla.fit.law, chinchilla.fit.params
    for row in plan.frame.to_dict("records"):
        spent = plan.cost(N=row["N"], D=row["D"])
        assert float(spent) == pytest.approx(row["C"], rel=1e-9)
        for factor in (0.8, 0.99, 1.01, 1.25):
            N = row["N"] * factor
            from scipy.optimize import brentq

            log_D: Any = brentq(
                lambda u, N=N, C=row["C"]: float(np.log(plan.cost(N=N, D=np.exp(u))) - np.log(C)),
                -40, 60,
            )  # fmt: skip
            assert float(law(N, np.exp(log_D), **params)) > row["loss"]


@pytest.mark.full
def test_inference_adjusted_optima_meet_their_condition(chinchilla: js.Draws) -> None:
    """alpha·A/N^alpha = (1 + T/(3·D))·beta·B/D^beta: the last FLOP is worth as much either way."""
    served = 3e8
    plan = js.allocate(chinchilla, BUDGETS, cost=js.costs.lifetime(served))
    N, D = plan.samples[..., 0], plan.samples[..., 1]
    A, a, B, b = (
        chinchilla[name].to_numpy().reshape(-1, 1) for name in ("A", "alpha", "B", "beta")
    )
    worth = (1 + served / (3 * D)) * b * B * D**-b
    np.testing.assert_allclose(a * A * N**-a, worth, rtol=1e-7)


def test_tied_exponents_keep_tokens_per_parameter() -> None:
    """The over-training law in N and D: D*/N* = (B/A)^(1/alpha) at every budget."""
    drawn = draws_of("chinchilla_tied")
    plan = js.allocate(drawn, [1e20, 1e23])
    A, B, a = (drawn[name].to_numpy().reshape(-1, 1) for name in ("A", "B", "alpha"))
    ratio = plan.samples[..., 1] / plan.samples[..., 0]
    np.testing.assert_allclose(ratio, np.broadcast_to((B / A) ** (1 / a), ratio.shape), rtol=1e-7)


@pytest.mark.full
def test_serving_asks_for_smaller_models_and_dollars_change_nothing(chinchilla: js.Draws) -> None:
    plain = js.allocate(chinchilla, 1e13).frame.iloc[0]
    served = js.allocate(chinchilla, 1e13, cost=js.costs.lifetime(1e8)).frame.iloc[0]
    assert served["N"] < plain["N"]
    price = js.costs.dollars(2.0, flops=1e12, utilisation=0.5)
    dollars = 2.0 * 1e13 / (3600 * 0.5e12)
    paid = js.allocate(chinchilla, dollars, cost=price).frame.iloc[0]
    assert paid["N"] == pytest.approx(plain["N"], rel=1e-9)
    assert price.unit == "dollars"


@pytest.mark.full
def test_a_score_is_maximised() -> None:
    """A law that rises in its inputs: more is better."""

    @js.law(rising=("N", "D"), output="score")
    def score(N: Any, D: Any, *, top: js.Floor, A: js.Scale, B: js.Scale) -> Any:
        return top - A * N**-0.3 - B * D**-0.3

    design = pd.DataFrame(
        {"N": np.tile([1e6, 1e7, 1e8], 4), "D": np.repeat([1e8, 1e9, 1e10, 1e11], 3)}
    )
    truth = {"top": 0.9, "A": 20.0, "B": 20.0}
    fit = js.fit(score, js.simulate(score, truth, design, noise=0.001))
    plan = js.allocate(js.laplace(fit, 20), 6e16)
    p = fit.params
    ratio = (p["B"] / p["A"]) ** (1 / 0.3)
    assert plan.frame["D/N"].item() == pytest.approx(ratio, rel=1e-6)
    assert plan.output == "score"


@pytest.mark.first_quick
@pytest.mark.parametrize("variables", [("N", "D"), ("D", "N")])
@pytest.mark.parametrize("cost", [None, js.costs.lifetime(1e8)], ids=["6ND", "lifetime"])
def test_tokens_per_parameter_held(chinchilla: js.Draws, variables: Any, cost: Any) -> None:
    free = js.allocate(chinchilla, BUDGETS, cost=cost)
    held = js.allocate(chinchilla, BUDGETS, cost=cost, bounds={"D/N": 20}, variables=variables)
    np.testing.assert_allclose(held.frame["D/N"], 20.0, rtol=1e-8)
    spent = held.cost(N=held.frame["N"].to_numpy(), D=held.frame["D"].to_numpy())
    np.testing.assert_allclose(spent, BUDGETS, rtol=1e-8)
    assert (held.frame["loss"] > free.frame["loss"]).all()
    assert "no-interior-optimum" not in {note.code for note in held.notes}
    within = js.allocate(chinchilla, BUDGETS, cost=cost, bounds={"D/N": (1e-3, 1e9)})
    np.testing.assert_allclose(within.frame["N"], free.frame["N"], rtol=1e-7)
    at_least = js.allocate(chinchilla, BUDGETS, cost=cost, bounds={"D/N": (1e5, 1e7)})
    np.testing.assert_allclose(at_least.frame["D/N"], 1e5, rtol=1e-8)
    assert at_least.notes[0].code == "no-interior-optimum"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": -1.0}, r"C=-1.0 must be positive, finite budgets"),
        ({"C": "large"}, r"C='large' must be positive"),
        ({"C": 1e12, "cost": 6.0}, r"cost=6.0 is not a cost: js.costs.lifetime"),
        ({"C": 1e12, "variables": ("N",)}, r"chooses at least two inputs of chinchilla \(N, D\)"),
        ({"C": 1e12, "variables": ("N", "d")}, r"not N, d. Did you mean 'D'"),
        ({"C": 1e12, "cost": lambda N: N, "variables": ("N", "D")}, r"does not depend on D"),
        ({"C": 1e12, "cost": lambda N, D, U: N * D, "variables": ("N", "D")}, r"needs U, which"),
        ({"C": 1e12, "bounds": {"N": (0.0, 1.0)}}, r"bounds\['N'\]=\(0.0, 1.0\) must be two"),
        ({"C": 1e12, "bounds": {"U": (1.0, 2.0)}}, r"bounds name U, but chosen are N, D"),
        ({"C": 1e12, "bounds": {"D": (1.0, 2.0)}}, r"budget of 1e\+12 FLOPs is not met"),
        ({"C": 1e12, "level": 1.0}, r"level"),
    ],
)
def test_bad_input(chinchilla: js.Draws, options: dict[str, Any], message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        js.allocate(chinchilla, **options)


@pytest.mark.full
def test_a_cost_may_have_numbers_of_its_own(chinchilla: js.Draws) -> None:
    plain = js.allocate(chinchilla, 1e12).frame["N"].item()
    own = js.allocate(chinchilla, 1e12, cost=lambda N, D, per=6.0: per * N * D).frame["N"].item()
    assert own == pytest.approx(plain, rel=1e-8)
    assert js.costs.lifetime(np.int64(10)) == js.costs.lifetime(10)


def test_no_fit(chinchilla: js.Draws) -> None:
    with pytest.raises(
        js.PredictionError, match=r"allocate takes a Fit, Draws, or .* a Forecast, not dict"
    ):
        js.allocate({}, 1e12)  # type: ignore[arg-type]
    assert isinstance(js.allocate(chinchilla, 1e12).planner, Planner)
