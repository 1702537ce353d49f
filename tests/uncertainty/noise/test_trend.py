"""Noise that follows an input: found as far as runs tell, drawn, and bounded beyond the runs."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import compute
from jscale.uncertainty.noise.errors import Errors
from jscale.uncertainty.noise.model import NoiseModel, noise_model
from jscale.uncertainty.noise.trend import MOST_GROWTH, Trend, axis, log_axis, trend_along

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}


def varying(trend: float, count: int = 120, seed: int = 0) -> js.Fit:
    noise = js.Noise(sd=0.01, trend=trend)
    runs = js.simulate("power_const", POWER, compute(1e17, 1e22, count), noise=noise, seed=seed)
    return js.fit("power_const", runs, starts=8)


def test_a_trend_takes_eight_runs():
    assert noise_model(varying(0.5, 7)).trend is None
    assert noise_model(varying(0.5, 8)).trend is not None


def along(x: np.ndarray, errors: np.ndarray, units: np.ndarray | None = None) -> Trend:
    units = np.arange(len(x)) if units is None else units
    found = trend_along(x, errors, units, np.ones(len(x)), "C")
    assert found is not None
    return found


def test_a_run_counts_once_for_the_trend_however_many_rows_it_has():
    rng = np.random.default_rng(5)
    x, errors = np.linspace(0.0, 9.0, 12), rng.standard_normal(12)
    once = along(x, errors)
    units = np.r_[np.arange(12), np.full(100, 11)]
    many = trend_along(x[units], errors[units], units, np.ones(len(units)), "C")
    assert many is not None
    # Rows are measured in units of their median size, which the repeated row moves.
    assert (many.slope, many.error) == pytest.approx((once.slope, once.error), rel=1e-6)
    assert many.centre == pytest.approx(once.centre)


def test_residuals_of_zero_do_not_make_a_trend_that_the_prior_forbids():
    x = np.linspace(0.0, 9.0, 12)
    errors = np.where(x < 3.5, 0.0, np.random.default_rng(0).standard_normal(12))
    assert along(x, errors).slope < 0.45


@pytest.mark.parametrize("rows", [1, 20])
def test_the_error_of_a_trend_is_right_for_few_runs_of_many_rows(rows):
    """Runs that differ in size, not with x: slopes lie about as far from none as they say."""
    x, units = np.repeat(np.linspace(0.0, 9.0, 10), rows), np.repeat(np.arange(10), rows)
    off = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scale = np.exp(0.5 * rng.standard_normal(10))[units]
        found = along(x, scale * rng.standard_normal(10 * rows), units)
        off.append(found.slope / found.error)
    assert np.sqrt(np.mean(np.square(off))) < 1.2


@pytest.mark.full
def test_a_code_is_no_axis_of_noise():
    @js.law(codes=("kind",), powers=(("A", "S", "alpha"),), linear=("A",))
    def by_kind(kind, S, *, A: js.Scale, alpha: js.Exponent):
        return A * js.power(S, -alpha) + 0.0 * kind

    rng = np.random.default_rng(0)
    S = np.geomspace(1.0, 1e3, 20)
    loss = 3 * S**-0.2 * np.exp(0.01 * rng.standard_normal(20))
    frame = pd.DataFrame({"kind": 1.0 + np.arange(20) % 2, "S": S, "loss": loss})
    trend = noise_model(js.fit(by_kind, frame, kind="kind", S="S", starts=8)).trend
    assert trend is not None
    assert trend.column == "S"


def test_noise_that_follows_a_column_needs_it():
    model = noise_model(varying(0.2))
    with pytest.raises(js.DataError, match=r"learnt to follow C, but the table has no column 'C'"):
        js.simulate("power_const:N", POWER, {"N": [1e9]}, noise=model)
    with pytest.raises(js.DataError, match=r"column 'C' must be positive.*row 1 \(-1.0\)"):
        model.draw(np.zeros((5, 2)), pd.DataFrame({"C": [1e18, -1.0]}), seed=0)


def test_what_runs_do_not_say_of_a_trend_is_left_open():
    """The posterior of a slope: wide for few runs, and narrowing to the estimate for many."""
    x = np.linspace(-1.0, 1.0, 2000)
    errors = np.exp(0.3 * x) * np.random.default_rng(0).standard_normal(2000)
    many = along(x, errors)
    assert many.slope == pytest.approx(0.3, abs=0.1)
    few = along(x[::200], errors[::200])
    assert abs(few.slope) < 0.1
    assert 0.1 < few.error < 0.15


def test_new_runs_are_covered_where_few_show_growing_noise():
    """Of 20 runs whose noise grows as C^0.1: a test for it would find it in few of the worlds."""
    x, rng = np.linspace(0.0, np.log(1e4), 20), np.random.default_rng(0)
    top, size, held, found = pd.DataFrame({"C": [1e4]}), np.exp(0.1 * x), [], 0
    for world in range(300):
        errors = size * rng.standard_normal(20)
        trend = along(x, errors)
        own = Errors.of(errors / trend.factor(x), np.full(20, 1 / 20), 19, 20)
        model = NoiseModel("run", own, None, trend, "")
        low, high = np.quantile(model.draw(np.zeros((1000, 1)), top, world), [0.1, 0.9])
        held.append(low <= size[-1] * rng.standard_normal() <= high)
        found += len(trend.notes)
    assert 0.7 < np.mean(held) < 0.88
    assert found < 150


def test_beyond_the_runs_noise_shrinks_no_further_and_grows_to_a_bound():
    low, high = np.log(1e17), np.log(1e22)
    far = np.array([np.log(1e30), np.log(1e23), low, np.log(1e10)])
    down = Trend("C", -0.2, 0.02, 1e-4, 0.5 * (low + high), low, high)
    at_ends = np.exp([-0.1 * (high - low), 0.1 * (high - low)])
    expected = [at_ends[0], at_ends[0], at_ends[1], MOST_GROWTH * at_ends[1]]
    np.testing.assert_allclose(down.factor(far), expected)
    up = Trend("C", 0.2, 0.02, 1e-4, 0.5 * (low + high), low, high)
    grown = at_ends[1] * np.array([MOST_GROWTH, 10**0.2])
    np.testing.assert_allclose(up.factor(far), [*grown, at_ends[0], at_ends[0]])


RISING = Trend("C", 0.2, 0.05, 1e-4, np.log(1e19), np.log(1e17), np.log(1e22))


def test_within_the_runs_noise_is_a_power_and_one_at_the_centre() -> None:
    x = np.log([1e18, 1e19, 1e21])
    np.testing.assert_allclose(RISING.factor(x), [10**-0.2, 1.0, 10**0.4])
    slopes = np.array([[0.0], [-0.1]])
    np.testing.assert_allclose(RISING.factor(x, slopes), [[1, 1, 1], [10**0.1, 1.0, 10**-0.2]])


def test_slopes_are_drawn_from_the_posterior_one_for_each_draw() -> None:
    rng = np.random.default_rng(0)
    slopes = RISING.slopes(20_000, rng)
    assert slopes.shape == (20_000, 1)
    assert slopes.mean() == pytest.approx(0.2, abs=5 * 0.05 / np.sqrt(20_000))
    assert slopes.std() == pytest.approx(0.05, rel=0.03)
    table = pd.DataFrame({"C": [1e18, 1e19, 1e20]})
    factors = RISING.draw(table, 50, rng)
    np.testing.assert_allclose(factors[:, 0] * factors[:, 2], 1.0, rtol=1e-9)
    np.testing.assert_allclose(factors[:, 1], 1.0, rtol=1e-12)


def test_only_a_trend_that_chance_does_not_explain_is_noted() -> None:
    (note,) = RISING.notes
    assert (note.code, note.severity) == ("noise-varies", "info")
    assert note.seen == "The runs' noise grows as C^0.2 (error 0.05; by chance: p = 1.0e-04)."
    assert replace(RISING, chance=0.02).notes == ()
    assert "shrinks as C^-0.2" in replace(RISING, slope=-0.2).notes[0].seen


def test_the_axis_is_compute_where_the_law_knows_it() -> None:
    N, D = np.geomspace(1e6, 1e9, 12), np.tile([1e9, 1e10, 1e11], 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for law, columns, expected in (
            ("chinchilla", {"N": N, "D": D}, "C"),
            ("power_const:N", {"N": N, "D": D}, "N"),
            ("power_const", {"C": N}, "C"),
        ):
            frame = pd.DataFrame(columns).assign(loss=3 - 0.01 * np.arange(12))
            assert axis(js.fit(law, frame, starts=4)) == expected


def test_compute_is_made_of_size_and_data_where_a_table_has_none() -> None:
    table = pd.DataFrame({"N": [1e8, 1e9], "D": [1e9, 1e10]})
    np.testing.assert_allclose(np.exp(log_axis(table, "C")), [6e17, 6e19])
    np.testing.assert_allclose(log_axis(table.assign(C=7.0), "C"), np.log(7.0))


@pytest.mark.parametrize("rows", [7, 8])
def test_nothing_can_tell_of_too_few_runs_or_of_one_place(rows: int) -> None:
    errors = np.random.default_rng(1).standard_normal(rows)
    units, spare = np.arange(rows), np.ones(rows)
    found = trend_along(np.linspace(0.0, 9.0, rows), errors, units, spare, "C")
    assert (found is None) == (rows < 8)
    assert trend_along(np.ones(rows), errors, units, spare, "C") is None
    assert trend_along(np.arange(rows), np.zeros(rows), units, spare, "C") is None
