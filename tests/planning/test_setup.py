"""What a plan is asked for, checked: chosen inputs, bounds, costs, and what cannot be chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.planning.setup import planned, planner_of
from jscale.prediction.sources import predictor_of


@pytest.mark.full
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"N": 7e9}, r"N is chosen by the plan, and cannot be given"),
        ({"variables": ("N", "D", "N")}, r"N is chosen by the plan, and cannot be given"),
        ({"bounds": {"D": (1e6,)}}, r"bounds\['D'\]=\(1000000.0,\) must be two positive"),
        ({"bounds": {"D": 1e6}}, r"bounds\['D'\]=1000000.0 must be two positive"),
        ({"bounds": [1]}, r"bounds=\[1\] must be a mapping"),
        ({"bounds": {"D/N": 1e15}}, r"does not buy a D/N of 1e\+15 to 1e\+15 within the bounds"),
        ({"bounds": {"D/N": -1}}, r"bounds\['D/N'\]=-1 must be a positive number"),
        ({"cost": lambda N, D: N + 0 * D}, r"must be positive and rise in D"),
        ({"cost": lambda N, D: 6 * N * D * (1 + 5 * (D / 1e7 - 1) ** 2)}, r"rise in D, but does"),
        ({"cost": lambda N, D: 6 * N * D - 1e12}, r"must be positive and rise"),
        ({"cost": lambda N, D: np.maximum(N, D) * 1.0}, r"must be written with JAX"),
        ({"cost": lambda *a: a[0]}, r"A cost names its inputs, .* \*a names none"),
    ],
)  # fmt: skip
def test_questions_that_are_none(chinchilla: js.Draws, options: Any, message: str) -> None:
    with pytest.raises(js.PredictionError, match=message):
        js.allocate(chinchilla, 1e12, **options)


def test_a_planner_knows_its_bounds_and_which_of_them_widen(chinchilla: js.Draws) -> None:
    """A hundred times past the runs, unless given."""
    fit = chinchilla.fit
    planner = planner_of(fit, None, None, {"D": (1e6, 2e9)}, {})
    assert planner.choice.variables == ("N", "D")
    assert planner.choice.falling
    N, C = fit.runs["N"], fit.runs["C"]
    np.testing.assert_allclose(planner.bounds, [[N.min() / 100, N.max() * 100], [1e6, 2e9]])
    assert planner.wide.tolist() == [1.0, 0.0]
    np.testing.assert_allclose(planner.spent, [C.min(), C.max()], rtol=1e-2)
    assert planner.ratio is None


def test_tokens_per_parameter_are_a_number_or_two(chinchilla: js.Draws) -> None:
    fit = chinchilla.fit
    assert planner_of(fit, None, None, {"D/N": 20}, {}).ratio == (20.0, 20.0)
    assert planner_of(fit, None, None, {"D/N": (20, 200)}, {}).ratio == (20.0, 200.0)
    with pytest.raises(js.PredictionError, match=r"bounds\['D/N'\]=\(200, 20\) must be a positive"):
        planner_of(fit, None, None, {"D/N": (200, 20)}, {})


@pytest.mark.full
def test_the_last_of_three_inputs_cannot_be_bounded() -> None:
    """It follows from the others: another is to be named last."""
    table = js.datasets.load("stdlib_lm")

    @js.law
    def three(N: Any, D: Any, seed: Any, *, E: js.Floor, A: js.Scale, B: js.Scale) -> Any:
        return E + A * N**-0.3 + B * D**-0.3 + 0.0 * seed

    runs = table.loc[table["split"] == "fit"]
    runs = runs.assign(seed=1.0 + np.arange(len(runs)) % 3)
    fit = js.fit(three, js.Runs.from_frame(runs, seed="seed"), starts=4)
    with pytest.raises(
        js.PredictionError, match=r"the last, seed, follows .*variables=\('seed', 'N', 'D'\)"
    ):
        planner_of(fit, lambda N, D, seed: N * D * seed, None, {"seed": (1.0, 2.0)}, {})


def test_a_predictor_that_cannot_tell_choices_apart_is_refused(chinchilla: js.Draws) -> None:
    C = np.geomspace(1e17, 1e20, 12)
    line = js.fit("power_const", pd.DataFrame({"C": C, "loss": 1.5 + 90 * C**-0.1}), starts=4)
    planner = planner_of(chinchilla.fit, None, None, {}, {})
    with pytest.raises(js.PredictionError, match=r"takes all of N, D, so it cannot choose between"):
        planned(predictor_of(line, None, 0, caller="allocate", point=True), planner)
    whole = predictor_of(chinchilla, "auto", 0, caller="allocate")
    own, components, notes = planned(whole, planner)
    assert len(components) == len(whole.components) == 1
    assert notes == ()
    assert own.bounds is planner.bounds
