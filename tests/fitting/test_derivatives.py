"""Derivatives of a fit: against refits, under every transformation, and where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js

TRUTH = {"E": 1.7, "A": 50.0, "alpha": 0.3}
N = np.geomspace(1e3, 1e7, 24)


def table(noise: float = 0.01) -> js.Runs:
    return js.simulate("power_const:N", TRUTH, {"N": N}, noise=noise, seed=0)


@pytest.fixture(scope="module")
def smooth() -> js.Fit:
    return js.fit("power_const:N", table(), objective=js.pseudo_huber(0.02))


@pytest.fixture(scope="module")
def refit(smooth: js.Fit):
    return js.differentiable(smooth)


def test_the_fit_itself_comes_back(smooth: js.Fit, refit) -> None:
    import jax

    with jax.enable_x64(True):
        values = refit()
        moved = refit(target=np.asarray(smooth.runs["loss"]) * 1.01)
    for name in TRUTH:
        assert float(values[name]) == pytest.approx(smooth.params[name], rel=1e-8)
    # All losses one percent higher: so are E and A, and alpha is the same.
    assert float(moved["E"]) == pytest.approx(1.01 * smooth.params["E"], rel=1e-8)
    assert float(moved["alpha"]) == pytest.approx(smooth.params["alpha"], rel=1e-7)


@pytest.mark.parametrize("what", ["target", "weights", "inputs"])
def test_gradients_are_those_of_refits(smooth: js.Fit, refit, what: str) -> None:
    import jax

    at = {"target": smooth.runs["loss"], "weights": np.ones(24), "inputs": smooth.runs["N"]}[what]

    def alpha(values):
        given = {"N": values} if what == "inputs" else values
        return refit(**{what: given})["alpha"]

    with jax.enable_x64(True):
        slope = np.asarray(jax.grad(alpha)(at))
        for row in (0, 7, 23):
            step = np.zeros(24)
            step[row] = 1e-4 * at[row]
            numeric = (alpha(at + step) - alpha(at - step)) / (2 * step[row])
            assert slope[row] == pytest.approx(float(numeric), rel=1e-5, abs=1e-12)


def test_transformations_compose(smooth: js.Fit, refit) -> None:
    import jax

    y = np.asarray(smooth.runs["loss"])

    def alpha(target):
        return refit(target=target)["alpha"]

    with jax.enable_x64(True):
        one = jax.grad(alpha)(y)
        batch = np.stack([y, 1.001 * y, y[::-1]])
        many = jax.vmap(jax.grad(alpha))(batch)
        np.testing.assert_allclose(many[0], one, rtol=1e-8)
        np.testing.assert_allclose(jax.jacrev(alpha)(y), one, rtol=1e-10)
        np.testing.assert_allclose(jax.jacfwd(alpha)(y), one, rtol=1e-8)
        np.testing.assert_allclose(jax.jit(jax.grad(alpha))(y), one, rtol=1e-10)
        values = jax.vmap(alpha)(batch)
        assert float(values[0]) == pytest.approx(smooth.params["alpha"], rel=1e-9)
        curvature = jax.hessian(alpha)(y)
        step = 1e-4 * y[3] * np.eye(24)[3]
        numeric = (jax.grad(alpha)(y + step) - jax.grad(alpha)(y - step)) / (2e-4 * y[3])
        np.testing.assert_allclose(
            curvature[3], numeric, rtol=1e-3, atol=1e-4 * np.abs(numeric).max()
        )


def test_all_weights_together_change_nothing(smooth: js.Fit, refit) -> None:
    import jax

    with jax.enable_x64(True):
        slope = jax.grad(lambda w: refit(weights=w)["E"])(np.ones(24))
    assert abs(float(slope.sum())) < 1e-8 * float(np.abs(slope).sum())


def test_bad_arguments_are_refused(smooth: js.Fit, refit) -> None:
    import jax

    with pytest.raises(js.JscaleError, match="needs float64, but JAX computes in float32 here"):
        refit()
    with jax.enable_x64(True):
        with pytest.raises(js.DataError, match=r"target has shape \(3,\); it must be \(24,\)"):
            refit(target=np.ones(3))
        with pytest.raises(js.LawError, match="power_const:N has no input D"):
            refit(inputs={"D": np.ones(24)})


def test_there_is_no_derivative_at_a_vertex() -> None:
    """Least absolute deviations end at a kink: NaN in compiled code, an error elsewhere."""
    import jax

    fit = js.fit("power_const:N", table(), objective=js.least_absolute())
    with jax.enable_x64(True):
        slope = jax.grad(lambda y: js.differentiable(fit)(target=y)["alpha"])(fit.runs["loss"])
    assert np.isnan(slope).all()
    with pytest.raises(js.NotDifferentiable):
        js.influence(fit, smoothed=False)
    assert np.isfinite(js.influence(fit).parameters).all(axis=None)


def test_influence_is_the_change_without_a_run(smooth: js.Fit) -> None:
    """First order: the change for a weight of 0.999, a thousand times; and for a whole run near."""
    found = js.influence(smooth, at={"N": [5e7]})
    assert found.parameters.shape == (24, 3)
    for row in (2, 11, 20):
        weights = np.ones(24)
        weights[row] = 0.999
        less = js.fit(
            "power_const:N", smooth.runs, objective=js.pseudo_huber(0.02), weights=weights
        )
        change = 1000 * (less.params - smooth.params)
        np.testing.assert_allclose(found.parameters.iloc[row], change, rtol=0.02, atol=1e-7)
        curve = js.predict(less, N=5e7, method=None).to_frame()["curve"].iloc[0]
        before = js.predict(smooth, N=5e7, method=None).to_frame()["curve"].iloc[0]
        assert float(found.predictions.iloc[row, 0]) == pytest.approx(
            1000 * (curve - before), rel=0.02, abs=1e-7
        )


def test_the_most_influential_run_is_the_outlier(smooth: js.Fit) -> None:
    frame = smooth.runs.frame.copy()
    frame.loc[23, "loss"] *= 1.08
    spoilt = js.fit("power_const:N", frame, objective=js.least_squares())
    assert js.influence(spoilt).most(1).index[0] == 23


def test_sensitivity_to_an_error_common_to_all_rows(smooth: js.Fit) -> None:
    """All N counted 10 % high: alpha and E stay, A moves by alpha·10 %."""
    frame = js.sensitivity(smooth, N=0.1, common=True).to_frame()
    A, alpha = smooth.params["A"], smooth.params["alpha"]
    column = frame["N"]
    assert column["A"] == pytest.approx(0.1 * alpha * A, rel=1e-4)
    assert abs(column["alpha"]) < 1e-6
    assert abs(column["E"]) < 1e-6


def test_sensitivity_to_independent_errors_is_that_of_refits() -> None:
    """The sd over refits with N jittered by 1 % per row, on runs without other noise."""
    fit = js.fit("power_const:N", table(0.003), objective=js.least_squares())
    said = js.sensitivity(fit, N=0.01).to_frame()["N"]
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        frame = fit.runs.frame.assign(N=fit.runs["N"] * np.exp(0.01 * rng.standard_normal(24)))
        found.append(js.fit("power_const:N", frame, objective=js.least_squares(), starts=2).params)
    sd = pd.DataFrame(found).std()
    np.testing.assert_allclose(said[sd.index], sd, rtol=0.35)


def test_sensitivity_wants_columns_it_knows(smooth: js.Fit) -> None:
    with pytest.raises(js.JscaleError, match="D"):
        js.sensitivity(smooth, D=0.1)
    with pytest.raises(js.JscaleError):
        js.sensitivity(smooth, N=-0.1)
