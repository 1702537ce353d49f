"""Predictive: a mixture of laws scores and bounds new runs as the mixed density would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import kstest, norm

from jscale.prediction.predictive import Predictive, Samples

DRAWS = 4000


def normal(
    middle: float, sd: float, *, points: int = 1, draws: int = DRAWS, seed: int = 0,
    space: str = "log",
) -> Samples:  # fmt: skip
    """A law that is sure of its curve to a tenth of the spread ``sd`` of new runs."""
    rng = np.random.default_rng(seed)
    curves = middle + 0.1 * sd * rng.standard_normal((draws, points))
    new = middle + sd * rng.standard_normal((draws, points))
    return Samples(np.full(points, middle), curves, new, space)


def mixed(*parts: Samples, weights: tuple[float, ...]) -> Predictive:
    points = len(parts[0].curve)
    return Predictive(parts, np.repeat(np.array(weights)[:, None], points, axis=1))


# ── One law ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("space", "outward"), [("log", np.exp), ("linear", lambda x: x), ("logit", lambda x: 1 / (1 + np.exp(-x)))]
)  # fmt: skip
def test_one_laws_intervals_are_quantiles_of_its_samples(space, outward) -> None:
    own = normal(0.3, 0.2, points=3, space=space)
    frame = Predictive.of(own).frame(0.8)
    np.testing.assert_allclose(frame["curve"], outward(own.curve))
    for kind, samples in (("confidence", own.curves), ("prediction", own.new)):
        for side, q in (("low", 0.1), ("high", 0.9)):
            expected = outward(np.quantile(samples, q, axis=0))
            np.testing.assert_allclose(frame[f"{kind}_{side}"], expected, rtol=1e-12)


def test_draws_that_give_no_number_are_left_out() -> None:
    own = normal(0.3, 0.2, points=2)
    holed = own.new.copy()
    holed[::2, 0] = np.nan
    frame = Predictive.of(Samples(own.curve, own.curves, holed, "log")).frame(0.9)
    assert frame["prediction_low"][0] == pytest.approx(np.exp(np.quantile(own.new[1::2, 0], 0.05)))
    assert frame["prediction_low"][1] == pytest.approx(np.exp(np.quantile(own.new[:, 1], 0.05)))


def test_widened_samples_lie_further_from_their_medians() -> None:
    own = normal(0.3, 0.2, points=2)
    wide = own.widened(np.array([1.0, 3.0]))
    for before, after in ((own.curves, wide.curves), (own.new, wide.new)):
        middle = np.median(before, axis=0)
        np.testing.assert_allclose(np.median(after, axis=0), middle, atol=1e-12)
        np.testing.assert_allclose(after - middle, (before - middle) * [1.0, 3.0], atol=1e-12)
    np.testing.assert_array_equal(wide.curve, own.curve)
    assert own.widened(1.0) is own


# ── A mixture ────────────────────────────────────────────────────────────────────────────────


def test_the_log_score_is_that_of_the_mixed_density() -> None:
    left, right = normal(0.0, 0.05, points=2), normal(0.3, 0.1, points=2, draws=500, seed=1)
    weights = np.array([[0.25, 0.9], [0.75, 0.1]])
    y = np.exp([0.1, 0.25])
    found = Predictive((left, right), weights).log_score(y)
    own = np.stack([left.log_score(y), right.log_score(y)])
    np.testing.assert_allclose(found, np.log(np.sum(weights * np.exp(own), axis=0)), rtol=1e-12)
    np.testing.assert_allclose(Predictive.of(left).log_score(y), own[0], rtol=1e-12)


def test_a_law_without_weight_has_no_say() -> None:
    left, right = normal(0.0, 0.05), normal(5.0, 0.1, seed=1)
    both, alone = mixed(left, right, weights=(1.0, 0.0)), Predictive.of(left)
    for name in ("prediction_low", "prediction_high", "confidence_low", "confidence_high"):
        found, expected = both.frame(0.9)[name][0], alone.frame(0.9)[name][0]
        assert found == pytest.approx(expected, rel=1e-4)
    assert both.log_score(np.array([1.01])) == pytest.approx(alone.log_score(np.array([1.01])))
    assert both.pit(np.array([1.01])) == pytest.approx(alone.pit(np.array([1.01])))


@pytest.mark.parametrize("draws", [(DRAWS, DRAWS), (DRAWS, 40_000)])
@pytest.mark.parametrize("weight", [0.2, 0.7])
def test_the_interval_is_that_of_the_mixed_density(draws: tuple[int, int], weight: float) -> None:
    """A law's weight is that of all its samples, however many there are."""
    left, right = normal(0.0, 0.1, draws=draws[0]), normal(0.5, 0.2, draws=draws[1], seed=1)

    def cdf(x: float, narrow: float) -> float:
        return weight * norm.cdf(x, 0.0, 0.1 * narrow) + (1 - weight) * norm.cdf(
            x, 0.5, 0.2 * narrow
        )

    def density(x: float, narrow: float) -> float:
        return weight * norm.pdf(x, 0.0, 0.1 * narrow) + (1 - weight) * norm.pdf(
            x, 0.5, 0.2 * narrow
        )

    frame = mixed(left, right, weights=(weight, 1 - weight)).frame(0.8)
    for name, q, narrow in (("prediction_low", 0.1, 1.0), ("prediction_high", 0.9, 1.0),
                            ("confidence_low", 0.1, 0.1), ("confidence_high", 0.9, 0.1)):  # fmt: skip
        x = brentq(lambda v, narrow=narrow, q=q: cdf(v, narrow) - q, -3, 3)
        slack = 4 * np.sqrt(q * (1 - q) / min(draws)) / density(x, narrow)
        assert np.log(frame[name][0]) == pytest.approx(x, abs=slack), name


