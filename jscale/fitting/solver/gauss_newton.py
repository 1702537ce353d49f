"""The default solver: batched, majoriser-damped Gauss–Newton, over lanes.

A *lane* is one start (or one resample, of one family) on its way to an optimum:
:mod:`jscale.fitting.solver.step` takes one step, :mod:`jscale.fitting.solver.engine` runs many
lanes to their ends in one program. Here lanes are distributed over queues, one at a time per core
or device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from jscale._precision import float32_scope, float64_scope
from jscale.fitting.problem import Families, Problem
from jscale.fitting.solver.engine import Ended, Queue, compiled, sizes, workers
from jscale.fitting.solver.step import Numbers, Status

__all__ = ["WARM", "Lanes", "SolveSettings", "Status", "descend", "solve"]


class SolveSettings(NamedTuple):
    """The numbers that control a solve. They are data, so that changing them needs no compilation.

    ``damping`` and ``width``, which replaces the objective's own scale, are a number or one per
    lane (S,). ``single`` computes in float32, for a search on an accelerator whose best lanes are
    then polished; it has separate programs.
    """

    damping: Any = 1.0
    identity: float = 1e-4
    steps: int = 200
    width: Any = None
    single: bool = False


WARM = SolveSettings(damping=0.1)


@dataclass(frozen=True)
class Lanes:
    """The end points of lanes: coordinates (S, p), objective, Status, steps and damping (S,)."""

    theta: np.ndarray
    objective: np.ndarray
    status: np.ndarray
    steps: np.ndarray
    damping: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def best(self) -> int:
        """The index of the lane with the lowest objective (finite if any is)."""
        return int(np.argmin(np.where(np.isfinite(self.objective), self.objective, np.inf)))

    def taken(self, which: np.ndarray | slice) -> Lanes:
        """Return the lanes at ``which``: their numbers, a mask, or a slice."""
        return Lanes(*(np.asarray(values)[which] for values in vars(self).values()))

    def replaced(self, which: np.ndarray, other: Lanes) -> Lanes:
        """Return these lanes with those at ``which`` continued: their steps add up."""
        parts = {name: np.array(values) for name, values in vars(self).items()}
        for name, values in parts.items():
            values[which] = getattr(other, name) + (values[which] if name == "steps" else 0)
        return Lanes(**parts)


def solve(
    problem: Problem | Families,
    starts: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    family: np.ndarray | None = None,
    settings: SolveSettings | None = None,
    devices: Sequence[Any] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Minimise the problem's objective from each start; call inside the float64 scope.

    Deterministic; one lane's failure leaves the others alone.

    Parameters
    ----------
    problem : Problem or Families
        What is minimised.
    starts : ndarray, shape (S, p)
        Coordinates to start from, one lane each.
    weights : ndarray, shape (S, n), optional
        Each lane's own weights (a bootstrap's counts); by default all share the problem's.
    family : ndarray of int, shape (S,), optional
        Of Families: which one each lane belongs to.
    settings : SolveSettings, optional
        The numbers that control the solve.
    devices : sequence of jax.Device, optional
        Queues of lanes run one at a time on each of them. Default: the first device; on a
        processor as many queues at a time as there are cores.
    progress : callable, optional
        Called with the number of lanes done after each queue.

    Returns
    -------
    Lanes
        Where each lane ended.
    """
    import jax

    settings = settings or SolveSettings()
    starts = np.asarray(starts, dtype=np.float64)
    S = len(starts)
    if S == 0:
        return _empty(starts)
    places = _places(devices)
    # Sizes depend on rows and platform alone, so any number of lanes shares one program.
    tile, longest = sizes(problem.rows, places[0].platform)
    job = _Job(problem, starts, weights, family, settings, longest)
    program = compiled(problem.model, tile, family is not None)
    cuts = deal(S, longest, len(places))

    def one(k: int) -> tuple[slice, Ended]:
        part = slice(cuts[k], cuts[k + 1])
        # JAX's precision is set per thread, and this runs in the threads of a pool.
        scope = float32_scope() if settings.single else float64_scope()
        with scope, jax.default_device(places[k % len(places)]):
            ended = program(*job.arguments(part))
            # Copying to the host here waits for the program, so that the threads overlap.
            return part, Ended(*(np.asarray(x)[: part.stop - part.start] for x in ended))

    # Queues come back in order, so that lanes stay in the order of their starts.
    parts = []
    for part, ended in _each(one, len(cuts) - 1, len(places)):
        parts.append(ended)
        if progress is not None:
            progress(part.stop - part.start)
    theta, objective, status, steps, last = (np.concatenate(p) for p in zip(*parts, strict=True))
    theta, objective, last = (x.astype(np.float64) for x in (theta, objective, last))
    return Lanes(theta, objective, status, steps, last)


