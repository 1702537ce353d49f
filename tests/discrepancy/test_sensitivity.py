"""Sensitivity: derivatives and narrowing, against solving moved and shortened tables."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.discrepancy.experts import Solved, predict, solve, solve_large
from jscale.discrepancy.lanes import solve_program, stack
from jscale.discrepancy.members import part_of_member
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.sensitivity import left_out_errors, sensitivity

PLACE = (4, 1, 0)
AT = (np.array([1e8, 5e9]), np.array([1e10, 3e11]))


def of_one(solved: Solved, place: tuple[int, int, int]) -> np.ndarray:
    shares = np.zeros_like(solved.log_weights)
    shares[place] = 1.0
    return shares


def moved(solved: Solved, row: int, by: float) -> np.ndarray:
    """The curve of one expert at AT with one outcome moved, everything else held."""
    target = solved.table.data.target.copy()
    target[row] += by
    table = solved.table._replace(data=solved.table.data._replace(target=target))
    member = solved.member
    with float64_scope():
        lanes = solve_program(member.layout, member.space)(stack([table]))
        lanes = jax.tree.map(lambda x: np.asarray(x)[0], lanes)
    (curves,) = predict([solved._replace(table=table, lanes=lanes)], [(AT, {})])
    return curves.mean[PLACE]


@pytest.mark.parametrize("row", [0, 12, 24])
def test_derivatives_are_those_of_moved_outcomes(solved: Solved, row: int) -> None:
    found = sensitivity(solved, of_one(solved, PLACE), AT, {})
    expected = (moved(solved, row, 1e-4) - moved(solved, row, -1e-4)) / 2e-4
    # Curvature of the law around its parameters is left out.
    np.testing.assert_allclose(found.slopes[:, row], expected, rtol=0.03, atol=0.01)


def test_the_variance_is_that_of_the_prediction(solved: Solved) -> None:
    found = sensitivity(solved, of_one(solved, PLACE), AT, {})
    (curves,) = predict([solved], [(AT, {})])
    np.testing.assert_allclose(found.variance, curves.variance[PLACE], rtol=1e-6)


def test_without_a_run_the_variance_is_that_under_an_immense_error(solved: Solved) -> None:
    row = 24
    known = np.where(np.arange(len(solved.observations)) == row, 10.0, 0.0)
    table = solved.observations
    n = len(table)
    found = sensitivity(solved, of_one(solved, PLACE), AT, {})
    root = np.linalg.inv(solved.table.basis[PLACE[0]][:n, :n])
    whole = root @ np.diag(solved.table.spectrum[PLACE[0]][:n]) @ root.T
    noise = solved.table.noise[PLACE[1]] * (root @ root.T) + np.diag(known**2)
    slopes = root @ (
        solved.lanes.slopes[PLACE][:n]
        * np.sqrt(solved.table.spectrum[PLACE[0]][:n] + solved.table.noise[PLACE[1]])[:, None]
    )
    S = whole + noise + slopes @ np.diag(solved.member.sd[PLACE[2]] ** 2) @ slopes.T
    before = S - np.diag(known**2)
    # c = S·h, and the variance is the prior's less h·c.
    c = before @ found.slopes.T
    wider = np.einsum("nm,nm->m", c, np.linalg.solve(before, c) - np.linalg.solve(S, c))
    np.testing.assert_allclose(found.wider[:, row], wider, rtol=1e-3)


@pytest.mark.full
def test_bases_of_low_rank_and_shared_noise_give_the_same(solved: Solved) -> None:
    table = solved.observations
    run = np.arange(len(table)) // 2
    doubled = Observations(table.inputs, table.target, run=run)
    part = part_of_member(solved.member, np.array([9, 12]), np.array([0, 1]))
    exact, large = solve([part], [doubled])[0], solve_large(part, doubled)
    shares = of_one(exact, (0, 1, 0))
    one, other = (sensitivity(s, shares, AT, {}) for s in (exact, large))
    np.testing.assert_allclose(other.slopes, one.slopes, atol=2e-3)
    np.testing.assert_allclose(other.wider, one.wider, rtol=0.05, atol=1e-3 * one.variance.min())


def test_left_out_errors_are_standard_normal(solved: Solved) -> None:
    errors, tells = left_out_errors(solved)
    assert errors.shape == tells.shape == (25,)
    assert 0.5 < np.std(errors) < 2.0
    assert ((tells > 0) & (tells <= 1)).all()
    # At a corner the other runs tell less than in the middle.
    assert tells[24] < tells[12]
