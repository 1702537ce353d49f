"""Closed forms that laws share: powers without warnings, and what follows from E, A, B."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import jscale as js
from jscale.laws.closed_forms import input_of_power, raised
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


def test_powers_of_what_is_not_positive_are_nan_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        powers = raised([[4.0], [0.0], [-1.0], [np.nan]], [0.5, -400.0])
        assert raised(10.0, 400.0) == np.inf
    np.testing.assert_allclose(powers[0], [2.0, 4.0**-400.0])
    assert np.isnan(powers[1:]).all()


def test_inputs_of_a_power_broadcast_and_stop_at_its_limit() -> None:
    x = input_of_power([[3.0], [1.0]], E=1.0, A=np.array([8.0, 2.0]), exponent=-2.0)
    np.testing.assert_allclose(x[0], [2.0, 1.0])
    assert np.isnan(x[1]).all()
    # Amplitudes below zero: the power lies below E.
    assert input_of_power(0.5, E=1.0, A=-2.0, exponent=2.0) == pytest.approx(0.5)
