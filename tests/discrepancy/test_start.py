"""Starting fits: starts, scales of noise, and outliers."""

from __future__ import annotations

import numpy as np
import pytest

from jscale import laws
from jscale.discrepancy.members import make_member
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.prior import ForecastPrior
from jscale.discrepancy.start import (
    noise_scale,
    offsets,
    outlier_variance,
    row_spread,
    table_scale,
)
from jscale.model.layout import Layout

RNG = np.random.default_rng(0)


def test_the_scale_is_the_standard_deviation_of_normal_residuals() -> None:
    residual = 0.01 * RNG.normal(size=4000)
    assert noise_scale(residual, 5, 1e-4, 0.006) == pytest.approx(0.01, rel=0.05)


def test_outliers_hardly_move_the_scale() -> None:
    residual = 0.01 * RNG.normal(size=200)
    before = noise_scale(residual, 5, 1e-4, 0.006)
    residual[:10] = 5.0
    assert noise_scale(residual, 5, 1e-4, 0.006) < 1.2 * before


def test_few_residuals_are_taken_with_the_usual_noise() -> None:
    residual = np.array([0.3, -0.3, 0.3, -0.3])
    expected = np.sqrt((4 * 0.09 + 2 * 0.01**2) / (2 + 2))
    assert noise_scale(residual, 2, 1e-4, 0.01) == pytest.approx(expected)


def test_runs_that_a_law_passes_through_have_the_usual_noise() -> None:
    assert noise_scale(np.zeros(3), 5, 1e-4, 0.006) == pytest.approx(0.006)


def test_a_scale_has_a_least_value() -> None:
    assert noise_scale(np.zeros(30), 3, 5e-4, 0.006) == 5e-4


def test_variances_grow_past_three_scales() -> None:
    found = outlier_variance(np.array([0.0, 0.02, 0.03, 0.06]), 0.01)
    np.testing.assert_allclose(found, [1.0, 1.0, 1.0, 4.0])


def test_starts_spread_around_the_mean() -> None:
    points = offsets(5)
    assert (points[0] == 0).all()
    assert np.isfinite(points).all()
    assert np.abs(points[1:].mean(axis=0)).max() < 0.6
    assert len(np.unique(points, axis=0)) == len(points)


def test_known_errors_are_no_part_of_the_scale(prior: ForecastPrior) -> None:
    layout = Layout.make(laws.get("chinchilla"))
    member = make_member("c", layout, "log", prior.families["loss_surface"], 1.0)
    known = np.where(np.arange(4000) % 2, 0.03, 0.0)
    residual = np.hypot(0.01, known) * RNG.normal(size=4000)
    table = Observations((), residual, known=known)
    assert table_scale(member, table, residual) == pytest.approx(0.01, rel=0.1)
    np.testing.assert_allclose(row_spread(table, 0.01)[:2], [1.0, np.sqrt(10)])
    least = table_scale(member, Observations((), residual, known=known + 0.1), residual)
    assert least == member.prior.least_noise


def test_scales_are_relative_to_that_of_each_row(prior: ForecastPrior) -> None:
    layout = Layout.make(laws.get("chinchilla"))
    member = make_member("c", layout, "log", prior.families["loss_surface"], 1.0)
    relative = np.geomspace(0.01, 100.0, 4000)
    residual = 0.01 * np.sqrt(relative) * RNG.normal(size=4000)
    table = Observations((), residual, relative=relative)
    assert table_scale(member, table, residual) == pytest.approx(0.01, rel=0.05)
