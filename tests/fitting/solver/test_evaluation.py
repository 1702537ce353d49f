"""Evaluation: slopes and curvatures against differences, blocks of rows, forward mode."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.objective import Objective
from jscale.fitting.problem import BLOCK, Problem
from jscale.fitting.solver import evaluation
from jscale.fitting.solver.evaluation import evaluate, residuals, residuals_and_slopes
from jscale.fitting.solver.starts import automatic
from tests.worlds import chinchilla, scattered


def make(rows: int, objective: Objective | None = None) -> Problem:
    return chinchilla(scattered(rows), objective, seed=0)


@pytest.mark.full
@pytest.mark.parametrize("objective", [js.huber(), js.pseudo_huber(), js.least_squares()])
def test_slope_and_curvature_are_those_of_the_objective(objective: Objective) -> None:
    """Against differences of F and g; away from kinks, H is J'cJ without the law's own bend."""
    import jax

    made = make(20, objective)
    with float64_scope():
        theta = automatic(made, 1)[0]
        width = min(objective.width, 1e300)

        def value(t):
            return evaluate(made.model, t, made.weights, made.data, width).F

        at = evaluate(made.model, theta, made.weights, made.data, width)
        np.testing.assert_allclose(at.g, jax.grad(value)(theta), rtol=1e-9)
        step = 1e-6 * np.eye(5)
        slope = [(value(theta + s) - value(theta - s)) / 2e-6 for s in step]
        np.testing.assert_allclose(at.g, slope, rtol=1e-5, atol=1e-9)
        r = residuals(made.model, theta, made.data)
        J = jax.jacfwd(lambda t: residuals(made.model, t, made.data))(theta)
        *_, curvature = objective.terms(r, width)
        expected = (J * (made.weights * curvature)[:, None]).T @ J
        np.testing.assert_allclose(at.H, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.full
def test_a_law_without_reverse_mode_is_fitted_in_forward_mode() -> None:
    """A law with a loop of unknown length has only forward derivatives."""
    import jax

    @js.law(powers=(("A", "N", "alpha"),), linear=("E", "A"))
    def looped(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
        def body(state):
            return state[0] + 1, state[1] + js.power(N, -alpha)

        _, total = jax.lax.while_loop(lambda s: s[0] < 2, body, (0, 0.0 * N))
        return E + 0.5 * A * total

    table = js.simulate(
        "power_const:N", {"E": 1.0, "A": 50.0, "alpha": 0.3}, {"N": np.geomspace(1e3, 1e7, 16)},
        noise=0.002,
    )  # fmt: skip
    fit, plain = js.fit(looped, table), js.fit("power_const:N", table)
    assert fit.objective == pytest.approx(plain.objective, rel=1e-10)


@pytest.mark.full
def test_many_rows_are_summed_in_blocks_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with float64_scope():
        blocked = make(2 * BLOCK - 10)
        assert blocked.rows == 2 * BLOCK
        theta = automatic(blocked, 1)[0]
        several = evaluate(blocked.model, theta, blocked.weights, blocked.data, 1e-3)
        monkeypatch.setattr(evaluation, "BLOCK", 10 * BLOCK)
        whole = evaluate(blocked.model, theta, blocked.weights, blocked.data, 1e-3)
    for name in ("F", "g", "H", "M", "spread"):
        np.testing.assert_allclose(getattr(several, name), getattr(whole, name), rtol=1e-10)


@pytest.mark.full
def test_both_modes_of_differentiation_agree() -> None:
    """Rows of the Jacobian are coordinates; padding has slopes too, but no weight."""
    import jax

    made = make(20)
    with float64_scope():
        theta = automatic(made, 1)[0]
        r, J = residuals_and_slopes(made.model, theta, made.data)
        forward = jax.jacfwd(lambda t: residuals(made.model, t, made.data))(theta)
        np.testing.assert_allclose(J, forward.T, rtol=1e-10)
        np.testing.assert_allclose(r, residuals(made.model, theta, made.data), rtol=1e-14)
    assert J.shape == (5, made.rows)


@pytest.mark.full
def test_rows_without_weight_change_no_sum() -> None:
    made = make(20)
    with float64_scope():
        theta = automatic(made, 1)[0]
        at = evaluate(made.model, theta, made.weights, made.data, 1e-3)
        spoilt = made.data._replace(target=np.where(made.weights > 0, made.data.target, 99.0))
        again = evaluate(made.model, theta, made.weights, spoilt, 1e-3)
        twice = evaluate(made.model, theta, 2 * made.weights, made.data, 1e-3)
    for name in ("F", "g", "H", "M", "spread"):
        once, same, double = (np.asarray(getattr(x, name)) for x in (at, again, twice))
        np.testing.assert_array_equal(once, same)
        np.testing.assert_allclose(double, 2 * once, rtol=1e-12)


def test_where_rho_bends_down_its_curvature_counts_as_none() -> None:
    """Residuals beyond delta·√df of Student's t: M pulls in, H does not push away."""
    made = make(20, js.student_t(df=1.0, scale=1e-9))
    with float64_scope():
        theta = automatic(made, 1)[0]
        at = evaluate(made.model, theta, made.weights, made.data, 1e-9, (1.0,))
    H, M = np.asarray(at.H), np.asarray(at.M)
    np.testing.assert_array_equal(H, 0.0)
    assert np.linalg.eigvalsh(M).min() > -1e-9 * np.linalg.norm(M)
    assert np.diag(M).min() > 0
