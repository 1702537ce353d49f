"""quantiles: NumPy's without weights, those of repeated samples with; gaps and infinities."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.prediction.quantiles import quantiles

AT = (0.0, 0.05, 0.5, 0.83, 1.0)


def holed(rows: int, columns: int, seed: int) -> np.ndarray:
    """Samples of which about a third are missing, at least one there in each column."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((rows, columns))
    samples[rng.random((rows, columns)) < 0.3] = np.nan
    samples[0] = 1.0
    return samples


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_without_weights_they_are_numpys(rows: int) -> None:
    for samples in (holed(rows, 9, rows), np.nan_to_num(holed(rows, 9, rows))):
        expected = np.nanquantile(samples, AT, axis=0)
        np.testing.assert_allclose(quantiles(samples, AT), expected, rtol=1e-12, atol=1e-14)


def test_a_column_without_samples_is_no_number_and_harms_no_other() -> None:
    samples = holed(20, 3, 0)
    samples[:, 1] = np.nan
    for weights in (None, np.ones_like(samples)):
        found = quantiles(samples, AT, weights)
        assert np.isnan(found[:, 1]).all()
        alone = quantiles(samples[:, [0, 2]], AT, None if weights is None else weights[:, [0, 2]])
        np.testing.assert_array_equal(found[:, [0, 2]], alone)


def test_samples_are_not_changed() -> None:
    samples = holed(20, 3, 0)
    before = samples.copy()
    quantiles(samples, AT, np.ones_like(samples))
    np.testing.assert_array_equal(samples, before)


def test_equal_weights_put_each_sample_at_the_middle_of_its_share() -> None:
    """That is Hazen's rule: sample i of n (from 0) at (i + 1/2)/n."""
    samples = np.random.default_rng(1).standard_normal((23, 4))
    expected = np.quantile(samples, AT, axis=0, method="hazen")
    for weight in (1.0, 1e-9, 7.0):
        found = quantiles(samples, AT, np.full_like(samples, weight))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_weight_of_k_is_k_samples() -> None:
    """Up to half a share: between the quantiles of the repeated sample half a share apart."""
    rng = np.random.default_rng(2)
    samples, times = rng.standard_normal(300), rng.integers(1, 5, 300)
    repeated = np.repeat(samples, times)
    at, half = np.array([0.05, 0.3, 0.5, 0.95]), 2.5 / len(repeated)
    found = quantiles(samples[:, None], at, times[:, None].astype(float))[:, 0]
    low, high = (np.quantile(repeated, at + side * half) for side in (-1, 1))
    assert ((low <= found) & (found <= high)).all()
    unweighted = quantiles(samples[:, None], at)[:, 0]
    assert np.abs(found - unweighted).max() > 5 * np.abs(high - low).min()


def test_weights_of_zero_are_samples_left_out() -> None:
    samples = holed(40, 5, 3)
    weights = np.random.default_rng(3).random((40, 5))
    weights[10:20] = 0.0
    kept = np.r_[0:10, 20:40]
    expected = quantiles(samples[kept], AT, weights[kept])
    np.testing.assert_allclose(quantiles(samples, AT, weights), expected, rtol=1e-12)
    weights[:, 2] = 0.0
    assert np.isnan(quantiles(samples, AT, weights)[:, 2]).all()


def test_missing_samples_have_no_weight() -> None:
    samples, weights = np.array([[1.0], [np.nan], [3.0]]), np.array([[1.0], [100.0], [1.0]])
    assert quantiles(samples, (0.5,), weights).tolist() == [[2.0]]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_infinite_sample_spoils_only_what_lies_beside_it(sign: float) -> None:
    samples = sign * np.array([[1.0], [2.0], [np.inf]])
    at = (0.25, 0.5, 0.75) if sign > 0 else (0.75, 0.5, 0.25)
    assert (sign * quantiles(samples, at)[:, 0]).tolist() == [1.5, 2.0, np.inf]
    weighted = sign * quantiles(samples, at, np.ones((3, 1)))[:, 0]
    assert weighted.tolist() == [pytest.approx(1.25), 2.0, np.inf]
