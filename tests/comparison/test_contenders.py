"""The laws that are compared: by name, or by the columns; and the runs they are compared on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison.contenders import (
    CURVES,
    axis_of,
    candidates,
    chosen_laws,
    contenders,
    runs_of,
)
from jscale.simulation.worlds import CHINCHILLA, grid


def test_laws_are_known_by_their_names() -> None:
    power = js.laws.get("power")
    found = chosen_laws([power, "power_const", "broken:1"])
    assert list(found) == ["power", "power_const", "broken:1"]
    assert found["power"] is power


def axis(name: str, rows: int = 16, output: str = "loss") -> js.Runs:
    x = np.geomspace(1e17, 1e21, rows)
    frame = pd.DataFrame({name: x, output: 2 + 900 * x**-0.15})
    return js.Runs.from_frame(frame, output=output, **{name: name})


SURFACE = js.simulate(
    "chinchilla", CHINCHILLA, grid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e10, 4))
)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (axis("C"), CURVES),
        (axis("D"), ("power:D", "power_const:D", "broken:1:D")),
        (axis("epochs"), ("power:epochs", "power_const:epochs", "broken:1:epochs")),
        (SURFACE, (*CURVES, "chinchilla_tied", "chinchilla", "farseer")),
        (axis("C", 6), ("power", "power_const")),
        (axis("C", 3), ("power",)),
        (SURFACE.where(np.arange(16) < 5), ("power", "power_const", "chinchilla_tied")),
    ],
)  # fmt: skip
def test_auto_tries_the_laws_that_fit_the_columns_and_have_fewer_parameters_than_runs(
    runs, expected
) -> None:
    laws = candidates(runs)
    assert tuple(laws) == expected
    assert all(set(law.inputs) <= set(runs.inputs) for law in laws.values())


def test_runs_that_are_checkpoints_of_few_runs_have_few_laws() -> None:
    frame = SURFACE.frame.assign(id=np.repeat([0, 1, 2, 3], 4))
    assert set(candidates(js.Runs.from_frame(frame, run="id"))) == {"power", "power_const"}


def two_axes() -> js.Runs:
    frame = pd.DataFrame({"U": [1.0, 2.0], "D": [1.0, 2.0], "loss": [3.0, 2.0]})
    return js.Runs.from_frame(frame)


def test_auto_alone_or_among_laws_asks_for_the_forecast() -> None:
    assert contenders("auto") == (True, True, {})
    assert contenders(["auto"]) == (True, True, {})
    every, auto, named = contenders(["auto", "power"])
    assert (every, auto, list(named)) == (False, True, ["power"])
    assert contenders(["power"])[:2] == (False, False)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: candidates(axis("C", output="accuracy")), js.DataError,
         r'"auto" knows laws of a loss over N and D, or over one input; these runs have C and the '
         r"output 'accuracy'\. Name the laws to try"),
        (lambda: candidates(two_axes()), js.DataError, r'"auto" knows laws of a loss .* these runs have D, U and'),
        (lambda: runs_of(None, {"C": [1.0]}, {}), js.DataError, "Runs or a pandas DataFrame is needed, not dict"),
        (lambda: chosen_laws("power"), js.LawError,
         r"laws='power' must name one law or more: \[.*\], or \"auto\""),
        (lambda: chosen_laws([]), js.LawError, r"laws=\[\] must name one law or more"),
        (lambda: chosen_laws(["power", "power"]), js.LawError, "power is there more than once"),
        (lambda: chosen_laws(["power", "sigmoid_link"]), js.LawError, "The laws predict different things"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_so(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_rows_of_different_conventions_are_not_compared() -> None:
    table = axis("C").frame.assign(loss_unit=np.resize(["nats", "bits"], 16))
    with pytest.raises(js.DataError, match=r"rows differ in the unit of the loss: nats, bits"):
        runs_of({"power_const": js.laws.get("power_const")}, table, {})


def test_runs_grow_along_compute_or_their_one_input() -> None:
    assert axis_of(axis("C")) == "C"
    assert axis_of(axis("epochs")) == "epochs"
    assert axis_of(js.Runs.from_frame(SURFACE.frame)) == "C"
    assert axis_of(two_axes()) is None
