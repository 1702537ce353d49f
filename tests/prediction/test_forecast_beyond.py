"""What decides a forecast beyond its runs, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.prediction.forecast_beyond import SOURCES, notes_beyond, ray


def test_the_ray_grows_from_the_largest_runs(forecast: js.Forecast, runs: js.Runs) -> None:
    table = ray(forecast)
    assert table is not None
    C = table["N"] * table["D"]
    np.testing.assert_allclose(C[1] / C[0], 10.0)
    assert table["N"][1] / table["N"][0] == pytest.approx(table["D"][1] / table["D"][0])
    assert runs["N"].min() < table["N"][0] / np.sqrt(10) <= runs["N"].max()


def test_one_input_grows_by_the_whole_factor(scores: js.Forecast) -> None:
    table = ray(scores, [10.0])
    assert table is not None
    assert list(table) == ["C"]
    assert 1.0 < table["C"][0] / scores.runs["C"].max() <= 10.0


@pytest.mark.full
def test_inputs_that_are_no_size_have_no_ray() -> None:
    epochs = pd.DataFrame({"epochs": [1.0, 2, 4, 8, 16], "loss": [4.0, 3.5, 3.2, 3.0, 2.9]})
    made = js.forecast(epochs, epochs="epochs")
    assert ray(made) is None
    assert list(notes_beyond(made)) == []


def test_what_most_of_the_interval_comes_from_is_said(forecast: js.Forecast) -> None:
    (note,) = (n for n in notes_beyond(forecast) if n.code == "interval-from")
    shares = forecast.contribution(ray(forecast))
    assert SOURCES[max(SOURCES, key=lambda name: shares[name][0])] in note.seen
    assert f"({100 * shares[list(SOURCES)].to_numpy()[0].max():.0f}%)" in note.seen
    assert note.do


def test_laws_that_differ_by_more_than_their_intervals_disagree(forecast: js.Forecast) -> None:
    law, solved = forecast.laws[0], forecast.experts[0]
    theta = solved.lanes.theta.copy()
    theta[..., 0] += 0.3
    other = solved._replace(lanes=solved.lanes._replace(theta=theta))
    both = replace(forecast, laws=(law, law), experts=(solved, other))
    (note,) = (n for n in notes_beyond(both) if n.code == "laws-disagree")
    assert "At 10× the largest compute the curves of the laws differ by" in note.seen
    same = replace(forecast, laws=(law, law), experts=(solved, solved))
    assert "laws-disagree" not in [n.code for n in notes_beyond(same)]
    assert "laws-disagree" not in [n.code for n in notes_beyond(forecast)]
