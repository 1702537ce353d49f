"""The grid of a drawn discrepancy: places of runs among a lattice, none on top of each other."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.discrepancy.grid import grid_around, spread_places
from jscale.discrepancy.kernels import distances, matern


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_it_spans_the_runs_and_a_thousandfold_beyond(d: int) -> None:
    u = np.random.default_rng(d).uniform(0.0, 4.0, (30, d))
    points = grid_around(u)
    assert points.shape[1] == d
    # Quasi-random points of many inputs do not reach the corners.
    slack = 0.3 if d > 3 else 1e-9
    assert (points.max(axis=0) >= u.max(axis=0) + 6.9 - slack).all()
    assert (points.min(axis=0) <= u.min(axis=0) - 2.3 + slack).all()
    assert len(points) <= 180


def test_runs_are_in_the_grid() -> None:
    u = np.random.default_rng(0).uniform(0.0, 4.0, (30, 2))
    assert distances(u, grid_around(u)).min(axis=1).max() <= 0.05


def test_of_many_runs_sixty_spread_places_are() -> None:
    u = np.random.default_rng(0).normal(size=(2000, 2))
    places = spread_places(u)
    assert len(places) == 60
    assert distances(u, places).min(axis=1).max() < 0.8
    assert distances(u, places[:20]).min(axis=1).max() > distances(u, places).min(axis=1).max()


def test_runs_of_one_place_count_once() -> None:
    u = np.repeat(np.arange(5.0), 8)[:, None]
    assert len(spread_places(u)) == 5


def test_a_covariance_on_the_grid_is_well_conditioned() -> None:
    u = np.random.default_rng(0).uniform(0.0, 4.0, (200, 2))
    points = grid_around(u)
    short = matern(distances(points, points))
    assert np.linalg.cond(short) < 1e6
