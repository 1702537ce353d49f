"""jscale's own methods: their order, their words, and what they come down to.

What all registered methods promise is in ``tests/conformance/test_methods.py``.
"""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.data.resampling import Units

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def test_the_names_that_method_takes() -> None:
    names = ["bayesian", "bootstrap", "laplace", "jackknife"]
    assert js.methods.names()[:4] == names
    assert js.methods.names(batched=True)[:3] == names[:3]
    assert [js.methods.get(name).resampled for name in names] == [True, True, False, False]


def test_they_are_the_functions_of_these_kinds() -> None:
    C = {"C": np.geomspace(1e17, 1e21, 12)}
    runs = js.simulate("power", {"A": 50.0, "alpha": 0.07}, C, noise=0.01)
    fit = js.fit("power", runs, objective=js.pseudo_huber(1e-2))
    for name, drawn in {
        "bayesian": js.bootstrap(fit, 20, kind="bayesian", seed=4),
        "bootstrap": js.bootstrap(fit, 20, seed=4),
        "laplace": js.laplace(fit, 20, seed=4),
        "jackknife": js.jackknife(fit, 20, seed=4),
    }.items():
        np.testing.assert_array_equal(
            js.draws(fit, name, resamples=20, seed=4).values, drawn.values
        )


def test_weights_of_many_sets_are_those_of_their_resamples() -> None:
    units = Units(np.array([0, 0, 1, 2]), np.zeros(4, dtype=int))
    for name, whole in (("bootstrap", True), ("bayesian", False)):
        weigh = js.methods.get(name).weigh
        assert weigh is not None
        weights = weigh(units, 50, np.random.default_rng(0))
        assert weights.shape == (50, 4)
        np.testing.assert_array_equal(weights[:, 0], weights[:, 1])
        np.testing.assert_allclose(weights[:, 1:].sum(axis=1), 3.0)
        assert bool((weights == weights.round()).all()) is whole
