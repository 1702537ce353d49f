"""Second order: the exact Hessian and how the optimum moves, against differences and refits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.errors import NotDifferentiable
from jscale.fitting.problem import Problem
from jscale.fitting.second_order import (
    SecondOrder,
    prediction_slopes,
    second_order,
    slope_of_objective,
)
from jscale.fitting.solver.gauss_newton import WARM, solve
from tests.worlds import line, real_fit


@pytest.fixture(scope="module")
def smooth() -> js.Fit:
    return real_fit(js.pseudo_huber(1e-2))


@pytest.fixture(scope="module")
def huber() -> js.Fit:
    return real_fit(js.huber(1e-2))


def expand(
    fit: js.Fit, smoothed: bool | str = False, problem: Problem | None = None
) -> SecondOrder:
    with float64_scope():
        return second_order(problem or fit.problem, fit.theta, smoothed=smoothed)


def changed(problem: Problem, row: int, column: str | int, by: float) -> Problem:
    """The problem with one row's target or input (a number) changed, by a factor e^by."""
    data = problem.data
    if column == "target":
        target = np.array(data.target)
        target[row] += by
        return replace(problem, data=data._replace(target=target))
    inputs = [np.array(x) for x in data.inputs]
    inputs[int(column)][row] *= np.exp(by)
    return replace(problem, data=data._replace(inputs=tuple(inputs)))


def refit(problem: Problem, theta: np.ndarray) -> np.ndarray:
    with float64_scope():
        return solve(problem, theta[None], settings=WARM).theta[0]


def test_hessian_is_the_difference_of_slopes(smooth: js.Fit) -> None:
    """Away from the optimum too, where the law's own bend matters."""
    import jax

    problem, away = smooth.problem, smooth.theta + 0.05
    with float64_scope():
        g = jax.jit(
            lambda t: slope_of_objective(
                problem.model, t, problem.weights, problem.data, problem.objective.width, ()
            )
        )
        steps = 1e-6 * np.eye(len(away))
        numeric = np.array([(g(away + s) - g(away - s)) / 2e-6 for s in steps])
        H = second_order(problem, away).hessian
    np.testing.assert_allclose(H, numeric, rtol=1e-6, atol=1e-7 * np.abs(H).max())
    bend = expand(smooth).bend
    assert np.abs(bend).max() > 1e-4 * np.abs(H).max()


@pytest.mark.parametrize("column", ["target", 0, 1])
@pytest.mark.parametrize("which", ["smooth", "huber"])
def test_moves_are_those_of_refits(
    which: str, column: str | int, request: pytest.FixtureRequest
) -> None:
    """Central differences of refits, a thousandth of a percent of a row's N, D or loss.

    Refits end within 1e-8 standard errors, so differences are right to about 1e-3 of one per
    unit; a step is small enough that no residual crosses Huber's kink in these rows.
    """
    fit = request.getfixturevalue(which)
    local, step = expand(fit), 1e-5
    if column == "target":
        exact = local.by_targets()
    else:
        k = int(column)
        exact = (
            local.by_inputs()[:, k]
            * np.asarray(fit.problem.data.inputs[k])[: local.problem.n, None]
        )
    errors = np.sqrt(np.diag(fit.theta_covariance))
    for row in (0, 17, 60):
        up, down = (refit(changed(fit.problem, row, column, s), fit.theta) for s in (step, -step))
        numeric = (up - down) / (2 * step)
        np.testing.assert_allclose(exact[row] / errors, numeric / errors, rtol=1e-4, atol=2e-3)


