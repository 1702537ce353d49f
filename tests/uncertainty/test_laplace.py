"""laplace: draws with the mean and covariance of the fit, in the solver's coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js

DRAWS = 4000


@pytest.fixture(scope="module")
def theta(fit: js.Fit) -> np.ndarray:
    """Draws (DRAWS, p) taken back to the solver's coordinates."""
    draws, layout, centre = (
        js.laplace(fit, DRAWS, seed=2),
        fit.problem.layout,
        fit.problem.data.centre,
    )
    rows = draws.to_frame().to_dict("records")
    return np.stack([layout.coordinates(row, centre) for row in rows])


def test_mean_and_covariance_are_those_of_the_fit(fit, theta):
    root = np.linalg.cholesky(fit.theta_covariance)
    z = np.linalg.solve(root, (theta - fit.theta).T)
    freedom = len(fit.runs) - len(fit.theta)
    # Five standard errors: 1/sqrt(n) of a mean, about sqrt(2/n) of a variance.
    assert np.abs(z.mean(axis=1)).max() < 5 / np.sqrt(DRAWS)
    expected = freedom / (freedom - 2) * np.eye(len(z))
    assert np.abs(np.cov(z) - expected).max() < 5 * np.sqrt(2 / DRAWS)


def kurtosis(values: np.ndarray) -> float:
    centred = np.asarray(values) - np.asarray(values).mean()
    return float(np.mean(centred**4) / np.mean(centred**2) ** 2)


def test_tails_are_those_of_student(fit):
    """The kurtosis of each parameter's draws shows few degrees of freedom."""
    few = js.simulate(
        "power", {"A": 50.0, "alpha": 0.07}, {"C": np.geomspace(1e17, 1e20, 7)}, noise=0.01
    )
    small = js.fit("power", few)
    wide, narrow = js.laplace(small, DRAWS), js.laplace(fit, DRAWS)
    assert (wide.settings["freedom"], narrow.settings["freedom"]) == (5, 37)
    assert kurtosis(wide["alpha"]) > 4.0 > kurtosis(np.log(narrow["alpha"]))


def test_repeats_with_its_seed(fit):
    first, again, other = (js.laplace(fit, 10, seed=s).values for s in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert not np.isclose(first, other).any()


def test_parameters_keep_to_their_support(fit):
    assert (js.laplace(fit, DRAWS).flat > 0).all()


def test_says_what_it_did(fit):
    draws = js.laplace(fit, 10, seed=4)
    assert draws.method == "laplace"
    assert draws.settings == {"draws": 10, "seed": 4, "freedom": 37}


def test_too_few_draws(fit):
    with pytest.raises(js.JscaleError, match=r"draws=1 must be at least 2: laplace\(fit, draws="):
        js.laplace(fit, draws=1)


def test_a_coordinate_that_moves_nothing_is_held_and_said():
    """A term that has died has no error at all to draw from; the others have theirs."""
    table = js.simulate(
        "power_const:N", {"E": 1.7, "A": 50.0, "alpha": 0.3}, {"N": np.geomspace(1e3, 1e7, 30)},
        noise=0.01, seed=1,
    )  # fmt: skip
    fit = js.fit("power_const:N", table)
    covariance = fit.theta_covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance[0, 0] = np.inf
    dead = replace(fit, theta_covariance=covariance)
    with pytest.warns(js.FitWarning, match=r"The data say nothing of E, .*held at the fit's value"):
        draws = js.laplace(dead, draws=200)
    assert np.ptp(draws.flat[:, 0]) == 0.0
    assert draws.flat[:, 1].std() > 0
