"""Draws of functions: they agree with the predictive distribution, and are smooth functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.discrepancy.experts import Solved
from jscale.discrepancy.sampling import draw_functions, grid_of

AT = {"N": [1e8, 3e9, 2e10], "D": [1e10, 3e11, 2e12]}


def test_draws_have_the_forecasts_quantiles(forecast: js.Forecast) -> None:
    drawn = np.log(forecast.sample(AT, 2000, seed=1))
    mixture = forecast.mixture(pd.DataFrame(AT)).curve
    low, high = mixture.quantile(0.16), mixture.quantile(0.84)
    off = np.abs(np.median(drawn, axis=0) - mixture.quantile(0.5))
    assert (off < 0.2 * (high - low)).all()
    # Between its points the grid interpolates: short bends among the runs are a little coarse.
    np.testing.assert_allclose(
        np.diff(np.quantile(drawn, [0.16, 0.84], axis=0), axis=0)[0], high - low, rtol=0.35
    )


def test_a_seed_gives_the_same_draws(forecast: js.Forecast) -> None:
    first, again = forecast.sample(AT, 20, seed=3), forecast.sample(AT, 20, seed=3)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, forecast.sample(AT, 20, seed=4))


def test_neighbouring_points_move_together(forecast: js.Forecast) -> None:
    pair = {"N": [1e9, 1.1e9], "D": [1e12, 1.1e12]}
    drawn = np.log(forecast.sample(pair, 300))
    assert np.corrcoef(drawn.T)[0, 1] > 0.99


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


def test_the_grid_spans_the_runs_and_a_thousandfold_beyond(solved: Solved) -> None:
    points = grid_of(solved)
    assert (points.max(axis=0) >= solved.site.u.max(axis=0) + np.log(900)).all()
    assert (points.min(axis=0) <= solved.site.u.min(axis=0) - 2).all()
