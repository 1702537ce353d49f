"""The Student-t(3) posterior on the Chinchilla data: published spreads, and two samplers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.uncertainty.bayes.posterior import posterior
from jscale.uncertainty.bayes.result import Posterior

# The floor's prior of the published figures; the others are the roles' own.
PRIORS = {"E": ("lognormal", 0.5, 0.5)}
SPREADS = {"alpha": 0.0092, "beta": 0.0101}


@pytest.fixture(scope="module")
def fit(chinchilla_240: pd.DataFrame) -> js.Fit:
    return js.fit("chinchilla", chinchilla_240)


@pytest.fixture(scope="module")
def samples(fit: js.Fit) -> dict[str, Posterior]:
    return {
        method: posterior(fit, priors=PRIORS, method=method, draws=2500, seed=1)
        for method in ("importance", "nuts")
    }


@pytest.mark.full
@pytest.mark.parametrize("method", ["importance", "nuts"])
def test_spreads_are_the_published_ones(samples: dict[str, Posterior], method: str) -> None:
    for name, published in SPREADS.items():
        assert float(samples[method][name].std()) == pytest.approx(published, rel=0.05), name


@pytest.mark.full
def test_both_samplers_agree(samples: dict[str, Posterior]) -> None:
    a, b = samples["importance"], samples["nuts"]
    ess = min(a.checks["min_ess"], b.checks["min_ess"])
    for name in (*a.names, "noise_scale"):
        x, y = np.log(a[name].to_numpy()), np.log(b[name].to_numpy())
        assert x.mean() == pytest.approx(y.mean(), abs=4 * y.std() * np.sqrt(2 / ess)), name
        assert x.std() == pytest.approx(y.std(), rel=4 * np.sqrt(1 / ess)), name


@pytest.mark.full
def test_checks_pass(samples: dict[str, Posterior]) -> None:
    assert samples["importance"].checks["pareto_k"] < 0.7
    assert samples["importance"].checks["effective_share"] > 0.5
    assert samples["nuts"].checks["divergences"] == 0
    assert samples["nuts"].checks["min_ess"] > 2000
    assert all(post.passed for post in samples.values())
