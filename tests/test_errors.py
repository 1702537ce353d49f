"""Warnings name the line that called jscale, whatever calls what in between."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js


@pytest.fixture
def table() -> pd.DataFrame:
    """Three families of a power law; "tiny" has two runs, and the first row comes twice."""
    sizes = {"a": 8, "b": 9, "tiny": 2}
    truth = {"E": 1.7, "A": 50.0, "alpha": 0.3}
    parts = [
        js.simulate("power_const:N", truth, {"N": np.geomspace(1e3, 1e7, n)}, noise=0.01, seed=n)
        .frame.assign(family=name)
        for name, n in sizes.items()
    ]  # fmt: skip
    whole = pd.concat(parts, ignore_index=True)
    return pd.concat([whole.iloc[:1], whole], ignore_index=True)


def by_fit(table: pd.DataFrame) -> Any:
    return js.fit("power_const:N", table[table["family"] == "a"].iloc[1:4], starts=4)


def by_fit_many(table: pd.DataFrame) -> Any:
    return js.fit_many("power_const:N", table.iloc[1:], by="family", starts=4)


def by_from_frame(table: pd.DataFrame) -> Any:
    return js.Runs.from_frame(table)


@pytest.mark.parametrize("call", [by_fit, by_fit_many, by_from_frame])
def test_a_warning_is_of_the_callers_line(
    table: pd.DataFrame, call: Callable[[pd.DataFrame], Any]
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", js.JscaleWarning)
        call(table)
    own = [w for w in caught if issubclass(w.category, js.JscaleWarning)]
    assert own
    assert {w.filename for w in own} == {__file__}
    assert {w.lineno for w in own} == {call.__code__.co_firstlineno + 1}
