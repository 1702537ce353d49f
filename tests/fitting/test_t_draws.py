"""t_draws: a multivariate Student-t of the covariance given, coordinates without one held."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f, kstest, t

from jscale.fitting.t_draws import t_draws

THETA = np.array([1.0, -2.0, 30.0])
ROOT = np.array([[0.1, 0.0, 0.0], [0.05, 0.02, 0.0], [-1.0, 3.0, 2.0]])
COVARIANCE = ROOT @ ROOT.T
DRAWS = 20_000


def draws(freedom: int, covariance: np.ndarray = COVARIANCE, count: int = DRAWS) -> np.ndarray:
    return t_draws(THETA, covariance, freedom, count, np.random.default_rng(0))


def test_their_covariance_is_freedom_over_freedom_less_two_times_that_given() -> None:
    for freedom in (8, 40):
        found = draws(freedom)
        assert found.shape == (DRAWS, 3)
        sd = np.sqrt(np.diag(COVARIANCE))
        np.testing.assert_allclose(
            found.mean(axis=0) / sd, THETA / sd, atol=5 * 1.2 / np.sqrt(DRAWS)
        )
        expected = COVARIANCE * freedom / (freedom - 2)
        scale = np.outer(sd, sd)
        np.testing.assert_allclose(np.cov(found.T) / scale, expected / scale, atol=0.06)


@pytest.mark.parametrize("freedom", [1, 3, 20])
def test_their_tails_are_students(freedom: int) -> None:
    """Also at one degree of freedom, which has no variance."""
    z = (draws(freedom) - THETA) / np.sqrt(np.diag(COVARIANCE))
    for column in z.T:
        assert kstest(column, t(freedom).cdf).pvalue > 1e-3


def test_all_coordinates_of_a_draw_are_wide_together() -> None:
    """The squared distance over p is F(p, freedom): each coordinate of its own t would not be."""
    off = np.linalg.solve(ROOT, (draws(4) - THETA).T)
    assert kstest(np.sum(off**2, axis=0) / 3, f(3, 4).cdf).pvalue > 1e-3
    # Yet the coordinates of the root do not tell each other's sign.
    assert abs(np.mean(np.sign(off[0]) * np.sign(off[1]))) < 5 / np.sqrt(DRAWS)


@pytest.mark.parametrize("unknown", [np.inf, np.nan])
def test_a_coordinate_without_a_variance_is_held(unknown: float) -> None:
    covariance = COVARIANCE.copy()
    covariance[1, :] = covariance[:, 1] = unknown
    found = draws(8, covariance)
    assert (found[:, 1] == THETA[1]).all()
    known = [0, 2]
    sd = np.sqrt(np.diag(COVARIANCE))[known]
    scale = np.outer(sd, sd)
    expected = COVARIANCE[np.ix_(known, known)] * 8 / 6
    np.testing.assert_allclose(np.cov(found[:, known].T) / scale, expected / scale, atol=0.06)


def test_a_covariance_of_lower_rank_keeps_its_plane() -> None:
    """One direction is known exactly; rounding may make its variance a little negative."""
    flat = ROOT[:, :2] @ ROOT[:, :2].T
    found = draws(8, flat - 1e-12 * np.eye(3), count=500)
    normal = np.linalg.svd(ROOT[:, :2])[0][:, 2]
    assert np.isfinite(found).all()
    assert np.abs((found - THETA) @ normal).max() < 1e-6
    assert np.std(found, axis=0).min() > 0.01


def test_the_same_generator_gives_the_same_draws() -> None:
    np.testing.assert_array_equal(draws(8, count=5), draws(8, count=5))
    other = t_draws(THETA, COVARIANCE, 8, 5, np.random.default_rng(1))
    assert (other != draws(8, count=5)).all()
