"""Bends: both representations of a drawn discrepancy agree, and are smooth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.discrepancy.bends import Bends, Kriged, Tabulated, bends_over
from jscale.discrepancy.kernels import distances, matern

POWERS, LENGTHS = [2.0, 1.0], [6.0, 2.0]


def drawn(d: int, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A grid (M, d), and kriging weights (count, 2, M) of functions drawn on it."""
    rng = np.random.default_rng(d)
    axes = [np.linspace(-3.0, 6.0, {1: 20, 2: 8, 3: 5, 4: 3}[d])] * d
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    rows = []
    for length in LENGTHS:
        matrix = matern(distances(grid, grid) / length) + 1e-8 * np.eye(len(grid))
        values = np.linalg.cholesky(matrix) @ rng.standard_normal((len(grid), count))
        rows.append(np.linalg.solve(matrix, values).T)
    return grid, np.stack(rows, axis=1)


def at(bends: Bends, numbers: np.ndarray, points: np.ndarray) -> Any:
    import jax

    with float64_scope():
        each = jax.vmap(lambda u: bends(numbers, u, 0.7))
        return np.asarray(each(points))


@pytest.mark.full
@pytest.mark.parametrize("d", [1, 2])
def test_the_table_is_the_kriged_function(d: int) -> None:
    grid, rows = drawn(d)
    table, kriged = bends_over(grid, LENGTHS), Kriged(len(grid), d, 2)
    assert isinstance(table, Tabulated)
    points = np.random.default_rng(0).uniform(-3.0, 6.0, (40, d))
    first, second = (b.numbers(grid, POWERS, LENGTHS, rows) for b in (table, kriged))
    assert first.shape == (3, table.size)
    assert second.shape == (3, kriged.size)
    for one, other in zip(first, second, strict=True):
        # Both components have an amplitude of about 1.
        np.testing.assert_allclose(at(table, one, points), at(kriged, other, points), atol=0.02)


@pytest.mark.full
@pytest.mark.parametrize("d", [3, 4])
def test_over_more_inputs_it_is_kriged(d: int) -> None:
    grid, rows = drawn(d)
    bends = bends_over(grid, LENGTHS)
    assert isinstance(bends, Kriged)
    numbers = bends.numbers(grid, POWERS, LENGTHS, rows)[0]
    share = np.array([0.7**2, 0.7])
    expected = share @ [
        matern(distances(grid, grid) / length) @ rows[0, i] for i, length in enumerate(LENGTHS)
    ]
    np.testing.assert_allclose(at(bends, numbers, grid), expected, atol=1e-6)


@pytest.mark.full
def test_past_the_lattice_it_stays() -> None:
    grid, rows = drawn(1)
    bends = bends_over(grid, LENGTHS)
    numbers = bends.numbers(grid, POWERS, LENGTHS, rows)[0]
    edge, far = at(bends, numbers, np.array([[6.0], [60.0]]))
    assert edge == far


@pytest.mark.full
def test_a_draw_with_fewer_components_has_zeros_for_the_others() -> None:
    grid, rows = drawn(2)
    for bends in (bends_over(grid, LENGTHS), Kriged(len(grid), 2, 2)):
        some = bends.numbers(grid, POWERS[:1], LENGTHS[:1], rows[:, :1])[0]
        none = np.zeros_like(rows)
        none[:, :1] = rows[:, :1]
        both = bends.numbers(grid, POWERS, LENGTHS, none)[0]
        np.testing.assert_allclose(at(bends, some, grid), at(bends, both, grid), atol=1e-12)


def test_it_has_two_derivatives_everywhere() -> None:
    """Across the cells of the lattice too: Newton steps rely on the second."""
    import jax

    grid, rows = drawn(1)
    bends = bends_over(grid, LENGTHS)
    numbers = bends.numbers(grid, POWERS, LENGTHS, rows)[0]
    step = (9.0 / (bends.sizes[0] - 1)) if isinstance(bends, Tabulated) else 0.0
    with float64_scope():
        second = jax.jit(jax.grad(jax.grad(lambda x: bends(numbers, x[None], 0.7))))
        for cell in range(1, 6):
            place = -3.0 + cell * step
            assert float(second(place - 1e-7)) == pytest.approx(
                float(second(place + 1e-7)), abs=1e-4
            )
