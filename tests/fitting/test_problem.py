"""Problems as padded arrays: buckets, parts, other weights, and families that share one program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.fitting.problem import (
    BLOCK,
    Families,
    Problem,
    bucket,
    buckets,
    log_centre,
    pad_rows,
    predict_rows,
)
from tests.worlds import TRUTH, chinchilla


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chinchilla()


def test_buckets_grow_slowly_and_hold() -> None:
    for n in (*range(1, 600), 1000, 5000, 20_000):
        assert n <= bucket(n) <= max(16, 1.125 * n + 4, n + BLOCK)
        assert bucket(n) <= BLOCK or bucket(n) % BLOCK == 0
        assert bucket(n) <= bucket(n, steps=2) <= max(16, 1.5 * n + 4, n + BLOCK)
    assert len({bucket(n) for n in range(1, 513)}) < 40
    assert bucket(249) == bucket(256)


def test_buckets_of_many_parts_are_as_fine_as_compiling_is_worth() -> None:
    assert buckets([20, 27, 33]) == [48] * 3  # few: one program
    assert buckets([20, 27, 33] * 100) == [24, 32, 48] * 100
    assert buckets([20, 27, 33] * 256) == [20, 28, 36] * 256  # 256 parts a program
    assert buckets([20] * 50 + [400]) == [24] * 50 + [512]  # one would be mostly padding


def test_the_centre_is_the_logarithm_of_the_geometric_mean() -> None:
    sizes, shift = np.array([1.0, 100.0]), np.array([-1.0, 1.0])
    np.testing.assert_allclose(log_centre([sizes, shift, sizes**2]), [np.log(10), 0, np.log(100)])


def test_padding_repeats_the_first_row(problem: Problem) -> None:
    assert problem.n == 30
    assert problem.rows == bucket(30) == 32
    N = np.asarray(problem.data.inputs[0])
    assert set(N[30:]) == {N[0]}
    assert problem.weights.tolist() == [1.0] * 30 + [0.0] * 2
    assert problem.used.all()
    pairs = pad_rows(np.array([[1, 2], [3, 4]]), 4)
    assert pairs.tolist() == [[1, 2], [3, 4], [1, 2], [1, 2]]


def test_stacked_problems_share_one_bucket() -> None:
    assert bucket(33, steps=2) == bucket(40, steps=2)


def test_other_weights_are_of_the_real_rows_alone(problem: Problem) -> None:
    weights = np.linspace(0.0, 2.0, problem.n)
    other = problem.reweighted(weights)
    np.testing.assert_array_equal(other.weights[: problem.n], weights)
    assert (other.weights[problem.n :] == 0).all()
    assert other.used.sum() == problem.n - 1
    assert (problem.freedom, other.freedom) == (25, 24)
    assert problem.used.all()


def test_freedom_counts_runs_and_not_rows(problem: Problem) -> None:
    assert replace(problem, units=np.repeat(np.arange(10), 3)).freedom == 5


def test_a_part_is_centred_on_its_own_rows(problem: Problem) -> None:
    rows = np.array([28, 3, 7])
    part = problem.part(rows, 16)
    assert (part.n, part.rows) == (3, 16)
    for own, whole in zip(part.data.inputs, problem.data.inputs, strict=True):
        np.testing.assert_array_equal(own[:3], np.asarray(whole)[rows])
        assert set(own[3:]) == {own[0]}
    np.testing.assert_array_equal(part.units, problem.units[rows])
    np.testing.assert_allclose(part.data.centre, log_centre([x[:3] for x in part.data.inputs]))
    assert part.model is problem.model


def test_families_share_what_does_not_differ(problem: Problem) -> None:
    weights = np.random.default_rng(0).random((4, problem.rows))
    many = Families.repeat(problem, 4, weights=weights)
    assert (len(many.parts), many.rows) == (4, problem.rows)
    assert many.weights is weights
    assert many.data.target.shape == (4, problem.rows)
    assert many.data.target.strides[0] == 0  # broadcast, not copied
    targets = np.arange(4.0)[:, None] + np.asarray(problem.data.target)
    moved = Families.repeat(problem, 4, target=targets)
    np.testing.assert_array_equal(moved.data.target, targets)
    np.testing.assert_array_equal(moved.weights[3], problem.weights)


def test_stacks_keep_the_order_of_their_problems(problem: Problem) -> None:
    parts = [problem.part(np.arange(n), 32) for n in (30, 20, 25)]
    stacked = Families.stack(parts)
    assert stacked.weights.sum(axis=1).tolist() == [30, 20, 25]
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(stacked.data.inputs[1][i], part.data.inputs[1])
        np.testing.assert_array_equal(stacked.data.centre[i], part.data.centre)


def test_predictions_of_rows_are_the_law(problem: Problem) -> None:
    """Coordinates are centred, so that the law at natural parameters comes out."""
    with float64_scope():
        theta = problem.layout.coordinates(TRUTH, problem.data.centre)
        rows = np.asarray(predict_rows(problem.layout, theta, problem.data))
    N, D = (np.asarray(x) for x in problem.data.inputs)
    np.testing.assert_allclose(rows, problem.layout.law(N, D, **TRUTH), rtol=1e-12)
