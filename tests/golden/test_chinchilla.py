"""The published and the true optimum of the Chinchilla data, and what must not change it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js

TRUE_240 = {"E": 1.81721810, "alpha": 0.347310500, "beta": 0.367172431}
TRUE_245 = {"E": 1.89133850, "alpha": 0.349312893, "beta": 0.453049296}


@pytest.fixture(scope="module")
def fit_240(chinchilla_240: pd.DataFrame) -> js.Fit:
    return js.fit("chinchilla", chinchilla_240)


@pytest.fixture(scope="module")
def fit_245(chinchilla_245: pd.DataFrame) -> js.Fit:
    return js.fit("chinchilla", chinchilla_245)


def test_optimum_on_240_rows(fit_240: js.Fit) -> None:
    assert fit_240.objective == pytest.approx(0.0010182740178005989, rel=1e-10)
    for name, value in TRUE_240.items():
        assert fit_240.params[name] == pytest.approx(value, abs=1e-6)
    assert fit_240.params["A"] == pytest.approx(477.82588, rel=1e-4)
    assert fit_240.params["B"] == pytest.approx(2143.41728, rel=1e-4)


def test_optimum_on_245_rows(fit_245: js.Fit) -> None:
    assert fit_245.objective == pytest.approx(0.0018260105230693308, rel=1e-10)
    for name, value in TRUE_245.items():
        assert fit_245.params[name] == pytest.approx(value, abs=1e-6)


@pytest.mark.full
def test_at_least_97_percent_of_starts_reach_it(fit_240: js.Fit) -> None:
    agree, count = fit_240.agree
    assert count == 64
    assert agree >= 62


def test_five_points_are_named_as_driving_the_fit(fit_245: js.Fit, fit_240: js.Fit) -> None:
    note = next(n for n in fit_245.notes if n.code == "outlier-driven")
    assert "B by" in note.seen
    assert "rows 0, 1, 2, 3" in note.seen
    assert not [n for n in fit_240.notes if n.code == "outlier-driven"]


def test_few_residuals_inside_delta_are_noted(fit_240: js.Fit) -> None:
    note = next(n for n in fit_240.notes if n.code == "near-l1")
    assert "39 of 240 runs" in note.seen


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scaling_the_objective_changes_nothing(
    fit_240: js.Fit, chinchilla_240: pd.DataFrame, scale: float
) -> None:
    scaled = js.fit("chinchilla", chinchilla_240, weights=np.full(240, scale))
    assert scaled.objective == pytest.approx(scale * fit_240.objective, rel=1e-12)
    np.testing.assert_allclose(scaled.params, fit_240.params, rtol=1e-7)
    np.testing.assert_allclose(scaled.stderr, fit_240.stderr, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_units_of_inputs_change_only_the_amplitudes(
    fit_240: js.Fit, chinchilla_240: pd.DataFrame, factor: float
) -> None:
    table = chinchilla_240[["N", "D", "loss"]].assign(
        N=lambda t: t["N"] * factor, D=lambda t: t["D"] * factor
    )
    scaled = js.fit("chinchilla", table).params
    base = fit_240.params
    for name in ("E", "alpha", "beta"):
        assert scaled[name] == pytest.approx(base[name], rel=1e-7)
    assert scaled["A"] == pytest.approx(base["A"] * factor ** base["alpha"], rel=1e-5)
    assert scaled["B"] == pytest.approx(base["B"] * factor ** base["beta"], rel=1e-5)


def test_order_of_rows_changes_nothing(fit_240: js.Fit, chinchilla_240: pd.DataFrame) -> None:
    shuffled = js.fit("chinchilla", chinchilla_240.sample(frac=1.0, random_state=3))
    assert shuffled.objective == pytest.approx(fit_240.objective, rel=1e-12)


@pytest.mark.full
def test_least_absolute_is_the_published_replication(chinchilla_240: pd.DataFrame) -> None:
    """The replication's point is, in effect, least absolute deviations (482.01, 2085.43, …)."""
    fit = js.fit("chinchilla", chinchilla_240, objective=js.least_absolute())
    published = next(iter(js.laws.get("chinchilla").published.values()))
    for name, value in published.items():
        assert fit.params[name] == pytest.approx(value, rel=1e-4), name
    assert fit.objective == pytest.approx(1.12949, rel=1e-5)
    agree, count = fit.agree
    assert agree >= 0.9 * count


def test_standard_errors_are_near_the_bootstrap(fit_240: js.Fit) -> None:
    """Published (4000 resamples): alpha 0.01540, beta 0.02060, E 0.02566; see the design, §6."""
    draws = js.bootstrap(fit_240, 4000, seed=0)
    sd = draws.to_frame().std()
    for name, published in {"alpha": 0.01540, "beta": 0.02060, "E": 0.02566}.items():
        assert sd[name] == pytest.approx(published, rel=0.06), name
        assert fit_240.stderr[name] == pytest.approx(published, rel=0.2), name
    interval = draws.interval(0.95)
    assert interval.loc["alpha", "low"] == pytest.approx(0.317, abs=0.004)
    assert interval.loc["alpha", "high"] == pytest.approx(0.373, abs=0.004)
    assert draws.failed == 0
    assert draws.unsettled <= 4


@pytest.mark.full
def test_tied_exponents_are_equal_and_cost_little(
    fit_240: js.Fit, chinchilla_240: pd.DataFrame
) -> None:
    tied = js.fit("chinchilla", chinchilla_240, tie=("alpha", "beta"))
    assert tied.params["alpha"] == tied.params["beta"]
    assert fit_240.objective < tied.objective < 1.01 * fit_240.objective


@pytest.mark.full
def test_fixing_a_parameter_at_its_optimum_changes_nothing(
    fit_240: js.Fit, chinchilla_240: pd.DataFrame
) -> None:
    fixed = js.fit("chinchilla", chinchilla_240, fixed={"E": fit_240.params["E"]})
    assert fixed.objective == pytest.approx(fit_240.objective, rel=1e-10)
    assert fixed.stderr["E"] == 0.0
