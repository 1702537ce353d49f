"""Surfaces over N and D: what follows from them in closed form, against numeric answers."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.laws.numeric import lowest, solve

CONSTANTS = {
    "chinchilla": {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28},
    "chinchilla_tied": {"E": 1.5, "A": 113.7, "B": 152.5, "alpha": 0.2425},
}
EVERY = pytest.mark.parametrize("name", CONSTANTS)


@EVERY
def test_tokens_and_size_for_a_loss(name: str) -> None:
    law, p = js.laws.get(name), CONSTANTS[name]
    tokens = law.quantities["tokens_for_loss"](p, loss=2.3, N=7e9)
    size = law.quantities["size_for_loss"](p, loss=2.3, D=2e11)
    assert tokens == pytest.approx(solve(lambda D: law(7e9, D, **p) - 2.3, 1e8, 1e15), rel=1e-9)
    assert size == pytest.approx(solve(lambda N: law(N, 2e11, **p) - 2.3, 1e6, 1e14), rel=1e-9)


@EVERY
def test_a_loss_out_of_reach_is_nan(name: str) -> None:
    law, p = js.laws.get(name), CONSTANTS[name]
    least = law.quantities["minimum_loss"](p, N=7e9)
    assert least == pytest.approx(law(7e9, 1e60, **p), rel=1e-9)
    assert np.isnan(law.quantities["tokens_for_loss"](p, loss=least, N=7e9))
    assert np.isfinite(law.quantities["tokens_for_loss"](p, loss=least + 1e-6, N=7e9))
    assert np.isnan(law.quantities["size_for_loss"](p, loss=p["E"], D=2e11))
    assert np.isnan(law.quantities["compute_for_loss"](p, loss=p["E"]))


@EVERY
@pytest.mark.parametrize("C", [1e18, 1e24])
def test_the_optimum_at_a_compute(name: str, C: float) -> None:
    law, p = js.laws.get(name), CONSTANTS[name]
    N, loss = lowest(lambda N: law(N, C / (6 * N), **p), 1e5, 1e16)
    assert law.quantities["optimal_size"](p, C=C) == pytest.approx(N, rel=1e-5)
    assert law.quantities["optimal_tokens"](p, C=C) == pytest.approx(C / 6 / N, rel=1e-5)
    assert law.quantities["optimal_loss"](p, C=C) == pytest.approx(loss, rel=1e-12)
    assert law.quantities["compute_for_loss"](p, loss=loss) == pytest.approx(C, rel=1e-9)


def test_the_optimum_agrees_with_the_derived_combinations() -> None:
    p = CONSTANTS["chinchilla"]
    law = js.laws.get("chinchilla")
    N, D = (law.quantities[q](p, C=1e22) for q in ("optimal_size", "optimal_tokens"))
    assert law.derived["tokens per parameter at C={C}"](p, 1e22) == pytest.approx(D / N, rel=1e-12)
    tied = js.laws.get("chinchilla_tied")
    q = CONSTANTS["chinchilla_tied"]
    N, D = (tied.quantities[name](q, C=1e22) for name in ("optimal_size", "optimal_tokens"))
    assert tied.derived["tokens per parameter"](q, 1e22) == pytest.approx(D / N, rel=1e-12)


def test_farseer_at_its_published_constants() -> None:
    """N = 1e9, D = 1e11 gives 0.499 bits per character: 0.455 + 120.6·D^(−0.313)."""
    law = js.laws.get("farseer")
    p = law.published["arXiv:2506.10972, eq. 15"]
    assert law(1e9, 1e11, **p) == pytest.approx(0.455 + 120.6 * 1e11**-0.313, abs=2e-3)
    assert law(1e9, 1e11, **p) == pytest.approx(0.499, abs=5e-4)
    assert law.quantities["minimum_loss"](p, N=1e9) == pytest.approx(0.455, abs=5e-4)


def test_farseer_tokens_for_a_loss() -> None:
    law = js.laws.get("farseer")
    p = law.published["arXiv:2506.10972, eq. 15"]
    tokens = law.quantities["tokens_for_loss"](p, loss=0.5, N=[1e9, 1e8])
    assert tokens[0] == pytest.approx(solve(lambda D: law(1e9, D, **p) - 0.5, 1e9, 1e13), rel=1e-9)
    assert np.isnan(tokens[1])
