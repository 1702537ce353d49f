"""Objectives: definitions, derivatives, majorisation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.fitting.objective import KINDS, Objective, as_objective, from_space, terms, to_space

R = np.array([-0.7, -2e-3, -1e-4, 0.0, 3e-4, 5e-3, 2.0])
DELTA = 1e-3


def rho(kind: str, r: np.ndarray) -> np.ndarray:
    return terms(kind, r, DELTA)[0]


def test_huber_is_quadratic_inside_and_linear_outside() -> None:
    value = rho("huber", np.array([5e-4, 0.1]))
    np.testing.assert_allclose(value, [0.5 * 5e-4**2, DELTA * (0.1 - DELTA / 2)])


def test_least_absolute_is_the_absolute_value_but_for_its_kink() -> None:
    np.testing.assert_allclose(terms("least_absolute", R, 1e-9)[0], np.abs(R), atol=1e-9)


def test_pseudo_huber_follows_its_formula() -> None:
    expected = DELTA**2 * (np.sqrt(1 + (R / DELTA) ** 2) - 1)
    np.testing.assert_allclose(rho("pseudo_huber", R), expected, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("kind", KINDS)
def test_psi_is_the_slope_of_rho(kind: str) -> None:
    h = 1e-8
    slope = (rho(kind, R + h) - rho(kind, R - h)) / (2 * h)
    np.testing.assert_allclose(terms(kind, R, DELTA)[1], slope, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_curvature_is_the_slope_of_psi_off_the_kinks(kind: str) -> None:
    h = 1e-9
    slope = (terms(kind, R + h, DELTA)[1] - terms(kind, R - h, DELTA)[1]) / (2 * h)
    np.testing.assert_allclose(terms(kind, R, DELTA)[3], slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weight_majorises(kind: str) -> None:
    """rho(b) ≤ rho(a) + psi(a)(b − a) + ½ (psi(a)/a)(b − a)² for all a, b."""
    value, psi, weight, _ = terms(kind, R, DELTA)
    step = R[None, :] - R[:, None]
    bound = value[:, None] + psi[:, None] * step + 0.5 * weight[:, None] * step**2
    assert np.all(value[None, :] <= bound + 1e-12)


@pytest.mark.parametrize("space", ["log", "linear", "logit"])
def test_spaces_invert(space: str) -> None:
    y = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(from_space(np.asarray(to_space(y, space)), space), y, rtol=1e-6)


def test_names_become_objectives() -> None:
    assert as_objective("huber") == js.huber()
    assert as_objective("least_squares") == js.least_squares()
    assert str(js.huber()) == "huber(delta=0.001, space='log')"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Objective("hubr"), r"no objective 'hubr'. Did you mean 'huber'\?"),
        (lambda: js.huber(space="logs"), r"no space 'logs'. Did you mean 'log'\?"),
        (lambda: js.huber(delta=0.0), "delta must be a positive number, not 0.0"),
        (lambda: js.huber(delta="auto"), "delta must be a positive number"),  # type: ignore[arg-type]
    ],
)
def test_bad_objectives_are_refused(make: object, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        make()  # type: ignore[operator]
