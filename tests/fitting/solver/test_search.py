"""The search: halving with quotas, dead terms seeded anew, the grid of Hoffmann et al."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.fitting.solver import search as searching
from jscale.fitting.solver.gauss_newton import Status, descend
from jscale.fitting.solver.search import best_of_each, search
from jscale.fitting.solver.starts import (
    _by_descent,
    _least_squares,
    automatic,
    hoffmann,
    lane_shares,
    make,
    reseed,
)
from jscale.simulation.worlds.families import families
from tests.worlds import DESIGN, TRUTH, chinchilla


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla()


def test_quotas_are_kept_by_each_family() -> None:
    objective = np.array([3.0, 1.0, 2.0, np.nan, 9.0, 7.0, 8.0, np.inf])
    family = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    kept = best_of_each(objective, family, np.arange(8), 2)
    np.testing.assert_array_equal(kept, [1, 2, 5, 6])
    np.testing.assert_array_equal(best_of_each(objective, family, np.array([0, 3, 4]), 2), [0, 4])


def test_many_starts_are_halved_to_the_same_optimum(problem: Problem) -> None:
    with float64_scope():
        few, many = search(problem, automatic(problem, 64)), search(problem, hoffmann(problem))
    assert len(many.theta) == 4500
    assert many.objective.min() == pytest.approx(few.objective.min(), rel=1e-12)
    assert many.status[many.best] == Status.CONVERGED
    assert np.sum(many.status == Status.DROPPED) > 4000
    runs = js.simulate("chinchilla", TRUTH, DESIGN, noise=0.01, seed=3)
    fit = js.fit("chinchilla", runs, starts="hoffmann")
    agree, ended = fit.agree
    assert agree == ended <= 140
    assert "starts-disagree" not in [note.code for note in fit.notes]
    assert set(fit.search["status"]) >= {"dropped", "converged"}


def test_least_absolute_is_found_by_halving_too() -> None:
    made = chinchilla(objective=js.least_absolute())
    with float64_scope():
        exhaustive = search(made, automatic(made, 64))
        staged = search(made, automatic(made, 600))
    best = staged.best
    assert staged.status[best] == Status.CONVERGED
    assert staged.objective[best] == pytest.approx(exhaustive.objective.min(), rel=1e-7)
    assert np.isinf(staged.objective[staged.status == Status.DROPPED]).all()
    runs = js.simulate("chinchilla", TRUTH, DESIGN, noise=0.01, seed=3)
    few = js.fit("chinchilla", runs, objective=js.least_absolute(), starts=64)
    many = js.fit("chinchilla", runs, objective=js.least_absolute(), starts=600)
    assert many.objective == pytest.approx(few.objective, rel=1e-7)
    assert many.agree[0] > 1


@pytest.mark.full
def test_a_search_in_float32_keeps_no_lane_that_was_not_polished(problem: Problem) -> None:
    with float64_scope():
        starts = automatic(problem, 1000)
        mixed, exact = search(problem, starts, mixed=True), search(problem, starts)
    assert mixed.status[mixed.best] == Status.CONVERGED
    assert mixed.objective[mixed.best] == pytest.approx(exact.objective.min(), rel=1e-12)


@pytest.mark.full
def test_a_valley_is_followed_to_its_end_by_leaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table whose irreducible loss goes to nothing, while A rises and alpha falls."""
    table = families(500)
    runs = js.Runs.from_frame(table[table["family"] == 225])
    made = build(js.laws.get("chinchilla"), runs, Settings(js.huber()))[0]
    with float64_scope():
        starts = automatic(made, 64)
        leapt = search(made, starts)
        monkeypatch.setattr(searching, "_LEAPS", ())
        plain = search(made, starts)
    assert plain.status[plain.best] == Status.OUT_OF_STEPS
    assert leapt.status[leapt.best] == Status.CONVERGED
    assert leapt.objective[leapt.best] < plain.objective[plain.best]


