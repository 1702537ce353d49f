"""Partial pooling: planted families, borrowing, new families, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.uncertainty.bayes import density as joint
from jscale.uncertainty.bayes.pooling import pooled_problem, start_of
from jscale.uncertainty.bayes.posterior import posterior
from jscale.uncertainty.bayes.priors import make_priors
from jscale.uncertainty.bayes.result import Posterior

FAMILIES, SPREAD, NOISE = 8, 0.12, 0.01
LABELS = [f"f{g}" for g in range(FAMILIES)]


def world(seed: int, noise: float = NOISE) -> tuple[pd.DataFrame, np.ndarray]:
    """Families with an E of their own around 1.7, the first with two runs; and those E."""
    rng = np.random.default_rng(seed)
    E = 1.7 * np.exp(SPREAD * rng.standard_normal(FAMILIES))
    parts = []
    for g in range(FAMILIES):
        C = 10.0 ** rng.uniform(17, 22, 2 if g == 0 else 10)
        loss = (E[g] + 900.0 * C**-0.15) * np.exp(noise * rng.standard_normal(len(C)))
        parts.append(pd.DataFrame({"C": C, "loss": loss, "family": LABELS[g]}))
    return pd.concat(parts, ignore_index=True), E


@pytest.fixture(scope="module")
def shared() -> js.Fit:
    return js.fit("power_const", world(0)[0])


@pytest.fixture(scope="module")
def pooled(shared: js.Fit) -> Posterior:
    return posterior(shared, pool={"E": "family"}, seed=1)


def test_names_and_extras(pooled: Posterior) -> None:
    assert pooled.names == (*(f"E[{x}]" for x in LABELS), "A", "alpha")
    assert set(pooled.extras) == {"E[mean]", "E[spread]", "noise_scale"}
    assert pooled.settings["method"] == "nuts"
    assert pooled.passed
    assert pooled.checks["min_ess"] > 400


def test_planted_values_are_covered() -> None:
    """Of 4 worlds × 8 families, 90 % intervals cover 22 or more with 99.9 % probability."""
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


def test_a_family_of_two_runs_borrows() -> None:
    """Its interval is narrower than where its E has the same prior as any other's, alone.

    At 10 % noise two runs say as much of E as the other families do.
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


def test_the_spreads_prior_can_be_given(shared: js.Fit) -> None:
    tight = posterior(shared, pool={"E": "family"}, draws=200, seed=1,
                      priors={"E[spread]": ("half_normal", 0.001)})  # fmt: skip
    assert float(tight.extras["E[spread]"].max()) < 0.02
    assert float(np.abs(np.log(tight["E[f1]"] / tight["E[f2]"])).max()) < 0.05


def test_where_a_family_is_measured_from_changes_no_density(shared: js.Fit) -> None:
    """Centred, non-centred and between: log p(z) differs by the Jacobian of the map alone."""
    problem = pooled_problem(shared, {"E": "family"})
    made = make_priors(problem.layout, "log", "student_t", None, ("E",))
    none = (np.zeros(problem.rows), np.zeros(problem.rows))
    spec = made.spec
    at, slot = spec.population("E"), spec.layout.slot("E")
    assert slot is not None
    with float64_scope():
        given = joint.given_arrays(problem, none, 3.0, made.arrays)
        z = start_of(spec, shared, -4.6, made.spread)
        z[slot.where] = np.linspace(-1.0, 1.0, FAMILIES)
        theta = joint.coordinates_of_many(spec, z[None], given)[0]
        share, anchor = np.zeros(spec.size), np.array([[0.4, -1.0]])
        share[slot.where] = np.linspace(0.0, 1.0, FAMILIES)
        moved = given._replace(share=share, anchor=anchor)
        s = share[slot.where]
        mean = s * 0.4 + (1 - s) * z[at]
        log_width = s * -1.0 + (1 - s) * z[at + 1]
        other = z.copy()
        other[slot.where] = (theta[slot.where] - mean) / np.exp(log_width)
        np.testing.assert_allclose(joint.coordinates_of_many(spec, other[None], moved)[0], theta)
        a = joint.log_joint_of_many(spec, z[None], given)[0]
        b = joint.log_joint_of_many(spec, other[None], moved)[0]
    assert b - a == pytest.approx(np.sum(log_width - z[at + 1]), abs=1e-8)


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


def test_a_new_group_of_what_is_not_pooled(shared: js.Fit) -> None:
    post = posterior(refit(shared, per={"A": "family"}), pool={"E": "family"}, draws=50, warmup=100)
    with pytest.raises(js.JscaleError, match="A differs by group without being pooled"):
        post.for_new_group()
