"""Huber's loss and its relatives: formulas, expectations, and the lower envelope."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.objective.hubers import TUNING, expected_square, huber_terms, share_between

R = np.array([-0.7, -2e-3, -1e-4, 0.0, 3e-4, 5e-3, 2.0])
DELTA = 1e-3


def test_huber_is_quadratic_inside_and_linear_outside() -> None:
    value = js.huber(DELTA)(np.array([5e-4, 0.1])).rho
    np.testing.assert_allclose(value, [0.5 * 5e-4**2, DELTA * (0.1 - DELTA / 2)])


def test_pseudo_huber_follows_its_formula() -> None:
    expected = DELTA**2 * (np.sqrt(1 + (R / DELTA) ** 2) - 1)
    np.testing.assert_allclose(js.pseudo_huber(DELTA)(R).rho, expected, rtol=1e-9, atol=1e-18)


@pytest.mark.full
def test_asymmetric_settles_near_the_lower_envelope() -> None:
    """Runs lie at or above the law, by how badly they were trained; ratio 20 finds the edge."""
    truth, C = {"A": 5.0, "alpha": 0.05}, np.geomspace(1e3, 1e7, 60)
    clean = js.simulate("power", truth, {"C": C})["loss"]
    lag = np.random.default_rng(0).exponential(0.05, 60)
    table = pd.DataFrame({"C": C, "loss": clean * np.exp(lag)})
    lower = js.fit("power", table, objective=js.asymmetric(ratio=20.0))
    middle = js.fit("power", table)
    assert np.mean(lower.residuals < 0) > 0.85  # predictions below observations
    assert np.abs(lower.fitted / clean - 1).max() < 0.02
    assert np.abs(middle.fitted / clean - 1).min() > 0.02


def test_asymmetric_is_huber_with_one_side_multiplied() -> None:
    above, plain = js.asymmetric(DELTA, ratio=7.0)(R), js.huber(DELTA)(R)
    factor = np.where(R > 0, 7.0, 1.0)
    for own, one in zip(above, plain, strict=True):
        np.testing.assert_allclose(own, factor * one, rtol=1e-14)


@pytest.mark.parametrize("k", [0.1, TUNING, 6.0])
def test_the_expected_square_is_its_integral(k: float) -> None:
    z = np.linspace(-12, 12, 400_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    assert expected_square(k) == pytest.approx(
        np.trapezoid(np.minimum(np.abs(z), k) ** 2 * density, z), rel=1e-7
    )


def test_shares_between_two_numbers() -> None:
    share = share_between(np.array([0.0, 1.0, -50.0]), 1.0, -1.0, 1.0)
    np.testing.assert_allclose(share, [0.6827, 0.4772, 0.0], atol=1e-4)


@pytest.mark.parametrize(
    "objective", [js.huber(0.3), js.asymmetric(0.3, ratio=5.0)], ids=["huber", "asymmetric"]
)
def test_expected_curvature_is_the_mean_over_normal_errors(objective: js.Objective) -> None:
    """(Off the kink at zero, which the asymmetric loss has in its slope's slope alone.)"""
    residual, spread = np.array([-0.4, 0.0, 0.2]), 0.5
    z = np.linspace(-9, 9, 200_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    curvature = objective(residual[:, None] + spread * z).curvature
    np.testing.assert_allclose(
        objective.expected_curvature(residual, spread),
        np.trapezoid(curvature * density, z, axis=1), rtol=1e-3,
    )  # fmt: skip


def test_proposal_two_balances_at_the_scale_of_normal_errors() -> None:
    """Quantiles of a standard normal: the excess is zero near s = 1 and falls through it."""
    from scipy.special import ndtri

    u = ndtri((np.arange(20_000) + 0.5) / 20_000)
    weights = np.ones(len(u))
    objective = js.huber("auto")
    small, right, large = (objective.scale_excess(u / s, weights, 1.0) for s in (0.9, 1.0, 1.1))
    assert small > 50 > abs(right)
    assert large < -50


def test_terms_at_the_edge_of_the_core_belong_to_it() -> None:
    terms = huber_terms(np.array([-DELTA, DELTA]), DELTA)
    assert terms.curvature.tolist() == [1.0, 1.0]
    assert terms.weight.tolist() == [1.0, 1.0]
