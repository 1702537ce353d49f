"""Partial pooling: planted families, borrowing, new families, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.uncertainty.bayes.posterior import posterior
from jscale.uncertainty.bayes.result import Posterior
from tests.uncertainty.bayes.families import FAMILIES, LABELS, SPREAD, world


@pytest.fixture(scope="module")
def pooled(shared: js.Fit) -> Posterior:
    return posterior(shared, pool={"E": "family"}, seed=1)


@pytest.mark.full
def test_names_and_extras(pooled: Posterior) -> None:
    assert pooled.names == (*(f"E[{x}]" for x in LABELS), "A", "alpha")
    assert set(pooled.extras) == {"E[mean]", "E[spread]", "noise_scale"}
    assert pooled.settings["method"] == "nuts"
    assert pooled.passed
    assert pooled.checks["min_ess"] > 400


@pytest.mark.full
def test_planted_values_are_covered() -> None:
    """Of 4 worlds × 8 families, 90% intervals cover 22 or more with 99.9% probability."""
    covered, spreads = 0, []
    for seed in range(4):
        table, E = world(seed)
        post = posterior(js.fit("power_const", table), pool={"E": "family"}, likelihood="normal",
                         draws=500, seed=seed)  # fmt: skip
        bounds = post.interval(0.9).iloc[:FAMILIES]
        covered += int(np.sum((bounds["low"] < E) & (bounds["high"] > E)))
        spreads.append(float(np.median(post.extras["E[spread]"])))
    assert 22 <= covered <= 32
    assert np.mean(spreads) == pytest.approx(SPREAD, rel=0.4)


@pytest.mark.full
def test_a_family_of_two_runs_borrows() -> None:
    """Its interval is narrower than where its E has the same prior as any other's, alone.

    At 10% noise two runs say as much of E as the other families do.
    """
    table, E = world(0, noise=0.1)
    pooled = posterior(js.fit("power_const", table), pool={"E": "family"}, method="nuts", seed=1)
    alone = posterior(js.fit("power_const", table, per={"E": "family"}), method="nuts", seed=1)
    widths = [float(np.subtract(*p.interval(0.9).loc["E[f0]", ["high", "low"]]))
              for p in (pooled, alone)]  # fmt: skip
    assert widths[0] < 0.9 * widths[1]
    few = np.median(pooled["E[f0]"]), np.median(alone["E[f0]"])
    mean = float(np.median(pooled["E[mean]"]))
    assert abs(few[0] - mean) < abs(few[1] - mean)
    assert pooled.interval(0.99).loc["E[f0]", "low"] < E[0]


@pytest.mark.full
def test_predictions_by_family_and_for_a_new_one(shared: js.Fit, pooled: Posterior) -> None:
    known = js.predict(pooled, C=1e21, family=LABELS[:3]).frame
    E = world(0)[1][:3]
    truth = E + 900.0 * 1e21**-0.15
    np.testing.assert_allclose(known["curve"], truth, rtol=0.02)
    fresh = pooled.for_new_group(seed=2)
    assert fresh.names == ("E", "A", "alpha")
    new = js.predict(fresh, C=1e21).frame.iloc[0]
    width = new["confidence_high"] - new["confidence_low"]
    assert width > 3 * (known["confidence_high"] - known["confidence_low"])[1]
    logs = np.log(fresh["E"].to_numpy())
    spread = np.sqrt(np.mean(pooled.extras["E[spread]"] ** 2))
    assert logs.std() == pytest.approx(spread, rel=0.35)
    again = pooled.for_new_group(seed=2)
    np.testing.assert_array_equal(fresh.values, again.values)
    assert fresh.summary()["fit"].isna().all()
    assert pooled.summary().loc["alpha", "fit"] == shared.params["alpha"]
    assert not np.array_equal(fresh.values, pooled.for_new_group(seed=3).values)


@pytest.mark.full
def test_the_spreads_prior_can_be_given(shared: js.Fit) -> None:
    tight = posterior(shared, pool={"E": "family"}, draws=200, seed=1,
                      priors={"E[spread]": ("half_normal", 0.001)})  # fmt: skip
    assert float(tight.extras["E[spread]"].max()) < 0.02
    assert float(np.abs(np.log(tight["E[f1]"] / tight["E[f2]"])).max()) < 0.05


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ({"F": "family"},
         r"no parameter 'F'\. Parameters that can be pooled: E, A, alpha\.$"),
        ({"alfa": "family"}, r"'alfa'\. Did you mean 'alpha'\? Parameters that can be pooled"),
        ("E", r'pool=\'E\' must be a mapping by parameter: pool=\{"E": "<column>"\}\.'),
        ({"E": "famly"}, "no column 'famly' to pool E over. Did you mean 'family'"),
    ],
)  # fmt: skip
def test_wrong_pools(shared: js.Fit, pool: Any, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        posterior(shared, pool=pool)


def refit(shared: js.Fit, **options: Any) -> js.Fit:
    return js.fit("power_const", shared.runs, **options)


@pytest.mark.full
def test_pools_that_do_not_suit_the_fit(shared: js.Fit) -> None:
    with pytest.raises(js.LawError, match="E is fixed in the fit"):
        posterior(refit(shared, fixed={"E": 1.7}), pool={"E": "family"})
    with pytest.raises(js.LawError, match="E is per family in the fit already"):
        posterior(refit(shared, per={"E": "family"}), pool={"E": "family"})


def test_labels_that_do_not_suit(shared: js.Fit) -> None:
    frame = shared.runs.frame
    one = js.fit("power_const", frame.assign(family="a"))
    with pytest.raises(js.DataError, match="has one label only, 'a': there is nothing to pool"):
        posterior(one, pool={"E": "family"})
    clash = js.fit("power_const", frame.replace({"family": {"f1": "mean"}}))
    with pytest.raises(
        js.DataError, match="has the label 'mean', which names the population's own"
    ):
        posterior(clash, pool={"E": "family"})
    missing = js.fit("power_const", frame.replace({"family": {"f1": None}}))
    with pytest.raises(js.DataError, match="column 'family' has no label in row 2"):
        posterior(missing, pool={"E": "family"})


@pytest.mark.full
def test_a_new_group_of_what_is_not_pooled(shared: js.Fit) -> None:
    post = posterior(refit(shared, per={"A": "family"}), pool={"E": "family"}, draws=50, warmup=100)
    with pytest.raises(js.JscaleError, match="A differs by group without being pooled"):
        post.for_new_group()