def descend(
    problem: Problem | Families,
    starts: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    family: np.ndarray | None = None,
    settings: SolveSettings | None = None,
    devices: Sequence[Any] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Solve, through the objective's stages where it has some.

    Least absolute deviations are solved as Huber losses of ever smaller width, each stage from
    the end of the last one: solved directly, lanes would stop at the first kinks on their way.
    Arguments as for :func:`solve`; steps are those of all stages together.
    """
    settings = settings or SolveSettings()
    steps: Any = 0
    same: Any = {"weights": weights, "family": family, "devices": devices}
    # The last solve uses the objective's own width.
    for width in problem.objective.stages:
        stage = solve(problem, starts, settings=settings._replace(width=width), **same)
        starts, steps = stage.theta, steps + stage.steps
    last = solve(problem, starts, settings=settings, progress=progress, **same)
    return Lanes(last.theta, last.objective, last.status, last.steps + steps, last.damping)


def _empty(starts: np.ndarray) -> Lanes:
    none = np.empty(0)
    return Lanes(starts, none, none.astype(np.int32), none.astype(np.int32), none)


def _places(devices: Sequence[Any] | None) -> list[Any]:
    """The devices to run on, each repeated once per queue that it runs concurrently."""
    import jax

    chosen = list(devices) if devices else jax.devices()[:1]
    if chosen[0].platform == "cpu" and len(chosen) < workers():
        # One queue keeps one core busy: XLA does not split such small operations.
        chosen = chosen * (workers() // len(chosen))
    return chosen


def deal(lanes: int, longest: int, places: int) -> list[int]:
    """Return the cuts of lanes into queues of equal length, so that all places end together."""
    # As many rounds as full queues would need, but with all queues of equal length.
    rounds = max(-(-lanes // (longest * places)), 1)
    queues = min(rounds * places, lanes)
    return [lanes * k // queues for k in range(queues + 1)]


def _each(one: Callable[[int], Any], count: int, places: int) -> Any:
    """Run ``one`` for 0, 1, … in order, with one thread per place."""
    if count == 1 or places == 1:
        return map(one, range(count))
    return _in_threads(one, count, places)


def _in_threads(one: Callable[[int], Any], count: int, places: int) -> Any:
    with ThreadPoolExecutor(places) as pool:
        yield from pool.map(one, range(count))


@dataclass(frozen=True)
class _Job:
    """All lanes of a solve, cut into queues' arguments."""

    problem: Problem | Families
    starts: np.ndarray
    weights: np.ndarray | None
    family: np.ndarray | None
    settings: SolveSettings
    longest: int

    def arguments(self, part: slice) -> tuple[Queue, Any, Numbers]:
        """Return the program's arguments for one queue of lanes, filled up to full length."""
        import jax

        problem, settings = self.problem, self.settings
        count = part.stop - part.start
        data = problem.data
        members = None if self.family is None else self.family[part]
        if members is not None:
            data = jax.tree.map(lambda x: self._fill(np.asarray(x)[members]), data)
        if self.weights is not None:
            given = self.weights[part]
            # Rows past the real ones are padding and keep weight zero.
            weights = np.zeros((self.longest, problem.rows))
            weights[:count, : given.shape[1]] = given
        elif members is not None:
            weights = self._fill(problem.weights[members])
        else:
            # A view: no copy is made until the transfer to the device.
            weights = np.broadcast_to(problem.weights, (self.longest, problem.rows))
        width = settings.width if settings.width is not None else problem.objective.width
        queue = Queue(
            theta=self._fill(self.starts[part]),
            damping=self._number(settings.damping, part),
            width=self._number(width, part),
            weights=weights,
            count=np.int32(count),
        )
        shape = problem.objective.shape
        return queue, data, Numbers(float(settings.identity), np.int32(settings.steps), shape)

    def _number(self, value: Any, part: slice) -> np.ndarray:
        """One number for all lanes, or one per lane (S,), as an array for the queue."""
        value = np.asarray(value, dtype=np.float64)
        if value.ndim == 0:
            return np.full(self.longest, value)
        return self._fill(value[part])

    def _fill(self, values: np.ndarray) -> np.ndarray:
        """Pad to the queue's length; the padding is never given a slot."""
        full = np.zeros((self.longest, *values.shape[1:]), dtype=values.dtype)
        full[: len(values)] = values
        return full
