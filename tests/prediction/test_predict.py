"""predict: inputs in every form, both intervals, warnings far out, and errors that mend."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.prediction.near import NEAR

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}

COLUMNS = [
    "N", "D", "curve", "confidence_low", "confidence_high", "prediction_low", "prediction_high",
    "extrapolation",
]  # fmt: skip


def at(fit: js.Fit, **inputs) -> np.ndarray:
    """The law itself at the fitted parameters."""
    return fit.law(**inputs, **fit.params)


# ── Forms of input ───────────────────────────────────────────────────────────────────────────


def test_by_keyword(draws):
    frame = js.predict(draws, **NEAR).to_frame()
    assert list(frame.columns) == COLUMNS
    assert frame["curve"].tolist() == pytest.approx([at(draws.fit, **NEAR)], rel=1e-12)


def test_by_mapping_and_by_keyword_are_the_same(draws):
    by_mapping = js.predict(draws, {"N": 2e9}, D=5e10).frame
    pd.testing.assert_frame_equal(by_mapping, js.predict(draws, **NEAR).frame)


def test_arrays_broadcast(surface):
    N = np.array([1e9, 2e9, 4e9])
    frame = js.predict(surface, N=N, D=5e10, method=None).frame
    assert frame["N"].tolist() == N.tolist()
    assert frame["D"].tolist() == [5e10] * 3
    grid = js.predict(surface, N=N[:, None], D=[1e10, 1e11], method=None).frame
    assert len(grid) == 6
    np.testing.assert_allclose(grid["curve"], at(surface, N=grid["N"], D=grid["D"]), rtol=1e-12)


def test_numbers_as_text_are_read(surface):
    frame = js.predict(surface, N="2e9", D=["5e10"], method=None).frame
    assert frame["N"].tolist() == [2e9]


def test_by_table_keeps_its_index_and_leaves_other_columns(surface):
    table = pd.DataFrame({"D": [5e10, 6e10], "who": ["a", "b"], "N": [1e9, 2e9]}, index=["x", "y"])
    before = table.copy()
    frame = js.predict(surface, table, method=None).frame
    assert frame.index.tolist() == ["x", "y"]
    assert list(frame.columns) == ["D", "N", "curve", "extrapolation"]
    pd.testing.assert_frame_equal(table, before)


def test_by_runs(surface):
    frame = js.predict(surface, surface.runs, method=None).frame
    np.testing.assert_allclose(frame["curve"], surface.fitted, rtol=1e-12)
    assert frame.index.equals(surface.runs.frame.index)


def test_a_label_for_each_row(families):
    frame = js.predict(families, **NEAR, family=["gpt", "llama"], method=None).frame
    shared = families.params[["A", "alpha", "B", "beta"]]
    for label, value in zip(("gpt", "llama"), frame["curve"], strict=True):
        expected = families.law(**NEAR, E=families.params[f"E[{label}]"], **shared)
        assert value == pytest.approx(expected, rel=1e-12)
    assert frame["family"].tolist() == ["gpt", "llama"]


def test_unknown_label(families):
    wrong = r"family='gtp' was not among the fitted runs\. Did you mean 'gpt'\? Use one of gpt, lla"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(families, **NEAR, family="gtp", method=None)


def test_missing_label_column(families):
    with pytest.raises(js.PredictionError, match=r"family is missing\. Call .*, D=…, family=…\)"):
        js.predict(families, **NEAR, method=None)


# ── Inputs that cannot be used ───────────────────────────────────────────────────────────────


def test_missing_and_unknown_inputs(surface):
    wrong = r"predicts from N, D; D is missing\. tokens, x is not .* Call predict\(fit, N=…, D=…\)"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(surface, N=1e9, tokens=1e10, x=1, method=None)


def test_nothing_given(surface):
    with pytest.raises(js.PredictionError, match=r"N, D is missing\. Call predict\(fit, N=…, D=…"):
        js.predict(surface, method=None)


def test_a_mapping_with_an_unknown_name_is_a_slip(families):
    with pytest.raises(
        js.PredictionError, match=r"famly is not one of them\. Did you mean 'family"
    ):
        js.predict(families, {**NEAR, "famly": "gpt", "family": "gpt"}, method=None)


def test_table_of_a_wrong_kind(surface):
    wrong = r"Inputs come as a table or by name, not as float\. Call predict\(fit, N=…, D=…\)"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(surface, 2e9, method=None)


def test_shapes_that_do_not_broadcast(surface):
    wrong = r"Inputs of shapes N \(2,\), D \(3,\) do not broadcast\. Give arrays of one length"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(surface, N=[1e9, 2e9], D=[1e10, 2e10, 3e10], method=None)


def test_no_rows(surface):
    with pytest.raises(js.PredictionError, match=r"No rows to predict: N, D are empty; give val"):
        js.predict(surface, pd.DataFrame({"N": [], "D": []}), method=None)


@pytest.mark.parametrize("value", [0.0, -1e9, np.nan, np.inf, "7B", None])
def test_input_that_is_no_positive_number(surface, value):
    table = pd.DataFrame({"N": [1e9, value], "D": 5e10}, index=["x", "y"])
    wrong = r"N must be a positive, finite number; it is .* in row y\. Give numbers, such as N=7e9"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(surface, table, method=None)


def test_an_input_of_any_sign_may_have_any_sign():
    @js.law(output="y")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    frame = pd.DataFrame({"x": np.linspace(-2.0, -1.0, 9)})
    frame["y"] = 1.0 + 2.0 * frame["x"]
    runs = js.Runs.from_frame(frame, output="y", x="x", loss_unit="other")
    fit = js.fit(straight, runs, objective=js.least_squares(space="linear"))
    found = js.predict(fit, x=[-3.0, 0.0, 3.0], method=None).frame
    np.testing.assert_allclose(found["curve"], [-5.0, 1.0, 7.0], atol=1e-9)
    assert found["extrapolation"].isna().all()
    with pytest.raises(js.PredictionError, match=r"x must be a finite number; it is nan in row 0"):
        js.predict(fit, x=np.nan, method=None)


# ── Methods and intervals ────────────────────────────────────────────────────────────────────


def test_point_alone(surface):
    prediction = js.predict(surface, **NEAR, method=None)
    assert list(prediction.frame.columns) == ["N", "D", "curve", "extrapolation"]
    assert prediction.method == "none (point alone)"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("bayesian", "bootstrap (bayesian)"),
        ("bootstrap", "bootstrap (pairs)"),
        ("laplace", "laplace"),
    ],
)
def test_a_method_that_is_named_is_within_the_law(surface, method, name):
    prediction = js.predict(surface, **NEAR, method=method, seed=7, level=0.8)
    assert prediction.method == f"{name}, within the law"
    assert prediction.within_law
    assert prediction.settings["seed"] == 7
    assert 1000 in prediction.settings.values()
    assert prediction.level == 0.8


@pytest.mark.full
def test_a_fit_is_forecast_by_default_and_within_its_law_on_request(surface):
    """The same numbers as the forecast of the same law and runs: there is one engine."""
    default = js.predict(surface, **NEAR)
    same = js.forecast(surface.runs, "chinchilla").predict(**NEAR)
    pd.testing.assert_frame_equal(default.frame, same.frame, check_exact=True)
    assert (default.method, default.within_law) == ("chinchilla with its discrepancy", False)
    within = js.predict(surface, **NEAR, discrepancy=False)
    assert within.method == "bootstrap (bayesian), within the law"
    assert (
        within.frame["curve"].iloc[0] == js.predict(surface, **NEAR, method=None).frame["curve"][0]
    )


def test_far_away_the_discrepancy_widens_intervals(surface):
    far = {"N": 5e10, "D": 1e12}
    with pytest.warns(js.ExtrapolationWarning, match="80% prediction intervals covered"):
        default = js.predict(surface, **far).frame.iloc[0]
    with pytest.warns(js.ExtrapolationWarning, match="only cover uncertainty within the law"):
        within = js.predict(surface, **far, discrepancy=False).frame.iloc[0]
    width = [r["prediction_high"] / r["prediction_low"] for r in (default, within)]
    assert width[0] - 1 > 2 * (width[1] - 1)


def test_wrong_level_is_told_before_any_work(surface):
    with pytest.raises(js.JscaleError, match=r"level=95 must lie strictly between 0 and 1"):
        js.predict(surface, **NEAR, level=95)


def test_confidence_lies_inside_prediction_around_the_curve(draws):
    frame = js.predict(draws, draws.fit.runs).frame
    names = ["prediction_low", "confidence_low", "curve", "confidence_high", "prediction_high"]
    assert (np.diff(frame[names].to_numpy(), axis=1) > 0).all()


def test_levels_nest(draws):
    inner, outer = (js.predict(draws, **NEAR, level=v).frame.iloc[0] for v in (0.5, 0.9))
    for kind in ("confidence", "prediction"):
        assert outer[f"{kind}_low"] < inner[f"{kind}_low"]
        assert inner[f"{kind}_high"] < outer[f"{kind}_high"]


def test_repeats_with_its_seed(surface, draws):
    first, again, other = (js.predict(draws, **NEAR, seed=s).frame for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first["confidence_low"].equals(other["confidence_low"])
    assert not first["prediction_low"].equals(other["prediction_low"])


def test_chunks_change_nothing_for_the_curve(draws):
    """More rows than one chunk holds give, row by row, what fewer give."""
    N = np.geomspace(1e8, 1e10, 600)
    whole = js.predict(draws, N=N, D=5e10).frame
    part = js.predict(draws, N=N[250:300], D=5e10).frame
    np.testing.assert_allclose(whole["curve"], at(draws.fit, N=N, D=5e10), rtol=1e-12)
    columns = ["curve", "confidence_low", "confidence_high"]
    np.testing.assert_allclose(whole[columns][250:300], part[columns], rtol=1e-12)
    assert whole.index.tolist() == list(range(600))


def test_settings_are_enough_to_predict_the_same_again(surface):
    draws = js.laplace(surface, 200, seed=1)
    first = js.predict(draws, **NEAR, seed=5)
    assert (first.settings["seed"], first.settings["noise_seed"]) == (1, 5)
    same_draws = js.laplace(surface, 200, seed=first.settings["seed"])
    again = js.predict(same_draws, **NEAR, seed=first.settings["noise_seed"])
    pd.testing.assert_frame_equal(first.frame, again.frame, check_exact=True)


# ── New runs ─────────────────────────────────────────────────────────────────────────────────


# ── Extrapolation ────────────────────────────────────────────────────────────────────────────


# ── The result ───────────────────────────────────────────────────────────────────────────────


def test_prediction_shows_itself(draws):
    prediction = js.predict(draws, **NEAR)
    assert len(prediction) == 1
    assert repr(prediction).startswith(
        "Prediction of loss: 90% intervals by laplace, within the law\n"
    )
    copy = prediction.to_frame()
    copy["curve"] = 0.0
    assert (prediction.frame["curve"] > 0).all()


# ── Forecasts ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_more_rows_of_a_forecast_than_one_chunk_holds(forecast):
    table = pd.DataFrame({"N": np.geomspace(1e7, 1e9, 300), "D": 5e10})
    table.index = [f"r{k}" for k in range(300)]
    whole = js.predict(forecast, table).frame
    part = js.predict(forecast, table.iloc[250:]).frame
    assert whole.index.equals(table.index)
    np.testing.assert_allclose(whole[250:], part, rtol=1e-9)


@pytest.mark.parametrize("method", [None, "laplace"])
def test_a_forecast_has_its_draws(forecast, method):
    wrong = rf"method={method!r} is for a Fit: this Forecast has its draws\. Leave it out"
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(forecast, **NEAR, method=method)


# ── Posteriors ───────────────────────────────────────────────────────────────────────────────
