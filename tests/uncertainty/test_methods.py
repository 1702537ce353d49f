"""The registered methods: each draws as the function of its name does."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.data.resampling import Units
from jscale.fitting import draw_methods


@pytest.mark.filterwarnings("ignore:.*near-l1:jscale.errors.FitWarning")
def test_each_draws_as_its_function_does(fit: js.Fit) -> None:
    expected = {
        "bayesian": js.bootstrap(fit, 20, kind="bayesian", seed=3),
        "bootstrap": js.bootstrap(fit, 20, kind="pairs", seed=3),
        "laplace": js.laplace(fit, 20, seed=3),
        "jackknife": js.jackknife(fit, 20, seed=3),
    }
    for name, draws in expected.items():
        method = draw_methods.get(name)
        found = method.draw(fit, 20, 3, False)
        assert found.method == draws.method
        np.testing.assert_array_equal(found.values, draws.values)
        assert method.resampled == draws.resampled, name


@pytest.mark.parametrize("name", ["bayesian", "bootstrap"])
def test_weights_are_counts_of_units_or_smooth(name: str) -> None:
    unit = np.array([0, 0, 1, 2, 3, 4])
    units = Units(unit, np.zeros(6, dtype=int))
    weigh = draw_methods.get(name).weigh
    assert weigh is not None
    weights = weigh(units, 400, np.random.default_rng(0))
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])
    assert weights.mean() == pytest.approx(1.0, abs=0.05)
    whole = (weights == np.round(weights)).all()
    assert whole == (name == "bootstrap")


def test_only_refits_and_the_normal_approximation_draw_many_sets_at_once() -> None:
    assert draw_methods.names(batched=True)[:3] == ["bayesian", "bootstrap", "laplace"]
    assert not draw_methods.get("jackknife").batched
