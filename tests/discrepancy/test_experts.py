"""Experts: generalised least squares and kriging, checked against dense linear algebra."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.discrepancy.experts import (
    Solved,
    exact_rows,
    most_rows,
    padded_sizes,
    predict,
    solve,
    solve_each,
    solve_large,
)
from jscale.discrepancy.kernels import Site, covariance, variance
from jscale.discrepancy.members import Member, part_of_member
from jscale.discrepancy.mixture import Normals
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.prior import default_prior
from jscale.simulation.worlds import CHINCHILLA

K, G, P = 4, 1, 0


def dense(solved: Solved) -> np.ndarray:
    """K = cov δ + σ²·V of one expert, from the kernel itself."""
    kernel = solved.member.prior.kernels[K]
    n = len(solved.observations)
    root = np.linalg.inv(solved.table.basis[K][:n, :n])
    V = root @ root.T
    return covariance(kernel, solved.site, solved.site) + solved.table.noise[G] * V


def curve(theta: np.ndarray, inputs: tuple[np.ndarray, ...], centre: np.ndarray) -> np.ndarray:
    """The logarithm of Hoffmann's law at centred coordinates, in NumPy."""
    E, A, alpha, B, beta = theta
    N, D = (np.log(x) - c for x, c in zip(inputs, centre, strict=True))
    return np.log(np.exp(E) + np.exp(A - np.exp(alpha) * N) + np.exp(B - np.exp(beta) * D))


def jacobian(theta: np.ndarray, inputs: tuple[np.ndarray, ...], centre: np.ndarray) -> np.ndarray:
    steps = 1e-6 * np.eye(len(theta))
    pairs = [(curve(theta + s, inputs, centre), curve(theta - s, inputs, centre)) for s in steps]
    return np.stack([(up - down) / 2e-6 for up, down in pairs], axis=1)


@pytest.mark.full
def test_parameters_minimise_the_penalised_squares(solved: Solved) -> None:
    theta = solved.lanes.theta[K, G, P]
    centre = solved.table.data.centre
    residual = solved.observations.target - curve(theta, solved.observations.inputs, centre)
    J = jacobian(theta, solved.observations.inputs, centre)
    off = (theta - solved.member.mean[P]) * solved.member.sd[P] ** -2.0
    gradient = J.T @ np.linalg.solve(dense(solved), residual) - off
    scale = np.abs(J.T @ np.linalg.solve(dense(solved), np.abs(residual))).max()
    assert np.abs(gradient).max() < 1e-3 * scale


@pytest.mark.full
def test_the_evidence_is_laplaces(solved: Solved) -> None:
    theta = solved.lanes.theta[K, G, P]
    centre = solved.table.data.centre
    residual = solved.observations.target - curve(theta, solved.observations.inputs, centre)
    J = jacobian(theta, solved.observations.inputs, centre)
    matrix, precision = dense(solved), np.diag(solved.member.sd[P] ** -2.0)
    off = theta - solved.member.mean[P]
    hessian = J.T @ np.linalg.solve(matrix, J) + precision
    root = np.linalg.inv(solved.table.basis[K][: len(residual), : len(residual)])
    constant = np.linalg.slogdet(root @ root.T)[1]  # Σ ln v, which lanes leave out
    expected = -0.5 * (
        residual @ np.linalg.solve(matrix, residual)
        + off @ precision @ off
        + np.linalg.slogdet(matrix)[1] - constant
        + np.linalg.slogdet(hessian)[1] - np.linalg.slogdet(precision)[1]
        + len(residual) * np.log(2 * np.pi)
    )  # fmt: skip
    assert solved.lanes.evidence[K, G, P] == pytest.approx(expected, rel=1e-6)


@pytest.mark.full
def test_curves_are_krigings(solved: Solved) -> None:
    where = (np.array([5e9, 1e8]), np.array([3e11, 5e9]))
    (curves,) = predict([solved], [(where, {})])
    theta, centre = solved.lanes.theta[K, G, P], solved.table.data.centre
    residual = solved.observations.target - curve(theta, solved.observations.inputs, centre)
    J, J_new = (jacobian(theta, x, centre) for x in (solved.observations.inputs, where))
    start = curve(solved.start, where, centre)
    share = np.clip(2 * (1 - np.exp(solved.start[0] - start)), 0.02, 2)
    unit = [np.log(x) for x in where]
    site = Site(np.stack(unit, axis=1), share)
    kernel = solved.member.prior.kernels[K]
    cross = covariance(kernel, solved.site, site)
    weights = np.linalg.solve(dense(solved), cross)
    mean = curve(theta, where, centre) + weights.T @ residual
    basis = J_new - weights.T @ J
    hessian = J.T @ np.linalg.solve(dense(solved), J) + np.diag(solved.member.sd[P] ** -2.0)
    spread = np.einsum("mi,ij,mj->m", basis, np.linalg.inv(hessian), basis)
    left = variance(kernel, site) - np.einsum("nm,nm->m", cross, weights)
    np.testing.assert_allclose(curves.mean[K, G, P], mean, atol=1e-6)
    np.testing.assert_allclose(curves.bend[K, G, P], left, rtol=1e-4)
    np.testing.assert_allclose(curves.parameters[K, G, P], spread, rtol=1e-4)


@pytest.mark.full
def test_a_padded_row_counts_for_nothing(solved: Solved) -> None:
    member, table = solved.member, solved.observations
    (wide,) = solve([member], [table], rows=64)
    np.testing.assert_allclose(wide.lanes.theta, solved.lanes.theta, atol=1e-7)
    np.testing.assert_allclose(wide.log_weights, solved.log_weights, atol=1e-6)


