"""digits_needed: rounding to that many digits keeps predictions, one fewer does not."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js

TRUTH = {"E": 1.8172, "A": 482.01, "alpha": 0.34781, "B": 2085.43, "beta": 0.36585}


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    design = js.designs.random(40, (1e7, 1e9), (1e9, 1e11), seed=0)
    return js.fit("chinchilla", js.simulate("chinchilla", TRUTH, design))


def moved(fit: js.Fit, digits: int, N: np.ndarray, D: np.ndarray) -> float:
    rounded = {name: float(f"{value:.{digits}g}") for name, value in fit.params.items()}
    return float(np.max(np.abs(fit.law(N, D, **rounded) / fit.law(N, D, **dict(fit.params)) - 1)))


@pytest.mark.parametrize("within", [1e-2, 1e-3, 1e-5])
def test_as_many_as_needed_and_no_more(fit: js.Fit, within: float) -> None:
    N, D = (fit.runs[x] for x in "ND")
    digits = js.digits_needed(fit, within=within)
    assert all(moved(fit, k, N, D) <= within for k in range(digits, 17))
    assert moved(fit, digits - 1, N, D) > within


def test_further_out_more_are_needed(fit: js.Fit) -> None:
    far = {"N": [1e13], "D": [1e15]}
    digits = js.digits_needed(fit, far, within=1e-4)
    assert moved(fit, digits, *(np.array(far[x]) for x in "ND")) <= 1e-4


@pytest.mark.full
def test_groups_are_rounded_too() -> None:
    table = js.datasets.load("stdlib_lm")
    each = js.fit("power", table[table["split"] == "fit"], per={"A": "part"}, C="C")
    assert 1 <= js.digits_needed(each) <= 6


def test_bad_input(fit: js.Fit) -> None:
    with pytest.raises(js.PredictionError, match="within=0 must be a positive share"):
        js.digits_needed(fit, within=0)
    with pytest.raises(js.PredictionError, match="D is missing"):
        js.digits_needed(fit, {"N": 1e9})
