"""The ensemble by rolling origins, a baseline of benchmarks: weights, widening, predictions."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from benchmarks.forecast_parts.law_weights import weighing_splits, weights_within
from benchmarks.forecast_parts.rolling_ensemble import Ensemble, ensemble
from jscale.simulation.worlds import compute

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def straight() -> js.Runs:
    law = {"E": 1.7, "A": 900.0, "alpha": 0.15}
    return js.simulate("power_const", law, compute(1e17, 1e21, 16), noise=0.005, seed=0)


@pytest.fixture(scope="module")
def found(straight: js.Runs) -> Ensemble:
    return ensemble(straight, resamples=60)


def test_the_law_without_a_break_is_believed_where_there_is_none(found: Ensemble) -> None:
    assert found.weights["power_const"] > 0.9
    assert found.table.loc["broken:1", "why"] == "never beat power_const"
    assert found.table["weight"].sum() == pytest.approx(1.0)


def test_it_predicts_and_shows_itself(found: Ensemble) -> None:
    frame = js.predict(found, C=1e21).frame
    assert frame["prediction_low"][0] < frame["curve"][0] < frame["prediction_high"][0]
    assert repr(found).startswith("Ensemble of 1 laws\n")


def test_intervals_are_widened_by_what_was_seen_beyond_the_origins(straight: js.Runs) -> None:
    """A power law has no floor: beyond each origin runs lie outside its intervals."""
    found = ensemble(straight, ["power"], resamples=60)
    widening = found.table.loc["power", "widening"]
    assert widening >= 2.0
    frames = [js.predict(x, C=1e21).frame for x in (found, found.members["power"])]
    widths = [np.log(f["prediction_high"] / f["prediction_low"])[0] for f in frames]
    assert widths[0] == pytest.approx(widening * widths[1], rel=1e-9)


def test_from_twelve_runs_on_the_origin_rolls(straight: js.Runs) -> None:
    laws = {"power": js.laws.get("power")}
    assert weighing_splits(straight, np.arange(16), laws).beyond
    assert not weighing_splits(straight, np.arange(11), laws).beyond
    with pytest.raises(js.DataError, match="2 runs are too few for any of power"):
        weighing_splits(straight, np.arange(2), laws)


def test_weights_of_many_sets_are_those_of_each_alone(straight: js.Runs, found: Ensemble) -> None:
    every, _ = weights_within(straight, [np.arange(16), np.arange(10)], 60)
    np.testing.assert_allclose(every["weight"], found.table["weight"], atol=1e-9)