def test_the_curve_of_a_mixture_is_the_median_of_its_curves() -> None:
    """A law of little weight that runs away does not take the curve with it."""
    near, far = normal(0.0, 0.05), normal(20.0, 0.05, seed=1)
    frame = mixed(near, far, weights=(0.9, 0.1)).frame(0.9)
    # The median of all is the 5/9 quantile of the law with weight 0.9.
    expected = np.exp(np.quantile(near.curves[:, 0], 0.5 / 0.9))
    assert frame["curve"][0] == pytest.approx(expected, rel=1e-4)


def test_each_point_has_weights_of_its_own() -> None:
    left, right = normal(0.0, 0.05, points=2), normal(1.0, 0.05, points=2, seed=1)
    frame = Predictive((left, right), np.array([[1.0, 0.0], [0.0, 1.0]])).frame(0.9)
    np.testing.assert_allclose(np.log(frame["curve"]), [0.0, 1.0], atol=0.01)


# ── Laws that say nothing ────────────────────────────────────────────────────────────────────

# Ends of a 90% interval are 2·1.645 standard deviations apart, here in ln 10.
NARROW, WIDE = 0.9 * np.log(10) / 3.29, 1.1 * np.log(10) / 3.29


def at_two_points(first: float, second: float, seed: int = 0) -> Samples:
    """A law with these spreads at two points."""
    one, other = normal(0.0, first, seed=seed), normal(0.0, second, seed=seed)
    pairs = ((a, b) for a, b in zip((one.curve, one.curves, one.new),
                                    (other.curve, other.curves, other.new), strict=True))  # fmt: skip
    return Samples(*(np.concatenate(p, axis=-1) for p in pairs), "log")


def test_a_law_that_spans_a_factor_of_ten_is_dropped_there_only() -> None:
    sure, vague = at_two_points(0.1, NARROW), at_two_points(NARROW, WIDE, seed=1)
    found = Predictive.mix([sure, vague], np.array([[0.6, 0.6], [0.4, 0.4]]))
    np.testing.assert_allclose(found.weights, [[0.6, 1.0], [0.4, 0.0]])


def test_the_others_share_what_it_leaves() -> None:
    parts = [normal(0.0, 0.1), normal(0.0, 0.1, seed=1), normal(0.0, WIDE, seed=2)]
    found = Predictive.mix(parts, np.array([[0.3], [0.2], [0.5]]))
    np.testing.assert_allclose(found.weights[:, 0], [0.6, 0.4, 0.0])


