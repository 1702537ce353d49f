"""Attacks: resistance by counting bits, and the power law of small perturbations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.laws.numeric import solve

OWN = {"top": 0.95, "epsilon_c": 4.0, "beta": 1.1}


def test_resistance_counts_bits_in_and_out() -> None:
    law = js.laws.get("activation_attack")
    kappa, width, bits, vocabulary = 24.0, 768, 16, 50304
    bits_in = 10 * width * bits
    bits_out = float(law(10, kappa=kappa)) * np.log2(vocabulary)
    resistance = law.quantities["attack_resistance"](
        {"kappa": kappa}, width=width, bits=bits, vocabulary=vocabulary
    )
    assert resistance == pytest.approx(bits_in / bits_out, rel=1e-14)
    positions = law.quantities["positions_for_tokens"]({"kappa": kappa}, tokens=240.0)
    assert law(positions, kappa=kappa) == pytest.approx(240.0, rel=1e-14)


def test_regression_through_the_origin() -> None:
    """Least squares of the tokens themselves has the closed form Σ a·t / Σ a²."""
    rng = np.random.default_rng(3)
    a = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    table = pd.DataFrame({"a": a, "tokens": 12.0 * a * np.exp(0.2 * rng.standard_normal(6))})
    fit = js.fit("activation_attack", table, objective=js.least_squares("linear"))
    closed = (a * table["tokens"]).sum() / (a**2).sum()
    assert fit.params["kappa"] == pytest.approx(closed, rel=1e-9)


def test_small_perturbations_follow_a_power_law() -> None:
    law = js.laws.get("adversarial_error")
    amplitude = law.quantities["small_amplitude"](OWN)
    assert law(1e-6, **OWN) == pytest.approx(amplitude * 1e-6**1.1, rel=1e-6)
    assert law(1e12, **OWN) == pytest.approx(0.95, rel=1e-9)
    assert law(4.0, **OWN) == pytest.approx(0.475, rel=1e-12)


def test_the_perturbation_for_an_error() -> None:
    law = js.laws.get("adversarial_error")
    perturbation = law.quantities["perturbation_for_error"](OWN, error=0.3)
    assert perturbation == pytest.approx(solve(lambda e: law(e, **OWN) - 0.3, 1e-6, 1e6), rel=1e-9)
    assert np.isnan(law.quantities["perturbation_for_error"](OWN, error=[0.95, 1.0])).all()


@pytest.mark.parametrize("error", [1.4, -0.2])
def test_error_rates_outside_their_range_are_named(error: float) -> None:
    epsilon = np.geomspace(0.1, 50, 12)
    table = pd.DataFrame(
        {"epsilon": epsilon, "error": js.laws.get("adversarial_error")(epsilon, **OWN)}
    )
    table.loc[6, "error"] = error
    with pytest.raises(js.DataError, match=r"error between 0 and 1, but not in row 6|error.*row 6"):
        js.fit("adversarial_error", table)


@pytest.mark.parametrize(
    ("name", "column", "output"),
    [("activation_attack", "a", "tokens"), ("adversarial_error", "epsilon", "error")],
)
def test_zero_attacks_are_named(name: str, column: str, output: str) -> None:
    table = pd.DataFrame({column: np.arange(9.0), output: np.linspace(0.1, 0.9, 9)})
    with pytest.raises(
        js.DataError, match=rf"logarithm of {column}, which is zero or negative in row 0"
    ):
        js.fit(name, table)
