"""Objectives: definitions, derivatives, majorisation, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.objective import (
    LeastAbsolute,
    Objective,
    as_objective,
    from_document,
    from_space,
    to_space,
)

R = np.array([-0.7, -2e-3, -1e-4, 0.0, 3e-4, 5e-3, 2.0])
DELTA = 1e-3
KINDS = ("huber", "pseudo_huber", "asymmetric", "least_squares", "least_absolute", "student_t")


def of(kind: str, r: np.ndarray) -> tuple[np.ndarray, ...]:
    made = as_objective(kind)
    return made.terms(r, DELTA, *made.shape)


def rho(kind: str, r: np.ndarray) -> np.ndarray:
    return of(kind, r)[0]


def test_huber_is_quadratic_inside_and_linear_outside() -> None:
    value = rho("huber", np.array([5e-4, 0.1]))
    np.testing.assert_allclose(value, [0.5 * 5e-4**2, DELTA * (0.1 - DELTA / 2)])


def test_least_absolute_is_the_absolute_value_but_for_its_kink() -> None:
    np.testing.assert_allclose(LeastAbsolute.terms(R, 1e-9).rho, np.abs(R), atol=1e-9)


def test_pseudo_huber_follows_its_formula() -> None:
    expected = DELTA**2 * (np.sqrt(1 + (R / DELTA) ** 2) - 1)
    np.testing.assert_allclose(rho("pseudo_huber", R), expected, rtol=1e-9, atol=1e-18)


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


@pytest.mark.parametrize("space", ["log", "linear", "logit"])
def test_spaces_invert(space: str) -> None:
    y = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(from_space(np.asarray(to_space(y, space)), space), y, rtol=1e-6)


def test_names_become_objectives() -> None:
    assert as_objective("huber") == js.huber()
    assert as_objective("least_squares") == js.least_squares()
    assert str(js.huber()) == "huber(delta=0.001, space='log')"
    assert str(js.huber("auto")) == "huber(delta=auto, space='log')"
    assert str(js.student_t(scale=0.01)) == "student_t(delta=0.01, df=3, space='log')"
    assert str(js.asymmetric()) == "asymmetric(delta=0.001, ratio=10, space='log')"
    assert as_objective("student_t") == js.student_t()
    assert as_objective("asymmetric") == js.asymmetric()


def test_student_t_is_the_negative_log_density() -> None:
    from scipy.stats import t

    expected = t.logpdf(0.0, 3.0, scale=DELTA) - t.logpdf(R, 3.0, scale=DELTA)
    np.testing.assert_allclose(rho("student_t", R), expected, rtol=1e-9, atol=1e-12)


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


@pytest.mark.parametrize("space", ["linear", "logit"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_in_every_space(kind: str, space: str) -> None:
    """(Log space is everywhere else.) A falling error rate from 0.9 to 0.2, 0.5 % noise."""
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
            lambda: as_objective("hubr"),
            r"objective='hubr' is not known\. Did you mean 'huber'\? Use huber",
        ),
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
        (
            lambda: js.objectives.get("huber", width=1.0),
            "huber has no width; it takes delta, space",
        ),
        (
            lambda: from_document({"kind": "tukey"}),
            r"the objective 'tukey', which is not registered here",
        ),
        (lambda: js.student_t(df=0.0), "df must be a positive number, not 0.0"),
        (lambda: js.student_t(df=-1.0), "df must be a positive number, not -1.0"),
        (lambda: js.student_t(scale=0.0), "delta must be a positive number"),
        (lambda: js.asymmetric(ratio=float("nan")), "ratio must be a positive number, not nan"),
        (lambda: as_objective(3), "objective=3 is not known; use huber, pseudo_huber"),  # type: ignore[arg-type]
    ],
)
def test_bad_objectives_are_refused(make: object, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        make()  # type: ignore[operator]
