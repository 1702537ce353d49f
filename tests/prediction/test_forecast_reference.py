"""The fit that describes a forecast's law: the parameters of its expert with the most weight."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.prediction.forecast_reference import reference_of


@pytest.fixture(scope="module")
def reference(forecast: js.Forecast, runs: js.Runs) -> js.Fit:
    return reference_of(forecast.laws[0], forecast.experts[0], runs)


def test_it_is_the_law_at_its_parameters(reference: js.Fit, runs: js.Runs) -> None:
    curve = reference.law(runs["N"], runs["D"], **reference.params)
    np.testing.assert_allclose(reference.fitted, curve, rtol=1e-10)
    np.testing.assert_allclose(reference.residuals, np.log(curve / runs["loss"]), atol=1e-10)


def test_its_parameters_are_those_of_the_expert_with_the_most_weight(
    forecast: js.Forecast, reference: js.Fit
) -> None:
    place = np.unravel_index(int(np.argmax(forecast.log_weights[0])), forecast.log_weights[0].shape)
    np.testing.assert_array_equal(reference.theta, forecast.experts[0].lanes.theta[place])


def test_errors_are_those_of_the_coordinates_carried_over(reference: js.Fit) -> None:
    """E's coordinate is its logarithm: its error is relative."""
    at = reference.problem.layout.labels.index("E")
    relative = np.sqrt(reference.theta_covariance[at, at])
    assert reference.stderr["E"] == pytest.approx(relative * reference.params["E"], rel=1e-8)
    np.testing.assert_allclose(np.diag(reference.covariance), reference.stderr**2, rtol=1e-12)
    assert list(reference.covariance.columns) == list(reference.params.index)


def test_it_takes_inputs_as_any_fit_does(reference: js.Fit) -> None:
    frame = js.predict(reference, N=1e8, D=1e10, method=None).frame
    assert frame["curve"][0] == pytest.approx(float(reference.law(1e8, 1e10, **reference.params)))
    with pytest.raises(js.PredictionError, match="D is missing"):
        js.predict(reference, N=1e8, method=None)
