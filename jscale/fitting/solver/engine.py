"""The engine: one compiled program takes a queue of lanes through a tile of fixed width.

A tile's few lanes fit in the processor's cache. Every few steps, finished lanes write their result
to their place in the queue and the next ones take their slots, so that no slot waits for the
slowest lane. One program per model serves starts, resamples and polishing: the
lengths of queue and tile depend only on the number of rows, and everything else is data.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from jscale.fitting.problem import Data, Model
from jscale.fitting.solver.compilation import programs
from jscale.fitting.solver.step import Lane, Numbers, Status, advance, blank, settled

_STEPS_A_ROUND = 2
# Cells (lane × row) of a tile on a CPU, and of a queue: a few MB of weights.
_TILE_CELLS = 4096
_QUEUE_CELLS = 2**19
_LONGEST_QUEUE = 1024
_ACCELERATOR_TILE = 2048
_ACCELERATOR_CELLS = 2**26


class Queue(NamedTuple):
    """Waiting lanes: starts (Q, p), damping and width (Q,), weights (Q, rows); ``count`` are real.

    Every lane carries its weights, even where all are equal, so that a search and a bootstrap
    share one program.
    """

    theta: Any
    damping: Any
    width: Any
    weights: Any
    count: Any


class Ended(NamedTuple):
    """The end points of a queue's lanes, each (Q, …)."""

    theta: Any
    objective: Any
    status: Any
    steps: Any
    damping: Any


class _State(NamedTuple):
    lanes: Lane
    weights: Any
    data: Data
    next: Any
    ended: Ended


