"""Refits: resamples of a fit's problem, refitted in chunks.

Each refit starts at the fit. Since a resample's best optimum may lie in another basin, a share
of them (the guarded ones) also starts at other optima of the fit's own objective and at
automatic starts; the lowest is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from jscale.data.resampling import Units, count_units
from jscale.errors import FitWarning, JscaleError, outside
from jscale.fitting.diagnostics import linearise, rounding_floor
from jscale.fitting.problem import Families, Problem
from jscale.fitting.solver.gauss_newton import WARM, Lanes, SolveSettings, Status, descend
from jscale.fitting.solver.lbfgs import descend_lbfgs
from jscale.fitting.solver.starts import automatic
from jscale.uncertainty.noise.model import studentised_by

# Numbers in the weights or targets of a chunk of resamples: 64 MB.
_NUMBERS_AT_ONCE = 2**23
# Below this many units there are few patterns of signs, and Webb's six points replace them.
_FEW_FOR_SIGNS = 12
_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))

# Kinds whose resamples are weights; those of the others are targets.
WEIGHTED = ("pairs", "bayesian")

_COLD = SolveSettings(steps=150)
_AUTOMATIC = 32
_OTHER_OPTIMA = 2
_GUARDED_SHARE = 0.05
_GUARDED_LEAST = 50
# A refit that is lower by this share lies in another basin; rounding is far smaller.
_LOWER = 1e-6
_MANY_SWITCH = 0.03
_MANY_FAIL = 0.01


@dataclass(frozen=True, eq=False)
class Refits:
    """The refits of R resamples.

    ``theta`` (R, p), ``objective`` and ``status`` (R,); ``switched`` (R,) marks those whose lowest
    optimum was reached from elsewhere than the fit. Of the first of each chunk, ``guarded`` in
    all, ``seen`` switched; ``everywhere`` says that all later ones then started elsewhere too.
    """

    theta: np.ndarray
    objective: np.ndarray
    status: np.ndarray
    switched: np.ndarray
    guarded: int
    seen: int
    everywhere: bool

    @property
    def good(self) -> np.ndarray:
        """Which refits are finite (R,)."""
        return np.isfinite(self.objective) & np.isfinite(self.theta).all(axis=1)


def refit(resampler: Resampler, resamples: int, tick: Callable[[int], object] | None) -> Refits:
    """Refit resamples from the fit's optimum. Call inside the float64 scope."""
    theta = resampler.theta
    others = [] if resampler.lbfgs else list(_elsewhere(resampler.problem, theta))
    share = max(_GUARDED_LEAST / resamples, _GUARDED_SHARE)
    parts: list[tuple[Lanes, np.ndarray]] = []
    guarded = seen = 0
    everywhere = False
    for chunk in resampler.chunks(resamples):
        every = np.arange(chunk.count)
        lanes = chunk.descend(every, np.repeat(theta[None], len(every), axis=0), WARM, tick)
        # The first of each chunk, since resamples are exchangeable.
        some = every[: int(np.ceil(share * len(every)))] if others else every[:0]
        guard = _Guard(chunk, lanes, others, rounding_floor(resampler.problem))
        guard.start(some)
        guarded, seen = guarded + len(some), seen + int(guard.switched.sum())
        # Once switches are common the fit's own basin is no longer a safe start.
        everywhere |= seen > _MANY_SWITCH * max(guarded, 1)
        if everywhere:
            guard.start(every[len(some) :])
        parts.append((guard.lanes, guard.switched))
    return Refits(
        theta=np.concatenate([lanes.theta for lanes, _ in parts]),
        objective=np.concatenate([lanes.objective for lanes, _ in parts]),
        status=np.concatenate([lanes.status for lanes, _ in parts]),
        switched=np.concatenate([switched for _, switched in parts]),
        guarded=guarded,
        seen=seen,
        everywhere=everywhere,
    )


def warn_of_failures(count: int, failed: int, unsettled: int, do: str) -> None:
    """Warn with FitWarning where over 1% of refits failed or did not converge; say what to do."""
    if failed + unsettled > _MANY_FAIL * count:
        warnings.warn(
            f"{failed} of {count} resamples failed and {unsettled} did not converge: the "
            f"intervals may be off. {do}",
            FitWarning,
            stacklevel=outside(),
        )


class _Start(NamedTuple):
    """Starting coordinates (k, p), used in turn, and the settings of their solve."""

    theta: np.ndarray
    settings: SolveSettings