@pytest.mark.full
def test_tables_are_lanes_of_one_program(solved: Solved) -> None:
    member, table = solved.member, solved.observations
    half = Observations(tuple(x[::2] for x in table.inputs), table.target[::2])
    both = solve_each([member, member], [table, half])
    alone = solve([member], [half])[0]
    np.testing.assert_allclose(both[0].lanes.theta, solved.lanes.theta, atol=1e-7)
    np.testing.assert_allclose(both[1].lanes.theta, alone.lanes.theta, atol=1e-6)


@pytest.mark.full
def test_rows_of_one_run_share_half_of_their_noise(solved: Solved) -> None:
    member, table = solved.member, solved.observations
    run = np.arange(len(table)) // 5
    end = solve([member], [Observations(table.inputs, table.target, run=run)])[0]
    n = len(table)
    root = np.linalg.inv(end.table.basis[K][:n, :n])
    sd = np.sqrt(np.diag(root @ root.T))
    correlation = root @ root.T / np.outer(sd, sd)
    same = run[:, None] == run[None, :]
    np.testing.assert_allclose(correlation[same & ~np.eye(n, dtype=bool)], 0.5, atol=1e-8)
    np.testing.assert_allclose(correlation[~same], 0.0, atol=1e-8)


def test_a_known_error_adds_to_the_noise(solved: Solved) -> None:
    member, table = solved.member, solved.observations
    n = len(table)
    known = np.where(np.arange(n) < 5, 0.2, 0.0)
    exact = Observations(table.inputs, table.target, known=known)
    end = solve([member], [exact])[0]
    root = np.linalg.inv(end.table.basis[K][:n, :n])
    relative = np.diag(root @ root.T)
    assert relative[:5] == pytest.approx(1 + (0.2 / end.scale) ** 2, rel=0.2)
    assert (relative[5:] < 100).all()


@pytest.mark.full
def test_an_outlier_pays_with_its_own_noise(runs: js.Runs, solved: Solved) -> None:
    table = solved.observations
    target = table.target.copy()
    target[12] += 0.5
    end = solve([solved.member], [Observations(table.inputs, target)])[0]
    where = ((np.array([5e9]), np.array([3e11])), {})
    before, after = predict([solved], [where])[0], predict([end], [where])[0]
    sd = np.sqrt(before.variance[K, G, P, 0])
    assert abs(after.mean[K, G, P, 0] - before.mean[K, G, P, 0]) < 0.5 * sd
    assert after.variance[K, G, P, 0] < 1.5 * before.variance[K, G, P, 0]


def test_everything_stays_in_float64(solved: Solved) -> None:
    with float64_scope():
        assert solved.lanes.theta.dtype == np.float64
    assert isinstance(solved.member, Member)


def quantiles(solved: Solved) -> np.ndarray:
    """Quantiles (3, m) of the curve in and beyond the range."""
    where = (np.array([1e8, 1e9, 1e11]), np.array([1e10, 1e11, 1e13]))
    (curves,) = predict([solved], [(where, {})])
    m = len(where[0])
    weights = np.exp(solved.log_weights).ravel()
    mean, variance = curves.mean.reshape(-1, m), curves.variance.reshape(-1, m)
    mixture = Normals(weights / weights.sum(), mean, np.sqrt(variance))
    return np.stack([mixture.quantile(q) for q in (0.05, 0.5, 0.95)])


def bent_table(n: int) -> Observations:
    """A wavy curve, two rows of each run."""
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(16, 23, n)), np.exp(rng.uniform(20, 27, n))
    loss = js.laws.get("chinchilla")(N=N, D=D, **CHINCHILLA)
    target = np.log(loss) + 0.005 * rng.normal(size=n) + 0.01 * np.sin(np.log(D))
    return Observations((N, D), target, run=np.arange(n) // 2)


def assert_as_exact(member: Member, table: Observations, tolerance: float) -> None:
    large, exact = solve_large(member, table), solve([member], [table])[0]
    few, whole = quantiles(large), quantiles(exact)
    assert (np.abs(few - whole) < tolerance * (whole[2] - whole[0])).all()


@pytest.mark.full
def test_bases_of_low_rank_change_little(solved: Solved) -> None:
    part = part_of_member(solved.member, np.array([0, 2, 9]), np.array([0, 1]))
    assert_as_exact(part, bent_table(150), 0.02)


@pytest.mark.full
def test_a_large_table_is_solved_as_if_exactly(solved: Solved) -> None:
    """Kernels are chosen on some of the rows."""
    assert exact_rows(solved.member) < 600
    assert_as_exact(solved.member, bent_table(600), 0.03)
    (whole,) = solve_each([solved.member], [bent_table(520)], screen=False)
    assert whole.log_weights.shape == solved.log_weights.shape


def test_how_many_rows_depends_on_the_experts(solved: Solved) -> None:
    member = solved.member
    assert exact_rows(member) == 512
    assert most_rows(member) == 4096
    axis = default_prior().families["one_axis"]
    many = replace(member, prior=axis)
    assert exact_rows(many) == 512
    assert 1024 < most_rows(many) < 1500


def test_few_tables_of_like_sizes_share_one_program() -> None:
    assert padded_sizes([42, 60, 100]) == [128] * 3
    assert padded_sizes([60]) == [64]
    # Padding each of many to the largest would cost more than the programs.
    assert padded_sizes([20] * 20 + [300]) == [24] * 20 + [384]
    assert set(padded_sizes([42, 60] * 30)) == {48, 64}
