"""Surfaces over N and D: what follows from them in closed form, against numeric answers."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.laws.numeric import solve


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


CONSTANTS = {
    "chinchilla": {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28},
    "chinchilla_tied": {"E": 1.5, "A": 113.7, "B": 152.5, "alpha": 0.2425},
}
