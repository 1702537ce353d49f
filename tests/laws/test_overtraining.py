"""The law of over-training: three ways to write it, and what over-training costs."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.laws.numeric import lowest, solve

LAW = {"E": 1.508, "a": 141.3, "b": 189.5, "eta": 0.1212}
CODE = {"E": 1.508, "alpha": 141.3 * 6**-0.1212, "beta": 189.5, "b": -0.2424}
TIED = {"E": 1.508, "A": 141.3 * 6**-0.1212, "B": 189.5 * 6**-0.1212, "alpha": 0.2424}


def test_three_ways_to_write_one_law() -> None:
    N, D = np.meshgrid([1e7, 1e9, 1e11], [1e9, 1e12])
    here = js.laws.get("overtraining")(6 * N * D, D / N, **LAW)
    np.testing.assert_allclose(js.laws.get("overtraining_code")(N, D / N, **CODE), here, rtol=1e-13)
    np.testing.assert_allclose(js.laws.get("chinchilla_tied")(N, D, **TIED), here, rtol=1e-13)


def test_the_code_has_the_factor_in_one_term_only() -> None:
    """Its alpha is not the article's a, though its beta is the article's b."""
    ask = js.laws.get("overtraining_code").quantities
    assert ask["eta"](CODE) == pytest.approx(LAW["eta"], rel=1e-14)
    assert ask["a"](CODE) == pytest.approx(LAW["a"], rel=1e-14)
    assert ask["b"](CODE) == pytest.approx(LAW["b"], rel=1e-14)
    assert abs(CODE["alpha"] / LAW["a"] - 1) > 0.1
    best = js.laws.get("overtraining").quantities["tokens_per_parameter"](LAW)
    assert ask["tokens_per_parameter"](CODE) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("C", [1e18, 1e23])
def test_the_best_multiplier(C: float) -> None:
    law = js.laws.get("overtraining")
    M, loss = lowest(lambda M: law(C, M, **LAW), 1e-3, 1e6)
    ask = law.quantities
    assert ask["tokens_per_parameter"](LAW) == pytest.approx(M, rel=1e-5)
    assert ask["optimal_loss"](LAW, C=C) == pytest.approx(loss, rel=1e-12)
    N, D = ask["optimal_size"](LAW, C=C), ask["optimal_tokens"](LAW, C=C)
    assert pytest.approx(C, rel=1e-12) == 6 * N * D
    assert pytest.approx(M, rel=1e-5) == D / N
    tied = js.laws.get("chinchilla_tied").quantities
    assert tied["optimal_size"](TIED, C=C) == pytest.approx(N, rel=1e-9)


def test_what_overtraining_costs() -> None:
    law = js.laws.get("overtraining")
    ask, best = law.quantities, law.quantities["tokens_per_parameter"](LAW)
    M = np.array([1.0, 20.0, 640.0])
    above = law(1e21, M, **LAW) - ask["optimal_loss"](LAW, C=1e21)
    np.testing.assert_allclose(ask["overtraining_penalty"](LAW, C=1e21, M=M), above, rtol=1e-9)
    assert ask["overtraining_penalty"](LAW, C=1e21, M=best) == pytest.approx(0, abs=1e-15)
    for loss in (2.0, 3.0):
        dear = ask["compute_for_loss"](LAW, loss=loss, M=640.0)
        numeric = solve(lambda C, loss=loss: law(C, 640.0, **LAW) - loss, 1e12, 1e40)
        assert dear == pytest.approx(numeric, rel=1e-8)
        least = ask["least_compute_for_loss"](LAW, loss=loss)
        assert ask["compute_for_loss"](LAW, loss=loss, M=best) == pytest.approx(least, rel=1e-12)
        assert ask["compute_factor"](LAW, M=640.0) == pytest.approx(dear / least, rel=1e-12)
    assert np.isnan(ask["compute_for_loss"](LAW, loss=1.5, M=20.0))
    assert np.isnan(ask["least_compute_for_loss"](LAW, loss=1.5))


def test_the_code_allows_its_own_constants_of_either_sign() -> None:
    """b is a slope: a positive one is legal, so the law does not say that it falls."""
    law = js.laws.get("overtraining_code")
    assert law.falling == ()
    assert law.role("b").support == "real"
    assert law(1e9, 20.0, **{**CODE, "b": 0.1}) > law(1e8, 20.0, **{**CODE, "b": 0.1})
