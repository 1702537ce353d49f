"""Rows outside a law's domain are named, with the limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js


@js.law(
    output="score", limits={"score": (0, 1), "K": (1, np.inf)}, ordered=(("U", "D"),),
    positive=("W",), linear=("A",),
)  # fmt: skip
def bounded(U: Any, D: Any, K: Any, W: Any, *, A: js.Scale) -> Any:
    return A * (U / D) / (K * W)


def table(**changed: list[float]) -> pd.DataFrame:
    rows = {"U": [1.0, 2.0, 3.0], "D": [4.0, 4.0, 4.0], "K": [1.0, 1.0, 2.0], "W": [1.0, 2.0, 2.0]}
    return pd.DataFrame({**rows, "score": [0.2, 0.2, 0.1], **changed}, index=["a", "b", "c"])


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_rows_within_are_fitted():
    assert js.fit(bounded, table()).params["A"] > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": [0.2, 1.5, -0.1]},
         r"score between 0 and 1, but not in row 'b' \(1.5\), row 'c' \(-0.1\)\. Leave those"),
        ({"K": [1.0, 0.5, 1.0]}, r"K from 1 up, but not in row 'b' \(0.5\)"),
        ({"U": [1.0, 2.0, 5.0]}, r"U up to D, but U is above D in row 'c' \(5.0\).*'U'\] <= runs"),
        ({"W": [1.0, 0.0, 2.0]}, r"logarithm of W, which is zero or negative in row 'b' \(0.0\)"),
    ],
)  # fmt: skip
def test_rows_outside_are_named(changed, message):
    with pytest.raises(js.DataError, match=message):
        js.fit(bounded, table(**changed))


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_no_prediction_outside():
    fit = js.fit(bounded, table())
    with pytest.raises(js.PredictionError, match=r"U up to D, .* row 0 \(5.0\). Predict within"):
        js.predict(fit, U=5.0, D=4.0, K=1.0, W=1.0, method=None)


@pytest.mark.full
def test_losses_below_a_fixed_floor():
    frame = pd.DataFrame({"C": np.geomspace(1, 1e4, 8)})
    frame["loss"] = 2 + frame["C"] ** -0.5
    with pytest.raises(js.DataError, match=r"below E, which is fixed at 2.1, but loss does in row"):
        js.fit("power_const", frame, fixed={"E": 2.1})
    assert js.fit("power_const", frame, fixed={"E": 1.9}).params["E"] == 1.9


@pytest.mark.full
def test_scores_may_be_zero_and_the_law_chooses_the_space():
    @js.law(output="score", space="linear", linear=("a", "b"))
    def line(C: Any, *, a: js.Real, b: js.Real) -> Any:
        return a + b * C

    frame = pd.DataFrame({"C": [1.0, 2.0, 3.0, 4.0], "score": [-0.1, 0.0, 0.1, 0.2]})
    fit = js.fit(line, frame)
    assert fit.settings.objective.space == "linear"
    np.testing.assert_allclose(fit.params, [-0.2, 0.1], atol=1e-9)
    assert js.fit_many(line, frame.assign(g="x"), by="g").params.shape == (1, 2)


def test_unknown_space():
    with pytest.raises(
        js.LawError, match=r"space='lin' is not known\. Did you mean 'linear'\? Use log, linear"
    ):

        @js.law(space="lin")
        def bad(C: Any, *, A: js.Scale) -> Any:
            return A * C


@js.law(output="score", space="linear", simplex=("r_a", "r_b"), linear=("A", "B"))
def blend(r_a: Any, r_b: Any, *, A: js.Scale, B: js.Scale) -> Any:
    return A * r_a + B * r_b


def blends(**changed: list[float]) -> pd.DataFrame:
    rows = {"r_a": [0.0, 0.2, 0.5, 1.0], "r_b": [1.0, 0.8, 0.5, 0.0]}
    frame = pd.DataFrame({**rows, **changed}, index=list("wxyz"))
    return frame.assign(score=[2.0, 1.8, 1.5, 1.0])


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_shares_of_one_whole_are_fitted():
    fit = js.fit(blend, blends(r_b=[1.0, 0.8, 0.5 + 5e-7, 0.0]))  # rounding is no fault
    assert fit.params.to_dict() == pytest.approx({"A": 1.0, "B": 2.0}, rel=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"r_b": [1.0, 0.8, 0.6, 0.0]},
         r"r_a, r_b as shares of one mixture, but they do not add up to 1 in row 'y' \(1.1\)\. "
         r"Divide each row by its sum"),
        ({"r_b": [1.0, 0.8, 0.5 + 2e-6, -1e-5]}, r"r_b as a share .* row 'z' \(-1e-05\)\. Leave"),
    ],
)  # fmt: skip
def test_rows_that_are_no_mixture_are_named(changed, message):
    with pytest.raises(js.DataError, match=message):
        js.fit(blend, blends(**changed))


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_no_prediction_of_what_is_no_mixture():
    fit = js.fit(blend, blends())
    with pytest.raises(js.PredictionError, match=r"do not add up to 1 in row 1 \(0.9\)"):
        js.predict(fit, r_a=[0.5, 0.4], r_b=0.5, method=None)


def test_a_simplex_is_part_of_what_a_law_is():
    def plain(r_a: Any, r_b: Any, *, A: js.Scale) -> Any:
        return A * r_a / (r_a + r_b)

    assert js.law(plain).digest != js.law(plain, simplex=("r_a", "r_b")).digest


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"simplex": ("r_a",)}, r"simplex=\('r_a',\) must name two or more different inputs"),
        ({"simplex": ("r_a", "r_a")}, r"must name two or more different inputs"),
        ({"simplex": ("r_a", "r_c")}, r"no parameter or input 'r_c'"),
        (
            {"simplex": ("r_a", "r_b"), "falling": ("r_a",)},
            r"r_a is a share .* cannot change alone",
        ),
    ],
)
def test_simplexes_that_cannot_be(declared, message):
    def mixed(r_a: Any, r_b: Any, *, A: js.Scale) -> Any:
        return A * (r_a + 2 * r_b)

    with pytest.raises(js.LawError, match=message):
        js.law(mixed, **declared)
