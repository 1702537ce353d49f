"""Families: the law of one axis and its priors for a table."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.discrepancy.families import axis_member, frontier_floor, frontier_law, weak_prior
from jscale.discrepancy.prior import ForecastPrior

LAW = frontier_law("D")
TRUTH = {"level": 2.0, "share": 0.4, "alpha": 0.3, "kappa": 0.8, "place": -3.0, "width": 0.25}


def test_the_level_is_the_output_at_the_largest_run() -> None:
    assert float(LAW(1.0, **TRUTH)) == pytest.approx(2.0)


def test_the_exponent_changes_at_the_break() -> None:
    def slope(t: float) -> float:
        floor = frontier_floor(TRUTH)
        low, high = (np.log(float(LAW(np.exp(t + h), **TRUTH)) - floor) for h in (-1e-3, 1e-3))
        return (high - low) / 2e-3

    assert slope(0.0) == pytest.approx(-0.3, rel=1e-3)
    assert slope(-6.0) == pytest.approx(-0.3 * (1 - 0.8), rel=1e-2)


def test_the_floor_is_the_irreducible_part() -> None:
    assert float(LAW(1e12, **TRUTH)) == pytest.approx(frontier_floor(TRUTH), rel=1e-2)


def test_laws_are_made_once() -> None:
    assert frontier_law("D") is LAW
    assert frontier_law("C").inputs == ("C",)


def test_breaks_lie_within_the_fitted_range(prior: ForecastPrior) -> None:
    x = np.geomspace(1e3, 1e6, 9)
    member = axis_member(LAW, x, x**-0.1, "log", prior.families["one_axis"])
    places = member.fixed["place"]
    assert ((places <= 0) & (places >= -np.log(1e3))).all()
    assert member.unit == {"D": 1e6}


def test_no_break_is_a_slope_of_zero(prior: ForecastPrior) -> None:
    family = prior.families["one_axis"]
    x = np.geomspace(1e3, 1e6, 9)
    member = axis_member(LAW, x, x**-0.1, "log", family)
    without = [i for i, v in enumerate(family.variants) if v.extra["place"] is None]
    slot = member.layout.slot("kappa")
    assert slot is not None
    assert (member.sd[without, slot.first] < 1e-3).all()


def test_the_weak_prior_has_wide_parameters_and_all_kernels(prior: ForecastPrior) -> None:
    weak = weak_prior(prior)
    assert weak.kernels == prior.families["loss_surface"].kernels
    assert [v.parameters for v in weak.variants] == [{}]
