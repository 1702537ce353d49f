"""Parabolas: as polyfit draws them, and none where the sizes are too few."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.curves.parabola import Parabolas

SIZES = np.geomspace(1e8, 1e10, 7)


def test_lanes_are_those_of_polyfit() -> None:
    rng = np.random.default_rng(1)
    loss = 2 + 0.05 * np.log(SIZES / 8e8) ** 2 + 0.01 * rng.standard_normal(7)
    weights = np.vstack([np.ones(7), [3, 0, 1, 1, 0.5, 1, 0], [0, 2, 0, 2, 0, 0, 3]])
    fitted = Parabolas.fit(SIZES, loss, weights)
    N, lowest = fitted.minimum
    for lane, w in enumerate(weights):
        curve = np.polyfit(np.log(SIZES / 1e9), loss, 2, w=np.sqrt(w))
        at = -curve[1] / (2 * curve[0])
        assert N[lane] == pytest.approx(1e9 * np.exp(at), rel=1e-8)
        assert lowest[lane] == pytest.approx(np.polyval(curve, at), rel=1e-10)
        shape = fitted.coefficients[lane][::-1]
        np.testing.assert_allclose(
            np.polyval(shape, np.log(SIZES) - fitted.centre),
            np.polyval(curve, np.log(SIZES / 1e9)),
            rtol=1e-10,
        )


def test_two_sizes_make_no_parabola() -> None:
    weights = np.array([[1.0, 4, 0, 0, 0, 0, 0], np.zeros(7)])
    fitted = Parabolas.fit(SIZES, np.linspace(3, 2, 7), weights)
    assert np.isnan(fitted.coefficients).all()
    assert not fitted.inside.any()


@pytest.mark.parametrize(
    ("curvature", "at", "upward", "inside"),
    [(0.1, 1e9, True, True), (0.1, 2e10, True, False), (-0.1, 1e9, False, False)],
)
def test_a_minimum_is_inside_outside_or_not_there(curvature, at, upward, inside) -> None:
    loss = 2 + curvature * np.log(SIZES / at) ** 2
    fitted = Parabolas.fit(SIZES, loss, np.ones((1, 7)))
    assert (fitted.opens_upward[0], fitted.inside[0]) == (upward, inside)
    N, lowest = (float(values[0]) for values in fitted.minimum)
    if upward:
        assert (N, lowest) == (pytest.approx(at, rel=1e-9), pytest.approx(2.0))
    else:
        assert np.isnan([N, lowest]).all()


def test_an_almost_flat_one_does_not_overflow() -> None:
    loss = 2 + 1e-9 * np.log(SIZES) ** 2 - 0.1 * np.log(SIZES)
    with np.errstate(all="raise"):
        fitted = Parabolas.fit(SIZES, loss, np.ones((1, 7)))
        assert 1e100 < fitted.minimum[0][0] < np.inf
