"""Whatever predicts goes through every function that takes a fit, or is told what it cannot do.

The predictors are draws of one law, a forecast, and a class that is written
here as a user would write it: it is registered nowhere, and derives from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.points import input_table
from jscale.prediction.components import Component, OfCompute, component_of
from jscale.prediction.one_law import OneLaw
from jscale.prediction.predictive import Predictive, Samples
from jscale.prediction.predictor import Predictor, label
from jscale.prediction.regimes import regime
from jscale.prediction.sources import predictor_of
from jscale.simulation.worlds import CHINCHILLA, grid

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
NEAR = {"N": 2e9, "D": 5e10}
BUDGETS = [1e20, 1e21]


@dataclass(frozen=True, eq=False)
class Blend:
    """Laws by their shares, new runs without noise: as little as a predictor can have."""

    draws_of: tuple[js.Draws, ...]
    shares: tuple[float, ...] = (0.5, 0.5)
    method: str = "a blend by hand"
    notes: tuple[Any, ...] = ()
    resamples: str | None = None
    rows_at_once: int | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"seed": 1}

    @property
    def reference(self) -> js.Fit:
        return self.draws_of[0].fit

    @property
    def components(self) -> tuple[Component, ...]:
        pairs = zip(self.draws_of, self.shares, strict=True)
        parts = [component_of(d.fit, d.flat, weight=share) for d, share in pairs]
        mixed = "C" not in self.reference.law.inputs
        return tuple(
            replace(x, function=OfCompute(x.function))
            if mixed and x.fit.law.inputs == ("C",)
            else x
            for x in parts
        )

    # It is its own sampler.

    def sampler(self, new_run: Any, seed: int) -> Blend:
        return self

    @property
    def predictor(self) -> Blend:
        return self

    def beyond(self, past: np.ndarray) -> str:
        return "It is a blend by hand."

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        return input_table(self.reference, where, inputs)

    def predictive(self, table: pd.DataFrame, seed: int) -> Predictive:
        parts = []
        for component in self.components:
            logs = np.log(component.at(table, component.samples))
            parts.append(Samples(logs[0], logs[1:], logs[1:], "log"))
        shares = np.array(self.shares)[:, None]
        return Predictive.mix(parts, np.broadcast_to(shares, (len(parts), len(table))))


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    design = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 6))
    return js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=3)


@pytest.fixture(scope="module")
def laws(runs: js.Runs) -> tuple[js.Draws, js.Draws]:
    """Draws of two laws whose best sizes differ: in one they grow as data do."""
    objective = js.pseudo_huber(1e-2)
    names = ("chinchilla", "chinchilla_tied")
    first, second = (js.bootstrap(js.fit(n, runs, objective=objective), 60) for n in names)
    return first, second


@pytest.fixture(scope="module")
def predictors(runs: js.Runs, laws: tuple[js.Draws, js.Draws]) -> dict[str, Any]:
    return {
        "draws": laws[0],
        "forecast": js.forecast(runs, draws=60),
        "blend": Blend(laws),
    }


EACH = pytest.mark.parametrize("name", ["draws", "forecast", "blend"])


def between(row: pd.Series, rows: list[pd.Series], name: str) -> bool:
    """Whether an interval lies between those of the laws that it is pooled from."""
    low, high = ([x[f"{name}_{end}"] for x in rows] for end in ("low", "high"))  # each law's own
    return min(low) * 0.99 <= row[f"{name}_low"] and row[f"{name}_high"] <= max(high) * 1.01


# ── What every one can do ────────────────────────────────────────────────────────────────────


@pytest.mark.full
@EACH
def test_it_predicts(predictors: dict[str, Any], name: str) -> None:
    source = predictors[name]
    prediction = js.predict(source, **NEAR, level=0.8)
    frame = prediction.frame.iloc[0]
    assert frame["prediction_low"] <= frame["confidence_low"] < frame["curve"]
    assert frame["curve"] < frame["confidence_high"] <= frame["prediction_high"]
    assert prediction.method == label(predictor_of(source, caller="predict"))
    again = js.predict(source, pd.DataFrame([NEAR, NEAR]), level=0.8).frame
    assert again["curve"].iloc[1] == pytest.approx(frame["curve"], rel=1e-12)


@EACH
def test_it_plans(predictors: dict[str, Any], name: str) -> None:
    source = predictors[name]
    plan = js.allocate(source, BUDGETS)
    frame = plan.frame
    np.testing.assert_allclose(6 * frame["N"] * frame["D"], BUDGETS, rtol=1e-9)
    for x in ("N", "D", "loss"):
        assert (frame[f"{x}_low"] < frame[f"{x}_high"]).all()
        assert ((0.7 * frame[f"{x}_low"] < frame[x]) & (frame[x] < 1.4 * frame[f"{x}_high"])).all()
    assert (plan.exponents["low"] < plan.exponents["high"]).all()
    near = plan.near_optimal()
    assert (near["N_from"] < frame["N"]).all()
    assert (frame["N"] < near["N_to"]).all()
    assert (plan.excess(N=1e9)["excess"] >= 0).all()
    assert plan.method in repr(plan)
    assert plan.draws is (source if name == "draws" else None)


@pytest.mark.full
@EACH
def test_it_says_what_a_target_takes(predictors: dict[str, Any], name: str) -> None:
    source = predictors[name]
    D = js.required(source, "D", loss=2.4, N=2e9).frame.iloc[0]
    assert D["low"] < D["estimate"] < D["high"]
    C = js.required(source, "C", loss=2.4).frame.iloc[0]
    assert C["low"] < C["estimate"] < C["high"]
    best = js.allocate(source, C["estimate"]).frame.iloc[0]
    assert best["loss"] == pytest.approx(2.4, rel=1e-6)


@pytest.mark.full
@EACH
def test_it_is_compared(predictors: dict[str, Any], laws: Any, name: str) -> None:
    source, other = predictors[name], laws[1]
    crossing = js.crossover(source, other, over=(1e20, 1e22))
    assert len(crossing.frame) == 121
    assert crossing.frame["difference"].abs().max() < 0.2
    worth = js.equivalent(source, other, along="D", N=2e9, over=(1e10, 1e11))
    assert ((worth["times"] > 0.5) & (worth["times"] < 2.0)).all()


@EACH
def test_it_is_reported(predictors: dict[str, Any], runs: js.Runs, name: str) -> None:
    source = predictors[name]
    held_out = runs.frame.head(3)
    page = js.report(source, at=NEAR, held_out=held_out)
    method = predictor_of(source, caller="report").method
    assert f"Intervals by {method}" in page.content["method"]
    assert page.content["held_out"].startswith("3 held-out runs")
    assert page.content["allocation"]["table"] is not None
    assert "E" in str(page.content["estimates"])
    if name == "draws":
        assert "draws = js.bootstrap(fit" in page.content["again"]
    else:
        assert f"# draws: made by {method}" in page.content["again"]
        subject = f"forecast ({method})" if name == "forecast" else method
        assert f"the {subject} predicts" in page.content["answer"][0]


# ── Mixtures of laws ─────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_intervals_of_a_mixture_lie_between_those_of_its_laws(
    predictors: dict[str, Any], laws: Any
) -> None:
    mixed = js.allocate(predictors["blend"], BUDGETS).frame
    alone = [js.allocate(draws, BUDGETS).frame for draws in laws]
    for i in range(len(BUDGETS)):
        rows = [frame.iloc[i] for frame in alone]
        assert all(between(mixed.iloc[i], rows, x) for x in ("N", "D", "loss"))
        middle = sorted(row["N"] for row in rows)
        assert middle[0] <= mixed["N"].iloc[i] <= middle[1]
    D = [js.required(x, "D", loss=2.4, N=2e9).frame.iloc[0] for x in (predictors["blend"], *laws)]
    assert min(D[1]["low"], D[2]["low"]) * 0.99 <= D[0]["low"]
    assert D[0]["high"] <= max(D[1]["high"], D[2]["high"]) * 1.01


def test_a_law_with_all_the_weight_is_alone(laws: Any) -> None:
    """Bit for bit: one component takes no other way than draws do."""
    only = Blend(laws[:1], (1.0,))
    pd.testing.assert_frame_equal(
        js.allocate(only, BUDGETS).frame, js.allocate(laws[0], BUDGETS).frame
    )
    one, other = (js.required(x, "D", loss=2.4, N=2e9).samples for x in (only, laws[0]))
    np.testing.assert_array_equal(one, other)


def test_mixtures_of_the_same_resamples_are_paired(predictors: dict[str, Any], laws: Any) -> None:
    refits = Blend(laws, (0.7, 0.3), resamples=OneLaw(laws[0]).resamples)
    crossing = js.crossover(refits, laws[0], over=(1e20, 1e22))
    assert crossing.paired  # both are refits of the same resamples
    apart = js.crossover(predictors["blend"], laws[0], over=(1e20, 1e22))
    assert not apart.paired
    widths = [float((x.frame["high"] - x.frame["low"]).iloc[-1]) for x in (crossing, apart)]
    assert widths[0] < 1.5 * widths[1]


@pytest.mark.full
def test_a_law_of_compute_tells_no_size_from_another(laws: Any, runs: js.Runs) -> None:
    """It is left out of a plan of N and D, but knows what a loss takes."""
    curve = js.bootstrap(js.fit("power_const", runs), 60)
    mixed = Blend((laws[0], curve), (0.6, 0.4))
    plan = js.allocate(mixed, BUDGETS)
    (note,) = [note for note in plan.notes if note.code == "laws-left-out"]
    assert (
        note.seen
        == "power_const, with 40% of the weight, cannot tell one choice of N, D from another."
    )
    pd.testing.assert_frame_equal(plan.frame, js.allocate(laws[0], BUDGETS).frame)
    D = js.required(mixed, "D", loss=2.4, N=2e9)
    C = js.required(curve, "C", loss=2.4)
    alone = js.required(laws[0], "D", loss=2.4, N=2e9)
    ends = [float(C.frame["estimate"].iloc[0] / 6 / 2e9), float(alone.frame["estimate"].iloc[0])]
    assert min(ends) < D.frame["estimate"].iloc[0] < max(ends)
    only = Blend((curve,), (1.0,))
    with pytest.raises(js.PredictionError, match=r"allocate chooses at least two inputs of power"):
        js.allocate(only, BUDGETS)


def test_a_predictor_none_of_whose_laws_takes_the_chosen_inputs(laws: Any, runs: js.Runs) -> None:
    curve = js.bootstrap(js.fit("power_const", runs), 10)
    odd = Blend((laws[0], laws[1]))
    inner = component_of(curve.fit, curve.flat)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blend, "components", property(lambda self: (inner,)))
        with pytest.raises(
            js.PredictionError, match=r"No law of this Blend takes all of N, D, so it cannot choose"
        ):
            js.allocate(odd, BUDGETS)


# ── What only parameters of laws answer ──────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["draws", "blend"])
def test_closed_forms_are_pooled_like_draws(
    predictors: dict[str, Any], laws: Any, name: str
) -> None:
    mixed = js.derive(predictors[name], "optimal_size", C=1e21).frame.iloc[0]
    alone = [js.derive(d, "optimal_size", C=1e21).frame.iloc[0] for d in laws]
    estimates = sorted(row["estimate"] for row in alone)
    assert estimates[0] <= mixed["estimate"] <= estimates[1]
    assert min(r["confidence_low"] for r in alone) * 0.99 <= mixed["confidence_low"]
    assert mixed["confidence_high"] <= max(r["confidence_high"] for r in alone) * 1.01


def test_a_discrepancy_has_no_closed_form(predictors: dict[str, Any]) -> None:
    with pytest.raises(js.PredictionError, match=r"derive evaluates a closed form .* more than a"):
        js.derive(predictors["forecast"], "optimal_size", C=1e21)


@pytest.mark.full
def test_a_quantity_that_one_of_the_laws_does_not_have(laws: Any, runs: js.Runs) -> None:
    farseer = js.laplace(js.fit("farseer", runs), 20)
    with pytest.raises(js.LawError, match="farseer has no derived quantity 'optimal_size'"):
        js.derive(Blend((laws[0], farseer)), "optimal_size", C=1e21)


@pytest.mark.parametrize("name", ["forecast", "blend"])
def test_what_reads_one_laws_parameters_says_so(predictors: dict[str, Any], name: str) -> None:
    kind = type(predictors[name]).__name__
    wrong = rf"regime reads the parameters of one law, and this {kind} has .* Give draws of one"
    with pytest.raises(js.PredictionError, match=wrong):
        regime(predictors[name])
    wrong = rf"best_mixture reads the parameters of one law, and this {kind} has"
    with pytest.raises(js.PredictionError, match=wrong):
        js.best_mixture(predictors[name])


@pytest.mark.full
def test_schedules_are_predicted_by_one_law_alone() -> None:
    curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    first = [name for name in dict.fromkeys(curves.frame["run"]) if "d01200k-b16" in name]
    drawn = js.laplace(js.fit("annealing", curves.where(first).runs()), 20)
    schedule = js.schedules.cosine(586, 0.02, warmup=58)
    blend = Blend((drawn, drawn))
    mixed = js.predict_curve(blend, schedule, steps=[300, 586]).frame["curve"]
    alone = js.predict_curve(drawn, schedule, steps=[300, 586]).frame["confidence_low"]
    assert (alone < mixed).all()
    with pytest.raises(js.PredictionError, match=r"best_schedule reads the parameters of one law"):
        js.best_schedule(blend, 586, peak=0.02, warmup=58)


def test_draws_are_predictors_by_way_of_one_law(laws: Any) -> None:
    predictor: Predictor = OneLaw(laws[0])
    assert predictor.resamples == "bootstrap (pairs)"
    assert predictor_of(predictor, caller="predict") is predictor
