"""Nodes: the changes of a learning rate gathered in a few pieces, so that long curves stay cheap.

A node is a part of a schedule's rise or fall (a rise is a negative fall). It records by how much
the rate fell, the mean rate, and the range of areas S1 in which it fell. From a later step, the
node lies at a distance in area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from jscale.data.schedule import Schedule

# A warm-up lies far behind every row of a fit, where a quarter of the nodes suffices.
_RISE_SHARE = 4
# The rate that stands for 0, relative to the highest rate.
_NOTHING = 1e-9


class Nodes(NamedTuple):
    """The nodes of one row (nodes,): fall so far, rate, and nearest and farthest area behind."""

    fall: Any
    rate: Any
    near: Any
    far: Any


@dataclass(frozen=True, eq=False)
class NodeTable:
    """Nodes of several schedules: arrays (schedules, nodes)."""

    fall: np.ndarray
    rate: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    def row(self, schedule: Any, area: Any) -> Nodes:
        """Return the nodes seen from an area S1 of a schedule (JAX); those ahead have no fall."""
        import jax.numpy as jnp

        k = jnp.asarray(schedule).astype(int)
        area = jnp.asarray(area)[..., None]
        begin, end = jnp.asarray(self.begin)[k], jnp.asarray(self.end)[k]
        reached = jnp.clip(area, begin, end)
        fall = jnp.asarray(self.fall)[k] * (reached - begin) / (end - begin)
        near, far = jnp.maximum(area - reached, 0.0), jnp.maximum(area - begin, 0.0)
        return Nodes(fall, jnp.asarray(self.rate)[k], near, far)


def nodes_of(schedules: Sequence[Schedule], most: int) -> NodeTable:
    """Return each schedule's changes in about ``most`` nodes, padded with nodes without a fall."""
    gathered = [_gathered(s, most) for s in schedules]
    count = max(node.shape[1] for node in gathered)
    filler = (0.0, 1.0, 0.0, 1.0)  # no fall, and a width to divide by
    padded = [
        np.stack(
            [
                np.pad(node[i], (0, count - len(node[i])), constant_values=filler[i])
                for node in gathered
            ]
        )
        for i in range(4)
    ]
    return NodeTable(*padded)


def _gathered(schedule: Schedule, most: int) -> np.ndarray:
    """Return a schedule's nodes (4, nodes): falls, rates, and the areas where each begins and ends.

    A fall at step k starts to count at the area before it, S1(k − 1). A node extends half a step
    beyond its first and last step, which makes it equal the sum over its steps to second order.
    """
    rates, warmup = schedule.rates, schedule.warmup
    rise = _pieces(rates, 0, max(warmup, 1), max(1, most // _RISE_SHARE))
    return np.concatenate([rise, _pieces(rates, max(warmup, 1), len(rates), most)], axis=1)


def _pieces(rates: np.ndarray, first: int, last: int, most: int) -> np.ndarray:
    """Return the changes of the steps ``first`` to ``last`` in about ``most`` nodes.

    The cuts are equally spaced in the sum of change, area and logarithm of the rate, each relative
    to its total; there is another one wherever a fall turns into a rise.
    """
    falls = -np.diff(rates, prepend=0.0)
    # A fall to rate 0 becomes a fall to a tiny rate, and counts in full once the rate rises again.
    rates = np.maximum(rates, _NOTHING * rates.max())
    before = np.cumsum(rates) - rates
    steps = first + np.flatnonzero(falls[first:last] != 0)
    if not len(steps):
        return np.zeros((4, 0))
    fall, weight, at = falls[steps], np.abs(falls[steps]), before[steps]
    factor = np.abs(np.diff(np.log(rates[steps] + 0.01 * rates.max()), prepend=0.0))
    factor[0] = 0.0
    progress = sum(_share(np.cumsum(by)) for by in (weight, rates[steps], factor))
    label = np.ceil(progress / 3.0 * most - 1e-9)
    cut = (np.diff(label, prepend=-1) > 0) | (np.diff(np.sign(fall), prepend=0) != 0)
    start = np.flatnonzero(cut)
    rate = np.add.reduceat(rates[steps] * weight, start) / np.add.reduceat(weight, start)
    close = np.append(start[1:], len(steps)) - 1
    begin = at[start] - 0.5 * rates[steps[start]]
    end = at[close] + 0.5 * rates[steps[close]]
    return np.stack([np.add.reduceat(fall, start), rate, begin, end])


def _share(total: np.ndarray) -> np.ndarray:
    """Return a running total relative to its end."""
    return total / total[-1] if total[-1] > 0 else total
