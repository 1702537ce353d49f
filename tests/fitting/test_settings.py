"""Settings of a fit: the forms in which choices are kept, and choices of the wrong form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.settings import Settings

START = {"E": 1.7, "A": 400.0}


def test_choices_are_kept_as_plain_values() -> None:
    fixed = {"E": 1.7}
    kept = Settings(
        js.huber(), fixed=fixed, tie=["alpha", "beta"], weights=[1, 2], seed=np.int64(3)
    )
    fixed["A"] = 2.0
    assert kept.fixed == {"E": 1.7}
    assert kept.tie == ("alpha", "beta")
    assert kept.weights.dtype == np.float64
    assert type(kept.seed) is int
    assert Settings(js.huber()).starts == "auto"


@pytest.mark.parametrize(
    ("starts", "kept"),
    [
        ("hoffmann", "hoffmann"),
        (np.int64(8), 8),
        (START, (START,)),
        ([START, START], (START, START)),
        (pd.DataFrame([START]), (START,)),
        ({"E": np.array([1.6, 1.8])}, ({"E": (1.6, 1.8)},)),
    ],
)
def test_starts_are_a_name_a_number_or_values(starts: Any, kept: Any) -> None:
    assert Settings(js.huber(), starts=starts).starts == kept


def test_the_objective_that_was_solved_has_the_scale_that_was_found() -> None:
    settings = Settings(js.huber("auto"))
    assert settings.solved.auto
    assert replace(settings, scale=0.02).solved == js.huber(0.02)
    assert Settings(js.huber(0.1)).solved == js.huber(0.1)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"fixed": ["E"]}, js.LawError, r'fixed=\[.E.\] must be a mapping by parameter: fixed=\{"E"'),
        ({"per": "family"}, js.LawError, r'per=.family. must be a mapping .* per=\{"E": "family"\}'),
        ({"tie": "alpha"}, js.LawError, r'tie=.alpha. must name two or more parameters'),
        ({"seed": -1}, js.LawError, r"seed=-1 must be a whole number, 0 or more"),
        ({"solver": "newton"}, js.JscaleError, r"solver='newton' is not known\. Did you mean 'gauss_newton'"),
        ({"weights": ["a"]}, js.DataError, r'weights must be numbers, not .*weight="<column>"'),
        ({"starts": 0}, js.LawError, r"starts=0 must be at least 1"),
        ({"starts": True}, js.LawError, r"starts=True is not known; use"),
        ({"starts": [START, 3]}, js.LawError, r"is not known; use \"auto\", a number, or parameter"),
        ({"starts": {"E": "x"}}, js.LawError, r"A start has E='x'; it must be a finite number"),
        ({"starts": {"E": np.inf}}, js.LawError, r"A start has E=inf; it must be a finite number"),
        ({"starts": {"E": [[1.0]]}}, js.LawError, r"A start has E=\[\[1\.0\]\]; it must be"),
    ],
)  # fmt: skip
def test_choices_of_the_wrong_form(choice: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Settings(js.huber(), **choice)
