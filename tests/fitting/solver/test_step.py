"""One step of a lane, and how lanes end: dead starts, stuck or out of steps, exact fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.fitting.solver.evaluation import residuals
from jscale.fitting.solver.gauss_newton import SolveSettings, Status, descend, solve
from jscale.fitting.solver.starts import automatic
from jscale.fitting.solver.step import blank, plain_coordinates, settled
from tests.worlds import chinchilla, line


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla()


def test_a_lane_that_starts_nowhere_is_dead_and_harms_no_other(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 5)
        alone = solve(problem, starts)
        spoilt = np.vstack([starts[:2], np.full((1, 5), np.nan), starts[2:]])
        lanes = solve(problem, spoilt)
    assert lanes.status[2] == Status.DEAD_START
    assert not np.isfinite(lanes.objective[2])
    others = np.delete(np.arange(6), 2)
    np.testing.assert_array_equal(lanes.theta[others], alone.theta)


def test_a_lane_out_of_steps_says_so(problem: Problem) -> None:
    with float64_scope():
        lanes = solve(problem, automatic(problem, 4), settings=SolveSettings(steps=3))
    assert (lanes.status == Status.OUT_OF_STEPS).all()
    assert (lanes.steps == 3).all()


def test_an_overflowing_start_ends_with_a_status(problem: Problem) -> None:
    start = np.array([[0.5, 800.0, 3.0, 800.0, 3.0]])
    with float64_scope():
        lanes = solve(problem, start)
    assert lanes.status[0] != Status.RUNNING


def flat(N, *, E: js.Real):
    return 2.0 + 0.0 * E * N


def nowhere(N, *, E: js.Floor):
    import jax.numpy as jnp

    return jnp.log(-E * N)


@pytest.mark.full
def test_lanes_made_to_fail_say_how() -> None:
    table = js.simulate("power:N", {"A": 3.0, "alpha": 0.1}, {"N": np.geomspace(1e3, 1e6, 12)})
    with float64_scope():
        dead = build(js.law(nowhere), table, Settings(js.huber()))[0]
        assert (solve(dead, automatic(dead, 4)).status == Status.DEAD_START).all()
        level = build(js.law(flat), table, Settings(js.huber()))[0]
        assert (solve(level, automatic(level, 4)).status == Status.CONVERGED).all()
        law = js.laws.get("power:N")
        few = build(law, table, Settings(js.huber(delta=1e-9)))[0]
        lanes = descend(few, automatic(few, 8) + 0.1, settings=SolveSettings(steps=300))
        assert (lanes.status == Status.CONVERGED).all()  # an exact table: nothing is outside
        scarce = chinchilla(objective=js.huber(delta=1e-9))
        lanes = descend(scarce, automatic(scarce, 8), settings=SolveSettings(steps=300))
        inside = [
            np.sum(np.abs(residuals(scarce.model, t, scarce.data))[: scarce.n] < 1e-9)
            for t in lanes.theta
        ]
    creeping = lanes.status == Status.OUT_OF_STEPS  # from kink to kink
    assert creeping.sum() >= 4
    assert np.array(inside)[creeping].min() < scarce.layout.size
    assert np.isfinite(lanes.objective).all()


def test_plain_numbers_are_told_from_logarithms_and_slopes(problem: Problem) -> None:
    assert not plain_coordinates(problem.layout).any()
    table = pd.DataFrame({"x": np.arange(9.0), "loss": np.linspace(-1, 1, 9)})
    runs = js.Runs.from_frame(table, x="x", loss_unit="other")
    straight = build(line, runs, Settings(js.least_squares(space="linear")))[0]
    assert plain_coordinates(straight.layout).tolist() == [True, True]


def test_a_lane_without_an_evaluation_takes_a_step_of_zero() -> None:
    with float64_scope():
        empty = blank(3, np.float64)
    assert np.isinf(empty.F)
    assert not np.asarray(empty.g).any()
    np.testing.assert_array_equal(empty.H, np.eye(3))


def test_freedom_and_rounding_of_a_lane(problem: Problem) -> None:
    """Freedom is at least one; rounding is the objective of four roundings in each row."""
    with float64_scope():
        target = np.asarray(problem.data.target)
        freedom, rounding = settled(problem.model, problem.weights, target, 1e-3, ())
        scarce, _ = settled(problem.model, problem.weights * (np.arange(32) < 4), target, 1e-3, ())
    assert float(freedom) == problem.n - 5
    assert float(scarce) == 1.0
    error = 4 * np.finfo(float).eps * (1 + np.abs(target[: problem.n]))
    assert float(rounding) == pytest.approx(0.5 * np.sum(error**2), rel=1e-9)
