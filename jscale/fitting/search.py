"""The search for the best optimum: many starts, few of which are worth taking to the end.

Up to some hundreds of starts all are solved. Of more, and of each family's in a batch, all
take a few steps, the best of each family go on, and the best of those go to the end. Terms
that have died on the way (their amplitude no longer moves any prediction) are seeded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import FitError
from jscale.fitting.gauss_newton import WARM, Lanes, Settings, Status, descend, solve
from jscale.fitting.problem import Families, Problem
from jscale.fitting.progress import lane_bar
from jscale.fitting.starts import lane_shares, reseed

_EXHAUSTIVE = 512
_SEARCH = Settings(steps=150)
# Of many starts: (steps, share of all that goes on, how many at least) of each stage.
_STAGES = ((6, 1 / 8, 128), (14, 1 / 64, 32))
# The same for each family of a batch.
_FAMILY_STAGES = ((3, 1 / 4, 16), (8, 1 / 10, 6))
# After the search, the best unfinished lanes go on: many a little further, then few to the end.
_ROUNDS = ((2.0, 400), (1.02, 2000))
_FAMILY_ROUNDS = ((1.02, 400), (1.02, 2000))
_FINISHED = 32
_DEAD_SHARE = 1e-3
_KINK_STAGE = 1e-2
# In float32 even few starts are first searched and then polished, all of them.
_ALL_GO_ON = ((60, 1.0, 1),)
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
    """Solve from all starts (S, p); then finish the best ones where lanes ran out of steps.

    Of over 512 starts only the best go to the end; the others have status DROPPED. ``mixed``
    searches in float32 and polishes in float64 (default: on accelerators). Call inside the
    float64 scope. Raises FitError if no lane has a finite objective.
    """
    if solver == "lbfgs":
        return _by_lbfgs(problem, starts, progress)
    family = np.zeros(len(starts), dtype=int)
    on = Where.on(devices, mixed)
    with lane_bar(len(starts), "starts", progress) as tick:
        if len(starts) > _EXHAUSTIVE or on.mixed:
            stages = _STAGES if len(starts) > _EXHAUSTIVE else _ALL_GO_ON
            lanes = _staged(problem, starts, family, stages, on, tick)
        else:
            lanes = descend(problem, starts, settings=_SEARCH, devices=devices, progress=tick)
    _check_any_finite(problem, lanes)
    lanes = _seed_dead_terms_anew(problem, lanes)
    for within, steps in _ROUNDS:
        lanes = _finish(problem, lanes, within, steps)
    return lanes


@dataclass(frozen=True)
class Where:
    """Devices to search on and to polish on, and whether the search is in float32."""

    devices: Sequence[Any] | None
    polish: Sequence[Any] | None
    mixed: bool

    @classmethod
    def on(cls, devices: Sequence[Any] | None, mixed: bool | None) -> Where:
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
    on = Where.on(devices, mixed)
    lanes = _staged(families, flat, family, _FAMILY_STAGES, on, progress)
    for within, steps in _FAMILY_ROUNDS:
        lanes = _finish_families(families, lanes, family, within, steps, on.polish)
    return lanes


def _by_lbfgs(problem: Problem, starts: np.ndarray, progress: bool) -> Lanes:
    from jscale.fitting.lbfgs import descend_lbfgs

    with lane_bar(len(starts), "starts", progress) as tick:
        lanes = descend_lbfgs(problem, starts, progress=tick)
    _check_any_finite(problem, lanes)
    return lanes


def _check_any_finite(problem: Problem, lanes: Lanes) -> None:
    if not np.isfinite(lanes.objective).any():
        raise FitError(
            f"{problem.layout.law.name} gave no finite value at any of {len(lanes.theta)} starts. "
            "Check that it is finite at ordinary parameters: law(…); it may take the logarithm "
            "or a root of a negative number, or overflow."
        )


def _staged(
    problem: Problem | Families,
    starts: np.ndarray,
    family: np.ndarray,
    stages: tuple[tuple[int, float, int], ...],
    on: Where,
    tick: Callable[[int], object] | None,
) -> Lanes:
    """Successive halving with a quota for each family; then the best to the end."""
    kinked = problem.model.kind == "least_absolute"
    members = family if isinstance(problem, Families) else None
    # The kink itself is for the end: see descend.
    width = _KINK_STAGE if kinked else None
    going = np.arange(len(starts))
    lanes = None
    for steps, share, least in stages:
        settings = Settings(steps=steps, width=width)
        now = _go_on(problem, lanes, starts, going, members, settings, on)
        lanes = now if lanes is None else lanes.replaced(going, now)
        quota = max(int(share * len(starts) / len(np.unique(family))), least)
        kept = best_of_each(lanes.objective, family, going, quota)
        dead = lanes.status == Status.DEAD_START
        dropped = np.setdiff1d(going, kept)
        lanes.status[dropped[~dead[dropped]]] = Status.DROPPED
        if tick is not None:
            tick(len(dropped))
        # What has converged in float32, or beside a kink, has not converged yet.
        coarse = kinked or on.mixed
        going = kept if coarse else kept[lanes.status[kept] == Status.OUT_OF_STEPS]
    assert lanes is not None
    if tick is not None:
        tick(len(going))
    chosen = None if members is None else members[going]
    if kinked:
        last = descend(
            problem, lanes.theta[going], family=chosen, settings=_SEARCH, devices=on.polish
        )
    else:
        # From float32 a lane knows where it is, but not how far it can trust its model.
        damping = np.full(len(going), WARM.damping) if on.mixed else lanes.damping[going]
        last = solve(
            problem, lanes.theta[going], family=chosen, damping=damping,
            settings=_SEARCH, devices=on.polish,
        )  # fmt: skip
    return lanes.replaced(going, last)


def _go_on(
    problem: Any, lanes: Lanes | None, starts: np.ndarray, going: np.ndarray, members: Any,
    settings: Settings, on: Where,
) -> Lanes:  # fmt: skip
    """Take lanes ``going`` on from where they are, or from their starts."""
    family = None if members is None else members[going]
    theta = starts[going] if lanes is None else lanes.theta[going]
    damping = None if lanes is None else lanes.damping[going]
    return solve(
        problem, theta, damping=damping, family=family,
        settings=settings, devices=on.devices, single=on.mixed,
    )  # fmt: skip


def best_of_each(
    objective: np.ndarray, family: np.ndarray, among: np.ndarray, quota: int
) -> np.ndarray:
    """Return which lanes of ``among`` are the ``quota`` lowest of their family, in order."""
    value = np.where(np.isfinite(objective[among]), objective[among], np.inf)
    order = among[np.lexsort((among, value, family[among]))]
    groups = family[order]
    first = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    size = np.diff(np.r_[first, len(order)])
    rank = np.arange(len(order)) - np.repeat(first, size)
    return np.sort(order[(rank < quota) & np.isfinite(objective[order])])


def _seed_dead_terms_anew(problem: Problem, lanes: Lanes) -> Lanes:
    """Give the best lanes in which a term has died another chance; keep what is better."""
    if not problem.layout.linear or len(lanes.theta) == 1:
        return lanes
    best = np.argsort(lanes.objective, kind="stable")[: 4 * _RESEEDED]
    best = best[np.isfinite(lanes.objective[best])]
    shares = lane_shares(problem, lanes.theta[best][None])[0]
    dead = ~(shares >= _DEAD_SHARE)
    which = np.flatnonzero(dead.any(axis=1))[:_RESEEDED]
    if not which.size:
        return lanes
    seeded = reseed(problem, lanes.theta[best[which]], dead[which])
    again = descend(problem, seeded, settings=_SEARCH)
    better = again.objective < lanes.objective[best[which]]
    chosen = Lanes(*(np.asarray(v)[better] for v in vars(again).values()))
    return lanes.replaced(best[which][better], chosen)


def _finish(problem: Problem, lanes: Lanes, within: float, steps: int) -> Lanes:
    """Give the best unfinished lanes, a few of them, more steps.

    Only lanes whose objective is at most ``within`` times the best are worth it.
    """
    near = lanes.objective <= within * lanes.objective[lanes.best]
    which = np.flatnonzero(near & (lanes.status == Status.OUT_OF_STEPS))
    which = which[np.argsort(lanes.objective[which], kind="stable")][:_FINISHED]
    settings = Settings(steps=steps)
    more = solve(problem, lanes.theta[which], damping=lanes.damping[which], settings=settings)
    return lanes.replaced(which, more)


def _finish_families(
    families: Families, lanes: Lanes, family: np.ndarray, within: float, steps: int, devices: Any
) -> Lanes:
    lowest = np.full(len(families.parts), np.inf)
    np.minimum.at(lowest, family, np.where(np.isfinite(lanes.objective), lanes.objective, np.inf))
    near = lanes.objective <= within * lowest[family]
    unfinished = np.flatnonzero(near & (lanes.status == Status.OUT_OF_STEPS))
    if not unfinished.size:
        return lanes
    which = best_of_each(lanes.objective, family, unfinished, 4)
    more = solve(
        families, lanes.theta[which], damping=lanes.damping[which], family=family[which],
        settings=Settings(steps=steps), devices=devices,
    )  # fmt: skip
    return lanes.replaced(which, more)
