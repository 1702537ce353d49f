"""The noise between seeds: known numbers, and an interval that covers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.sweep.noise import by_cell, seed_noise


def rows(cells: dict[tuple[int, int], list[float]]) -> list[dict[str, float]]:
    return [
        {"N": cell[0], "D": cell[1], "loss": loss}
        for cell, losses in cells.items()
        for loss in losses
    ]


def test_cells_with_one_seed_do_not_count():
    table = rows({(1, 1): [2.0, 2.1], (1, 2): [3.0], (2, 1): [1.0, 1.1, 1.2]})
    assert by_cell(table) == {(1, 1): [2.0, 2.1], (2, 1): [1.0, 1.1, 1.2]}


def test_known_numbers():
    # Two cells whose log losses differ by 0.02: squares of 2 x 0.01^2 each, two degrees of freedom.
    noise = seed_noise(
        rows({(1, 1): [2.0, 2.0 * math.exp(0.02)], (9, 9): [1.5, 1.5 * math.exp(0.02)]})
    )
    assert (noise["cells"], noise["degrees_of_freedom"]) == (2, 2)
    assert noise["sd_of_log_loss"] == round(0.01 * math.sqrt(2), 5)
    # With two degrees of freedom chi squared has the quantiles -2 log(1 - level).
    low, high = (0.02 / math.sqrt(-2 * math.log(1 - level)) for level in (0.95, 0.05))
    assert noise["interval_90"] == [round(low, 5), round(high, 5)]


def test_nothing_to_say_without_several_seeds():
    assert seed_noise(rows({(1, 1): [2.0], (1, 2): [1.9]})) == {}
    assert seed_noise([]) == {}


def test_interval_covers_the_truth_nine_times_in_ten():
    random, truth, covered = np.random.default_rng(0), 0.005, []
    for _ in range(400):
        losses = 2 * np.exp(truth * random.standard_normal((20, 3)))
        low, high = seed_noise(rows({(1, i): list(losses[i]) for i in range(20)}))["interval_90"]
        covered.append(low <= truth <= high)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.045)
