"""best_mixture: the optimum against answers by hand and by SciPy, its interval, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import jscale as js
from jscale.planning.mixture import best_mixture
from tests.planning.mixtures import LAW, SHARES, TRUTH, design, table


def by_scipy(weights: dict[str, float], most: float = 1.0) -> np.ndarray:
    """Return the optimum of the planted laws by SLSQP, books limited to ``most``."""

    def loss(r: np.ndarray) -> float:
        return sum(
            w * (TRUTH[t]["c"] + np.exp(r @ np.log([TRUTH[t][f"k_{x[2:]}"] for x in SHARES])))
            for t, w in weights.items()
        )

    found = minimize(
        loss, np.full(3, 1 / 3), bounds=[(0, 1), (0, 1), (0, most)], method="SLSQP",
        constraints={"type": "eq", "fun": lambda r: r.sum() - 1}, options={"ftol": 1e-15},
    )  # fmt: skip
    return found.x


@pytest.mark.full
@pytest.mark.parametrize(
    "weights",
    [{"prose": 1.0, "programs": 1.0, "facts": 1.0}, {"prose": 1.0, "programs": 3.0},
     {"prose": 5.0, "programs": 1.0, "facts": 0.1}],
)  # fmt: skip
def test_the_optimum_is_scipy_s(exact: dict[str, js.Fit], weights: dict[str, float]) -> None:
    found = best_mixture(exact, weights, method=None)
    np.testing.assert_allclose(found.shares["share"], by_scipy(weights), atol=2e-5)
    assert found.shares["share"].sum() == pytest.approx(1, abs=1e-12)
    assert not found.notes
    assert list(found.shares) == ["share", "fitted_low", "fitted_high"]
    assert np.isnan(found.regret)


@pytest.mark.full
def test_one_target_takes_one_domain(exact: dict[str, js.Fit]) -> None:
    """ln(L − c) is linear in shares, so the smallest k wins: a corner, exactly."""
    for source in (exact["programs"], {"programs": exact["programs"]}):
        found = best_mixture(source, method=None)
        assert found.shares["share"].tolist() == [0.0, 1.0, 0.0]
        assert found.losses.loc["weighted", "loss"] == pytest.approx(0.9 + 0.3, rel=1e-7)


@pytest.mark.full
def test_limits_are_kept_and_filled(exact: dict[str, js.Fit]) -> None:
    limits = {"r_books": (0.0, 0.1)}
    found = best_mixture(exact, method=None, limits=limits).shares["share"]
    equal = dict.fromkeys(TRUTH, 1.0)
    np.testing.assert_allclose(found, by_scipy(equal, 0.1), atol=2e-5)
    assert found["r_books"] == pytest.approx(0.1, abs=1e-6)
    both = best_mixture(exact["programs"], method=None,
                        limits={"r_code": (0.2, 0.5), "r_web": (0.1, 0.3)})  # fmt: skip
    np.testing.assert_allclose(both.shares["share"], [0.3, 0.5, 0.2], atol=1e-6)


@pytest.mark.full
def test_a_law_in_which_size_and_tokens_enter_too() -> None:
    """The additive law's best shares: stationary where C·g·r^(g−1) are equal."""
    law = js.laws.get("mixture_additive:web,code")
    own = {"E": 1.4, "A": 500.0, "alpha": 0.36, "B": 900.0, "beta": 0.32,
           "C_web": 1.5, "C_code": 1.2, "g_web": 0.5, "g_code": 0.3}  # fmt: skip
    grid = js.designs.grid(np.geomspace(1e8, 1e10, 3), np.geomspace(1e9, 1e11, 3))
    grid = pd.concat([grid.assign(r_web=r, r_code=1 - r) for r in (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)],
                     ignore_index=True)  # fmt: skip
    fit = js.fit(law, js.simulate(law, own, grid))
    found = best_mixture(fit, N=1e9, D=2e10, method=None)
    r = found.shares["share"]
    web, code = (own[f"C_{x}"] * own[f"g_{x}"] * r[f"r_{x}"] ** (own[f"g_{x}"] - 1)
                 for x in ("web", "code"))  # fmt: skip
    assert web == pytest.approx(code, rel=1e-4)
    assert 0.1 < r["r_web"] < 0.9
    loss = law(1e9, 2e10, r["r_web"], r["r_code"], **own)
    assert found.losses.loc["weighted", "loss"] == pytest.approx(loss, rel=1e-8)
    assert not found.notes


@pytest.fixture(scope="module")
def noisy() -> dict[str, js.Draws]:
    runs = dict(list(table(0.004).groupby("target")))
    return {
        t: js.bootstrap(js.fit(LAW, runs[t].drop(columns="target")), 200, kind="bayesian")
        for t in TRUTH
    }


