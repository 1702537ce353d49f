"""L-BFGS: the same optimum as the default solver, scale-free, and many parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.problem import Problem
from jscale.fitting.solver.gauss_newton import Status, descend
from jscale.fitting.solver.lbfgs import descend_lbfgs, minimise
from jscale.fitting.solver.starts import automatic
from tests.worlds import chinchilla, scattered


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla(scattered(40), seed=0)


@pytest.mark.full
def test_it_ends_where_the_default_solver_ends(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 16)
        ours, lanes = descend(problem, starts), descend_lbfgs(problem, starts)
    assert lanes.status[lanes.best] == Status.CONVERGED
    assert lanes.objective.min() == pytest.approx(ours.objective.min(), rel=1e-10)
    assert np.mean(lanes.objective <= ours.objective.min() * (1 + 1e-8)) >= 0.9


@pytest.mark.full
def test_scaling_the_objective_changes_nothing(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 3)
        plain = descend_lbfgs(problem, starts)
        for scale in (1e-6, 1e6):
            scaled = descend_lbfgs(problem.reweighted(scale * problem.weights[: problem.n]), starts)
            np.testing.assert_allclose(scaled.objective, scale * plain.objective, rtol=1e-10)
            assert (scaled.status == plain.status).all()


def test_lanes_have_their_own_weights(problem: Problem) -> None:
    weights = np.random.default_rng(0).integers(0, 3, size=(2, problem.n)).astype(float)
    with float64_scope():
        starts = automatic(problem, 1).repeat(2, axis=0)
        lanes = descend_lbfgs(problem, starts, weights=weights)
        for k in range(2):
            alone = descend(problem.reweighted(weights[k]), starts[:1])
            assert lanes.objective[k] == pytest.approx(alone.objective[0], rel=1e-9)


def test_a_dead_start_harms_no_other(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 3)
        spoilt = starts.copy()
        spoilt[1] = np.nan
        lanes, plain = descend_lbfgs(problem, spoilt), descend_lbfgs(problem, starts)
    assert lanes.status[1] == Status.DEAD_START
    assert np.isinf(lanes.objective[1])
    np.testing.assert_array_equal(lanes.objective[[0, 2]], plain.objective[[0, 2]])


@pytest.mark.full
def test_any_smooth_function_and_out_of_steps() -> None:
    """Rosenbrock's valley, whose minimum at (1, 1) is zero; a constant changes nothing."""

    def valley(x):
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    with float64_scope():
        lanes = minimise(valley, np.array([[-1.2, 1.0], [3.0, -2.0]]))
        short = minimise(valley, np.array([[-1.2, 1.0]]), steps=3)
    np.testing.assert_allclose(lanes.theta, 1.0, atol=1e-6)
    assert (lanes.status == Status.CONVERGED).all()
    with float64_scope():
        raised = minimise(lambda x: valley(x) + 1.0, np.array([[-1.2, 1.0]]))
    assert (raised.status == Status.CONVERGED).all()
    np.testing.assert_allclose(raised.theta, 1.0, atol=1e-6)
    assert short.status[0] == Status.OUT_OF_STEPS
    assert short.steps[0] == 3


def many_families(families: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = []
    for f in range(families):
        N = np.geomspace(1e3, 1e7, 6)
        loss = (1.0 + 0.05 * f) + 60.0 * N**-0.3
        part = pd.DataFrame({"N": N, "loss": loss * np.exp(0.005 * rng.standard_normal(6))})
        parts.append(part.assign(family=f"f{f:02d}"))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_more_parameters_than_the_dense_solver_takes() -> None:
    table = many_families()
    with pytest.raises(js.LawError, match=r'32 free parameters here.*solver="lbfgs"'):
        js.fit("power_const:N", table, per={"E": "family"})
    fit = js.fit(
        "power_const:N", table, per={"E": "family"}, solver="lbfgs", starts=4,
        objective=js.pseudo_huber(1e-2),
    )  # fmt: skip
    assert fit.params["alpha"] == pytest.approx(0.3, abs=0.02)
    found = fit.params.filter(like="E[").to_numpy()
    np.testing.assert_allclose(found, 1.0 + 0.05 * np.arange(30), rtol=0.02)
    # The dense step, from there, finds nothing lower.
    with float64_scope():
        polished = descend(fit.problem, fit.theta[None])
    assert fit.objective <= polished.objective[0] * (1 + 1e-9)


def test_an_unknown_solver_is_refused() -> None:
    with pytest.raises(js.JscaleError, match=r"solver='bfgs' is not known\. Did you mean 'lbfgs'"):
        js.fit("power_const:N", many_families(1), solver="bfgs")
