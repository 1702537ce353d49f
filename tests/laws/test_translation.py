"""Translation: the best split of parameters, and a task's share of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import jscale as js
from tests.laws.numeric import solve

PAIR = {"E": 1.1, "A": 3000.0, "p_e": 0.18, "p_d": 0.31}
TASK = {"E": 1.0, "A": 200.0, "alpha": 0.3, "c1": 0.15, "c2": 0.5, "c3": 1.2}


def test_the_best_split() -> None:
    law = js.laws.get("encoder_decoder")
    share = law.quantities["encoder_share"](PAIR)
    for N in (1e7, 1e10):
        minimum = minimize_scalar(
            lambda s, N=N: float(law(s * N, (1 - s) * N, **PAIR)),
            bounds=(0.01, 0.99),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert share == pytest.approx(minimum.x, rel=1e-5)
        loss = law.quantities["optimal_loss"](PAIR, N=N)
        assert loss == pytest.approx(minimum.fun, rel=1e-12)
        assert law.quantities["size_for_loss"](PAIR, loss=loss) == pytest.approx(N, rel=1e-9)
    assert np.isnan(law.quantities["size_for_loss"](PAIR, loss=1.1))


def test_a_task_alone_has_the_whole_model() -> None:
    law, power = js.laws.get("multilingual_translation"), js.laws.get("power_const:N")
    N = np.geomspace(2e7, 1e9, 5)
    alone = {name: TASK[name] for name in ("E", "A", "alpha")}
    np.testing.assert_allclose(law(N, 1.0, **TASK), power(N, **alone), rtol=1e-12)
    assert law.quantities["effective_fraction"](TASK, f=1.0) == 1.0
    by_hand = 0.3 + 0.15 * 0.3**0.5 * 0.7**1.2
    assert law.quantities["effective_fraction"](TASK, f=0.3) == pytest.approx(by_hand, rel=1e-12)
    np.testing.assert_allclose(law(N, 0.3, **TASK), power(by_hand * N, **alone), rtol=1e-12)
    sizes = law.quantities["effective_size"](TASK, N=N, f=0.3)
    np.testing.assert_allclose(sizes, by_hand * N, rtol=1e-12)


def test_size_for_a_loss_at_a_weight() -> None:
    law = js.laws.get("multilingual_translation")
    size = law.quantities["size_for_loss"](TASK, loss=2.0, f=0.3)
    assert size == pytest.approx(solve(lambda N: law(N, 0.3, **TASK) - 2.0, 1e3, 1e15), rel=1e-9)
    assert np.isnan(law.quantities["size_for_loss"](TASK, loss=1.0, f=0.3))


@pytest.mark.full
def test_effective_fractions_from_an_amplitude_for_each_weight() -> None:
    """The source's first step, by ``per=``: f' = (A_1/A_f)^(1/alpha)."""
    law = js.laws.get("multilingual_translation")
    weights = np.array([0.1, 0.5, 1.0])
    table = pd.DataFrame(
        [(n, f) for n in np.geomspace(2e7, 1e9, 6) for f in weights], columns=["N", "f"]
    )
    table["loss"] = law(table["N"].to_numpy(), table["f"].to_numpy(), **TASK)
    table["weight_of_task"] = table["f"].map("{:g}".format)
    fit = js.fit("power_const:N", table, per={"A": "weight_of_task"})
    ratio = fit.params["A[1]"] / np.array([fit.params[f"A[{f:g}]"] for f in weights])
    fractions = ratio ** (1 / fit.params["alpha"])
    np.testing.assert_allclose(
        fractions, law.quantities["effective_fraction"](TASK, f=weights), rtol=1e-6
    )


@pytest.mark.parametrize("weight", [0.0, 1.2])
def test_weights_outside_their_range_are_named(weight: float) -> None:
    law = js.laws.get("multilingual_translation")
    table = pd.DataFrame({"N": np.geomspace(1e7, 1e9, 12), "f": 0.5})
    table["loss"] = law(table["N"].to_numpy(), 0.5, **TASK)
    table.loc[7, "f"] = weight
    with pytest.raises(js.JscaleError, match=r"f.*row.* 7"):
        js.fit(law, table)
