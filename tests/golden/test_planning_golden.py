"""The replication's headline: tokens per parameter at the optimum, and what rounding does to it.

arXiv:2404.10102: its refit is consistent with 20 tokens per parameter, while the constants printed
by arXiv:2203.15556 (two digits of each exponent) ask for many more and are off in the mean.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js

ROUNDED = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}
TRAINED = 5.76e23

pytestmark = pytest.mark.filterwarnings("ignore::jscale.ExtrapolationWarning")


@pytest.fixture(scope="module")
def plan(chinchilla_240: pd.DataFrame) -> js.Plan:
    fit = js.fit("chinchilla", chinchilla_240)
    return js.allocate(js.bootstrap(fit, 1000, seed=0), [1e21, TRAINED, 1e26], level=0.8)


def test_twenty_tokens_per_parameter(plan: js.Plan) -> None:
    frame = plan.frame.set_index("C")
    assert frame.loc[TRAINED, "D/N"] == pytest.approx(18, abs=0.5)
    assert frame.loc[TRAINED, "D/N_low"] < 20 < frame.loc[TRAINED, "D/N_high"]
    assert frame.loc[1e26, "D/N"] == pytest.approx(16, abs=0.6)


def test_rounded_constants_are_inconsistent(plan: js.Plan, chinchilla_240: pd.DataFrame) -> None:
    law = plan.planner.fit.law
    budgets = plan.frame["C"].to_numpy()
    theirs = plan.planner.optima(np.array([[ROUNDED[n] for n in law.names]]), budgets)
    ratio = theirs.inputs[0, :, 1] / theirs.inputs[0, :, 0]
    assert ratio[1:] == pytest.approx([93, 153], abs=0.7)
    assert (ratio > plan.frame["D/N_high"]).all()
    curve = law(chinchilla_240["N"].to_numpy(), chinchilla_240["D"].to_numpy(), **ROUNDED)
    assert np.mean(np.log(chinchilla_240["loss"]) - np.log(curve)) == pytest.approx(
        -0.0167, abs=1e-4
    )


def test_two_digits_are_too_few(plan: js.Plan) -> None:
    assert js.digits_needed(plan.planner.fit) == 4