def test_hoffmanns_grid_has_his_corners(problem: Problem) -> None:
    with float64_scope():
        theta = hoffmann(problem)
        values = problem.layout.natural(theta[-1], {}, problem.data.centre)
        first = problem.layout.natural(theta[0], {}, problem.data.centre)
    assert theta.shape == (4500, 5)
    assert len(np.unique(theta, axis=0)) == 4500
    assert float(values["A"]) == pytest.approx(np.exp(25.0))
    assert [float(values[n]) for n in ("E", "alpha", "beta")] == pytest.approx([np.e, 2.0, 2.0])
    assert float(first["A"]) == pytest.approx(1.0, rel=1e-4)
    assert float(first["alpha"]) == pytest.approx(1e-6)


def test_hoffmanns_grid_with_a_fixed_parameter_is_smaller() -> None:
    runs = js.simulate("chinchilla", TRUTH, DESIGN, noise=0.01, seed=3)
    made = build(js.laws.get("chinchilla"), runs, Settings(js.huber(), fixed={"E": 1.7}))[0]
    with float64_scope():
        assert make(made, "hoffmann", 0).shape == (900, 4)


def test_hoffmanns_grid_is_for_its_law_alone() -> None:
    table = js.simulate("power:N", {"A": 3.0, "alpha": 0.1}, {"N": np.geomspace(1e3, 1e6, 12)})
    made = build(js.laws.get("broken:1:N"), table, Settings(js.huber()))[0]
    with pytest.raises(js.LawError, match=r'"hoffmann" is a grid of alpha, .* but broken:1:N has'):
        make(made, "hoffmann", 0)


def test_a_dead_term_is_seeded_anew(problem: Problem) -> None:
    """A lane whose N-term has died (A·N^-alpha = 1e-11) is stuck there; reseeded it is not."""
    with float64_scope():
        best = search(problem, automatic(problem, 32))
        theta = best.theta[best.best].copy()
        theta[1], theta[2] = -25.0, np.log(1.5)
        dead = lane_shares(problem, theta[None, None])[0] < 1e-3
        assert dead.tolist() == [[False, True, False]]
        stuck = descend(problem, theta[None])
        assert stuck.objective[0] > 1.01 * best.objective.min()
        seeded = reseed(problem, theta[None], dead)
        assert (lane_shares(problem, seeded[None])[0] > 1e-3).all()
        assert seeded[0, 4] == theta[4]
        found = search(problem, np.vstack([theta, theta]))
    assert found.objective.min() == pytest.approx(best.objective.min(), rel=1e-9)


def test_small_least_squares_are_exact_and_non_negative() -> None:
    from scipy.optimize import nnls

    rng = np.random.default_rng(0)
    bases, sides = rng.normal(size=(50, 12, 3)), rng.normal(size=(50, 12))
    gram = np.einsum("sni,snj->sij", bases, bases)
    side = np.einsum("sni,sn->si", bases, sides)
    found = _least_squares(gram, side, np.array([True, True, True]))
    for k in range(50):
        np.testing.assert_allclose(found[k], nnls(bases[k], sides[k])[0], atol=1e-6)
    np.testing.assert_allclose(_by_descent(gram, side, np.array([True] * 3)), found, atol=1e-5)
    free = _least_squares(gram, side, np.array([False, False, False]))
    np.testing.assert_allclose(free, np.linalg.solve(gram, side[..., None])[..., 0], rtol=1e-5)


@pytest.mark.full
def test_no_finite_start_is_an_error() -> None:
    @js.law
    def nowhere(N, *, E: js.Floor):
        import jax.numpy as jnp

        return jnp.log(-E * N)

    table = js.simulate("power:N", {"A": 3.0, "alpha": 0.1}, {"N": np.geomspace(1e3, 1e6, 12)})
    with pytest.raises(js.FitError, match=r"nowhere gave no finite value at any of 64 starts"):
        js.fit(nowhere, table)
