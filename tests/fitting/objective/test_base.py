"""What every objective is made of: derivatives, majorisation, numbers, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.objective import (
    Objective,
    as_objective,
    with_likelihood,
)

R = np.array([-0.7, -2e-3, -1e-4, 0.0, 3e-4, 5e-3, 2.0])
DELTA = 1e-3
KINDS = ("huber", "pseudo_huber", "asymmetric", "least_squares", "least_absolute", "student_t")


def of(kind: str, r: np.ndarray) -> tuple[np.ndarray, ...]:
    made = as_objective(kind)
    return made.terms(r, DELTA, *made.shape)


def rho(kind: str, r: np.ndarray) -> np.ndarray:
    return of(kind, r)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_psi_is_the_slope_of_rho(kind: str) -> None:
    h = 1e-8
    slope = (rho(kind, R + h) - rho(kind, R - h)) / (2 * h)
    np.testing.assert_allclose(of(kind, R)[1], slope, rtol=1e-5, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("kind", KINDS)
def test_curvature_is_the_slope_of_psi_off_the_kinks(kind: str) -> None:
    h = 1e-9
    off = R[R != 0.0] if kind == "asymmetric" else R
    slope = (of(kind, off + h)[1] - of(kind, off - h)[1]) / (2 * h)
    curvature = of(kind, off)[3]
    np.testing.assert_allclose(curvature, slope, rtol=1e-4, atol=1e-6 * np.abs(curvature).max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_weight_majorises(kind: str) -> None:
    """rho(b) ≤ rho(a) + psi(a)(b − a) + ½ (psi(a)/a)(b − a)² for all a, b."""
    value, psi, weight, _ = of(kind, R)
    step = R[None, :] - R[:, None]
    bound = value[:, None] + psi[:, None] * step + 0.5 * weight[:, None] * step**2
    if kind == "asymmetric":  # its two sides have their own: a bound holds where a > 0, or b ≤ 0
        bound = np.where((R[:, None] > 0) | (R[None, :] <= 0), bound, np.inf)
    assert np.all(value[None, :] <= bound + 1e-12)


@pytest.mark.full
@pytest.mark.parametrize("space", ["linear", "logit"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_in_every_space(kind: str, space: str) -> None:
    """(Log space is everywhere else.) A falling error rate from 0.9 to 0.2, 0.5% noise."""
    C = np.geomspace(1e3, 1e7, 30)
    noise = np.exp(0.005 * np.random.default_rng(1).standard_normal(30))
    table = pd.DataFrame({"C": C, "loss": 5.0 * C**-0.25 * noise})
    objective = replace(as_objective(kind), space=space)
    fit = js.fit("power", table, objective=objective)
    assert fit.search["status"][fit.search["objective"].argmin()] == "converged"
    assert fit.params["alpha"] == pytest.approx(0.25, abs=0.01)
    assert np.isfinite(fit.stderr).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: js.huber(space="logs"),
            r"space='logs' is not known\. Did you mean 'log'\? Use log",
        ),
        (lambda: js.huber(delta=0.0), r"delta must be a positive number or .*, not 0\.0"),
        (lambda: js.huber(delta="own"), r'a positive number or "auto" \(huber, student_t\), not'),
        (
            lambda: js.pseudo_huber("auto"),
            r'delta="auto" is for huber, student_t; give pseudo_huber',
        ),  # type: ignore[arg-type]
        (lambda: Objective(), r"Objective is not registered as an objective.*js\.huber"),
        (lambda: js.student_t(df=0.0), "df must be a positive number, not 0.0"),
        (lambda: js.student_t(df=-1.0), "df must be a positive number, not -1.0"),
        (lambda: js.student_t(scale=0.0), "delta must be a positive number"),
        (lambda: js.asymmetric(ratio=float("nan")), "ratio must be a positive number, not nan"),
    ],
)
def test_bad_objectives_are_refused(make: object, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        make()  # type: ignore[operator]


def test_numbers_are_the_width_and_the_shape() -> None:
    objective = js.student_t(df=4, scale=0.02)
    assert objective.numbers == (0.02, 4.0)
    assert objective.at(0.5).numbers == (0.5, 4.0)
    assert objective.at(0.5) == js.student_t(df=4.0, scale=0.5)
    assert js.student_t().auto
    assert not objective.auto


def test_a_subclass_of_a_registered_class_is_not_its_parent() -> None:
    class Narrow(type(js.huber())):  # type: ignore[misc]
        pass

    with pytest.raises(js.JscaleError, match="Narrow is not registered as an objective"):
        Narrow()


def test_a_pin_holds_against_moves_at_which_the_slope_has_levelled_off() -> None:
    """The weight that gives a curvature, and more of it where the error lies beyond delta."""
    objective = js.huber(0.01)
    within = objective.pin_weight(curvature=4.0, error=0.001, per=2.0)
    assert within == pytest.approx(4.0 / 2.0**2)
    beyond = objective.pin_weight(curvature=4.0, error=0.05, per=2.0)
    assert beyond == pytest.approx(4.0 / 2.0**2 * 2.0 * 0.05 / 0.01)


def test_the_value_is_the_weighted_sum_of_rho() -> None:
    weights = np.linspace(0.5, 2.0, len(R))
    objective = js.huber(DELTA)
    assert objective.value(R, weights) == pytest.approx(weights @ objective(R).rho, rel=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_only_likelihoods_have_one(kind: str) -> None:
    objective = as_objective(kind)
    likely = kind in ("least_squares", "least_absolute", "student_t")
    assert objective.has_likelihood() == likely
    assert (kind in with_likelihood()) == likely
    if not likely:
        assert "not a likelihood with a fitted scale" in objective.no_likelihood(np.ones(2))
        with pytest.raises(js.JscaleError, match=r"has no likelihood\."):
            objective.log_likelihood(R, np.ones(len(R)))
