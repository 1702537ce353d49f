"""Constrained refits: the quantity's coordinate, its slope, and fits that meet a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.solver.gauss_newton import WARM, Status, descend
from jscale.uncertainty.constrained import constrain
from jscale.uncertainty.profile import profile


@pytest.mark.full
def test_of_one_groups_parameter(runs):
    """With all parameters but E shared, E[b] moves only with b's runs; b lies a tenth higher."""
    frames = [runs.frame.assign(family=f, loss=runs["loss"] * k) for f, k in (("a", 1), ("b", 1.1))]
    fit = js.fit("chinchilla", pd.concat(frames, ignore_index=True), per={"E": "family"})
    found = profile(fit, "E[b]")
    assert found.name == "E[b]"
    assert found.estimate == pytest.approx(fit.params["E[b]"])
    np.testing.assert_allclose(found.table["value"], found.table["E[b]"], rtol=1e-9)
    low, high = found.interval()
    assert low < fit.params["E[b]"] < high
    curve = profile(fit, {"N": 1e9, "D": 2e10, "family": "a"})
    inputs = {"N": 1e9, "D": 2e10, "E": fit.params["E[a]"]}
    rest = {name: fit.params[name] for name in ("A", "alpha", "B", "beta")}
    assert curve.estimate == pytest.approx(fit.law(**inputs, **rest))
    with pytest.raises(js.JscaleError, match=r"has no one value .*E does here\. Name .* 'E\[a\]'"):
        profile(fit, lambda p: p["alpha"])


def test_unknown_names(fit):
    wrong = (
        r"combination 'alhpa' to profile\. Did you mean 'alpha'\? There are E, A, alpha, .*N\* ex"
    )
    with pytest.raises(js.JscaleError, match=wrong):
        profile(fit, "alhpa")
    with pytest.raises(js.JscaleError, match=r"combination 3 to profile"):
        profile(fit, 3)  # type: ignore[arg-type]


@pytest.mark.full
def test_a_fixed_parameter(runs):
    fit = js.fit("chinchilla", runs, fixed={"E": 1.7})
    with pytest.raises(js.JscaleError, match=r"E is fixed in this fit: .* leave it out of fixed="):
        profile(fit, "E")
    assert profile(fit, "alpha").table["E"].eq(1.7).all()


def test_functions_that_are_none(fit):
    def broken(p):
        return p["gamma"]

    with pytest.raises(js.JscaleError, match=r"broken failed when traced: KeyError: .* p\['E'\]"):
        profile(fit, broken)
    import jax.numpy as jnp

    def pair(p):
        return jnp.stack([p["alpha"], p["beta"]])

    with pytest.raises(js.JscaleError, match=r"pair returned an array of shape \(2,\)"):
        profile(fit, pair)
    with pytest.raises(js.JscaleError, match=r"does not depend on any free parameter"):
        profile(fit, lambda p: 0.0 * p["alpha"])


def test_inputs_that_are_no_single_prediction(fit):
    with pytest.raises(js.JscaleError, match=r"of one prediction, not of 2: give numbers"):
        profile(fit, {"N": [1e9, 2e9], "D": 1e11})
    with pytest.raises(js.PredictionError, match=r"D is missing"):
        profile(fit, {"N": 1e9})


def test_a_point_without_inputs(fit):
    with pytest.raises(js.PredictionError, match=r"profile\(fit, \{'N': …, 'D': …\}\)") as caught:
        js.profile(fit, {})
    assert "at=" not in str(caught.value)


QUANTITIES = {
    "alpha": (lambda p, law: np.log(p["alpha"])),
    "curve": (lambda p, law: np.log(law(1e9, 1e11, **p))),
    "function": (lambda p, law: p["beta"] / (p["alpha"] + p["beta"])),
}


def what(name: str):
    given = {
        "curve": {"N": 1e9, "D": 1e11},
        "function": lambda p: p["beta"] / (p["alpha"] + p["beta"]),
    }
    return given.get(name, name)


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_quantity_is_measured_in_its_coordinate(fit, name) -> None:
    """The logarithm of a positive parameter or output; a function as it is."""
    with float64_scope():
        quantity = constrain(fit, what(name))
        expected = QUANTITIES[name](fit.params, fit.law)
        assert quantity.centre == pytest.approx(expected, rel=1e-12)
        step = 1e-6 * np.eye(5)
        slope = (quantity.at(fit.theta + step) - quantity.at(fit.theta - step)) / 2e-6
        np.testing.assert_allclose(quantity.slope, slope, rtol=1e-6, atol=1e-9)


@pytest.mark.full
@pytest.mark.parametrize("name", QUANTITIES)
def test_refits_with_a_pseudo_observation_meet_the_value(fit, name) -> None:
    """And their real runs' objective is no lower than that of the fit."""
    with float64_scope():
        quantity = constrain(fit, what(name))
        error = float(np.sqrt(quantity.slope @ fit.theta_covariance @ quantity.slope))
        wanted = quantity.centre + error * np.array([-1.0, 0.0, 0.5])
        problems = quantity.problems(wanted, error, curvature=fit.objective / error**2)
        starts = np.repeat(fit.theta[None], 3, axis=0)
        lanes = descend(problems, starts, family=np.arange(3), settings=WARM)
        assert (lanes.status == Status.CONVERGED).all()
        np.testing.assert_allclose(quantity.at(lanes.theta), wanted, atol=1e-2 * error)
        objectives = quantity.objectives(lanes.theta)
    assert objectives[1] == pytest.approx(fit.objective, rel=1e-6)
    assert (objectives >= fit.objective * (1 - 1e-9)).all()
    assert objectives[0] > objectives[1] < objectives[2]


def test_the_real_rows_stay_as_they_are(fit) -> None:
    with float64_scope():
        quantity = constrain(fit, "beta")
        stacked = quantity.problems(np.array([quantity.centre]), 0.1, 1.0)
    n = fit.problem.n
    for own, real in zip(stacked.data.inputs, fit.problem.data.inputs, strict=False):
        np.testing.assert_array_equal(np.asarray(own)[0, :n], np.asarray(real)[:n])
    np.testing.assert_array_equal(stacked.weights[0, :n], fit.problem.weights[:n])
    assert stacked.weights[0, n] > 0
    assert not stacked.weights[0, n + 1 :].any()
