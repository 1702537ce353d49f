"""Refits of resamples: errors moved and signed, chunks, and refits that find another basin."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.resampling import Units, resample_counts
from jscale.fitting.build import build
from jscale.fitting.settings import Settings
from jscale.uncertainty.refits import (
    Refits,
    centred,
    residual_errors,
    warn_of_failures,
    wild_errors,
)

SQUARES = js.least_squares(space="linear")


@pytest.mark.parametrize("kind", ["pairs", "bayesian", "residual", "wild"])
@pytest.mark.filterwarnings("ignore:.*near-l1")
def test_memory_is_bounded_by_chunks(fit, kind, monkeypatch):
    """Chunks draw from one stream: the first of many are the first of few."""
    monkeypatch.setattr("jscale.uncertainty.refits._NUMBERS_AT_ONCE", 64 * 20)
    draws = js.bootstrap(fit, 70, kind=kind, seed=5)
    assert len(draws) == 70
    short = js.bootstrap(fit, 20, kind=kind, seed=5)
    np.testing.assert_array_equal(draws.flat[:20], short.flat)
    assert len(np.unique(draws.flat[:, 0])) == 70


@js.law(output="y", start={"c": (0.3, 8.0)})
def wave(x: float, *, c: js.Positive):
    """Nearly as good at c + 2π as at c, where x lies near whole numbers."""
    import jax.numpy as jnp

    return jnp.sin(c * x)


@pytest.fixture(scope="module")
def aliased() -> js.Fit:
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 17.0) + 0.03 * rng.standard_normal(16)
    frame = pd.DataFrame({"x": x, "y": np.sin(0.9 * x) + 0.3 * rng.standard_normal(16)})
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    return js.fit(wave, runs, objective=SQUARES)


def lowest(fit: js.Fit, weights: np.ndarray) -> np.ndarray:
    """The least weighted sum of squares by brute force, for each row of weights (R, n)."""
    c = np.linspace(0.3, 8.0, 40001)
    error = np.sin(c[:, None] * fit.runs["x"]) - fit.runs["y"]
    return (weights @ (0.5 * error.T**2)).min(axis=1)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_replicates_find_another_basin(aliased):
    """Where enough of the guarded switch, all are started elsewhere and end at their best."""
    draws = js.bootstrap(aliased, 400, seed=2)
    counts = resample_counts(aliased.runs, {}, 400, seed=2)
    error = np.sin(draws.flat * aliased.runs["x"]) - aliased.runs["y"]
    found = np.sum(counts * 0.5 * error**2, axis=1)
    best = lowest(aliased, counts)
    assert np.mean(found < best * (1 + 1e-3)) > 0.99
    far = np.abs(draws.flat[:, 0] - aliased.params["c"]) > 1.0
    assert draws.switched == pytest.approx(far.sum(), abs=4)
    assert 20 < draws.switched < 380
    note = draws.notes[0]
    assert (note.code, note.severity) == ("basins-switch", "caution")
    assert "Of 50 refits" in note.seen
    assert "all later refits also started there" in note.seen
    assert f"{draws.switched} in another basin" in repr(draws)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_later_chunks_start_elsewhere_too(aliased, monkeypatch):
    monkeypatch.setattr("jscale.uncertainty.refits._NUMBERS_AT_ONCE", 16 * 100)
    draws = js.bootstrap(aliased, 400, seed=2)
    counts = resample_counts(aliased.runs, {}, 100, seed=2)
    error = np.sin(draws.flat[:100] * aliased.runs["x"]) - aliased.runs["y"]
    found = np.sum(counts * 0.5 * error**2, axis=1)
    assert np.mean(found < lowest(aliased, counts) * (1 + 1e-3)) > 0.99
    far = np.abs(draws.flat[:, 0] - aliased.params["c"]) > 1.0
    assert all(far[first : first + 100].sum() > 10 for first in range(0, 400, 100))


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
@pytest.mark.parametrize("kind", ["residual", "wild"])
def test_other_kinds_are_guarded_too(aliased, kind):
    assert js.bootstrap(aliased, 100, kind=kind).switched > 2


def units(unit: list[int], stratum: list[int] | None = None) -> Units:
    own = np.array(unit)
    return Units(own, np.zeros_like(own) if stratum is None else np.array(stratum))


def test_errors_of_units_are_put_onto_others_of_their_stratum() -> None:
    """Row by row: the first row's error of a unit goes to the first row of another."""
    errors = np.array([1.0, 10.0, 2.0, 20.0, 300.0, 400.0])
    draw = residual_errors(units([0, 0, 1, 1, 2, 3], [0, 0, 0, 0, 1, 1]), errors)
    drawn = draw(500, np.random.default_rng(0))
    assert {tuple(row) for row in drawn[:, :2]} == {(1.0, 10.0), (2.0, 20.0)}
    assert set(drawn[:, 4:].ravel()) == {300.0, 400.0}
    assert np.mean(drawn[:, 0] == 1.0) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(500))


def test_units_of_unlike_size_cannot_trade_their_errors() -> None:
    with pytest.raises(js.JscaleError, match=r"clusters have 1 to 2 rows; use kind=\"wild\""):
        residual_errors(units([0, 0, 1]), np.ones(3))


@pytest.mark.parametrize(("count", "points"), [(12, 2), (11, 6)])
def test_signs_are_shared_by_a_unit_and_become_six_points_for_few(count: int, points: int) -> None:
    errors = np.repeat(np.arange(1.0, count + 1), 2)
    drawn = wild_errors(units(np.repeat(np.arange(count), 2).tolist()), errors)(
        4000, np.random.default_rng(1)
    )
    factors = drawn / errors
    np.testing.assert_array_equal(factors[:, ::2], factors[:, 1::2])
    values = np.unique(factors.round(12))
    assert len(values) == points
    np.testing.assert_allclose(values, -values[::-1])
    assert factors.mean() == pytest.approx(0.0, abs=0.03)
    assert (factors**2).mean() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("objective", "middle"),
    [(SQUARES, np.mean), (js.least_absolute("linear"), np.median)],
    ids=["squares", "absolute"],
)
def test_errors_are_centred_on_what_the_objective_fits_to_them(objective, middle) -> None:
    table = pd.DataFrame({"x": np.linspace(1, 2, 21), "y": np.linspace(0, 1, 21) ** 3})
    runs = js.Runs.from_frame(table, output="y", x="x", loss_unit="other")
    problem = build(wave, runs, Settings(objective))[0]
    errors = np.random.default_rng(2).exponential(1.0, 21)
    np.testing.assert_allclose(centred(problem, errors), errors - middle(errors), atol=1e-6)


def test_failures_are_warned_of_from_one_in_a_hundred_on() -> None:
    with pytest.warns(js.FitWarning, match=r"1 of 100 resamples failed and 1 did not .* Do so\."):
        warn_of_failures(100, 1, 1, "Do so.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_failures(100, 1, 0, "Do so.")


def test_refits_that_are_not_finite_are_not_good() -> None:
    theta = np.array([[1.0], [np.nan], [2.0]])
    ends = Refits(theta, np.array([1.0, 1.0, np.inf]), np.ones(3), np.zeros(3), 0, 0, False)
    assert ends.good.tolist() == [True, False, False]