def test_moves_by_weights_are_those_of_refits(smooth: js.Fit) -> None:
    exact = expand(smooth).by_weights()
    for row in (0, 17, 60):
        weights = np.ones((2, smooth.problem.n))
        weights[:, row] += [1e-3, -1e-3]
        with float64_scope():
            up, down = solve(
                smooth.problem, np.stack([smooth.theta] * 2), weights=weights, settings=WARM
            ).theta
        np.testing.assert_allclose(exact[row], (up - down) / 2e-3, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("which", ["smooth", "huber"])
@pytest.mark.parametrize("smoothed", [False, True])
def test_scaling_all_losses_scales_all_predictions(
    which: str, smoothed: bool, request: pytest.FixtureRequest
) -> None:
    """E, A and B scale with the loss, so d ln prediction/d ln loss sums to one over rows."""
    local = expand(request.getfixturevalue(which), smoothed)
    total = local.jacobian @ local.by_targets().sum(axis=0)
    np.testing.assert_allclose(total, 1.0, rtol=1e-9)


@pytest.mark.parametrize("which", ["smooth", "huber"])
def test_scaling_all_weights_moves_nothing(which: str, request: pytest.FixtureRequest) -> None:
    fit = request.getfixturevalue(which)
    local = expand(fit)
    total = local.weights @ local.by_weights()
    assert np.abs(total / np.sqrt(np.diag(fit.theta_covariance))).max() < 1e-6


def test_rows_in_another_order_and_padding_change_nothing(huber: js.Fit) -> None:
    order = np.random.default_rng(0).permutation(huber.problem.n)
    there, here = (
        expand(huber, problem=huber.problem.part(order, huber.problem.rows)),
        expand(huber),
    )
    for name in ("by_weights", "by_targets", "by_inputs"):
        moved, still = getattr(there, name)(), getattr(here, name)()[order]
        np.testing.assert_allclose(moved, still, rtol=1e-7, atol=1e-9 * np.abs(still).max())


def test_slopes_of_predictions_at_the_runs_are_the_jacobian(huber: js.Fit) -> None:
    data, local = huber.problem.data, expand(huber)
    with float64_scope():
        curve, slopes = prediction_slopes(huber.problem, huber.theta, data.inputs, data.codes)
    n = huber.problem.n
    np.testing.assert_allclose(curve[:n], huber.fitted, rtol=1e-12)
    np.testing.assert_allclose(slopes[:n] / curve[:n, None], local.jacobian, rtol=1e-9, atol=1e-14)


# Where there is no derivative


def few_inside(huber: js.Fit, width: float) -> Problem:
    return replace(huber.problem, objective=js.huber(width))


def test_few_residuals_inside_delta(huber: js.Fit) -> None:
    width = float(np.sort(np.abs(huber.residuals))[3]) * 1.0000001
    problem = few_inside(huber, width)
    with pytest.raises(NotDifferentiable, match=r"Only 4 of 103 .* fewer than the 5 parameters.*"):
        expand(huber, problem=problem)
    with pytest.raises(NotDifferentiable, match=r"objective=js.pseudo_huber\(.*smoothed=True"):
        expand(huber, problem=problem)


def test_auto_smooths_below_three_residuals_per_parameter(huber: js.Fit) -> None:
    sizes = np.sort(np.abs(huber.residuals))
    local = expand(huber, "auto", few_inside(huber, float(sizes[13] + sizes[14]) / 2))
    assert (local.inside(), local.smoothed) == (14, True)
    local = expand(huber, "auto")
    assert local.inside() >= 15
    assert not local.smoothed


@pytest.fixture(scope="module")
def straight() -> js.Fit:
    x = np.linspace(1, 5, 12)
    noise = 0.1 * np.random.default_rng(0).standard_normal(12)
    table = pd.DataFrame({"x": x, "loss": 2 - 0.3 * x + noise})
    objective = js.least_squares(space="linear")
    return js.fit(line, table, objective=objective, loss_unit="other", starts=4)


def test_least_absolute_deviations_end_at_a_vertex(straight: js.Fit) -> None:
    objective = js.least_absolute(space="linear")
    fit = replace(straight, settings=replace(straight.settings, objective=objective))
    with pytest.raises(NotDifferentiable, match=r"is a vertex.*pseudo_huber\(delta=0.001"):
        expand(fit)
    assert expand(fit, "auto").smoothed


def test_a_singular_hessian_names_what_is_not_determined(straight: js.Fit) -> None:
    one = np.zeros(12)
    one[3] = 1.0
    with pytest.raises(NotDifferentiable, match=r"do not determine a, b, .*Fix or tie"):
        expand(straight, problem=straight.problem.reweighted(one))
