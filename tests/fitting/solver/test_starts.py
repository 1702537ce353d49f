"""Starts: the Sobol table, amplitudes solved where the law is linear, and given starts."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.problem import Problem, predict_rows
from jscale.fitting.solver.starts import (
    automatic,
    given,
    shares_of_terms,
    unit_points,
    with_amplitudes,
)
from tests.worlds import TRUTH, chinchilla


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla(noise=0.0)


def test_the_table_is_scipys_sobol_sequence() -> None:
    from scipy.stats import qmc

    points = qmc.Sobol(d=32, scramble=True, rng=20220329).random_base2(10)
    assert np.max(np.abs(unit_points(1024, 32, 0) - points)) < 2**-16


def test_points_fill_the_cube_and_seeds_shift_them() -> None:
    points = unit_points(256, 5, 0)
    assert points.min() > 0
    assert points.max() < 1
    assert np.abs(points.mean(axis=0) - 0.5).max() < 0.02
    other = unit_points(256, 5, 7)
    assert not np.allclose(points, other)
    np.testing.assert_array_equal(other, unit_points(256, 5, 7))


def test_more_starts_than_the_table_holds() -> None:
    assert unit_points(3000, 5, 0).shape == (3000, 5)


def test_true_exponents_give_the_true_amplitudes(problem: Problem) -> None:
    with float64_scope():
        planted = problem.layout.coordinates(TRUTH, problem.data.centre)
        wrong = planted.copy()
        wrong[[0, 1, 3]] = [0.0, 2.0, -3.0]
        solved = with_amplitudes(problem, wrong[None, None])[0, 0]
    np.testing.assert_allclose(solved, planted, atol=1e-4)


def test_every_start_fits_the_level_of_the_data(problem: Problem) -> None:
    with float64_scope():
        for theta in automatic(problem, 64):
            predicted = np.asarray(predict_rows(problem.layout, theta, problem.data))
            ratio = predicted / np.exp(problem.data.target)
            assert 0.7 < np.median(ratio[: problem.n]) < 1.4


def test_shares_of_terms_sum_to_one_at_the_planted_point(problem: Problem) -> None:
    with float64_scope():
        theta = problem.layout.coordinates(TRUTH, problem.data.centre)
        shares = shares_of_terms(problem, theta)
    largest_E = TRUTH["E"] / np.exp(problem.data.target[: problem.n]).min()
    assert shares["E"] == pytest.approx(largest_E, rel=1e-6)
    assert set(shares) == {"E", "A", "B"}


def test_given_starts_are_the_laws_own_parameters(problem: Problem) -> None:
    theta = given(problem, [TRUTH, {**TRUTH, "E": 1.0}])
    back = problem.layout.coordinates(TRUTH, problem.data.centre)
    np.testing.assert_array_equal(theta[0], back)


def test_given_starts_must_name_every_parameter(problem: Problem) -> None:
    with pytest.raises(js.LawError, match=r"unknown names \(Alpha\) or misses some \(alpha\)"):
        given(problem, [{"E": 1, "A": 1, "Alpha": 1, "B": 1, "beta": 1}])
    with pytest.raises(js.LawError, match="must be positive"):
        given(problem, [{**TRUTH, "A": -1.0}])
