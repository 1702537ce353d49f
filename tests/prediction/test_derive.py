"""derive: closed-form quantities over draws, with groups and with values that do not exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.model.functions import power


def data_for_loss(p: Any, *, loss: Any) -> Any:
    """D = (A/(loss − E))^(1/alpha)."""
    return np.where(loss > p["E"], (p["A"] / (loss - p["E"])) ** (1 / p["alpha"]), np.nan)


@js.law(
    linear=("E", "A"), powers=(("A", "D", "alpha"),),
    quantities={"data_for_loss": data_for_loss, "half_life": lambda p: 2 ** (1 / p["alpha"])},
)  # fmt: skip
def decay(D: Any, *, E: js.Floor, A: js.Scale, alpha: js.Exponent) -> Any:
    return E + A * power(D, -alpha)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    D = np.tile(np.geomspace(1e6, 1e9, 12), 2)
    E = np.repeat([1.5, 2.0], 12)
    noise = np.exp(0.002 * np.random.default_rng(0).standard_normal(24))
    loss = (E + 40 * D**-0.3) * noise
    return pd.DataFrame({"D": D, "family": np.repeat(["a", "b"], 12), "loss": loss})


@pytest.fixture(scope="module")
def fit(table: pd.DataFrame) -> js.Fit:
    return js.fit(decay, table[table["family"] == "a"])


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    design = js.designs.isoflop([1e18, 1e19, 1e20], [1e7, 3e7, 1e8, 3e8, 1e9])
    return js.simulate("chinchilla", truth, design, noise=0.003)


@pytest.mark.full
def test_over_draws(fit):
    drawn = js.laplace(fit, 300, seed=1)
    found = js.derive(drawn, "data_for_loss", loss=[1.7, 1.6], level=0.8)
    by_hand = data_for_loss(
        {n: drawn.to_frame()[[n]].to_numpy() for n in decay.names}, loss=np.array([1.7, 1.6])
    )
    np.testing.assert_array_equal(found.samples, by_hand)
    assert found.frame["estimate"].iloc[0] == data_for_loss(dict(fit.params), loss=1.7)
    np.testing.assert_allclose(
        found.frame[["confidence_low", "confidence_high"]].T,
        np.quantile(by_hand, [0.1, 0.9], axis=0, method="inverted_cdf"),
    )
    truth = (40 / 0.2) ** (1 / 0.3)
    assert found.frame["confidence_low"].iloc[0] < truth < found.frame["confidence_high"].iloc[0]
    assert "80% confidence intervals by laplace" in repr(found)
    assert len(found) == 2


def test_what_cannot_be_reached_is_infinite(fit):
    """Near the floor some draws cannot reach the loss: the interval is open above."""
    drawn = js.laplace(fit, 300, seed=1)
    loss = float(np.quantile(drawn.to_frame()["E"], 0.6))
    row = js.derive(drawn, "data_for_loss", loss=loss).frame.iloc[0]
    assert row["exists"] == pytest.approx(0.6, abs=0.01)
    assert np.isfinite(row["confidence_low"])
    assert row["confidence_high"] == np.inf
    assert js.derive(drawn, "data_for_loss", loss=0.5).frame["exists"][0] == 0


def test_without_inputs_and_from_a_fit(fit):
    found = js.derive(fit, "half_life", seed=3)
    assert found.method == "bootstrap (bayesian)"
    assert found.frame["estimate"][0] == pytest.approx(2 ** (1 / fit.params["alpha"]))
    assert found.to_frame() is not found.frame


def test_parameters_by_group(table):
    both = js.fit(decay, table, per={"E": "family"})
    drawn = js.laplace(both, 50)
    found = js.derive(drawn, "data_for_loss", loss=2.2, family=["a", "b"]).frame
    assert found["family"].tolist() == ["a", "b"]
    at_b = {**dict(both.params), "E": both.params["E[b]"]}
    assert found["estimate"][1] == data_for_loss(at_b, loss=2.2)
    with pytest.raises(js.PredictionError, match="family='c' was not among the fitted runs"):
        js.derive(drawn, "data_for_loss", loss=2.2, family="c")
    with pytest.raises(js.PredictionError, match=r"misses family. Call derive\(draws, .*family=…"):
        js.derive(drawn, "data_for_loss", loss=2.2)


def test_messages(fit):
    drawn = js.laplace(fit, 10)
    with pytest.raises(js.LawError, match=r"no derived quantity 'data_for_los'.*data_for_loss"):
        js.derive(drawn, "data_for_los", loss=2.0)
    with pytest.raises(js.PredictionError, match="misses loss"):
        js.derive(drawn, "data_for_loss")
    with pytest.raises(js.PredictionError, match="takes no N"):
        js.derive(drawn, "data_for_loss", loss=2.0, N=1.0)
    with pytest.raises(
        js.PredictionError, match=r"loss must be a positive, finite number; it is -1.0 in row 1"
    ):
        js.derive(drawn, "data_for_loss", loss=[2.0, -1.0])
    with pytest.raises(
        js.PredictionError, match=r"derive takes a Fit, Draws, or .* a Forecast, not str"
    ):
        js.derive("fit", "data_for_loss", loss=2.0)
    with pytest.raises(js.JscaleError, match="level=2 must lie strictly"):
        js.derive(drawn, "data_for_loss", loss=2.0, level=2)


@pytest.mark.full
def test_a_law_without_quantities():
    @js.law
    def bare(C: Any, *, A: js.Scale) -> Any:
        return A / C

    fit = js.fit(bare, pd.DataFrame({"C": [1.0, 2.0, 3.0], "loss": [3.0, 1.4, 1.1]}))
    with pytest.raises(js.LawError, match=r"bare has no derived quantity 'x'. It declares none"):
        js.derive(js.laplace(fit, 10), "x")


def test_inverse():
    from jscale.laws import get

    with pytest.raises(js.LawError, match="has no inverse in closed form"):
        get("farseer").invert(2.0)


def test_far_past_the_runs(runs):
    """C, or N and D, past ten times the largest compute fitted."""
    drawn = js.laplace(js.fit("chinchilla", runs), 50)
    largest = drawn.fit.largest
    assert len(js.derive(drawn, "optimal_size", C=10 * largest)) == 1
    with pytest.warns(js.ExtrapolationWarning, match=r"optimal_size .*up to 20 times.*js.rollout"):
        js.derive(drawn, "optimal_size", C=[largest, 20 * largest])


def test_shapes_that_do_not_fit(runs):
    drawn = js.laplace(js.fit("chinchilla", runs), 50)
    with pytest.raises(js.PredictionError, match="do not broadcast"):
        js.derive(drawn, "tokens_for_loss", loss=[2.0, 2.1], N=[1e9, 2e9, 3e9])
