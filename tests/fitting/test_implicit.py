"""differentiable: derivatives against differences of refits, under every transformation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.errors import DataError, JscaleError, LawError
from jscale.fitting.implicit import differentiable
from jscale.fitting.second_order import second_order

DESIGN = pd.DataFrame({"C": np.geomspace(1e17, 1e22, 30)})
PLANTED = {"E": 1.7, "A": 900.0, "alpha": 0.15}
# No residual comes within a step of a kink; the solver ends at rounding, so that a central
# difference is right to about its step squared, and rounding over the step.
STEP = 1e-5
OBJECTIVES = {
    "pseudo_huber": js.pseudo_huber(1e-2),
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


@pytest.fixture(scope="module")
def jacobians(fits: dict[str, js.Fit]) -> dict[str, np.ndarray]:
    """The derivatives of every parameter by every number of the table, (q, 3n)."""
    with jax.enable_x64(True):
        return {
            name: np.asarray(jax.jit(jax.jacrev(whole(fit)))(given(fit)))
            for name, fit in fits.items()
        }


@pytest.mark.full
def test_derivatives_are_differences_of_refits(
    fits: dict[str, js.Fit], jacobians: dict[str, np.ndarray]
) -> None:
    fit, exact = fits["pseudo_huber"], jacobians["pseudo_huber"]
    x = given(fit)
    steps = STEP * np.eye(len(x))
    function = jax.jit(jax.vmap(whole(fit)))
    up, down = np.split(np.asarray(function(np.concatenate([x + steps, x - steps]))), 2)
    numeric = ((up - down) / (2 * STEP)).T
    size = np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose(exact / size, numeric / size, rtol=0, atol=2e-7)


@pytest.mark.full
@pytest.mark.parametrize("name", OBJECTIVES)
def test_derivatives_are_those_of_the_second_order(
    fits: dict[str, js.Fit], jacobians: dict[str, np.ndarray], name: str
) -> None:
    """Two ways to one number: local's parts by hand, and the rule through JAX's."""
    fit, exact = fits[name], jacobians[name]
    local = second_order(fit.problem, fit.theta, smoothed=False)
    by_log_input = local.by_inputs()[:, 0] * fit.runs["C"][:, None]
    moves = np.concatenate([local.by_targets(), local.by_weights(), by_log_input])
    size = np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose((local.slope @ moves.T) / size, exact / size, rtol=0, atol=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("name", OBJECTIVES)
def test_identities(fits: dict[str, js.Fit], jacobians: dict[str, np.ndarray], name: str) -> None:
    """All losses scaled scale E and A; all weights scaled, nothing; all C scaled, A."""
    E, A, alpha = fits[name].params
    by_loss, by_weight, by_C = jacobians[name].reshape(3, 3, -1).sum(axis=2).T
    size = np.array([E, A, 1.0])
    np.testing.assert_allclose(by_loss / size, [1.0, 1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(by_weight / size, 0.0, atol=1e-9)
    np.testing.assert_allclose(by_C / size, [0.0, alpha, 0.0], atol=1e-9)


@pytest.mark.full
def test_it_is_the_fit(fits: dict[str, js.Fit]) -> None:
    fit = fits["pseudo_huber"]
    values = differentiable(fit)()
    assert set(values) == set(fit.law.names)
    for name, value in values.items():
        assert float(value) == pytest.approx(fit.params[name], rel=1e-7)


def test_values_are_those_of_a_fit_of_the_changed_table(fits: dict[str, js.Fit]) -> None:
    """Far from the table it was made from: losses 5% off in a pattern, some weights zero."""
    fit = fits["pseudo_huber"]
    n = len(fit.runs)
    loss = fit.runs["loss"] * (1 + 0.05 * np.sin(np.arange(n)))
    weights = np.where(np.arange(n) % 5 == 0, 0.0, 1.0 + np.arange(n) / n)
    C = fit.runs["C"] * np.exp(0.3 * np.cos(np.arange(n)))
    values = differentiable(fit)(target=loss, weights=weights, inputs={"C": C})
    again = js.fit(
        "power_const", pd.DataFrame({"C": C, "loss": loss}), weights=weights,
        objective=OBJECTIVES["pseudo_huber"], starts=8,
    )  # fmt: skip
    for name, value in values.items():
        assert float(value) == pytest.approx(again.params[name], rel=1e-6)


@pytest.mark.full
def test_lanes_of_gradients_do_not_disturb_each_other(
    fits: dict[str, js.Fit], jacobians: dict[str, np.ndarray]
) -> None:
    """vmap(grad): the second lane has weight on one row only, which determines nothing."""
    fit, n = fits["pseudo_huber"], len(fits["pseudo_huber"].runs)
    refit = differentiable(fit)
    weights = np.ones((3, n))
    weights[1] = np.arange(n) == 4
    weights[2] *= 3.0
    slopes = jax.vmap(jax.grad(lambda w: refit(weights=w)["alpha"]))(weights)
    alone = jacobians["pseudo_huber"][2, n : 2 * n]
    np.testing.assert_allclose(slopes[0], alone, rtol=1e-6, atol=1e-9 * np.abs(alone).max())
    assert np.isnan(slopes[1]).all()
    np.testing.assert_allclose(slopes[2], alone / 3, rtol=1e-6, atol=1e-9 * np.abs(alone).max())


@pytest.mark.full
def test_second_derivatives_are_differences_of_values(fits: dict[str, js.Fit]) -> None:
    fit = fits["pseudo_huber"]
    refit, y = differentiable(fit), fit.runs["loss"]
    pattern = np.sin(np.arange(len(y)))

    def E(c: Any) -> Any:
        return refit(target=y * jnp.exp(c * pattern))["E"]

    h = 1e-4
    numeric = (float(E(h)) - 2 * float(E(0.0)) + float(E(-h))) / h**2
    assert float(jax.hessian(E)(0.0)) == pytest.approx(numeric, rel=1e-3)


@pytest.mark.full
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


# Where there is no derivative, and wrong arguments


@pytest.mark.full
def test_derivatives_at_a_kink_are_nan(fits: dict[str, js.Fit]) -> None:
    fit = fits["pseudo_huber"]
    kinked = replace(fit, settings=replace(fit.settings, objective=js.least_absolute()))
    refit = differentiable(kinked)
    assert np.isnan(jax.grad(lambda y: refit(target=y)["alpha"])(fit.runs["loss"])).all()


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
