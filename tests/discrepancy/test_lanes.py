"""Lanes: small symmetric systems, and a program of many that ends."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.discrepancy.lanes import longest_of_best, solve_spd, stack

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("p", [1, 4, 9])
def test_systems_and_determinants(p: int) -> None:
    root = RNG.normal(size=(p, p + 2)) * 10.0 ** RNG.uniform(-3, 3, size=(p, 1))
    matrix, right = root @ root.T, RNG.normal(size=(p, 2))
    with float64_scope():
        solution, log = solve_spd(matrix, right)
        solution, log = np.asarray(solution), float(log)
    np.testing.assert_allclose(matrix @ solution, right, rtol=1e-6, atol=1e-6)
    assert log == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-8)


def test_trees_are_stacked_by_leaf() -> None:
    whole = stack([{"a": np.zeros(2)}, {"a": np.ones(2)}])
    np.testing.assert_array_equal(whole["a"], [[0, 0], [1, 1]])


# LAPACK calls of batched lanes waited for each other's threads for ever on jax 0.10.2 with two
# cores; this many lanes of this size did so every time, when lanes factorised within the program.
MANY = """
import jscale as js, numpy as np
from jscale.simulation.worlds import CHINCHILLA, grid
from jscale.discrepancy.experts import solve_each
design = grid(np.geomspace(1e7, 1e9, 8), np.geomspace(1e9, 1e11, 12))
tables = [js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=s) for s in range(4)]
forecasts = [js.forecast(table) for table in tables[:1]]
(law,) = forecasts[0].laws
ends = solve_each([law.member] * 4, [law.observations] * 4)
print(len(ends), np.isfinite(ends[-1].log_weights).any())
"""


def test_many_lanes_come_to_an_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "4 True\n"), done.stderr


def test_of_steps_of_equal_cost_the_longest_is_taken() -> None:
    shares = np.array([1.0, 0.5, 0.2, 0.0])
    with float64_scope():
        for costs, best in (
            ([3.0, 2.0, 2.5, 4.0], 0.5),
            ([2.0 + 1e-13, 2.0, 2.0 + 1e-13, 3.0], 1.0),
            ([np.nan, np.inf, 2.0, 1.0], 0.0),
        ):
            assert float(longest_of_best(shares, np.array(costs))) == best