def sizes(rows: int, platform: str = "cpu") -> tuple[int, int]:
    """Return (lanes in a tile, lanes in a queue) for a padded number of rows."""
    if platform != "cpu":
        most = max(_ACCELERATOR_CELLS // rows, 32)
        tile = min(_ACCELERATOR_TILE, _power_of_two(most // 8))
        return tile, min(8 * _ACCELERATOR_TILE, _power_of_two(most))
    tile = min(max(_power_of_two(_TILE_CELLS // rows), 4), 64)
    return tile, max(min(_LONGEST_QUEUE, _power_of_two(_QUEUE_CELLS // rows)), tile)


def _power_of_two(number: int) -> int:
    """Return the largest power of two that is not above ``number``, at least 1."""
    return 2 ** max(int(number).bit_length() - 1, 0)


def workers() -> int:
    """Return how many queues run at once on a CPU: one per core available to this process."""
    try:
        return max(len(os.sched_getaffinity(0)), 1)
    except AttributeError:
        return max(os.cpu_count() or 1, 1)


@programs
def compiled(model: Model, tile: int, families: bool) -> Callable[..., Ended]:
    """Return the compiled program: (queue, data, numbers) to the end points of its lanes.

    ``families`` says that every array of the data has a leading axis (Q,).
    """
    import jax

    def run(queue: Queue, data: Data, numbers: Numbers) -> Ended:
        return run_queue(model, tile, families, queue, data, numbers)

    return jax.jit(run)


def run_queue(
    model: Model, tile: int, families: bool, queue: Queue, data: Data, numbers: Numbers
) -> Ended:
    """Run every lane of a queue to its end, a tile at a time (JAX)."""
    import jax
    import jax.numpy as jnp

    axes = (0, 0, 0 if families else None, None)
    step = jax.vmap(lambda lane, w, d, k: advance(model, lane, w, d, k), in_axes=axes)

    # Lanes are refilled between rounds only: checking after each step would cost more.
    def going(state: _State) -> Any:
        return jnp.any(state.lanes.status == Status.RUNNING) | (state.next < queue.count)

    def round_of_steps(state: _State) -> _State:
        free = state.lanes.status != Status.RUNNING
        # Under a condition, since refilling gathers weights and data of the whole tile.
        state = jax.lax.cond(
            jnp.any(free) & (state.next < queue.count),
            lambda s: _refill(model, s, queue, data, families, numbers.shape),
            lambda s: s,
            state,
        )

        def one(_: Any, lanes: Lane) -> Lane:
            return step(lanes, state.weights, state.data, numbers)

        lanes = jax.lax.fori_loop(0, _STEPS_A_ROUND, one, state.lanes)
        return state._replace(lanes=lanes, ended=_write(state.ended, lanes))

    return jax.lax.while_loop(going, round_of_steps, _idle_tile(tile, families, queue, data)).ended


def _idle_tile(tile: int, families: bool, queue: Queue, data: Data) -> _State:
    """Return a tile of idle slots, and a blank result for every waiting lane."""
    import jax
    import jax.numpy as jnp

    length, p = queue.theta.shape
    dtype = queue.theta.dtype
    whole = jnp.zeros((tile,), jnp.int32)

    def many(x: Any) -> Any:
        return jnp.broadcast_to(x, (tile, *x.shape))

    lanes = Lane(
        theta=jnp.zeros((tile, p), dtype),
        at=jax.tree.map(many, blank(p, dtype)),
        damping=jnp.ones((tile,), dtype),
        width=jnp.ones((tile,), dtype),
        freedom=jnp.ones((tile,), dtype),
        rounding=jnp.zeros((tile,), dtype),
        # DROPPED is any status but RUNNING: the slot is free.
        status=jnp.full((tile,), Status.DROPPED, jnp.int32),
        step=whole,
        idle=whole,
        slot=jnp.full((tile,), length, jnp.int32),
    )
    whole = jnp.zeros((length,), jnp.int32)
    ended = Ended(queue.theta, jnp.full((length,), jnp.inf, dtype), whole, whole, queue.damping)
    weights = jnp.zeros((tile, *queue.weights.shape[1:]), dtype)
    if families:
        data = jax.tree.map(lambda x: jnp.zeros((tile, *x.shape[1:]), x.dtype), data)
    return _State(lanes, weights, data, jnp.zeros((), jnp.int32), ended)


def _refill(
    model: Model, state: _State, queue: Queue, data: Data, families: bool, shape: Any
) -> _State:
    """Give idle slots to the next waiting lanes; slots that stay idle keep their state."""
    import jax
    import jax.numpy as jnp

    lanes = state.lanes
    length, p = queue.theta.shape
    free = lanes.status != Status.RUNNING
    # The k-th free slot takes the k-th waiting lane.
    place = state.next + jnp.cumsum(free.astype(jnp.int32)) - 1
    filled = free & (place < queue.count)
    # Gathers need a valid index; what they read for slots that stay idle is discarded.
    here = jnp.where(filled, place, 0)

    def put(new: Any, old: Any) -> Any:
        return jnp.where(filled.reshape(-1, *[1] * (old.ndim - 1)), new, old)

    weights = put(queue.weights[here], state.weights)
    width = put(queue.width[here], lanes.width)
    if families:
        data = jax.tree.map(lambda whole, old: put(whole[here], old), data, state.data)
    settle = jax.vmap(
        lambda w, y, delta: settled(model, w, y, delta, shape),
        in_axes=(0, 0 if families else None, 0),
    )
    freedom, rounding = settle(weights, data.target, width)
    at = jax.tree.map(put, blank(p, queue.theta.dtype), lanes.at)
    lanes = Lane(
        theta=put(queue.theta[here], lanes.theta),
        at=at,
        damping=put(queue.damping[here], lanes.damping),
        width=width,
        freedom=put(freedom, lanes.freedom),
        rounding=put(rounding, lanes.rounding),
        status=put(Status.RUNNING, lanes.status).astype(jnp.int32),
        step=put(0, lanes.step),
        idle=put(0, lanes.idle),
        # Idle slots point past the queue, where writes are dropped.
        slot=jnp.where(filled, place, jnp.where(free, length, lanes.slot)).astype(jnp.int32),
    )
    return state._replace(
        lanes=lanes, weights=weights, data=data, next=state.next + jnp.sum(filled, dtype=jnp.int32)
    )


def _write(ended: Ended, lanes: Lane) -> Ended:
    """Write the state of each lane in a slot to its place; later writes overwrite earlier ones."""
    now = Ended(lanes.theta, lanes.at.F, lanes.status, lanes.step, lanes.damping)
    return Ended(
        *(old.at[lanes.slot].set(new, mode="drop") for old, new in zip(ended, now, strict=True))
    )
