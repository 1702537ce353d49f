"""The compute-optimal path at the point estimate, of laws and of forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.planning.path import optimal_path
from jscale.prediction.one_law import PointAlone


class Blend:
    """Points of several laws, of equal weight: what a path asks of a predictor."""

    def __init__(self, fits: list[js.Fit]) -> None:
        self.reference = fits[0]
        self.components = tuple(PointAlone(fit).components[0] for fit in fits)


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    table = js.datasets.load("stdlib_lm")
    return js.Runs.from_frame(table[table["split"] == "fit"])


@pytest.fixture(scope="module")
def fit(runs: js.Runs) -> js.Fit:
    return js.fit("chinchilla", runs, starts=8)


def test_the_path_of_a_law_is_its_optimum(fit: js.Fit) -> None:
    C = np.array([1e11, 1e12])
    table = optimal_path(PointAlone(fit), C)
    best = fit.law.quantities["optimal_size"](fit.params, C=C)
    np.testing.assert_allclose(table["N"], best, rtol=1e-5)
    np.testing.assert_allclose(6 * table["N"] * table["D"], C, rtol=1e-12)
    np.testing.assert_array_equal(table["C"], C)


def test_an_optimum_past_any_sensible_size_has_no_row(fit: js.Fit) -> None:
    assert optimal_path(PointAlone(fit), [1e11, 1e40])["C"].tolist() == [1e11]
    assert len(optimal_path(PointAlone(fit), 1e40)) == 0


def test_the_path_of_a_law_of_compute_is_compute(fit: js.Fit) -> None:
    C = np.geomspace(1e17, 1e20, 12)
    line = js.fit("power_const", pd.DataFrame({"C": C, "loss": 1.5 + 90 * C**-0.1}), starts=8)
    pd.testing.assert_frame_equal(optimal_path(PointAlone(line), 1e21), pd.DataFrame({"C": [1e21]}))


def test_the_path_of_several_laws_is_that_of_their_mean(runs: js.Runs) -> None:
    """At each compute no other size has a lower mean of the two laws."""
    several = [js.fit(law, runs, starts=8) for law in ("chinchilla", "chinchilla_tied")]
    blend = Blend(several)
    table = optimal_path(blend, [1e11, 1e12])
    for shift in (0.97, 1.03):
        moved = table.assign(N=table["N"] * shift, D=table["D"] / shift)
        better = [
            sum(fit.law(t["N"], t["D"], **fit.params) for fit in several) for t in (table, moved)
        ]
        assert (better[0] < better[1]).all()


@pytest.mark.full
def test_the_path_of_a_forecast_is_that_of_its_plan(runs: js.Runs) -> None:
    forecast = js.forecast(runs, draws=20)
    plan = js.allocate(forecast, [1e11, 1e12]).frame
    np.testing.assert_allclose(optimal_path(forecast, [1e11, 1e12])["N"], plan["N"], rtol=1e-4)
