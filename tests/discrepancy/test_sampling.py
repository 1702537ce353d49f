"""Draws of functions: they agree with the predictive distribution, and are smooth functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.discrepancy.experts import Solved
from jscale.discrepancy.kernels import Site, covariance
from jscale.discrepancy.sampling import BentLaw, central_function, draw_functions

# At a run, between runs, and beyond them.
AT = {"N": [1e8, 5.3e7, 3e9, 2e10], "D": [1e10, 5e9, 3e11, 2e12]}


def values_of(function: BentLaw, flat: np.ndarray, N: float, D: float) -> np.ndarray:
    """Every drawn function (S,) at one point."""
    import jax

    with float64_scope():
        return np.asarray(jax.vmap(lambda x: function(x, {"N": N, "D": D}, {}))(flat))


def joint_covariance(solved: Solved, place: tuple[int, int, int], at: np.ndarray) -> np.ndarray:
    """The covariance (m, m) of one expert's curve at points (m, 2), the runs given."""
    k, g, p = place
    theta, n = solved.lanes.theta[place], len(solved.observations)
    centre = np.asarray(solved.table.data.centre)
    inputs = np.concatenate([np.stack(solved.observations.inputs, axis=1), at])

    def curve(theta: np.ndarray) -> np.ndarray:
        E, A, alpha, B, beta = theta
        N, D = (np.log(inputs) - centre).T
        return np.log(np.exp(E) + np.exp(A - np.exp(alpha) * N) + np.exp(B - np.exp(beta) * D))

    steps = 1e-6 * np.eye(5)
    J = np.stack([(curve(theta + s) - curve(theta - s)) / 2e-6 for s in steps], axis=1)
    start = solved.start
    share = np.clip(2.0 * (1.0 - np.exp(start[0] - curve(start))), 0.02, 2.0)
    site = Site(np.log(inputs), share)
    whole = covariance(solved.member.prior.kernels[k], site, site)
    whole = whole + J @ np.diag(solved.member.sd[p] ** 2.0) @ J.T
    root = np.linalg.inv(solved.table.basis[k][:n, :n])
    seen = whole[:n, :n] + solved.table.noise[g] * root @ root.T
    return whole[n:, n:] - whole[n:, :n] @ np.linalg.solve(seen, whole[:n, n:])


@pytest.mark.full
def test_draws_have_the_forecasts_quantiles(forecast: js.Forecast) -> None:
    drawn = np.log(forecast.sample(AT, 2000, seed=1))
    mixture = forecast.mixture(pd.DataFrame(AT)).curve
    low, high = mixture.quantile(0.16), mixture.quantile(0.84)
    off = np.abs(np.median(drawn, axis=0) - mixture.quantile(0.5))
    assert (off < 0.12 * (high - low)).all()
    # Two thousand draws tell a spread to within 4%.
    np.testing.assert_allclose(
        np.diff(np.quantile(drawn, [0.16, 0.84], axis=0), axis=0)[0], high - low, rtol=0.12
    )


@pytest.mark.full
def test_a_seed_gives_the_same_draws(forecast: js.Forecast) -> None:
    first, again = forecast.sample(AT, 20, seed=3), forecast.sample(AT, 20, seed=3)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, forecast.sample(AT, 20, seed=4))


@pytest.mark.full
def test_neighbouring_points_move_together(forecast: js.Forecast) -> None:
    pair = {"N": [1e9, 1.1e9], "D": [1e12, 1.1e12]}
    drawn = np.log(forecast.sample(pair, 300))
    assert np.corrcoef(drawn.T)[0, 1] > 0.99


def test_the_difference_of_near_points_has_its_own_spread(solved: Solved) -> None:
    """Draws of one expert, against the joint distribution by dense linear algebra."""
    at = np.array([[1e8, 1e10], [1.4e8, 1.4e10], [3e9, 3e11], [4e9, 4e11]])
    shares = np.zeros_like(solved.log_weights)
    shares[4, 1, 0] = 1.0
    function, flat = draw_functions(solved, shares, 3000, np.random.default_rng(0))
    drawn = np.stack([np.log(values_of(function, flat, N, D)) for N, D in at], axis=1)
    spread = np.array([np.std(drawn[:, i] - drawn[:, i + 1]) for i in (0, 2)])
    whole = joint_covariance(solved, (4, 1, 0), at)
    exact = [np.sqrt(np.array([1, -1]) @ whole[i:, i:][:2, :2] @ np.array([1, -1])) for i in (0, 2)]
    np.testing.assert_allclose(spread, exact, rtol=0.15)


@pytest.mark.full
def test_a_drawn_function_can_be_differentiated(solved: Solved) -> None:
    import jax

    shares = np.exp(solved.log_weights)
    function, flat = draw_functions(solved, shares, 4, np.random.default_rng(0))

    def loss(logN: float) -> object:
        return function(flat[0], {"N": jax.numpy.exp(logN), "D": 1e11}, {})

    with float64_scope():
        slope = float(jax.grad(loss)(np.log(1e9)))
        step = 1e-4
        up, down = (float(loss(np.log(1e9) + s)) for s in (step, -step))
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4)


def test_functions_have_the_components_of_their_experts_alone(solved: Solved) -> None:
    kernels = solved.member.prior.kernels
    alone = int(np.flatnonzero([len(kernel) == 1 for kernel in kernels])[0])
    shares = np.zeros_like(solved.log_weights)
    shares[alone, 0, 0] = 1.0
    function, flat = draw_functions(solved, shares, 3, np.random.default_rng(0))
    assert function.bends.components == 1
    assert max(len(kernel) for kernel in kernels) == 2
    assert flat.shape[1] == len(central_function(solved, shares))
