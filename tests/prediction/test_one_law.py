"""One law as a predictor: with draws, and by its point estimate alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.newruns import NewRun
from jscale.prediction.one_law import OneLaw, PointAlone
from tests.prediction.near import NEAR, Shift


def test_the_one_component_holds_all_draws(draws: js.Draws) -> None:
    (component,) = OneLaw(draws).components
    assert component.name == "chinchilla"
    np.testing.assert_array_equal(component.flat, draws.flat)
    np.testing.assert_array_equal(component.point, draws.fit.params)
    (alone,) = PointAlone(draws.fit).components
    assert alone.flat.shape == (0, 5)


def test_only_refits_say_what_they_resampled(surface: js.Fit, draws: js.Draws) -> None:
    assert OneLaw(draws).resamples is None
    refits = js.bootstrap(surface, 2, seed=1)
    assert OneLaw(refits).resamples == refits.method


def test_samples_are_around_the_curve_by_the_noise(draws: js.Draws) -> None:
    sampler = OneLaw(draws).sampler(NewRun.asked("run", None, Shift(0.3)), 0)
    samples = sampler.samples(sampler.table(None, NEAR), 0)
    np.testing.assert_allclose(samples.new, samples.curves + 0.3)
    expected = np.log(draws.fit.law(**NEAR, **draws.to_frame()))
    np.testing.assert_allclose(samples.curves[:, 0], expected, rtol=1e-12)
    assert samples.curve[0] == pytest.approx(np.log(draws.fit.law(**NEAR, **draws.fit.params)))
    assert sampler.predictor.draws is draws


def test_columns_of_the_noise_are_asked_for(draws: js.Draws) -> None:
    class Scored(Shift):
        columns = ("tokens",)

    sampler = OneLaw(draws).sampler(NewRun(given=Scored(0.1)), 0)
    table = sampler.table(pd.DataFrame({**NEAR, "tokens": [7.0], "who": ["a"]}), {})
    assert table["tokens"].tolist() == [7.0]


def test_another_law_of_the_same_parameters(draws: js.Draws) -> None:
    law = replace(draws.fit.law, function=lambda N, D, **p: 2.0 * draws.fit.law.function(N, D, **p))
    for made in (OneLaw(draws), PointAlone(draws.fit)):
        other = made.with_law(law)
        assert other.reference.law is law
        assert made.reference.law is not law


def test_a_point_alone_has_no_samples(surface: js.Fit) -> None:
    alone = PointAlone(surface)
    assert alone.sampler(NewRun(), 3).predictor is alone
    frame = alone.predictive(alone.table(None, NEAR), 0).frame(0.9)
    assert list(frame) == ["curve"]
    assert frame["curve"].tolist() == pytest.approx([surface.law(**NEAR, **surface.params)])


def test_intervals_are_quantiles_of_the_draws(draws):
    frame = js.predict(draws, **NEAR, level=0.8).frame
    sampled = draws.fit.law(**NEAR, **draws.to_frame())
    expected = np.exp(np.quantile(np.log(sampled), [0.1, 0.9]))
    found = frame[["confidence_low", "confidence_high"]].to_numpy()[0]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.full
def test_draws_that_leave_the_laws_range_are_said():
    """A score law whose draws fall below zero has no logarithm there."""

    @js.law(output="score")
    def falling(C, *, a: js.Real, b: js.Real):
        return a - b * C

    C = np.linspace(1.0, 10.0, 20)
    noise = 1 + 0.05 * np.random.default_rng(0).standard_normal(20)
    table = pd.DataFrame({"C": C, "score": (2.0 - 0.1 * C) * noise})
    fit = js.fit(falling, table, loss_unit="other")
    draws = js.laplace(fit, 200)
    with pytest.warns(js.FitWarning, match=r"draws give no log score in row 0: .* nearer to the"):
        js.predict(draws, C=19.8)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_the_curve_of_a_posterior_is_its_own(surface):
    """A prior far from the fit takes the posterior, and with it the curve, away from the fit."""
    far = ("lognormal", float(np.log(1.6 * surface.params["E"])), 0.002)
    post = js.posterior(surface, priors={"E": far}, method="importance", draws=250)
    row = js.predict(post, **NEAR).frame.iloc[0]
    fitted = js.predict(surface, **NEAR, method=None).frame["curve"].iloc[0]
    assert row["confidence_low"] < row["curve"] < row["confidence_high"]
    assert not row["confidence_low"] < fitted < row["confidence_high"]
