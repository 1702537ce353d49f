"""Maps between supports and the line: inverse to each other, and exact at their ends."""

from __future__ import annotations

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.model.supports import to_line, to_support

VALUES = {
    "positive": [1e-12, 0.3, 1.0, 4e20],
    "fraction": [1e-9, 0.25, 0.5, 1 - 1e-9],
    "real": [-3e5, 0.0, 2.0],
}


@pytest.mark.parametrize("support", VALUES)
def test_there_and_back(support: str) -> None:
    with float64_scope():
        back = np.asarray(to_support(to_line(VALUES[support], support), support))
    np.testing.assert_allclose(back, VALUES[support], rtol=1e-12)


def test_known_values() -> None:
    np.testing.assert_allclose(to_line([1.0, np.e], "positive"), [0.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(to_line([0.5, 0.75], "fraction"), [0.0, np.log(3)], rtol=1e-15)
    np.testing.assert_array_equal(to_line([-1, 5], "real"), [-1.0, 5.0])


def test_fractions_near_one_keep_their_distance_from_it() -> None:
    """log1p: ln(1 − x) at x = 1e-17 is -1e-17, where 1 − x would round to 1."""
    assert to_line(1e-17, "fraction") == pytest.approx(np.log(1e-17), rel=1e-15)
    with float64_scope():
        far = np.asarray(to_support(np.array([-800.0, 800.0]), "fraction"))
    np.testing.assert_array_equal(far, [0.0, 1.0])


@pytest.mark.parametrize("support", ["positive", "fraction"])
def test_every_free_number_is_within_the_support(support: str) -> None:
    with float64_scope():
        values = np.asarray(to_support(np.linspace(-30.0, 30.0, 61), support))
    assert (np.diff(values) > 0).all()
    assert values[0] > 0
    assert values[-1] < (1.0 if support == "fraction" else np.inf)