@pytest.mark.full
def test_intervals_hold_the_planted_optimum(noisy: dict[str, js.Draws]) -> None:
    weights = {"prose": 1.0, "programs": 1.1, "facts": 0.9}
    found = best_mixture(noisy, weights, level=0.95)
    truth = by_scipy(weights)
    assert truth.min() > 0.05
    low, high = found.shares["low"], found.shares["high"]
    assert ((low <= truth) & (truth <= high)).all()
    assert ((high - low) < 0.3).all()
    assert found.samples.shape == (200, 3)
    np.testing.assert_allclose(found.samples.sum(axis=1), 1, atol=1e-9)
    # A draw's own optimum is no worse for it than the estimate's.
    assert 0 <= found.regret < 0.01
    curve = found.losses.loc["prose"]
    assert curve["low"] < curve["loss"] < curve["high"]
    mean = sum(w * found.losses.loc[t, "loss"] for t, w in weights.items()) / sum(weights.values())
    assert found.losses.loc["weighted", "loss"] == pytest.approx(mean, rel=1e-12)


@pytest.mark.full
def test_each_draw_s_optimum_is_one(noisy: dict[str, js.Draws]) -> None:
    """No mixture of a fine grid is lower, in any draw."""
    found = best_mixture(noisy)
    steps = np.arange(0, 1.0001, 0.05)
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1.0001])
    grid = np.abs(grid)
    for lane in range(0, 200, 23):
        values = [dict(zip(d.names, d.flat[lane], strict=True)) for d in noisy.values()]
        lowest = sum(LAW(*grid.T, **v) for v in values).min()
        here = sum(float(LAW(*found.samples[lane], **v)) for v in values)
        assert here <= lowest + 1e-9


@pytest.mark.full
def test_fits_per_target_and_tables_of_fits_are_the_same_targets() -> None:
    rows = table(0.004)
    whole = js.fit(LAW, rows, per=dict.fromkeys(LAW.names, "target"),
                   objective="least_squares")  # fmt: skip
    many = js.fit_many(LAW, rows, by="target", objective="least_squares", resamples=50)
    one, two = (best_mixture(s, {"prose": 1.0, "facts": 1.0}, method=m)
                for s, m in ((whole, None), (many, "auto")))  # fmt: skip
    np.testing.assert_allclose(one.shares["share"], two.shares["share"], atol=1e-4)
    assert two.samples.shape == (50, 3)
    assert two.shares["fitted_low"].isna().all()
    assert one.losses.index.tolist() == ["facts", "prose", "weighted"]
    assert "Best mixture: 90% confidence" in repr(two)
    assert "<table" in two._repr_html_()
    assert one.to_frame().equals(one.shares)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_an_optimum_outside_the_fitted_mixtures_is_noted() -> None:
    near = design(60)
    near = 0.6 * near + 0.4 / 3  # every share between 0.13 and 0.73
    fit = js.fit(LAW, js.simulate(LAW, TRUTH["programs"], near))
    found = best_mixture(fit, method=None)
    assert [note.code for note in found.notes] == ["outside-design"]
    assert "r_code = 1" in found.notes[0].seen


@pytest.mark.parametrize(
    ("source", "options", "error", "says"),
    [
        ("exact", {"weights": {"prse": 1.0}}, js.PredictionError, r"'prse'.*not a target.*'prose'"),
        ("exact", {"weights": {"prose": -1.0}}, js.PredictionError, r"weights must be 0 or more"),
        ("exact", {"limits": {"r_cod": (0, 1)}}, js.PredictionError, r"r_cod, which is not a share"),
        ("exact", {"limits": {"r_web": (0.5, 0.2)}}, js.PredictionError, r"is \(0.5, 0.2\); the low"),
        ("exact", {"limits": dict.fromkeys(SHARES, (0.0, 0.3))}, js.PredictionError,
         r"lowest shares add up to 0, the highest to 0.9; 1 must lie between"),
        ("exact", {"N": 1e9}, js.PredictionError, r"N is not an input besides the shares"),
        ("exact", {"level": 1.5}, js.JscaleError, r"level=1.5 must lie strictly"),
        (3, {}, js.PredictionError, r"takes a FitTable, a mapping .* Draws, or .*, not int"),
        ({}, {}, js.PredictionError, r"not an empty one"),
        ({"a": 3}, {}, js.PredictionError, r"takes a FitTable, a mapping .* Draws, or .*, not int"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(
    exact: dict[str, js.Fit], source: Any, options: Any, error: Any, says: str
) -> None:
    given: Any = exact if source == "exact" else source
    with pytest.raises(error, match=says):
        best_mixture(given, **{"method": None, **options})