def test_where_all_say_nothing_all_keep_their_weights() -> None:
    parts = [normal(0.0, WIDE), normal(0.0, 2 * WIDE, seed=1)]
    found = Predictive.mix(parts, np.array([[0.6], [0.4]]))
    np.testing.assert_allclose(found.weights[:, 0], [0.6, 0.4])
    # One that speaks but has no weight does not count.
    parts, weights = [*parts, normal(0.0, 0.1, seed=2)], np.array([[0.6], [0.4], [0.0]])
    np.testing.assert_allclose(Predictive.mix(parts, weights).weights, weights)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_interval_without_an_end_says_nothing(value: float) -> None:
    sure, broken = normal(0.0, 0.1), normal(0.0, 0.1, seed=1)
    share = slice(None) if np.isnan(value) else slice(None, None, 10)
    broken.new[share] = value
    found = Predictive.mix([sure, broken], np.array([[0.5], [0.5]]))
    np.testing.assert_allclose(found.weights[:, 0], [1.0, 0.0])


def test_in_linear_space_an_interval_that_reaches_zero_says_nothing() -> None:
    sure, broken = normal(2.0, 0.1, space="linear"), normal(0.1, 0.2, seed=1, space="linear")
    found = Predictive.mix([sure, broken], np.array([[0.5], [0.5]]))
    np.testing.assert_allclose(found.weights[:, 0], [1.0, 0.0])


# ── The place of the measured run ────────────────────────────────────────────────────────────


def test_pit_is_uniform_for_the_right_law_only() -> None:
    own = normal(0.5, 0.1, points=400)
    z = np.random.default_rng(8).standard_normal(400)
    measured = np.exp(0.5 + 0.1 * z)
    right = Predictive.of(own).pit(measured)
    np.testing.assert_allclose(right, norm.cdf(z), atol=5 * 0.5 / np.sqrt(DRAWS))
    assert kstest(right, "uniform").pvalue > 1e-3
    for wrong in (normal(0.5, 0.03, points=400), normal(0.6, 0.1, points=400)):
        assert kstest(Predictive.of(wrong).pit(measured), "uniform").pvalue < 1e-6


def test_a_law_with_all_the_weight_at_a_point_keeps_its_own_curve_there() -> None:
    parts = (normal(0.3, 0.2, points=2), normal(0.5, 0.2, points=2, seed=1))
    both = Predictive(parts, np.array([[1.0, 0.5], [0.0, 0.5]]))
    frame = both.frame(0.9)
    assert frame["curve"][0] == pytest.approx(np.exp(0.3), rel=1e-12)
    assert np.exp(0.31) < frame["curve"][1] < np.exp(0.49)


def test_where_no_law_says_anything_the_curve_is_of_their_own() -> None:
    wild = [replace(normal(m, 9.0), curve=np.array([m])) for m in (0.3, 0.5, 0.6)]
    wild = [replace(part, curves=part.new + 5.0) for part in wild]
    both = Predictive.mix(wild, np.full((3, 1), 1 / 3))
    assert both.frame(0.9)["curve"][0] == pytest.approx(np.exp(0.5))


def test_pit_of_a_mixture_is_its_distribution_function() -> None:
    left, right = normal(0.0, 0.1), normal(0.5, 0.2, draws=300, seed=1)
    at = 0.2
    expected = 0.3 * np.mean(left.new <= at) + 0.7 * np.mean(right.new <= at)
    found = mixed(left, right, weights=(0.3, 0.7)).pit(np.exp([at]))
    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_pit_leaves_out_draws_that_give_no_number() -> None:
    own = normal(0.0, 0.1, points=2)
    own.new[::2, 0], own.new[:, 1] = np.nan, np.nan
    found = Predictive.of(own).pit(np.exp([0.05, 0.05]))
    assert found[0] == pytest.approx(np.mean(own.new[1::2, 0] <= 0.05))
    assert np.isnan(found[1])
