"""Targets of a mixture: from fits, tables of fits and groups, and sources that do not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.planning.mixture import best_mixture
from jscale.planning.targets import targets_of
from tests.planning.mixtures import LAW, TRUTH, design, table


def test_draws_of_targets_are_independent_unless_they_are_resamples() -> None:
    """Two fits of unlike noise: drawn normally they share nothing, resampled they share runs."""
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


@pytest.mark.full
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


def test_a_label_of_parameters_is_a_target_with_its_own_numbers() -> None:
    rows = table(0.004)
    whole = js.fit(LAW, rows, per=dict.fromkeys(LAW.names, "target"), objective="least_squares")
    targets, how = targets_of(whole, None, 0)
    assert [t.name for t in targets] == ["facts", "programs", "prose"]
    assert how.method == "none (point alone)"
    for target in targets:
        expected = [whole.params[f"{name}[{target.name}]"] for name in LAW.names]
        np.testing.assert_array_equal(target.point, expected)
        assert target.samples.shape == (0, 4)
        np.testing.assert_array_equal(target.fitted, [[0.0] * 3, [1.0] * 3])


def test_a_table_of_fits_has_its_draws_and_does_not_know_its_mixtures() -> None:
    many = js.fit_many(LAW, table(0.004), by="target", objective="least_squares", resamples=50)
    targets, how = targets_of(many, "auto", 0)
    assert how.method == "bootstrap of fit_many by target"
    for i, target in enumerate(targets):
        np.testing.assert_array_equal(target.point, many.params.iloc[i])
        np.testing.assert_array_equal(target.samples, many.draws[i])
        assert np.isnan(target.fitted).all()
    point = targets_of(many, None, 0)[0]
    assert [t.samples.shape for t in point] == [(0, 4)] * 3


def test_what_is_no_source_is_named() -> None:
    with pytest.raises(
        js.PredictionError, match=r"takes a FitTable, a mapping .* Draws, or .*, not int"
    ):
        targets_of(3, None, 0)
    with pytest.raises(js.PredictionError, match="not an empty one"):
        targets_of({}, None, 0)
    with pytest.raises(js.PredictionError, match=r"takes a FitTable, a mapping .*, not int"):
        targets_of({"a": 3}, None, 0)
