"""How far past the runs is far, and the warning that says so."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.extrapolation import extrapolation, is_far, warn_if_far


def test_ten_times_is_not_far_whatever_the_rounding() -> None:
    past = [0.1, 10.0, 10.0 * (1 + 1e-12), 10.001, np.nan, np.inf]
    assert is_far(past).tolist() == [False, False, False, True, False, False]


def test_the_warning_says_how_many_how_far_and_what_to_do() -> None:
    wrong = (
        r"^2 of 4 plans lie more than 10 times past the largest fitted data \(up to 300 times\)\. "
        r"Train one\.$"
    )
    with pytest.warns(js.ExtrapolationWarning, match=wrong):
        warn_if_far([1.0, 20.0, 300.0, np.inf], "plans", "data", "Train one.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_far([1.0, 10.0, np.nan], "plans", "data", "Train one.")


def test_a_tables_own_compute_goes_before_that_of_N_and_D(surface: js.Fit) -> None:
    largest = surface.runs["C"].max()
    table = pd.DataFrame({"N": [1e9, 1e10], "D": [1e10, 1e11]})
    by_pair = extrapolation(surface, table)
    np.testing.assert_allclose(by_pair, [6e19 / largest, 6e21 / largest])
    by_compute = extrapolation(surface, table.assign(C=[largest, 3 * largest]))
    np.testing.assert_allclose(by_compute, [1.0, 3.0])


def test_extrapolation_is_a_factor_of_compute(surface):
    largest = surface.runs["C"].max()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = js.predict(surface, N=2e9, D=[5e10, largest / 1.2e9], method=None).frame
    np.testing.assert_allclose(frame["extrapolation"], [6e20 / largest, 10.0])


def test_extrapolation_without_compute_is_of_the_input():
    runs = js.simulate(
        "power_const:N", {"E": 1.7, "A": 9, "alpha": 0.15}, {"N": np.geomspace(1e6, 1e9, 9)}
    )
    fit = js.fit("power_const:N", runs)
    with pytest.warns(
        js.errors.ExtrapolationWarning, match=r"largest fitted input \(up to 20 times\)"
    ):
        frame = js.predict(fit, N=2e10, method=None).frame
    assert frame["extrapolation"].tolist() == pytest.approx([20.0])


def test_far_out_is_told(surface):
    largest = surface.runs["C"].max()
    wrong = (
        r"1 of 2 predictions lie more than 10 times past the largest fitted compute \(up to 50 "
        r"times\)\. If the law is wrong out there, .* Hold out your largest runs"
    )
    with pytest.warns(js.errors.ExtrapolationWarning, match=wrong) as seen:
        js.predict(surface, N=2e9, D=[5e10, 50 * largest / 1.2e10], method=None)
    assert len(seen) == 1
    assert seen[0].filename == __file__
