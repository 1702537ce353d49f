"""Formats of floating point: critical data, the best split of bits, and the best use of compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import jscale as js
from tests.laws.numeric import lowest

FORMATS = js.laws.get("floating_point_quantization")


TABLE_2 = dict(FORMATS.published["arXiv:2501.02423, table 2"])


Q = FORMATS.quantities


E4M3 = {"exponent_bits": 4.0, "mantissa_bits": 3.0, "block": 128.0}


def named(E: float, M: float, block: float = 128.0) -> dict[str, float]:
    """Return a format's inputs."""
    return {"exponent_bits": E, "mantissa_bits": M, "block": block}


@pytest.mark.parametrize(
    ("E", "M", "printed"), [(8, 7, "1.73e+15"), (4, 3, "2.73e+13"), (2, 1, "3.93e+11")]
)
def test_critical_data(E: int, M: int, printed: str) -> None:
    """By the formula, and where the law itself turns; the source prints 27T for E4M3."""
    form = named(E, M)
    critical = Q["critical_data"](TABLE_2, N=1e9, **form)
    assert f"{critical:.3g}" == printed
    turn, least = lowest(lambda D: float(FORMATS(1e9, D, *form.values(), **TABLE_2)), 1e9, 1e18)
    assert critical == pytest.approx(turn, rel=1e-4)
    assert Q["lowest_loss"](TABLE_2, N=1e9, **form) == pytest.approx(least, rel=1e-12)


def test_a_loss_of_table_2() -> None:
    loss = FORMATS(1e9, 1e11, *E4M3.values(), **TABLE_2)
    assert loss == pytest.approx(2.56307, abs=5e-6)


def test_a_scale_for_each_number_costs_nothing() -> None:
    rest = {"E": TABLE_2["epsilon"], "A": TABLE_2["n"], "B": TABLE_2["d"]}
    rest |= {"alpha": TABLE_2["alpha"], "beta": TABLE_2["beta"]}
    plain = js.laws.get("chinchilla")(1e9, 1e11, **rest)
    assert FORMATS(1e9, 1e11, 2, 1, 1, **TABLE_2) == pytest.approx(float(plain), rel=1e-14)
    assert np.isnan(Q["critical_data"](TABLE_2, N=1e9, **named(2, 1, block=1.0)))


@pytest.mark.parametrize(("bits", "E", "M"), [(4, 2, 1), (8, 4, 3), (16, 8, 7)])
def test_the_best_split_of_bits(bits: int, E: int, M: int) -> None:
    best_E = Q["best_exponent_bits"](TABLE_2, bits=bits)
    best_M = Q["best_mantissa_bits"](TABLE_2, bits=bits)
    assert best_E + best_M + 1 == pytest.approx(bits, rel=1e-12)
    assert (round(best_E), round(best_M)) == (E, M)
    split, _ = lowest(
        lambda e: float(FORMATS(1e9, 1e12, e, bits - 1 - e, 128, **TABLE_2)), 0.05, bits - 1.05
    )
    assert best_E == pytest.approx(split, rel=1e-4)


def at_best_split(N: Any, D: Any, bits: Any, block: float) -> float:
    """Return the loss of a size, data and bits, split at their best."""
    E = Q["best_exponent_bits"](TABLE_2, bits=bits)
    return float(FORMATS(N, D, E, bits - 1 - E, block, **TABLE_2))


@pytest.mark.parametrize("C", [1e20, 1e24])
def test_the_best_use_of_a_compute(C: float) -> None:
    """Over size, data and bits at once, by a search that knows no derivative."""
    k, block = 6 / 16, 128.0

    def loss(x: np.ndarray) -> float:
        N, D = np.exp(x)
        bits = C / (k * N * D)
        # Bits outside make the law undefined, and are no optimum.
        return at_best_split(N, D, bits, block) if 1.5 < bits < 64 else 1e3

    at = {"C": C, "k": k, "block": block}
    N, D, bits = (Q[f"optimal_{what}"](TABLE_2, **at) for what in ("size", "tokens", "bits"))
    assert k * N * D * bits == pytest.approx(C, rel=1e-10)
    start = np.log([N * 1.3, D / 1.2])
    options = {"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000}
    minimum = minimize(loss, start, method="Nelder-Mead", options=options)
    np.testing.assert_allclose(np.exp(minimum.x), [N, D], rtol=1e-4)
    assert loss(np.log([N, D])) <= minimum.fun + 1e-12


def test_four_to_eight_bits_over_practical_compute() -> None:
    """As the source says; the budgets are from a 1B model's to the largest trained."""
    bits = Q["optimal_bits"](TABLE_2, C=np.geomspace(1e21, 1e26, 6), k=6 / 16, block=128.0)
    assert np.all((bits > 4) & (bits < 8))
    assert np.all(np.diff(bits) > 0)


def test_the_best_bits_of_fixed_data() -> None:
    D, C, k, block = 1e12, 1e23, 6 / 16, 128.0
    best = Q["optimal_bits_at_tokens"](TABLE_2, D=D, block=block)
    bits, _ = lowest(lambda P: at_best_split(C / (k * D * P), D, P, block), 1.5, 40.0)
    assert best == pytest.approx(bits, rel=1e-4)
