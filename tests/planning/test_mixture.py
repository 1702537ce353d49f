"""best_mixture: the optimum against answers by hand and by SciPy, its interval, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import jscale as js
from jscale.planning.mixture import best_mixture
from jscale.planning.simplex import inner_starts

SHARES = ("r_web", "r_code", "r_books")
LAW = js.laws.get("mixing:web,code,books")
TRUTH = {
    "prose": {"c": 1.9, "k_web": 0.5, "k_code": 2.4, "k_books": 1.5},
    "programs": {"c": 0.9, "k_web": 1.8, "k_code": 0.3, "k_books": 2.5},
    "facts": {"c": 2.1, "k_web": 2.2, "k_code": 2.4, "k_books": 0.5},
}


def design(rows: int = 40, seed: int = 0) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).dirichlet(np.ones(3), rows - 3)
    return pd.DataFrame(np.concatenate([np.eye(3), drawn]), columns=list(SHARES))


def table(noise: float) -> pd.DataFrame:
    parts = []
    for i, (target, own) in enumerate(TRUTH.items()):
        runs = js.simulate(LAW, own, design(), noise=noise, seed=i)
        parts.append(runs.frame.assign(target=target))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def exact() -> dict[str, js.Fit]:
    return {t: js.fit(LAW, js.simulate(LAW, own, design())) for t, own in TRUTH.items()}


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


def test_one_target_takes_one_domain(exact: dict[str, js.Fit]) -> None:
    """ln(L − c) is linear in shares, so the smallest k wins: a corner, exactly."""
    for source in (exact["programs"], {"programs": exact["programs"]}):
        found = best_mixture(source, method=None)
        assert found.shares["share"].tolist() == [0.0, 1.0, 0.0]
        assert found.losses.loc["weighted", "loss"] == pytest.approx(0.9 + 0.3, rel=1e-7)


def test_limits_are_kept_and_filled(exact: dict[str, js.Fit]) -> None:
    limits = {"r_books": (0.0, 0.1)}
    found = best_mixture(exact, method=None, limits=limits).shares["share"]
    equal = dict.fromkeys(TRUTH, 1.0)
    np.testing.assert_allclose(found, by_scipy(equal, 0.1), atol=2e-5)
    assert found["r_books"] == pytest.approx(0.1, abs=1e-6)
    both = best_mixture(exact["programs"], method=None,
                        limits={"r_code": (0.2, 0.5), "r_web": (0.1, 0.3)})  # fmt: skip
    np.testing.assert_allclose(both.shares["share"], [0.3, 0.5, 0.2], atol=1e-6)


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


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_an_optimum_outside_the_fitted_mixtures_is_noted() -> None:
    near = design(60)
    near = 0.6 * near + 0.4 / 3  # every share between 0.13 and 0.73
    fit = js.fit(LAW, js.simulate(LAW, TRUTH["programs"], near))
    found = best_mixture(fit, method=None)
    assert [note.code for note in found.notes] == ["outside-design"]
    assert "r_code = 1" in found.notes[0].seen


def test_draws_of_targets_are_independent_unless_they_are_resamples() -> None:
    """Two fits of unlike noise: drawn normally they share nothing, resampled they share runs."""
    from jscale.planning.targets import targets_of

    fits = {
        t: js.fit(LAW, js.simulate(LAW, TRUTH[t], design(), noise=0.02, seed=s))
        for t, s in (("prose", 1), ("facts", 2))
    }
    pairs = {}
    for method in ("laplace", "bayesian"):
        a, b = targets_of(fits, method, 0)[0]
        pairs[method] = np.corrcoef(a.samples[:, 0], b.samples[:, 0])[0, 1]
    assert abs(pairs["laplace"]) < 0.15  # 1000 draws: four and a half standard errors
    again = [
        targets_of({"x": fits["prose"], "y": fits["prose"]}, "bayesian", 0)[0][i] for i in (0, 1)
    ]
    np.testing.assert_array_equal(again[0].samples, again[1].samples)


def test_starts_lie_inside() -> None:
    low, high = np.array([0.1, 0.0, 0.05]), np.array([0.3, 0.6, 1.0])
    starts = inner_starts(low, high)
    np.testing.assert_allclose(starts.sum(axis=1), 1)
    assert ((starts > low) & (starts < high)).all()


@pytest.mark.parametrize(
    ("source", "options", "error", "says"),
    [
        ("exact", {"weights": {"prse": 1.0}}, js.PredictionError, r"'prse'.*no target.*'prose'"),
        ("exact", {"weights": {"prose": -1.0}}, js.PredictionError, r"weights must be 0 or more"),
        ("exact", {"limits": {"r_cod": (0, 1)}}, js.PredictionError, r"r_cod, which is no share"),
        ("exact", {"limits": {"r_web": (0.5, 0.2)}}, js.PredictionError, r"is \(0.5, 0.2\); the low"),
        ("exact", {"limits": dict.fromkeys(SHARES, (0.0, 0.3))}, js.PredictionError,
         r"lowest shares add up to 0, the highest to 0.9; 1 must lie between"),
        ("exact", {"N": 1e9}, js.PredictionError, r"N is no input beside the shares"),
        ("exact", {"level": 1.5}, js.JscaleError, r"level=1.5 must lie strictly"),
        (3, {}, js.LawError, r"takes a Fit, Draws, a FitTable, or a mapping .* not int"),
        ({}, {}, js.LawError, r"not an empty mapping"),
        ({"a": 3}, {}, js.LawError, r"A target is a Fit or Draws, not int"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(
    exact: dict[str, js.Fit], source: Any, options: Any, error: Any, says: str
) -> None:
    given: Any = exact if source == "exact" else source
    with pytest.raises(error, match=says):
        best_mixture(given, **{"method": None, **options})


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_sources_that_do_not_fit_together(exact: dict[str, js.Fit]) -> None:
    other = js.laws.get("mixing:web,code")
    two = design()[["r_web", "r_code"]].pipe(lambda t: t.div(t.sum(axis=1) + 1e-300, axis=0))
    two = two[two.sum(axis=1) > 0.5].drop_duplicates()
    fit = js.fit(other, js.simulate(other, {"c": 1.0, "k_web": 0.5, "k_code": 1.0}, two))
    with pytest.raises(js.LawError, match=r"'b' has the shares r_web, r_code, but 'a' has r_web, "):
        best_mixture({"a": exact["prose"], "b": fit}, method=None)
    plain = js.simulate("power_const:N", {"E": 1.0, "A": 9.0, "alpha": 0.2},
                        pd.DataFrame({"N": np.geomspace(1e6, 1e9, 9)}))  # fmt: skip
    with pytest.raises(js.LawError, match=r"power_const:N has no shares of a mixture"):
        best_mixture(js.fit("power_const:N", plain), method=None)
    grouped = js.fit(LAW, table(0.004), per=dict.fromkeys(LAW.names, "target"),
                     objective="least_squares")  # fmt: skip
    with pytest.raises(js.LawError, match=r"The fit of 'a' has parameters per target: give it"):
        best_mixture({"a": grouped}, method=None)
    bare = js.fit_many(LAW, table(0.004), by="target")
    with pytest.raises(js.PredictionError, match=r"by target has no draws: fit_many\("):
        best_mixture(bare)
