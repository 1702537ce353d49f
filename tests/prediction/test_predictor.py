"""Predictors: what a source becomes, what is refused, and predictors of one's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import jscale as js
from jscale.prediction.components import WeightedMean, component_of
from jscale.prediction.one_law import OneLaw, PointAlone
from jscale.prediction.predictor import only_law
from jscale.prediction.sources import predictor_of, reference_of
from tests.prediction.near import NEAR


class Own:
    """A predictor of one's own: what another predicts, by another name."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.settings: dict[str, Any] = {}
        self.sampler = inner.sampler

    method = "a table on the wall"
    notes = ()
    resamples = None

    @property
    def reference(self) -> js.Fit:
        return self.inner.reference

    @property
    def components(self) -> Any:
        raise AssertionError("what is not asked for is not computed")


def test_sources_become_predictors(surface: js.Fit, draws: js.Draws) -> None:
    drawn = predictor_of(surface, "laplace", 5, caller="plan")
    assert isinstance(drawn, OneLaw)
    assert drawn.settings["seed"] == 5
    assert isinstance(predictor_of(surface, None, caller="predict", point=True), PointAlone)
    given = predictor_of(draws, caller="plan")
    assert isinstance(given, OneLaw)
    assert given.draws is draws
    assert predictor_of(drawn, caller="plan") is drawn


def test_a_predictor_of_ones_own_goes_wherever_a_fit_does(draws: js.Draws) -> None:
    found, expected = (js.predict(x, **NEAR, seed=4).frame for x in (Own(OneLaw(draws)), draws))
    assert found.equals(expected)


def test_one_that_lacks_a_part_is_told_which(draws: js.Draws) -> None:
    own = Own(OneLaw(draws))
    del own.sampler
    with pytest.raises(
        js.PredictionError, match=r"plan takes a Fit, Draws, .*, not Own\. It lacks sampler\.$"
    ):
        predictor_of(own, caller="plan")
    with pytest.raises(
        js.PredictionError, match=r"takes a FitTable, a Fit, Draws, .*, not dict\.$"
    ):
        predictor_of({}, caller="plan", also="a FitTable, ")


def test_a_method_is_for_what_can_be_drawn_only(surface: js.Fit, draws: js.Draws) -> None:
    with pytest.raises(
        js.PredictionError, match=r"method='laplace' is for a Fit: this Own has its"
    ):
        predictor_of(Own(OneLaw(draws)), "laplace", caller="plan")
    with pytest.raises(js.PredictionError, match="method=None is not known"):
        predictor_of(surface, None, caller="plan")


def test_a_reference_is_found_without_drawing(surface: js.Fit, draws: js.Draws) -> None:
    assert reference_of(surface, caller="plan") is surface
    assert reference_of(Own(OneLaw(draws)), caller="plan") is draws.fit


def test_only_a_law_by_itself_is_read_by_its_parameters(draws: js.Draws) -> None:
    component = component_of(draws.fit, draws.flat)
    assert only_law(OneLaw(draws), "derive", "").name == "chinchilla"
    two = SimpleNamespace(components=(component, component))
    with pytest.raises(
        js.PredictionError, match=r"derive reads .* has 2 laws \(chinchilla, chinchilla\)\. Do it"
    ):
        only_law(two, "derive", "Do it.")  # type: ignore[arg-type]
    mean = SimpleNamespace(name="a mean", function=WeightedMean((component.function,), (5,)))
    one = SimpleNamespace(components=(mean,))
    with pytest.raises(js.PredictionError, match=r"has more than a mean\. Do it"):
        only_law(one, "derive", "Do it.")  # type: ignore[arg-type]


def test_a_source_that_is_no_fit():
    with pytest.raises(
        js.PredictionError,
        match="predict takes a Fit, Draws, or another predictor such as a Forecast, not str",
    ):
        js.predict("fit.json", **NEAR)  # type: ignore[arg-type]


def test_unknown_method(surface):
    wrong = r"method='laplac' is not known\. Did you mean 'laplace'\? Use auto, bayesian"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(surface, **NEAR, method="laplac")
