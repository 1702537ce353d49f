"""forecast_many: each family as alone, the laws that suit it, and what cannot be done said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    table = js.datasets.load("stdlib_lm")
    return table[table["split"] == "fit"]


@pytest.fixture(scope="module")
def found(small: pd.DataFrame) -> js.ForecastTable:
    return js.forecast_many(small, by="part")


@pytest.mark.full
def test_each_family_is_forecast_as_alone(small: pd.DataFrame, found: js.ForecastTable) -> None:
    for label in found.labels:
        alone = js.forecast(small[small["part"] == label])
        one, other = (js.predict(fc, N=5e4, D=3e6).frame for fc in (alone, found[label]))
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_families_of_different_units_are_each_their_own(small: pd.DataFrame) -> None:
    unit = small["part"].map({"grid": "nats", "isoflop": "bits"})
    found = js.forecast_many(small.assign(loss_unit=unit), by="part")
    assert not found.failures
    mixed = np.resize(["nats", "bits"], len(small))
    with pytest.warns(js.FitWarning, match="2 of 2 families could not be forecast"):
        found = js.forecast_many(small.assign(loss_unit=mixed), by="part")
    assert "rows differ in the unit of the loss: nats, bits" in found.failures["grid"]


@pytest.mark.full
def test_known_errors_are_those_of_each_family(small: pd.DataFrame) -> None:
    table = small.assign(error=np.where(small["part"] == "grid", 0.001, 0.02))
    found = js.forecast_many(table, by="part", known_error="error")
    alone = js.forecast(table[table["part"] == "grid"], known_error="error")
    one, other = (js.predict(fc, N=5e4, D=3e6).frame for fc in (alone, found["grid"]))
    np.testing.assert_allclose(one, other, rtol=1e-9)
    with pytest.warns(js.FitWarning, match="2 of 2 families"):
        found = js.forecast_many(table, by="part", known_error="eror")
    assert "known_error='eror' is not a column" in found.failures["grid"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: js.forecast_many(t, by="prt"), js.DataError, r"no column 'prt' to tell families apart"),
        (lambda t: js.forecast_many({"N": 1}, by="part"), js.DataError, "takes Runs or a pandas DataFrame, not dict"),
        (lambda t: js.forecast_many(t, ["chinchila"], by="part"), js.LawError, "There is no law 'chinchila'"),
        (lambda t: js.fit_many("auto", t, by="part"), js.LawError,
         r'"auto" is not one law but the forecast.*js\.forecast_many\(runs, by=…\)'),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_so(small: pd.DataFrame, call, error, message) -> None:
    with pytest.raises(error, match=message):
        call(small)
