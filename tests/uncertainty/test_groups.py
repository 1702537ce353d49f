"""Draws as labelled groups: a variable per parameter, a dimension per column of labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.build import build
from jscale.fitting.settings import Settings
from jscale.model.layout import Layout
from jscale.uncertainty.groups import parameter_group


def layout(column: str | None) -> Layout:
    """The layout of a law of N, its floor by the labels of a column."""
    frame = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 12), "loss": np.linspace(3, 2, 12)})
    frame = frame if column is None else frame.assign(**{column: ["x/y", "z", "w"] * 4})
    settings = Settings(js.huber(), per={} if column is None else {"E": column})
    runs = js.Runs.from_frame(frame)
    return build(js.laws.get("power_const:N"), runs, settings)[0].layout


def draws(parameters: int) -> np.ndarray:
    return np.arange(2.0 * 5 * parameters).reshape(2, 5, parameters)


def test_parameters_in_order_with_chains_and_draws() -> None:
    group = parameter_group(layout(None), values := draws(3))
    assert list(group.variables) == ["E", "A", "alpha"]
    for i, (dimensions, array) in enumerate(group.variables.values()):
        assert dimensions == ("chain", "draw")
        np.testing.assert_array_equal(array, values[:, :, i])
    assert group.coords["chain"].tolist() == [0, 1]
    assert group.coords["draw"].tolist() == list(range(5))


def test_a_parameter_per_group_lies_along_its_column() -> None:
    group = parameter_group(layout("family"), values := draws(5))
    dimensions, E = group.variables["E"]
    assert dimensions == ("chain", "draw", "family")
    np.testing.assert_array_equal(E, values[:, :, :3])
    assert group.coords["family"].tolist() == ["w", "x/y", "z"]
    np.testing.assert_array_equal(group.variables["alpha"][1], values[:, :, 4])


@pytest.mark.parametrize(
    ("column", "dimension"),
    [("a/b", "a_b"), ("alpha", "alpha_label"), ("chain", "chain_label"), ("draw", "draw_label")],
)
def test_dimensions_are_no_paths_and_clash_with_no_variable(column: str, dimension: str) -> None:
    group = parameter_group(layout(column), draws(5))
    assert group.variables["E"][0] == ("chain", "draw", dimension)
    assert dimension not in group.variables
    assert len(group.coords[dimension]) == 3


def test_extras_come_last() -> None:
    noise = np.ones((2, 5))
    group = parameter_group(layout(None), draws(3), {"noise_scale": noise})
    assert list(group.variables)[-1] == "noise_scale"
    assert group.variables["noise_scale"] == (("chain", "draw"), noise)