def _elsewhere(problem: Problem, theta: np.ndarray) -> Iterator[_Start]:
    """Yield starts away from ``theta``: other optima of the problem's own, automatic starts."""
    cold = automatic(problem, _AUTOMATIC)
    others = other_optima(problem, theta, cold)
    if others is None:
        return
    for other in others:
        yield _Start(other[None], WARM)
    yield _Start(cold, _COLD)


def other_optima(problem: Problem, theta: np.ndarray, cold: np.ndarray) -> np.ndarray | None:
    """Return the best optima (k, p) reached from starts (m, p), other than that of ``theta`` (p,).

    At most two, the lowest first; None where the objective is not finite from ``theta``. Call
    inside the float64 scope.
    """
    lanes = descend(problem, np.concatenate([theta[None], cold]), settings=_COLD)
    rounding = rounding_floor(problem)
    if not np.isfinite(lanes.objective[0]):
        return None
    last, optima = [lanes.objective[0]], []
    for k in np.argsort(lanes.objective, kind="stable"):
        far = all(abs(lanes.objective[k] - x) > _LOWER * x + rounding for x in last)
        if lanes.status[k] == Status.CONVERGED and far and len(last) <= _OTHER_OPTIMA:
            last.append(lanes.objective[k])
            optima.append(lanes.theta[k])
    return np.array(optima).reshape(-1, len(theta))


