"""log_score: near the density, proper, and what samples that are no number cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from jscale.prediction.log_score import log_score


def test_the_log_score_is_near_the_density_and_prefers_the_truth() -> None:
    rng = np.random.default_rng(1)
    logs = 0.7 + 0.02 * rng.standard_normal((4000, 3))
    at = np.exp([0.7, 0.72, 0.68])
    found = log_score(np.exp(logs), at)
    np.testing.assert_allclose(found, norm.logpdf(np.log(at), 0.7, 0.02), atol=0.12)
    far = log_score(np.exp(logs), np.exp([1.2, 1.2, 1.2]))
    assert np.isfinite(far).all()
    assert (far < found - 5).all()


def test_the_kernel_of_the_log_score_is_students() -> None:
    """All samples alike but for the spread that sets the width: the kernel itself."""
    logs = np.array([-1.0, 0.0, 1.0])[:, None]
    width = 1.06 * (1.0 / 1.349) * 3**-0.2
    expected = np.log(np.mean(t.pdf((0.3 - logs[:, 0]) / width, 4) / width))
    assert log_score(np.exp(logs), np.exp([0.3]))[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, -1.0, 0.0, np.inf])
def test_samples_that_are_no_positive_number_are_misses(bad: float) -> None:
    """Half of the samples gone: half of the density."""
    samples = np.exp(0.1 * np.random.default_rng(0).standard_normal((400, 2)))
    holed = np.concatenate([samples, np.full((400, 2), bad)])
    alone, found = log_score(samples, [1.0, 1.1]), log_score(holed, [1.0, 1.1])
    np.testing.assert_allclose(found, alone - np.log(2), rtol=1e-9)


def test_a_law_that_says_nothing_has_no_density() -> None:
    samples = np.column_stack([np.full(50, np.nan), np.linspace(0.9, 1.1, 50)])
    found = log_score(samples, [1.0, 1.0])
    assert found[0] == -np.inf
    assert np.isfinite(found[1])


def test_the_density_is_of_the_logarithm_so_that_units_do_not_matter() -> None:
    samples = np.exp(0.1 * np.random.default_rng(0).standard_normal((400, 1)))
    np.testing.assert_allclose(
        log_score(samples / np.log(2), [1.2 / np.log(2)]), log_score(samples, [1.2]), rtol=1e-9
    )
