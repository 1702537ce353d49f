"""Test compute: the exchange for training compute, and prices relative to parameters."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.laws.inference_compute import equal_cost_test_compute
from tests.laws.numeric import solve

EXCHANGE = {"floor": -1500.0, "rise": 2000.0, "A": 1e23, "rate": 1.2, "k": 0.6}


def test_exchange_of_training_for_test_compute() -> None:
    law = js.laws.get("train_test_exchange")
    needed = law.quantities["test_compute_for_score"]
    for score in (-1000.0, 200.0):
        test_compute = needed(EXCHANGE, score=score, C=1e15)
        by_root = solve(lambda t, s=score: law(1e15, t, **EXCHANGE) - s, 1e-12, 1e18)
        assert test_compute == pytest.approx(by_root, rel=1e-9)
        saved = test_compute / needed(EXCHANGE, score=score, C=1e16)
        assert saved == pytest.approx(law.quantities["test_compute_saved"](EXCHANGE, factor=10.0))
        back = law.quantities["training_compute_for_score"](EXCHANGE, score=score, T=test_compute)
        assert back == pytest.approx(1e15, rel=1e-9)
    assert np.isnan(needed(EXCHANGE, score=[-1500.0, 500.0, 501.0], C=1e15)).all()


def test_both_kinds_of_compute_raise_the_score_to_the_same_ends() -> None:
    law = js.laws.get("train_test_exchange")
    assert law(1e60, 1.0, **EXCHANGE) == pytest.approx(500.0, rel=1e-9)
    assert law(1e15, 1e-60, **EXCHANGE) == pytest.approx(-1500.0, rel=1e-9)
    assert law(1e15, 1e5, **EXCHANGE) == pytest.approx(law(1e16, 1e5 / 10**1.2, **EXCHANGE))


def test_samples_at_the_price_of_parameters() -> None:
    """Both ways spend the same: 6·N·D_p + 2·N·D_i in training and use."""
    N, M, pre, use = 3e9, 14.0, 1e12, 2e11
    times = equal_cost_test_compute(M, pretraining_tokens=pre, inference_tokens=use)
    larger = 6 * M * N * pre + 2 * M * N * use
    assert 6 * N * pre + 2 * N * use * times == pytest.approx(larger, rel=1e-14)
    assert equal_cost_test_compute(1.0, pretraining_tokens=pre, inference_tokens=use) == 1.0


@pytest.mark.parametrize(
    ("M", "pre", "use", "match"),
    [
        (0.5, 1e12, 1e12, r"M=0\.5 must be 1 or above"),
        (2.0, 0.0, 1e12, r"pretraining_tokens=0\.0 must be above 0"),
        (2.0, 1e12, -1.0, r"inference_tokens=-1\.0 must be above 0"),
    ],
)
def test_prices_that_cannot_be(M: float, pre: float, use: float, match: str) -> None:
    with pytest.raises(js.LawError, match=match):
        equal_cost_test_compute(M, pretraining_tokens=pre, inference_tokens=use)
