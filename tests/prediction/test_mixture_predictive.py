"""MixturePredictive: intervals, scores and places of outcomes, also of scores by their odds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from jscale.discrepancy.mixture import Normals
from jscale.prediction.mixture_predictive import MixturePredictive, to_space_numpy


def one(response: str = "plain", space: str = "log") -> MixturePredictive:
    """One normal at two points: the curve with a spread of 0.1, new runs with 0.2."""
    weight, mean = np.ones(1), np.array([[0.5, -1.0]])
    curve, new = (Normals(weight, mean, np.full((1, 2), sd)) for sd in (0.1, 0.2))
    return MixturePredictive(curve, new, space, response)


def test_intervals_of_a_loss_are_quantiles_of_its_logarithm() -> None:
    frame, z = one().frame(0.8), norm.ppf(0.9)
    np.testing.assert_allclose(frame["curve"], np.exp([0.5, -1.0]))
    for name, sd in (("confidence", 0.1), ("prediction", 0.2)):
        np.testing.assert_allclose(frame[f"{name}_low"], np.exp([0.5 - z * sd, -1.0 - z * sd]))
        np.testing.assert_allclose(frame[f"{name}_high"], np.exp([0.5 + z * sd, -1.0 + z * sd]))


def test_ends_trade_places_where_the_outcome_falls_as_the_response_rises() -> None:
    """Odds of failure: a score is 1/(1 + odds), its logit the negative of the logarithm."""
    frame, z = one("odds of failure").frame(0.8), norm.ppf(0.9)
    np.testing.assert_allclose(frame["curve"], expit([-0.5, 1.0]))
    np.testing.assert_allclose(frame["prediction_low"], expit([-0.5 - 0.2 * z, 1.0 - 0.2 * z]))
    assert (frame["prediction_low"] < frame["confidence_low"]).all()
    assert (frame["confidence_high"] < frame["prediction_high"]).all()


def test_the_score_of_a_loss_is_the_density_of_its_logarithm() -> None:
    y = np.array([1.9, 0.3])
    expected = norm.logpdf(np.log(y), [0.5, -1.0], 0.2)
    np.testing.assert_allclose(one().log_score(y), expected, rtol=1e-8)
    np.testing.assert_allclose(one().pit(y), norm.cdf(np.log(y), [0.5, -1.0], 0.2))


@pytest.mark.parametrize(("response", "sign"), [("odds", 1.0), ("odds of failure", -1.0)])
def test_the_score_of_a_rate_has_the_slope_of_its_logit(response: str, sign: float) -> None:
    """d logit(y) / d ln y = 1/(1 − y)."""
    y, middle = np.array([0.6, 0.4]), sign * np.array([0.5, -1.0])
    expected = norm.logpdf(logit(y), middle, 0.2) - np.log(1 - y)
    np.testing.assert_allclose(one(response).log_score(y), expected, rtol=1e-8)
    np.testing.assert_allclose(one(response).pit(y), norm.cdf(logit(y), middle, 0.2), atol=1e-12)


def test_densities_over_outcomes_add_up_to_one() -> None:
    x = np.linspace(1e-4, 1 - 1e-4, 40_001)
    many = Normals(np.ones(1), np.full((1, len(x)), 0.5), np.full((1, len(x)), 0.2))
    density = np.exp(MixturePredictive(many, many, "log", "odds of failure").log_score(x))
    assert np.trapezoid(density, np.log(x)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("space", ["log", "logit", "linear"])
def test_spaces_are_those_of_objectives(space: str) -> None:
    from jscale.fitting.objective import to_space

    values = np.array([0.2, 0.9])
    np.testing.assert_allclose(to_space_numpy(values, space), to_space(values, space), rtol=1e-6)
