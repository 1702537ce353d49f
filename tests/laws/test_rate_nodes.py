"""Nodes of schedules: nothing of a rate's rise or fall is lost, and what lies ahead has no fall."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.laws.rate_nodes import nodes_of

PEAK = 3e-4
SCHEDULES = [
    js.schedules.constant(400, PEAK, warmup=20),
    js.schedules.cosine(400, PEAK, 0.1 * PEAK, warmup=20),
    js.schedules.multi_step(400, PEAK, at=(200, 300), factor=0.3),
    js.Schedule(np.repeat([2e-4, 1e-4, 2e-4, 0.0], [100, 100, 100, 5]), name="up again"),
]


@pytest.mark.parametrize("most", [8, 64, 1000])
def test_falls_sum_up_to_the_change_of_the_rate(most: int) -> None:
    """From 0 before the first step to the last rate: minus that rate in all."""
    table = nodes_of(SCHEDULES, most)
    last = [schedule.rates[-1] for schedule in SCHEDULES]
    np.testing.assert_allclose(-table.fall.sum(axis=1), last, rtol=1e-12, atol=1e-18)


def test_about_as_many_nodes_as_asked_for() -> None:
    cosine = SCHEDULES[1:2]
    assert nodes_of(cosine, 64).fall.shape[1] <= 64 + 64 // 4 + 2
    assert nodes_of(cosine, 8).fall.shape[1] < nodes_of(cosine, 64).fall.shape[1]
    # Two jumps and a start stay three nodes, however many there may be.
    assert nodes_of(SCHEDULES[2:3], 512).fall.shape == (1, 3)


def test_a_jump_is_one_node_at_its_step() -> None:
    table = nodes_of([js.Schedule([1.0, 1.0, 0.5, 0.5])], 64)
    np.testing.assert_allclose(table.fall, [[-1.0, 0.5]])
    np.testing.assert_allclose(table.rate, [[1.0, 0.5]])
    # Half a step wide to both sides of the area before its step: 2 ± 0.25.
    np.testing.assert_allclose(table.begin, [[-0.5, 1.75]])
    np.testing.assert_allclose(table.end, [[0.5, 2.25]])


def test_a_rise_after_a_fall_is_a_node_of_its_own() -> None:
    table = nodes_of(SCHEDULES[3:], 2)
    np.testing.assert_allclose(table.fall[0], [-2e-4, 1e-4, -1e-4, 2e-4], rtol=1e-12)


def test_shorter_tables_are_padded_with_nodes_of_no_fall() -> None:
    table = nodes_of(SCHEDULES, 64)
    alone = nodes_of(SCHEDULES[2:3], 64)
    np.testing.assert_array_equal(table.fall[2, :3], alone.fall[0])
    assert (table.fall[2, 3:] == 0).all()
    assert (table.end > table.begin).all()
    assert (table.rate > 0).all()


def test_nodes_seen_from_an_area() -> None:
    """Ahead there is no fall yet, within a node a part of it, and behind it all of it."""
    table = nodes_of([js.Schedule([1.0, 1.0, 0.5, 0.5])], 64)
    nodes = table.row([0, 0, 0], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(nodes.fall[:, 1], [0.0, 0.25, 0.5])
    np.testing.assert_allclose(nodes.near[:, 1], [0.0, 0.0, 0.75])
    np.testing.assert_allclose(nodes.far[:, 1], [0.0, 0.25, 1.25])
