"""Compound scaling: the factors against the costs they are made for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import jscale as js
from jscale.laws.compound import compound_scaling


@pytest.mark.parametrize("alpha", [0.0, 1 / 3, 0.8, 1.0])
@pytest.mark.parametrize("s", [0.5, 1.0, 16.0])
def test_costs_of_the_factors(s: float, alpha: float) -> None:
    factors = compound_scaling(s, alpha)
    assert factors.flops == pytest.approx(s, rel=1e-12)
    assert factors.activations == pytest.approx(s ** (1 - alpha / 2), rel=1e-12)
    assert factors.parameters == pytest.approx(s ** ((1 + alpha) / 2), rel=1e-12)
    assert factors.depth == pytest.approx(factors.resolution**2, rel=1e-12)


def test_known_activations() -> None:
    assert compound_scaling(10.0).activations == pytest.approx(10**0.6, rel=1e-12)
    width_only = compound_scaling(10.0, alpha=1.0)
    assert (width_only.depth, width_only.resolution) == (1.0, 1.0)
    assert width_only.activations == pytest.approx(10**0.5, rel=1e-12)


def test_activations_grow_least_where_width_grows_most() -> None:
    grown = [compound_scaling(8.0, alpha).activations for alpha in np.linspace(0, 1, 6)]
    assert (np.diff(grown) < 0).all()


def test_the_result_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        compound_scaling(2.0).depth = 3.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("s", "alpha", "match"),
    [
        (0.0, 0.8, r"s=0\.0 must be above 0 and finite"),
        (float("inf"), 0.8, r"s=inf must be above 0 and finite"),
        (float("nan"), 0.8, r"s=nan must be above 0 and finite"),
        ("4", 0.8, r"s='4' must be one number"),
        (True, 0.8, r"s=True must be one number"),
        (2.0, 1.2, r"alpha=1\.2 must be between 0 and 1"),
        (2.0, -0.1, r"alpha=-0\.1 must be between 0 and 1"),
        (2.0, float("nan"), r"alpha=nan must be between 0 and 1"),
        (2.0, None, r"alpha=None must be one number"),
    ],
)
def test_bad_factors_are_named(s: object, alpha: object, match: str) -> None:
    with pytest.raises(js.LawError, match=match):
        compound_scaling(s, alpha)  # pyright: ignore[reportArgumentType]
