"""crossover and equivalent: planted laws, closed forms, probabilities, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.planning.crossover import _inverted

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
LAW = js.laws.get("power_const")
SLOW, FAST = {"E": 1.5, "A": 20.0, "alpha": 0.1}, {"E": 1.5, "A": 200.0, "alpha": 0.2}
# Equal floors: (200/20)^(1/(0.2 - 0.1)).
AT = 1e10
C = np.geomspace(1e6, 1e9, 30)


def fitted(params: dict[str, float], noise: float = 0.001, seed: int = 0) -> js.Fit:
    return js.fit(LAW, js.simulate(LAW, params, pd.DataFrame({"C": C}), noise=noise, seed=seed))


@pytest.fixture(scope="module")
def pair() -> tuple[js.Draws, js.Draws]:
    return tuple(js.bootstrap(fitted(p, seed=s), 300, seed=s) for s, p in enumerate((SLOW, FAST)))  # type: ignore[return-value]


def test_a_planted_crossing_is_found() -> None:
    exact = [js.laplace(fitted(p, noise=1e-9), 50) for p in (SLOW, FAST)]
    found = js.crossover(*exact, over=(1e7, 1e13))
    assert found.at == pytest.approx(AT, rel=1e-3)
    assert found.after == "b"
    assert found.crosses == 1.0
    assert js.crossover(*exact[::-1], over=(1e7, 1e13)).after == "a"


def test_the_interval_holds_it_and_probabilities_turn(pair) -> None:
    found = js.crossover(*pair, over=(1e7, 1e15))
    assert found.at_low < AT < found.at_high
    better = found.frame["a_better"].to_numpy()
    assert better[0] > 0.99
    assert better[-1] < 0.2
    assert "b is better past C" in repr(found)
    assert "<p>" in found._repr_html_()
    assert not found.paired


def test_curves_that_cross_twice_are_told_so() -> None:
    """With x = C^-0.1: 200·x² − 20·x + 0.1 = 0, at C = x^-10 of two roots."""
    roots = np.sort(np.roots([200.0, -20.0, 0.1]).real ** -10)
    fast, slow = (
        js.laplace(fitted(p, noise=1e-9), 50) for p in ({**FAST, "E": 1.6}, {**SLOW, "E": 1.5})
    )
    found = js.crossover(fast, slow, over=(1e7, 1e25))
    assert [found.at, *found.again] == pytest.approx(roots, rel=0.02)
    assert found.after == "a"
    assert f"The estimates cross again at {found.again[0]:.4g}." in found.summary()


def test_a_draw_without_a_number_somewhere_spoils_no_other() -> None:
    outputs = np.array([[np.nan, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    found = _inverted(outputs, np.log([1.0, 10.0, 100.0, 1000.0]), np.array([[2.0], [2.0]]))
    np.testing.assert_allclose(found, 100.0)


def test_draws_without_a_number_are_left_out(pair) -> None:
    values = pair[0].values.copy()
    values[0, :100] = np.nan
    found = js.crossover(replace(pair[0], values=values), pair[1], over=(1e7, 1e15))
    whole = js.crossover(*pair, over=(1e7, 1e15))
    assert found.left_out == 100
    assert found.frame["a_better"].iloc[0] > 0.99
    assert found.at_low == pytest.approx(whole.at_low, rel=0.5)
    assert "100 draws that are NaN in the range are left out" in found.summary()
    with pytest.warns(js.FitWarning, match="100 draws are NaN in the range and are left"):
        worth = js.equivalent(replace(pair[0], values=values), pair[1], over=(1e7, 1e12))
    assert not worth[["low", "high"]].isna().any(axis=None)
    with pytest.raises(js.PredictionError, match="is NaN somewhere from C = 1e"):
        js.crossover(replace(pair[0], values=values * np.nan), pair[1], over=(1e7, 1e15))


def test_equal_recipes_are_told_so(pair) -> None:
    found = js.crossover(pair[0], pair[0])
    assert found.after == "neither"
    assert (found.frame["a_better"] == 0.5).all()
    assert found.interval(0.5) == (np.inf, np.inf)


def test_far_crossings_are_warned_of() -> None:
    """At (200/10)^10 = 1e13, ten thousand times past the runs."""
    far = [js.laplace(fitted(p, noise=1e-9), 50) for p in ({**SLOW, "A": 10.0}, FAST)]
    with pytest.warns(
        js.ExtrapolationWarning, match="1 of 1 crossings lie .* past the largest fitted C"
    ):
        js.crossover(*far, over=(1e7, 1e15))


def test_no_crossing_within_the_range_is_said(pair) -> None:
    found = js.crossover(*pair, over=(1e6, 1e8))
    assert np.isnan(found.at)
    assert found.at_high == np.inf
    assert "no crossing from C = 1e+06 to 1e+08" in found.summary()


@pytest.mark.full
def test_fits_of_the_same_runs_are_paired() -> None:
    fit = fitted(SLOW, noise=0.01)
    other = js.fit("power", fit.runs)
    assert js.crossover(fit, other, method="bayesian").paired
    assert not js.crossover(fit, other, method="laplace").paired
    alone = js.crossover(fit, fitted(SLOW, noise=0.01, seed=5), method="bayesian")
    assert not alone.paired


def test_a_recipe_against_itself_is_no_better() -> None:
    """Paired draws of one fit do not differ at all; independent ones favour neither."""
    fit = fitted(SLOW, noise=0.01)
    again = js.crossover(fit, fit, method="bayesian")
    assert (again.frame["difference"] == 0).all()
    assert (again.frame["low"] == 0).all()
    free = js.crossover(fit, fit, method="laplace").frame["a_better"]
    assert free.between(0.4, 0.6).all()


def test_equivalent_compute_has_a_closed_form() -> None:
    """At equal floors b needs (A_b/A_a)^(1/beta)·C^(alpha/beta)."""
    exact = [js.laplace(fitted(p, noise=1e-9), 50) for p in (SLOW, FAST)]
    found = js.equivalent(*exact, over=(1e8, 1e11))
    needs = (200 / 20) ** (1 / 0.2) * found["C"] ** (0.1 / 0.2)
    np.testing.assert_allclose(found["needs"], needs, rtol=2e-3)
    np.testing.assert_allclose(found["times"], needs / found["C"], rtol=2e-3)
    assert (found["exists"] == 1.0).all()


def test_what_b_never_reaches_is_infinite() -> None:
    better, worse = ({**SLOW, "E": E} for E in (1.0, 3.0))
    found = js.equivalent(
        *(js.laplace(fitted(p, noise=1e-6), 50) for p in (better, worse)), over=(1e12, 1e13)
    )
    assert np.isinf(found["times"].to_numpy()[-1])
    assert found["exists"].to_numpy()[-1] == 0.0


@pytest.mark.full
def test_scores_of_size_and_data_are_better_when_larger() -> None:
    """Along the best use of compute too, where C is no input of the law."""

    @js.law(rising=("N", "D"), output="score")
    def score(N: Any, D: Any, *, top: js.Floor, A: js.Scale) -> Any:
        return top - A * N**-0.3 - A * D**-0.3

    design = pd.DataFrame({"N": np.tile([1e6, 1e7, 1e8], 3), "D": np.repeat([1e8, 1e9, 1e10], 3)})
    low, high = (
        js.laplace(
            js.fit(score, js.simulate(score, {"top": top, "A": 5.0}, design, noise=1e-4)), 30
        )
        for top in (0.7, 0.9)
    )
    found = js.crossover(high, low, over=(1e15, 1e17))
    assert (found.frame["a_better"] == 1.0).all()
    assert found.after == "a"


def test_a_narrow_range_is_not_cut_too_finely(pair) -> None:
    assert len(js.equivalent(*pair, over=(1e8, 1.0001e8))) == 121


@pytest.mark.full
def test_surfaces_are_compared_along_their_best_use_of_compute() -> None:
    table = js.datasets.load("stdlib_lm")
    runs = js.Runs.from_frame(table.loc[table["split"] == "fit"])
    drawn = js.laplace(js.fit("chinchilla", runs), 50)
    found = js.crossover(drawn, drawn, over=(1e11, 1e13)).frame
    exact = js.derive(drawn, "optimal_loss", C=found["C"].to_numpy()).frame["estimate"]
    np.testing.assert_allclose(found["a"], exact, rtol=1e-10)
    frontier = js.laplace(js.fit("power_const", runs), 50)
    assert len(js.crossover(drawn, frontier, over=(1e11, 1e13)).frame) == 121


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"along": "N"}, r"power_const has no input 'N'; it has C"),
        ({"over": (1.0, 0.5)}, r"over=\(1.0, 0.5\) must be two positive numbers"),
        ({"over": 3.0}, r"over=3.0 must be two positive numbers"),
        ({"level": 2.0}, r"level"),
        ({"n": 3.0}, r"'n' is not another input of either law. Theirs are none"),
    ],
)
def test_bad_input(pair, change: dict[str, Any], message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        js.crossover(*pair, **change)


@pytest.mark.full
def test_what_cannot_be_compared(pair) -> None:
    bits = pair[0].fit.runs.frame[["C", "loss"]]
    other = js.fit(LAW, js.Runs.from_frame(bits, loss_unit="bits"))
    with pytest.raises(js.PredictionError, match=r"units '.*' and 'bits'"):
        js.crossover(pair[0], other)
    score = js.law(lambda C, **p: p["A"] * C**-0.1, name="score_law", inputs=("C",),
                   parameters={"A": js.Scale}, output="score")  # fmt: skip
    table = pair[0].fit.runs.frame[["C", "loss"]].rename(columns={"loss": "score"})
    with pytest.raises(js.PredictionError, match=r"outputs 'loss' and 'score'"):
        js.crossover(pair[0], js.fit(score, table))
    with pytest.raises(
        js.PredictionError, match=r"crossover takes a Fit, Draws, or .* a Forecast, not dict"
    ):
        js.crossover(pair[0], {})  # type: ignore[arg-type]
