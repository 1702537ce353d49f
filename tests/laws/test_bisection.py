"""The first point at which a slope rises through zero."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.laws.bisection import first_minimum


def test_the_root_is_as_close_as_rounding_and_broadcasts() -> None:
    targets = np.array([[0.25, 2.0], [30.0, 99.0]])
    roots = first_minimum(lambda x: x**2 - targets, 0.0, 10.0)
    assert roots.shape == (2, 2)
    np.testing.assert_allclose(roots, np.sqrt(targets), rtol=1e-14)


def test_a_maximum_is_passed_over() -> None:
    """sin falls through zero at pi and rises through it at 2·pi and 4·pi."""
    assert first_minimum(np.sin, 1.0, 14.0) == pytest.approx(2 * np.pi, rel=1e-14)


@pytest.mark.parametrize("slope", [lambda x: 1.0 + x, lambda x: x - 10.0, lambda x: 5.0 - x])
def test_no_minimum_within_is_nan(slope) -> None:
    """A slope that is never below zero, one that gets there beyond, and one that falls."""
    assert np.isnan(first_minimum(slope, 0.0, 9.0))


def test_roots_closer_than_a_step_are_missed_and_finer_steps_find_them() -> None:
    def slope(x):
        return (x - 0.505) * (x - 0.515)

    assert np.isnan(first_minimum(slope, 0.0, 1.0, cells=10))
    assert first_minimum(slope, 0.0, 1.0, cells=1000) == pytest.approx(0.515, abs=1e-12)


def test_a_root_on_an_edge_of_the_walk() -> None:
    assert first_minimum(lambda x: x - 0.5, 0.0, 1.0, cells=2) == pytest.approx(0.5, abs=1e-12)
    assert first_minimum(lambda x: x, 0.0, 1.0) == pytest.approx(0.0, abs=1e-12)