class _Guard:
    """Starts some refits of a chunk elsewhere too, and keeps the lower optimum."""

    def __init__(self, chunk: Chunk, lanes: Lanes, others: list[_Start], rounding: float) -> None:
        self.chunk, self.lanes, self.others, self.rounding = chunk, lanes, others, rounding
        self.switched = np.zeros(chunk.count, dtype=bool)

    def start(self, which: np.ndarray) -> None:
        """Start refits ``which`` at each of the other starts."""
        for other in self.others if len(which) else ():
            starts = other.theta[which % len(other.theta)]
            again = self.chunk.descend(which, starts, other.settings, None)
            finite = np.isfinite(self.lanes.objective[which])
            known = np.where(finite, self.lanes.objective[which], 0.0)
            # A refit that failed from the fit takes any finite end from elsewhere.
            limit = np.where(finite, known - (_LOWER * np.abs(known) + self.rounding), np.inf)
            better = np.isfinite(again.objective) & (again.objective < limit)
            self.switched[which[better]] = finite[better] | self.switched[which[better]]
            self.lanes = self.lanes.replaced(which[better], again.taken(better))


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some resamples of a problem: weights (R, n) of their own, or a family (targets) each."""

    problem: Problem
    count: int
    weights: np.ndarray | None = None
    families: Families | None = None
    lbfgs: bool = False

    def descend(
        self, which: np.ndarray, starts: np.ndarray, settings: SolveSettings, tick: Any
    ) -> Lanes:
        """Refit resamples ``which`` (k,), each from its start (k, p)."""
        if self.families is not None:
            return descend(self.families, starts, family=which, settings=settings, progress=tick)
        assert self.weights is not None
        lane_weights = self.weights[which]
        if self.lbfgs:
            return descend_lbfgs(self.problem, starts, weights=lane_weights, progress=tick)
        return descend(self.problem, starts, weights=lane_weights, settings=settings, progress=tick)


class Resampler(Protocol):
    """Makes resamples of a ``problem``, whose refits start at ``theta`` (p,)."""

    @property
    def problem(self) -> Problem:
        """The problem that is resampled."""
        ...

    @property
    def theta(self) -> np.ndarray:
        """The coordinates at which refits start (p,)."""
        ...

    @property
    def lbfgs(self) -> bool:
        """Whether refits descend by L-BFGS."""
        ...

    def chunks(self, resamples: int) -> Iterator[Chunk]:
        """Yield all resamples, in chunks of bounded memory."""
        ...


def chunk_size(problem: Problem) -> int:
    """Return how many resamples of a problem are refitted at a time."""
    return max(_NUMBERS_AT_ONCE // problem.rows, 8)


@dataclass(frozen=True, eq=False)
class RandomResamples:
    """Draws resamples of one kind, from a single stream of random numbers.

    ``units`` are those of the rows with weight.
    """

    problem: Problem
    kind: str
    units: Units
    theta: np.ndarray
    seed: int
    lbfgs: bool = False

    def chunks(self, resamples: int) -> Iterator[Chunk]:
        """Yield all resamples, in chunks of bounded memory."""
        rng = np.random.default_rng(self.seed)
        most = chunk_size(self.problem)
        draw = self._weights if self.kind in WEIGHTED else self._targets()
        for first in range(0, resamples, most):
            yield draw(min(most, resamples - first), rng)

    def _weights(self, count: int, rng: np.random.Generator) -> Chunk:
        problem = self.problem
        weights = np.zeros((count, problem.n))
        weights[:, problem.used] = count_units(
            self.units, count, rng, smooth=self.kind == "bayesian"
        )
        weights *= problem.weights[: problem.n]
        return Chunk(problem, count, weights=weights, lbfgs=self.lbfgs)

    def _targets(self) -> Callable[[int, np.random.Generator], Chunk]:
        problem = self.problem
        optimum = linearise(problem, self.theta)
        # Studentised, since a fit bends towards its own runs and its raw residuals are too small.
        errors = centred(problem, studentised_by(problem, optimum, self.units.unit))
        target = np.array(problem.data.target)
        used = np.flatnonzero(problem.used)
        curve = target[used] + optimum.residual[used]
        pick = (
            wild_errors(self.units, errors)
            if self.kind == "wild"
            else residual_errors(self.units, errors)
        )

        def draw(count: int, rng: np.random.Generator) -> Chunk:
            targets = np.repeat(target[None], count, axis=0)
            targets[:, used] = curve + pick(count, rng)
            return Chunk(problem, count, families=Families.repeat(problem, count, target=targets))

        return draw


def centred(problem: Problem, errors: np.ndarray) -> np.ndarray:
    """Subtract from errors (n,) the constant that the objective would fit to them.

    It is the mean for squares and the median for absolute values, so that the fitted curve is the
    optimum under resampled errors. By bisection: the slope of a sum of losses changes sign once.
    """
    weights = problem.weights[: problem.n][problem.used]
    low, high = float(errors.min()), float(errors.max())
    for _ in range(80):
        middle = 0.5 * (low + high)
        psi = problem.objective(middle - errors).psi
        low, high = (middle, high) if weights @ psi < 0 else (low, middle)
    return errors - 0.5 * (low + high)


def residual_errors(
    units: Units, errors: np.ndarray
) -> Callable[[int, np.random.Generator], np.ndarray]:
    """Return a function that permutes units' errors (n,) within strata, with replacement: (R, n).

    Raises JscaleError unless all units of a stratum have the same number of rows.
    """
    strata = []
    for stratum in np.unique(units.stratum):
        rows = np.flatnonzero(units.stratum == stratum)
        # Blocks of rows by unit, so that one index moves a whole unit.
        rows = rows[np.argsort(units.unit[rows], kind="stable")]
        sizes = np.unique(units.unit[rows], return_counts=True)[1]
        if sizes.min() < sizes.max():
            raise JscaleError(
                'kind="residual" puts the errors of one cluster onto another, row by row, but '
                f'clusters have {sizes.min()} to {sizes.max()} rows; use kind="wild" or "pairs".'
            )
        strata.append(rows.reshape(len(sizes), -1))

    def draw(count: int, rng: np.random.Generator) -> np.ndarray:
        out = np.empty((count, len(errors)))
        for blocks in strata:
            chosen = rng.integers(len(blocks), size=(count, len(blocks)))
            out[:, blocks] = errors[blocks][chosen]
        return out

    return draw


def wild_errors(
    units: Units, errors: np.ndarray
) -> Callable[[int, np.random.Generator], np.ndarray]:
    """Return a function that multiplies errors (n,) by a random number per unit: (R, n).

    Signs (Rademacher) preserve the size of each error, and with it the density at a kink, on which
    near-absolute losses depend; below 12 units their few patterns are widened to Webb's six points,
    ±√½, ±1, ±√1½ (Webb, Queen's Economics Department Working Paper 1315). Mammen's two points,
    not symmetric, would move the curve of any objective but squares.
    """
    _, place = np.unique(units.unit, return_inverse=True)
    many = int(place.max()) + 1
    points = np.concatenate([-_WEBB, _WEBB]) if many < _FEW_FOR_SIGNS else np.array([-1.0, 1.0])

    def draw(count: int, rng: np.random.Generator) -> np.ndarray:
        return points[rng.integers(len(points), size=(count, many))][:, place] * errors

    return draw
