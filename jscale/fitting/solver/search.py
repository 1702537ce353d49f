"""The search for the best optimum: many starts, only the best of which are solved to the end.

Up to a few hundred starts are all solved to the end. With more, and for each family of a batch,
all take a few steps, the best of each family continue, and the best of those are solved to the
end. Terms that have died on the way (their amplitude no longer moves any prediction) are seeded
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jscale.errors import FitError
from jscale.fitting.problem import Families, Problem
from jscale.fitting.progress import lane_bar
from jscale.fitting.solver.gauss_newton import WARM, Lanes, SolveSettings, Status, descend, solve
from jscale.fitting.solver.starts import lane_shares, reseed

_EXHAUSTIVE = 512
_SEARCH = SolveSettings(steps=150)
# Stages of a search: (steps, share of the starts that continue, minimum number of them).
_STAGES = ((6, 1 / 8, 128), (14, 1 / 64, 32))
# The same, per family of a batch.
_FAMILY_STAGES = ((3, 1 / 4, 16), (8, 1 / 10, 6))
# After the search the best unfinished lanes continue for some rounds (closeness to the best of
# their family, steps): at first many of them, then few; in a batch, few per family throughout.
_ROUNDS = ((2.0, 40), *((1.02, 40),) * 20)
_FINISHED = 32
_FEW = 4
# A lane is also started from its extrapolation by this many rounds. If that converges, and the
# lane itself gains less than a share _FLAT of its objective in a round, the lane is abandoned.
_LEAPS = (3.0, 10.0, 30.0)
_FAMILY_LEAPS = (4.0, 25.0)
_FLAT = 1e-4
_DEAD_SHARE = 1e-3
# In float32 even a few starts are searched first, and then all of them polished.
_ALL_CONTINUE = ((60, 1.0, 1),)
_RESEEDED = 32


def search(
    problem: Problem,
    starts: np.ndarray,
    *,
    progress: bool = False,
    solver: str = "gauss_newton",
    devices: Sequence[Any] | None = None,
    mixed: bool | None = None,
) -> Lanes:
    """Solve from all starts (S, p); then continue the best lanes that ran out of steps.

    Of more than 512 starts only the best are solved to the end; the others have status DROPPED
    (and an infinite objective where only a coarser one is known). ``mixed`` searches in float32
    and polishes in float64 (default: on accelerators). Call inside the float64 scope. Raises
    FitError if no lane has a finite objective.
    """
    if solver == "lbfgs":
        return _by_lbfgs(problem, starts, progress)
    family = np.zeros(len(starts), dtype=int)
    on = Placement.on(devices, mixed)
    with lane_bar(len(starts), "starts", progress) as tick:
        if len(starts) > _EXHAUSTIVE or on.mixed:
            stages = _STAGES if len(starts) > _EXHAUSTIVE else _ALL_CONTINUE
            lanes = _staged(problem, starts, family, stages, on, tick)
        else:
            lanes = descend(problem, starts, settings=_SEARCH, devices=devices, progress=tick)
    _check_any_finite(problem, lanes)
    lanes = _reseed_dead_terms(problem, lanes, on.polish)
    return _finish(problem, lanes, family, _FINISHED, on.polish)


@dataclass(frozen=True)
class Placement:
    """The devices for the search and for the polish, and whether the search uses float32."""

    devices: Sequence[Any] | None
    polish: Sequence[Any] | None
    mixed: bool

    @classmethod
    def on(cls, devices: Sequence[Any] | None, mixed: bool | None) -> Placement:
        """Choose: accelerators search in float32; a TPU, weak in float64, leaves the polish."""
        import jax

        platform = (devices or jax.devices()[:1])[0].platform
        polish = jax.devices("cpu") if platform == "tpu" else devices
        return cls(devices, polish, platform != "cpu" if mixed is None else mixed)


def search_families(
    families: Families,
    starts: np.ndarray,
    *,
    devices: Sequence[Any] | None = None,
    mixed: bool | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lanes:
    """Solve each family from its starts (F, S, p); lanes are (F·S,), family by family.

    Call inside the float64 scope. A family without a finite lane keeps infinite objectives.
    """
    F, S, p = starts.shape
    family = np.repeat(np.arange(F), S)
    flat = starts.reshape(F * S, p)
    on = Placement.on(devices, mixed)
    lanes = _staged(families, flat, family, _FAMILY_STAGES, on, progress)
    return _finish(families, lanes, family, _FEW, on.polish)


def _by_lbfgs(problem: Problem, starts: np.ndarray, progress: bool) -> Lanes:
    from jscale.fitting.solver.lbfgs import descend_lbfgs

    with lane_bar(len(starts), "starts", progress) as tick:
        lanes = descend_lbfgs(problem, starts, progress=tick)
    _check_any_finite(problem, lanes)
    return lanes


def _check_any_finite(problem: Problem, lanes: Lanes) -> None:
    if not np.isfinite(lanes.objective).any():
        raise FitError(
            f"{problem.layout.law.name} gave no finite value at any of {len(lanes.theta)} starts. "
            "Check that it is finite at ordinary parameters: law(…); it may take the logarithm "
            "or a root of a negative number, or overflow. Rows of weight 0 count too: leave those "
            "out of the table where it is not finite."
        )


def _staged(
    problem: Problem | Families,
    starts: np.ndarray,
    family: np.ndarray,
    stages: tuple[tuple[int, float, int], ...],
    on: Placement,
    tick: Callable[[int], object] | None,
) -> Lanes:
    """Successive halving with a quota for each family; then solve the best to the end."""
    widths = problem.objective.stages
    members = family if isinstance(problem, Families) else None
    # Lanes are compared at the widest width; descend narrows it at the end.
    width = widths[0] if widths else None
    coarse = bool(widths) or on.mixed
    going = np.arange(len(starts))
    lanes = None
    for steps, share, least in stages:
        settings = SolveSettings(steps=steps, width=width, single=on.mixed)
        if lanes is not None:
            settings = settings._replace(damping=lanes.damping[going])
        now = solve(
            problem,
            starts[going] if lanes is None else lanes.theta[going],
            family=None if members is None else members[going],
            settings=settings,
            devices=on.devices,
        )
        lanes = now if lanes is None else lanes.replaced(going, now)
        quota = max(int(share * len(starts) / len(np.unique(family))), least)
        kept = best_of_each(lanes.objective, family, going, quota)
        dead = lanes.status == Status.DEAD_START
        dropped = np.setdiff1d(going, kept)
        # Dead starts keep their own status, so that the table of the search tells them apart.
        lanes.status[dropped[~dead[dropped]]] = Status.DROPPED
        if tick is not None:
            tick(len(dropped))
        # Convergence in float32, or at a wide kink, is not yet convergence.
        going = kept if coarse else kept[lanes.status[kept] == Status.OUT_OF_STEPS]
    assert lanes is not None
    if coarse:
        # Values of a wider kink, or of single precision, cannot be compared with final ones.
        lanes.objective[lanes.status == Status.DROPPED] = np.inf
    if tick is not None:
        tick(len(going))
    chosen = None if members is None else members[going]
    if widths:
        last = descend(
            problem, lanes.theta[going], family=chosen, settings=_SEARCH, devices=on.polish
        )
    else:
        # Coordinates carry over from float32, but the damping reflects the coarser precision.
        damping = np.full(len(going), WARM.damping) if on.mixed else lanes.damping[going]
        settings = _SEARCH._replace(damping=damping)
        last = solve(
            problem, lanes.theta[going], family=chosen, settings=settings, devices=on.polish
        )
    return lanes.replaced(going, last)


def best_of_each(
    objective: np.ndarray, family: np.ndarray, among: np.ndarray, quota: int
) -> np.ndarray:
    """Return which lanes of ``among`` are the ``quota`` lowest of their family, in order."""
    value = np.where(np.isfinite(objective[among]), objective[among], np.inf)
    # Ties are broken by number, so that results do not depend on the order of lanes.
    order = among[np.lexsort((among, value, family[among]))]
    groups = family[order]
    first = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    size = np.diff(np.r_[first, len(order)])
    rank = np.arange(len(order)) - np.repeat(first, size)
    return np.sort(order[(rank < quota) & np.isfinite(objective[order])])


def _reseed_dead_terms(problem: Problem, lanes: Lanes, devices: Any) -> Lanes:
    """Restart dead terms of the best lanes; keep the better result."""
    if not problem.layout.linear or len(lanes.theta) == 1:
        return lanes
    # Only good lanes are worth it: a poor lane with a dead term is common.
    best = np.argsort(lanes.objective, kind="stable")[: 4 * _RESEEDED]
    best = best[np.isfinite(lanes.objective[best])]
    shares = lane_shares(problem, lanes.theta[best][None])[0]
    # Negated, so that NaN counts as dead.
    dead = ~(shares >= _DEAD_SHARE)
    which = np.flatnonzero(dead.any(axis=1))[:_RESEEDED]
    if not which.size:
        return lanes
    seeded = reseed(problem, lanes.theta[best[which]], dead[which])
    again = descend(problem, seeded, settings=_SEARCH, devices=devices)
    better = again.objective < lanes.objective[best[which]]
    return lanes.replaced(best[which][better], again.taken(better))


def _finish(
    problem: Problem | Families, lanes: Lanes, family: np.ndarray, quota: int, devices: Any
) -> Lanes:
    """Give the best unfinished lanes of each family, ``quota`` of them at first, more steps."""
    finish = _Finish(problem, lanes, family, devices)
    for within, steps in _ROUNDS:
        which = finish.unfinished(within, quota)
        if not which.size:
            break
        finish.round(which, steps)
        quota = _FEW
    better = np.flatnonzero(finish.scouts.objective < finish.lanes.objective)
    return finish.lanes.replaced(better, finish.scouts.taken(better))


class _Finish:
    """Unfinished lanes, each with a scout that may be ahead of it.

    A nearly flat valley takes thousands of sequential steps, while most slots of the program are
    idle. Idle slots try extrapolated points along each lane's last move: the scouts. The lane
    itself continues as well, since a scout may leave the valley; the better of the two is kept.
    """

    def __init__(
        self, problem: Problem | Families, lanes: Lanes, family: np.ndarray, devices: Any
    ) -> None:
        self.problem, self.lanes, self.family, self.devices = problem, lanes, family, devices
        # A scout that has not run yet must never win a comparison.
        unknown = np.full(len(lanes.theta), np.inf)
        self.scouts = replace(lanes, objective=unknown, steps=np.zeros_like(lanes.steps))
        # Each lane's last move (S, p), NaN where none is known yet.
        self.move = np.full_like(lanes.theta, np.nan)
        self.settled = np.zeros(len(lanes.theta), dtype=bool)

    def unfinished(self, within: float, quota: int) -> np.ndarray:
        """Return which lanes ran out of steps within a factor of their family's lowest."""
        lanes, family = self.lanes, self.family
        value = np.fmin(
            np.where(np.isnan(lanes.objective), np.inf, lanes.objective), self.scouts.objective
        )
        lowest = np.full(family.max() + 1, np.inf)
        np.minimum.at(lowest, family, value)
        near = (value <= within * lowest[family]) & ~self.settled
        unfinished = np.flatnonzero(near & (lanes.status == Status.OUT_OF_STEPS))
        return best_of_each(value, family, unfinished, quota)

    def round(self, which: np.ndarray, steps: int) -> None:
        """Advance lanes ``which`` and their scouts by some steps."""
        before, gained = self._leading(which), self.lanes.objective[which]
        lanes, scouts = self._advanced(which, steps)
        self.lanes = self.lanes.replaced(which, lanes)
        self.scouts = self.scouts.replaced(which, scouts)
        self.move[which] = self._leading(which) - before
        flat = gained - lanes.objective <= _FLAT * lanes.objective
        self.settled[which] = flat & (scouts.status == Status.CONVERGED)

    def _leading(self, which: np.ndarray) -> np.ndarray:
        """The coordinates (k, p) of each lane or its scout, whichever is lower."""
        ahead = (self.scouts.objective < self.lanes.objective)[which]
        return np.where(ahead[:, None], self.scouts.theta[which], self.lanes.theta[which])

    def _advanced(self, which: np.ndarray, steps: int) -> tuple[Lanes, Lanes]:
        """Advance lanes, their scouts, and new scouts along their last moves.

        Returns the lanes and for each the best scout, the old one where no new one is better.
        """
        lanes, scouts, move = self.lanes, self.scouts, self.move[which]
        grouped = isinstance(self.problem, Families)
        k, lead = len(which), self._leading(which)
        leaps = _FAMILY_LEAPS if grouped else _LEAPS
        known = np.isfinite(scouts.objective) & (scouts.status == Status.OUT_OF_STEPS)
        old, moving = np.flatnonzero(known[which]), np.flatnonzero(np.isfinite(move).all(axis=1))
        # One batch: the lanes, their old scouts, then new scouts at each leap.
        owner = np.concatenate([np.arange(k), old, *(moving for _ in leaps)])
        leapt = [lead[moving] + leap * move[moving] for leap in leaps]
        theta = np.concatenate([lanes.theta[which], scouts.theta[which[old]], *leapt])
        damping = np.full(len(owner), WARM.damping)
        damping[: k + len(old)] = np.r_[lanes.damping[which], scouts.damping[which[old]]]
        ended = solve(
            self.problem,
            theta,
            family=self.family[which][owner] if grouped else None,
            settings=SolveSettings(damping=damping, steps=steps),
            devices=self.devices,
        )
        best = best_of_each(ended.objective, owner, np.arange(k, len(owner)), 1)
        best = best[ended.objective[best] < scouts.objective[which[owner[best]]]]
        kept = replace(scouts.taken(which), steps=np.zeros(k, dtype=lanes.steps.dtype))
        return ended.taken(np.arange(k)), kept.replaced(owner[best], ended.taken(best))
