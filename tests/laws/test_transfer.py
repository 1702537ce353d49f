"""Transfer of learning rate and weight decay, and the sensitivity of a sweep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import jscale as js
from jscale.laws.transfer import learning_rate_sensitivity, transfer_learning_rate, transfer_width


@pytest.mark.parametrize(("optimizer", "exponent"), [("sgd", 1.0), ("adam", 0.5)])
def test_across_batch_sizes(optimizer: str, exponent: float) -> None:
    rates = transfer_learning_rate(np.array([1e-3, 2e-3]), (64, 4096), optimizer)
    np.testing.assert_allclose(rates, np.array([1e-3, 2e-3]) * 64**exponent, rtol=1e-14)
    there_and_back = transfer_learning_rate(rates, (4096, 64), optimizer)
    np.testing.assert_allclose(there_and_back, [1e-3, 2e-3], rtol=1e-14)


def test_no_rise_beyond_the_saturation() -> None:
    at_limit = transfer_learning_rate(1e-3, (64, 1024), "sgd")
    assert transfer_learning_rate(1e-3, (64, 1024), "sgd", 1024) == at_limit
    assert transfer_learning_rate(1e-3, (64, 1e6), "sgd", 1024) == at_limit
    assert transfer_learning_rate(1e-3, (2048, 4096), "adam", 1024) == 1e-3


def test_across_widths_the_gain_of_a_layer_stays() -> None:
    """√(eta/lambda)·width^0.75, the top singular value, is the same at both widths."""
    moved = transfer_width(0.02, 0.1, (256, 4096))
    before = np.sqrt(0.02 / 0.1) * 256**0.75
    after = np.sqrt(moved.matrix_learning_rate / moved.matrix_weight_decay) * 4096**0.75
    assert after == pytest.approx(before, rel=1e-12)
    assert (moved.matrix_learning_rate, moved.vector_learning_rate) == (0.02 / 16, 0.02)
    assert moved.vector_weight_decay == 0.0
    other = transfer_width(0.02, 0.0, (256, 4096), vector_learning_rate=0.3)
    assert (other.matrix_weight_decay, other.vector_learning_rate) == (0.0, 0.3)


def test_sensitivity_is_the_mean_excess_over_log_rates() -> None:
    def loss(log_rate: float) -> float:
        return 2.0 + 0.3 * (log_rate + 6.0) ** 2

    x = np.random.default_rng(0).permutation(np.linspace(-9.2, -2.3, 1001))
    sensitivity = learning_rate_sensitivity(np.exp(x).tolist(), [loss(u) for u in x], 4.5)
    by_hand = quad(lambda u: min(loss(u), 4.5) - 2.0, x.min(), x.max(), limit=200)[0]
    assert sensitivity == pytest.approx(by_hand / np.ptp(x), rel=1e-4)
    assert learning_rate_sensitivity([1e-4, 1e-2], [3.0, 3.0], 9.0) == 0.0


def test_diverged_runs_count_as_untrained() -> None:
    with_nan = learning_rate_sensitivity([1e-4, 1e-3, 1e-2], [3.0, 2.0, np.nan], 10.0)
    above = learning_rate_sensitivity([1e-4, 1e-3, 1e-2], [3.0, 2.0, 25.0], 10.0)
    assert with_nan == above == pytest.approx((0.5 + 4.0) / 2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: transfer_learning_rate(1e-3, (1, 2), "adm"), r"optimizer='adm'.*'adam'"),
        (lambda: transfer_learning_rate(-1.0, (1, 2)), r"eta must be positive and finite, .* -1"),
        (lambda: transfer_learning_rate(1e-3, (0, 2)), r"batch must be positive .* is 0"),
        (lambda: transfer_learning_rate(1e-3, 256), r"batch=256 must be two numbers"),
        (lambda: transfer_learning_rate("x", (1, 2)), r"eta must be a number or numbers, not 'x'"),
        (lambda: transfer_learning_rate(1e-3, (1, 2), "sgd", 0), r"saturation must be positive"),
        (lambda: transfer_width(0.1, -1.0, (1, 2)), r"weight_decay=-1.0 must be a number, 0 or"),
        (lambda: transfer_width(0.1, 0.1, (1, np.inf)), r"width must be positive and finite"),
        (lambda: learning_rate_sensitivity([1e-3], [2.0], 9.0), r"two or more rates.*1 rates and"),
        (lambda: learning_rate_sensitivity([1, 2], [2.0], 9.0), r"2 rates and 1 losses"),
        (
            lambda: learning_rate_sensitivity([1, 1], [2.0, 3.0], 9.0),
            r"rates 1.0 are given more than",
        ),
        (lambda: learning_rate_sensitivity([1, 2], [np.nan] * 2, 9.0), r"No loss is finite"),
        (lambda: learning_rate_sensitivity([0, 2], [1.0, 2.0], 9.0), r"rates must be positive"),
    ],
)
def test_bad_input_is_named(call: Any, says: str) -> None:
    with pytest.raises(js.LawError, match=says):
        call()
