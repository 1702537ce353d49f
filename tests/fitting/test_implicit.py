"""differentiable: derivatives against differences of refits, under every transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.errors import DataError, JscaleError, LawError
from jscale.fitting.implicit import differentiable
from jscale.fitting.local import second_order

DESIGN = pd.DataFrame({"C": np.geomspace(1e17, 1e22, 30)})
PLANTED = {"E": 1.7, "A": 900.0, "alpha": 0.15}
# No residual comes within a step of a kink; the solver ends at rounding, so that a central
# difference is right to about its step squared, and rounding over the step.
STEP = 1e-5
OBJECTIVES = {
    "pseudo_huber": js.pseudo_huber(1e-2),
    "least_squares": js.least_squares(),
    "huber": js.huber(1e-2),
}


@pytest.fixture(autouse=True)
def _float64() -> Any:
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    return js.simulate("power_const", PLANTED, DESIGN, noise=0.01, seed=2)


@pytest.fixture(scope="module")
def fits(runs: js.Runs) -> dict[str, js.Fit]:
    return {
        name: js.fit("power_const", runs, objective=objective, starts=8)
        for name, objective in OBJECTIVES.items()
    }


@pytest.fixture(scope="module")
def surface() -> js.Fit:
    table = js.datasets.load("stdlib_lm")
    return js.fit("chinchilla", table[table["split"] == "fit"], objective="pseudo_huber", starts=8)


def whole(fit: js.Fit) -> Callable[[Any], Any]:
    """The fit as a function of ln target, weights and ln inputs, one after another."""
    refit, n, inputs = differentiable(fit), len(fit.runs), fit.law.inputs

    def function(x: Any) -> Any:
        parts = x.reshape(-1, n)
        named = {k: jnp.exp(v) for k, v in zip(inputs, parts[2:], strict=True)}
        values = refit(target=jnp.exp(parts[0]), weights=parts[1], inputs=named)
        return jnp.stack([values[name] for name in fit.law.names])

    return function


def given(fit: js.Fit) -> np.ndarray:
    columns = [np.log(fit.runs[x]) for x in fit.law.inputs]
    return np.concatenate([np.log(fit.runs["loss"]), np.ones(len(fit.runs)), *columns])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_derivatives_are_differences_of_refits(fits: dict[str, js.Fit], name: str) -> None:
    """Of every parameter by every number of the table; and vmap of jit gives what jit gives."""
    fit = fits[name]
    function, x = whole(fit), given(fit)
    exact = jax.jit(jax.jacrev(function))(x)
    steps = STEP * np.eye(len(x))
    up, down = np.split(jax.jit(jax.vmap(function))(np.concatenate([x + steps, x - steps])), 2)
    numeric = ((up - down) / (2 * STEP)).T
    size = np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose(exact / size, numeric / size, rtol=0, atol=2e-7)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_it_is_the_fit_and_its_second_order(fits: dict[str, js.Fit], name: str) -> None:
    fit = fits[name]
    values = differentiable(fit)()
    assert list(values) == list(dict.fromkeys((*values,)))
    for parameter, value in values.items():
        assert float(value) == pytest.approx(fit.params[parameter], rel=1e-7)
    local = second_order(fit.problem, fit.theta, smoothed=False)
    by_target = jax.jit(jax.jacrev(whole(fit)))(given(fit))[:, : len(fit.runs)]
    np.testing.assert_allclose(
        by_target,
        local.slope @ local.by_targets().T,
        rtol=2e-5,
        atol=1e-6 * np.abs(by_target).max(),
    )


def test_values_are_those_of_a_fit_of_the_changed_table(runs: js.Runs) -> None:
    """Far from the table it was made from: losses 5 % off in a pattern, some weights zero."""
    fit = js.fit("power_const", runs, objective=js.pseudo_huber(1e-2), starts=8)
    n = len(runs)
    loss = runs["loss"] * (1 + 0.05 * np.sin(np.arange(n)))
    weights = np.where(np.arange(n) % 5 == 0, 0.0, 1.0 + np.arange(n) / n)
    C = runs["C"] * np.exp(0.3 * np.cos(np.arange(n)))
    values = differentiable(fit)(target=loss, weights=weights, inputs={"C": C})
    again = js.fit(
        "power_const", pd.DataFrame({"C": C, "loss": loss}), weights=weights,
        objective=js.pseudo_huber(1e-2), starts=8,
    )  # fmt: skip
    for name, value in values.items():
        assert float(value) == pytest.approx(again.params[name], rel=1e-6)


def test_transformations_agree(fits: dict[str, js.Fit]) -> None:
    """grad, vmap(grad), jit(vmap(grad)), jvp and jacfwd are all the same derivative."""
    fit = fits["pseudo_huber"]
    refit, y = differentiable(fit), fit.runs["loss"]

    def alpha(loss: Any) -> Any:
        return refit(target=loss)["alpha"]

    tables = np.stack([y, 1.01 * y, y * (1 + 0.01 * np.cos(np.arange(len(y))))])
    alone = np.stack([jax.grad(alpha)(table) for table in tables])
    np.testing.assert_allclose(jax.vmap(jax.grad(alpha))(tables), alone, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(jax.grad(alpha)))(tables), alone, rtol=1e-8, atol=1e-12
    )
    _, along = jax.jvp(alpha, (y,), (np.ones_like(y),))
    assert float(along) == pytest.approx(alone[0].sum(), rel=1e-8)
    np.testing.assert_allclose(jax.jacfwd(alpha)(y), alone[0], rtol=1e-8, atol=1e-12)


def test_second_derivatives_are_differences_of_first(fits: dict[str, js.Fit]) -> None:
    fit = fits["least_squares"]
    refit, y = differentiable(fit), fit.runs["loss"]
    pattern = np.sin(np.arange(len(y)))

    def E(c: Any) -> Any:
        return refit(target=y * jnp.exp(c * pattern))["E"]

    slope = jax.jit(jax.grad(E))
    numeric = (slope(1e-4) - slope(-1e-4)) / 2e-4
    assert float(jax.hessian(E)(0.0)) == pytest.approx(float(numeric), rel=1e-5)


def test_axes_within_axes_are_lanes(fits: dict[str, js.Fit]) -> None:
    """Scaled losses scale E and A, and scaled weights nothing."""
    fit = fits["pseudo_huber"]
    refit, y = differentiable(fit), fit.runs["loss"]

    def one(a: Any, b: Any) -> Any:
        return refit(target=y * a, weights=jnp.full(len(y), b))

    a, b = np.array([0.9, 1.0, 1.2]), np.array([1.0, 5.0])
    found = jax.vmap(jax.vmap(one, in_axes=(0, None)), in_axes=(None, 0))(a, b)
    for name, factor in (("E", a), ("A", a), ("alpha", np.ones(3))):
        np.testing.assert_allclose(
            found[name], fit.params[name] * np.stack([factor] * 2), rtol=1e-6
        )


def test_scaling_all_losses_scales_every_prediction(surface: js.Fit) -> None:
    """The slopes of ln prediction by ln loss sum to one; by weight times weight, to zero."""
    refit, runs = differentiable(surface), surface.runs

    def curve(log_loss: Any, weights: Any) -> Any:
        v = refit(target=jnp.exp(log_loss), weights=weights)
        return jnp.log(v["E"] + v["A"] * 1e6 ** -v["alpha"] + v["B"] * 1e8 ** -v["beta"])

    ones = np.ones(len(runs))
    by_loss, by_weight = jax.grad(curve, argnums=(0, 1))(np.log(runs["loss"]), ones)
    assert float(by_loss.sum()) == pytest.approx(1.0, abs=1e-9)
    assert float(by_weight.sum()) == pytest.approx(0.0, abs=1e-9)


# Where there is no derivative, and wrong arguments


def test_derivatives_at_a_kink_are_nan(runs: js.Runs) -> None:
    fit = js.fit("power_const", runs, objective=js.least_absolute(), starts=8)
    refit = differentiable(fit)
    value, slope = jax.value_and_grad(lambda y: refit(target=y)["alpha"])(runs["loss"])
    assert float(value) == pytest.approx(fit.params["alpha"], rel=1e-6)
    assert np.isnan(slope).all()


def test_a_table_that_determines_nothing_is_nan(fits: dict[str, js.Fit]) -> None:
    """One lane with weight on a single row; the other lane is as if alone."""
    fit = fits["pseudo_huber"]
    refit = differentiable(fit)
    one = np.zeros(len(fit.runs))
    one[4] = 1.0

    def alpha(weights: Any) -> Any:
        return refit(weights=weights)["alpha"]

    slopes = jax.vmap(jax.grad(alpha))(np.stack([one, np.ones(len(one))]))
    assert np.isnan(slopes[0]).all()
    assert np.isfinite(slopes[1]).all()


def test_arguments_that_do_not_fit(fits: dict[str, js.Fit]) -> None:
    refit = differentiable(fits["pseudo_huber"])
    with pytest.raises(DataError, match=r"target has shape \(3,\); it must be \(30,\).*jax.vmap"):
        refit(target=np.ones(3))
    with pytest.raises(DataError, match=r"weights has shape \(\); it must be \(30,\)"):
        refit(weights=1.0)
    with pytest.raises(DataError, match=r"C has shape \(2, 30\)"):
        refit(inputs={"C": np.ones((2, 30))})
    with pytest.raises(LawError, match=r"has no input c\. Did you mean 'C'"):
        refit(inputs={"c": np.ones(30)})


def test_outside_the_scope_it_says_how(fits: dict[str, js.Fit]) -> None:
    with (
        jax.enable_x64(False),
        pytest.raises(JscaleError, match=r"needs float64.*with jax.enable_x64\(True\)"),
    ):
        differentiable(fits["pseudo_huber"])()
