"""The distribution of errors: a sample, mixed with the Student-t that fits it."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.uncertainty.noise.errors import PRIOR_RUNS, Errors


@pytest.mark.parametrize(("freedom", "low", "high"), [(3.0, 2.5, 4.0), (np.inf, 25.0, 200.0)])
def test_a_large_samples_scale_and_freedom_are_found(freedom, low, high):
    rng = np.random.default_rng(3)
    z = rng.standard_normal(3000) if np.isinf(freedom) else rng.standard_t(freedom, 3000)
    errors = Errors.of(0.01 * z, np.full(3000, 1 / 3000), 3000, 3000, tail=1.0)
    assert errors.scale @ errors.chance == pytest.approx(0.01, rel=0.05)
    assert low <= errors.typical_freedom <= high


def test_the_student_t_of_a_small_sample_is_its_posterior():
    """Against a sum over a fine grid of scales, by SciPy's density."""
    from scipy import stats

    values = 0.02 * np.random.default_rng(4).standard_normal(12)
    found = Errors.of(values, np.full(12, 1 / 12), 9, 12, tail=1.0)
    scale = np.exp(np.linspace(np.log(0.002), np.log(0.2), 4000))
    nu = np.unique(found.freedom)
    logs = np.stack([9 / 12 * stats.t.logpdf(values[:, None] / scale, v).sum(axis=0)
                     - 9 * np.log(scale) for v in nu])  # fmt: skip
    logs += (np.log(np.gradient(nu)) + np.log(nu) - 0.1 * nu)[:, None]
    weight = np.exp(logs - logs.max())
    expected = (weight @ scale).sum() / weight.sum()
    assert found.scale @ found.chance == pytest.approx(expected, rel=0.01)


SAMPLE = 0.02 * np.random.default_rng(4).standard_normal(12)
EVEN = np.full(12, 1 / 12)


def test_a_sample_without_errors_has_no_tail() -> None:
    errors = Errors.of(np.zeros(9), np.full(9, 1 / 9), 6, 9)
    assert errors.tail == 0.0
    assert errors.typical_freedom == np.inf
    assert not errors.draw((5, 5), np.random.default_rng(0)).any()


def test_draws_of_the_sample_alone_keep_its_shares() -> None:
    shares = np.r_[0.5, np.full(11, 0.5 / 11)]
    errors = Errors.of(SAMPLE, shares, 10, 12, tail=0.0)
    drawn = errors.draw((200, 50), np.random.default_rng(1))
    assert drawn.shape == (200, 50)
    assert np.isin(drawn, SAMPLE).all()
    assert np.mean(drawn == SAMPLE[0]) == pytest.approx(0.5, abs=5 * 0.5 / 100)


@pytest.mark.parametrize("count", [12, 200])
def test_few_errors_are_filled_up_more_than_many(count: int) -> None:
    """With probability 20/(20 + n) an error is none of the sample."""
    errors = Errors.of(SAMPLE, EVEN, 10, count)
    expected = PRIOR_RUNS / (PRIOR_RUNS + count)
    assert errors.tail == pytest.approx(expected)
    drawn = errors.draw((20_000,), np.random.default_rng(2))
    beyond = np.mean(~np.isin(drawn, SAMPLE))
    assert beyond == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 20_000))


def test_the_student_t_lies_around_the_centre() -> None:
    plain = Errors.of(SAMPLE, EVEN, 10, 12, tail=1.0)
    moved = Errors.of(SAMPLE + 3.0, EVEN, 10, 12, tail=1.0, centre=3.0)
    np.testing.assert_allclose(moved.scale, plain.scale, rtol=1e-9)
    np.testing.assert_allclose(moved.chance, plain.chance, rtol=1e-6, atol=1e-12)
    assert moved.spread == pytest.approx(plain.spread, rel=1e-9)
    assert np.median(moved.draw((4000,), np.random.default_rng(3))) == pytest.approx(3.0, abs=0.01)


def test_the_scale_is_in_the_unit_of_the_errors() -> None:
    plain = Errors.of(SAMPLE, EVEN, 10, 12)
    large = Errors.of(1e6 * SAMPLE, EVEN, 10, 12)
    np.testing.assert_allclose(large.scale, 1e6 * plain.scale, rtol=1e-9)
    np.testing.assert_allclose(large.chance, plain.chance, rtol=1e-6, atol=1e-12)
    assert plain.chance.sum() == pytest.approx(1.0)


def test_runs_that_paid_for_parameters_tell_less_of_the_tails() -> None:
    """The fewer errors are spare, the nearer the freedom is to its prior, and the wider it is."""
    many, few = (Errors.of(SAMPLE, EVEN, spare, 12, tail=1.0) for spare in (12, 2))

    def width(errors: Errors) -> float:
        logs = np.log(errors.scale)
        return float(errors.chance @ (logs - errors.chance @ logs) ** 2)

    assert width(few) > 2 * width(many)


def test_the_spread_bears_outliers_and_a_majority_of_zeros() -> None:
    outliers = Errors.of(np.r_[SAMPLE[:-1], 1e3], EVEN, 10, 12)
    assert outliers.spread < 0.05
    mostly_none = Errors.of(np.r_[np.zeros(9), 1.0, 1.0, 1.0], EVEN, 10, 12)
    assert mostly_none.spread == pytest.approx(0.5)
