"""Lines of logarithms: as polyfit draws them, all resamples at once."""

from __future__ import annotations

import numpy as np

from jscale.curves.paths import bounds, log_lines, path_table


def test_lines_are_those_of_polyfit() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(45, 3, 12), rng.normal(20, 2, (5, 12))
    weights = rng.integers(0, 4, (5, 12)).astype(float)
    y[weights == 0] = np.nan  # what takes no part may be anything
    for line, heights, w in zip(log_lines(x, y, weights), y, weights, strict=True):
        on = w > 0
        slope, level = np.polyfit(x[on], heights[on], 1, w=np.sqrt(w[on]))
        np.testing.assert_allclose(line, [level, slope], rtol=1e-9)


def test_one_compute_makes_no_line() -> None:
    x, weights = np.array([45.0, 45.0, 50.0]), np.array([[1.0, 2, 0], [0, 0, 0], [1, 0, 1]])
    lines = log_lines(x, np.array([1.0, 2.0, 3.0]), weights)
    assert np.isnan(lines[:2]).all()
    assert np.isfinite(lines[2]).all()
    same = np.full(3, 0.1)  # whose mean is not 0.1 in floating point
    assert np.isnan(log_lines(same, np.array([1.0, 2.0, 3.0]), np.ones((1, 3)))).all()


def test_a_path_has_bounds_of_its_resamples() -> None:
    samples = np.column_stack([np.log(np.arange(1.0, 102)), np.linspace(0, 1, 101)])
    table = path_table({"N": np.vstack([[0.0, 0.5], samples])}, 0.9)
    assert table.columns.tolist() == [
        "coefficient",
        "coefficient_low",
        "coefficient_high",
        "exponent",
        "exponent_low",
        "exponent_high",
    ]
    np.testing.assert_allclose(table.loc["N"].to_numpy(), [1, 6, 96, 0.5, 0.05, 0.95])
    assert np.isnan(bounds(np.full((3, 1), np.nan), 0.9)).all()
