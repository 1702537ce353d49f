"""Every registered uncertainty method keeps the same promises, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
DRAWS = 40


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    C = {"C": np.geomspace(1e17, 1e21, 24)}
    return js.simulate("power_const", POWER, C, noise=0.01, seed=0)


@pytest.fixture(scope="module")
def fit(runs: js.Runs) -> js.Fit:
    return js.fit("power_const", runs, objective=js.pseudo_huber(1e-2))


@pytest.fixture(scope="module", params=js.methods.names())
def method(request: pytest.FixtureRequest) -> js.methods.Method:
    return js.methods.get(request.param)


@pytest.fixture(scope="module")
def drawn(fit: js.Fit, method: js.methods.Method) -> js.Draws:
    return js.draws(fit, method.name, resamples=DRAWS, seed=1)


@pytest.mark.full
def test_draws_are_finite_and_as_many_as_wanted(fit: js.Fit, drawn: js.Draws) -> None:
    assert drawn.fit is fit
    assert drawn.names == tuple(fit.params.index)
    assert len(drawn) + drawn.failed == DRAWS
    assert np.isfinite(drawn.values).all()


@pytest.mark.full
def test_draws_say_what_they_are(method: js.methods.Method, drawn: js.Draws) -> None:
    assert method.words
    assert drawn.method
    assert drawn.resampled is method.resampled
    assert not drawn.from_prior


def test_a_seed_makes_the_draws_again(
    fit: js.Fit, method: js.methods.Method, drawn: js.Draws
) -> None:
    again = js.draws(fit, method.name, resamples=DRAWS, seed=1)
    other = js.draws(fit, method.name, resamples=DRAWS, seed=2)
    np.testing.assert_array_equal(again.values, drawn.values)
    assert not np.array_equal(other.values, drawn.values)


def test_draws_scatter_around_the_estimate(fit: js.Fit, drawn: js.Draws) -> None:
    middle, spread = np.median(drawn.flat, axis=0), drawn.flat.std(axis=0)
    assert (np.abs(middle - fit.params) < 3 * spread).all()
    assert (spread > 0).all()


def test_intervals_and_summary(drawn: js.Draws) -> None:
    wide, narrow = drawn.interval(0.9), drawn.interval(0.5)
    assert (wide["low"] <= narrow["low"]).all()
    assert (narrow["high"] <= wide["high"]).all()
    columns = ["estimate", "sd", "low_90%", "high_90%"]
    assert drawn.summary().columns.tolist() == columns


def test_the_call_makes_the_draws_again(fit: js.Fit, drawn: js.Draws) -> None:
    call = drawn.call
    assert call is not None
    assert not call.named  # nothing but jscale itself is needed
    again = eval(call.function, {"js": js})(fit, **call.arguments)
    np.testing.assert_array_equal(again.values, drawn.values)


def test_predictions_take_its_name(fit: js.Fit, method: js.methods.Method) -> None:
    prediction = js.predict(fit, C=1e20, method=method.name, seed=1)
    drawn = js.draws(fit, method.name, seed=1)
    expected = js.predict(drawn, C=1e20, seed=1)
    assert prediction.method == f"{drawn.method}, within the law"
    assert prediction.frame.equals(expected.frame)


def test_many_sets_are_drawn_where_it_says_so(runs: js.Runs, method: js.methods.Method) -> None:
    table = runs.frame.assign(part=np.arange(len(runs)) % 2)

    def many() -> js.FitTable:
        return js.fit_many(
            "power_const", table, by="part", starts=8, resamples=DRAWS, method=method.name
        )

    if method.batched:
        draws = many().draws
        assert draws is not None
        assert draws.shape == (2, DRAWS, 3)
        assert np.isfinite(draws).all()
    else:
        with pytest.raises(js.JscaleError, match=f"method='{method.name}' draws one fit at a time"):
            many()
