"""Objectives that are likelihoods: of normal, Laplace and Student-t errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import jscale as js
from jscale.fitting.objective import LeastAbsolute

R = np.array([-0.7, -2e-3, -1e-4, 0.0, 3e-4, 5e-3, 2.0])
DELTA = 1e-3


def test_least_absolute_is_the_absolute_value_but_for_its_kink() -> None:
    np.testing.assert_allclose(LeastAbsolute.terms(R, 1e-9).rho, np.abs(R), atol=1e-9)


def test_student_t_is_the_negative_log_density() -> None:
    density = stats.t(3.0, scale=DELTA).logpdf
    expected = density(0.0) - density(R)
    np.testing.assert_allclose(js.student_t(scale=DELTA)(R).rho, expected, rtol=1e-9, atol=1e-12)


WEIGHTS = np.array([1.0, 0.5, 2.0, 1.0, 4.0, 1.0, 0.25])


@pytest.mark.parametrize("scale", [0.02, 3.0])
def test_log_likelihoods_are_those_of_scipy(scale: float) -> None:
    """A weight w divides the variance of a normal error, or the scale of a Laplace one."""
    normal = stats.norm(scale=scale / np.sqrt(WEIGHTS)).logpdf(R).sum()
    assert js.least_squares().log_likelihood(R, WEIGHTS, scale) == pytest.approx(normal)
    laplace = stats.laplace(scale=scale / WEIGHTS).logpdf(R).sum()
    assert js.least_absolute().log_likelihood(R, WEIGHTS, scale) == pytest.approx(laplace)
    student = stats.t(4.0, scale=scale).logpdf(R).sum()
    objective = js.student_t(df=4.0, scale=0.7)
    assert objective.log_likelihood(R, np.ones(7), scale) == pytest.approx(student)


def test_without_a_scale_it_is_that_of_largest_likelihood() -> None:
    variance = np.mean(WEIGHTS * R**2)
    squares = js.least_squares()
    assert squares.log_likelihood(R, WEIGHTS) == pytest.approx(
        squares.log_likelihood(R, WEIGHTS, np.sqrt(variance))
    )
    absolute = js.least_absolute()
    assert absolute.log_likelihood(R, WEIGHTS) == pytest.approx(
        absolute.log_likelihood(R, WEIGHTS, np.mean(WEIGHTS * np.abs(R)))
    )


def test_student_t_says_why_it_is_no_likelihood() -> None:
    assert js.student_t().no_likelihood(np.ones(3)) == ""
    assert "scale was given and not fitted" in js.student_t(scale=0.1).no_likelihood(np.ones(3))
    unequal = js.student_t().no_likelihood(np.array([1.0, 2.5]))
    assert "unequal weights, here from 1 to 2.5" in unequal


def test_shown_values_have_no_kink_and_the_log_of_the_scale() -> None:
    ones = np.ones(7)
    assert js.least_absolute().value(R, ones) == np.abs(R).sum()
    at = js.student_t(scale=0.01)
    assert at.value(R, ones) == pytest.approx(at(R).rho.sum() + 7 * np.log(0.01))


def test_the_slope_of_the_likelihood_in_the_scale_is_the_excess() -> None:
    h, u = 1e-6, R / 0.05
    objective = js.student_t(df=3.0)
    ends = [objective.log_likelihood(R, np.ones(7), 0.05 * np.exp(s * h)) for s in (-1, 1)]
    slope = (ends[1] - ends[0]) / (2 * h)
    assert objective.scale_excess(u, np.ones(7), 1.0) == pytest.approx(slope, rel=1e-6)
