"""The solver: closed forms, statuses, independence of lanes, padding, determinism."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.problem import Problem
from jscale.fitting.solver.gauss_newton import Lanes, Status, deal, solve
from jscale.fitting.solver.starts import automatic
from tests.worlds import chinchilla, line


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla()


@pytest.mark.full
def test_least_squares_of_a_line_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(1, 5, 40)
    table = pd.DataFrame({"x": x, "loss": 2 - 0.3 * x + 0.1 * rng.standard_normal(40)})
    fit = js.fit(line, table, objective=js.least_squares(space="linear"), loss_unit="other")
    slope, intercept = np.polyfit(x, table["loss"], 1)
    np.testing.assert_allclose(fit.params, [intercept, slope], rtol=1e-9)
    _, covariance = np.polyfit(x, table["loss"], 1, cov=True)
    assert fit.stderr["b"] == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.3)


@pytest.mark.full
def test_all_lanes_of_an_easy_problem_converge(problem: Problem) -> None:
    with float64_scope():
        lanes = solve(problem, automatic(problem, 64))
    assert (lanes.status == Status.CONVERGED).all()
    best = lanes.objective.min()
    assert np.sum(lanes.objective <= best * (1 + 1e-8)) >= 60


@pytest.mark.full
def test_lane_weights_equal_a_problem_with_these_weights(problem: Problem) -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, size=(3, problem.n)).astype(float)
    with float64_scope():
        start = automatic(problem, 1)
        together = solve(problem, np.repeat(start, 3, axis=0), weights=weights)
        for i in range(3):
            alone = solve(problem.reweighted(weights[i]), start)
            np.testing.assert_array_equal(together.theta[i], alone.theta[0])


def test_tiles_and_queues_do_not_change_results(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 150)
        whole = solve(problem, starts)
        last = solve(problem, starts[70:])
    np.testing.assert_array_equal(whole.theta[70:], last.theta)
    np.testing.assert_array_equal(whole.steps[70:], last.steps)


def test_lanes_are_dealt_out_evenly_and_all_of_them() -> None:
    assert deal(1, 1024, 2) == [0, 1]
    assert deal(64, 1024, 2) == [0, 32, 64]
    cuts = deal(5000, 1024, 2)
    assert (cuts[0], cuts[-1]) == (0, 5000)
    assert max(np.diff(cuts)) <= 1024
    assert max(np.diff(cuts)) - min(np.diff(cuts)) <= 1


def test_no_lanes_at_all(problem: Problem) -> None:
    with float64_scope():
        lanes = solve(problem, np.empty((0, 5)))
    assert lanes.theta.shape == (0, 5)
    assert len(lanes.objective) == 0


@pytest.mark.full
def test_padding_changes_nothing() -> None:
    problem = chinchilla()
    n = problem.n
    bare = Problem(
        problem.model,
        problem.objective,
        problem.data._replace(
            inputs=tuple(x[:n] for x in problem.data.inputs), target=problem.data.target[:n]
        ),
        problem.weights[:n],
        n,
        problem.units,
    )
    with float64_scope():
        starts = automatic(problem, 8)
        np.testing.assert_allclose(
            solve(problem, starts).objective, solve(bare, starts).objective, rtol=1e-12
        )


def test_the_same_solve_is_bit_identical(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 16)
        first, second = solve(problem, starts), solve(problem, starts)
    np.testing.assert_array_equal(first.theta, second.theta)
    np.testing.assert_array_equal(first.steps, second.steps)


def test_the_optimum_is_stationary_and_scipy_finds_none_lower(problem: Problem) -> None:
    from scipy.optimize import minimize

    with float64_scope():
        lanes = solve(problem, automatic(problem, 32))
    y = np.exp(np.asarray(problem.data.target)[: problem.n])
    N, D = (np.asarray(x)[: problem.n] for x in problem.data.inputs)

    def objective(theta: np.ndarray) -> float:
        centre = problem.data.centre
        E, A, B = np.exp(theta[0]), np.exp(theta[1]), np.exp(theta[3])
        alpha, beta = np.exp(theta[2]), np.exp(theta[4])
        f = E + A * (N / np.exp(centre[0])) ** -alpha + B * (D / np.exp(centre[1])) ** -beta
        r = np.abs(np.log(f / y))
        return float(np.sum(np.where(r <= 1e-3, r * r / 2, 1e-3 * (r - 5e-4))))

    theta = lanes.theta[lanes.best]
    assert objective(theta) == pytest.approx(lanes.objective[lanes.best], rel=1e-10)
    found = minimize(objective, theta, method="Nelder-Mead", options={"maxiter": 4000})
    assert found.fun >= lanes.objective[lanes.best] * (1 - 1e-9)


@pytest.mark.full
@pytest.mark.parametrize("objective", [js.pseudo_huber(), js.least_squares(), js.least_absolute()])
def test_other_objectives_converge(objective: js.fitting.objective.Objective) -> None:
    problem = chinchilla(objective=objective)
    with float64_scope():
        lanes = solve(problem, automatic(problem, 32))
    assert lanes.status[lanes.best] == Status.CONVERGED


def test_a_lane_that_ended_nowhere_finite_is_never_the_best() -> None:
    objective = np.array([np.nan, 3.0, -np.inf, 2.0, np.inf])
    whole = np.zeros(5, dtype=int)
    lanes = Lanes(np.arange(5.0)[:, None], objective, whole, whole, np.ones(5))
    assert lanes.best == 3
