"""profile: how much worse a law fits as one quantity is moved away from its estimate.

At each value the law is refitted with the quantity constrained there (see
:mod:`jscale.uncertainty.constrained`): the profile of the objective. It does not
assume that the quantity is normal on any scale: an interval may be asymmetric, or unbounded where
the runs set no bound. All values are lanes of one batch. A fit with the quantity constrained near
a value lies on the profile at the value that it attains, so no multiplier is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.errors import FitError, JscaleError
from jscale.fitting.diagnostics import (
    flat_names,
    linearise,
    natural_parameters,
    of_parameters,
    rounding_floor,
    smoothed_curvature,
)
from jscale.fitting.notes import Note
from jscale.fitting.objective import from_space, to_space
from jscale.fitting.result import Fit
from jscale.fitting.solver.gauss_newton import WARM, descend
from jscale.fitting.statistics import floored, unit_diagonal_eigh
from jscale.uncertainty.constrained import Constrained, constrain
from jscale.uncertainty.draws import no_spare_runs

# Reach of the first values, in half-widths of a normal interval, and the number of doublings.
_REACH = 1.5
_DOUBLINGS = 5
# The improvement in the statistic above which another optimum is reported.
_BETTER = 0.05
_EDGES = {"log": (0.0, np.inf), "logit": (0.0, 1.0), "linear": (-np.inf, np.inf)}


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of one quantity.

    Attributes
    ----------
    fit : Fit
        The fit.
    name : str
        The quantity.
    estimate : float
        Its value at the fit.
    table : DataFrame
        One row per value, in order: ``value``, ``objective`` (the least sum with the quantity fixed
        there), ``statistic`` (about F(1, ``freedom``), a chi-square for many runs), and the law's
        parameters there.
    level : float
        The highest level that the values were followed far enough for.
    freedom : int
        Independent runs less free parameters.
    space : {"log", "logit", "linear"}
        What values are interpolated in.
    notes : tuple of Note
        What to know about it.
    """

    fit: Fit
    name: str
    estimate: float
    table: pd.DataFrame
    level: float
    freedom: int
    space: str
    notes: tuple[Note, ...] = ()

    def interval(self, level: float | None = None) -> tuple[float, float]:
        """Return the interval of the quantity.

        It holds the values whose statistic lies below the quantile of F(1, freedom).

        Parameters
        ----------
        level : float, optional
            By default, the level of the profile.

        Returns
        -------
        tuple of float
            The two ends. Where the profile was followed far out and does not rise so high, the
            interval
            extends to the end of the quantity's range: 0 or infinity.

        Raises
        ------
        JscaleError
            For a level outside (0, 1), or above the one that the profile was made for.
        """
        level = self.level if level is None else check_level(level)
        if level > self.level:
            raise JscaleError(
                f"level={level:g}: this profile was followed for intervals up to {self.level:g}. "
                f"Make one for it: profile(fit, …, level={level:g})."
            )
        limit = limit_of(level, self.freedom)
        value = self.table["value"].to_numpy()
        with float64_scope():
            at = np.asarray(to_space(value, self.space))
        root = np.sqrt(self.table["statistic"].to_numpy())
        middle = int(np.abs(value - self.estimate).argmin())
        below = _crossing(at[middle::-1], root[middle::-1], limit)
        above = _crossing(at[middle:], root[middle:], limit)
        low, high = _EDGES[self.space]
        return (
            low if below is None else float(from_space(below, self.space)),
            high if above is None else float(from_space(above, self.space)),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per value.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        low, high = self.interval()
        notes = "".join(f"\n{note}" for note in self.notes)
        return (
            f"Profile of {self.name}: {self.estimate:.5g}, {100 * self.level:g}% interval "
            f"[{low:.5g}, {high:.5g}], {len(self.table)} values{notes}"
        )


def profile(
    fit: Fit,
    what: str | Mapping[str, Any] | Callable[[Mapping[str, Any]], Any],
    *,
    level: float = 0.9,
    points: int = 24,
) -> Profile:
    """Follow the profile of a quantity, from which its interval is read.

    Parameters
    ----------
    fit : Fit
        The fit.
    what : str, mapping or callable
        A parameter ("alpha", "E[a]"), a combination of ``fit.derived`` by name, a mapping of inputs
        (the curve there: ``{"N": 7e9, "D": 1e12}``), or a function of the parameters, which come as
        a
        mapping, written with jax.numpy.
    level : float
        The level of the interval.
    points : int
        The number of values at which the objective is minimised with the quantity fixed; more are
        added where an end of the interval is not yet reached.

    Returns
    -------
    Profile
        ``profile.interval()`` is the interval. Where the profile never rises so high, the interval
        is
        open and a note ``profile-open`` says so.

    Raises
    ------
    JscaleError
        For an unknown name, a level outside (0, 1), or a quantity that no free parameter moves.
    FitError
        Without a run to spare, or without noise.

    Notes
    -----
    With F the objective, the statistic is 2·(F − F̂)·c. For least squares of rows that are each a
    run, c = 1/s² with s² = 2·F̂/(n − p), and the interval is the exact t-interval where the law is
    linear. Other objectives are not likelihoods; with a the quantity's slope, H the (smoothed)
    Hessian and V the sandwich covariance of the parameters, c = aᵀH⁻¹a/aᵀVa then gives the
    statistic
    the size of a chi-square (Kent, Biometrika 69, 1982; Chandler and Bate, Biometrika 94, 2007). It
    is compared with F(1, n − p), where n counts runs. A scale that the fit estimated is held fixed.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> low, high = profile(fit, "alpha").interval()
    >>> bool(low < fit.params["alpha"] < high)
    True
    """
    check_level(level)
    if isinstance(points, bool) or not isinstance(points, Integral) or points < 4:
        raise JscaleError(
            f"points={points!r} must be a whole number, at least 4: profile(fit, …, points=24)."
        )
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)
    limit = limit_of(level, fit.problem.freedom)
    with float64_scope():
        held = constrain(fit, what)
        walk = _Walk(held, _Scale.of(fit, held), limit)
        walk = walk.solved(np.linspace(-_REACH, _REACH, int(points)))
        # A profile flatter than its parabola crosses the limit further out.
        for doubling in range(_DOUBLINGS):
            further = walk.further(_REACH * 2.0**doubling, int(points))
            if not len(further):
                break
            walk = walk.solved(further)
        # Lanes that ended in a worse valley are found by their neighbours' better ends.
        walk = walk.from_neighbours()
        return _result(walk, level)


def limit_of(level: float, freedom: int) -> float:
    """Return the limit of √statistic inside an interval: Student's t quantile."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 * (1.0 + level)))


def _crossing(at: np.ndarray, root: np.ndarray, limit: float) -> float | None:
    """Where √statistic last passes ``limit`` on the way out, or None where it ends below it."""
    last = int(np.flatnonzero(root < limit)[-1]) if (root < limit).any() else 0
    if last + 1 == len(root):
        return None
    share = (limit - root[last]) / max(root[last + 1] - root[last], 1e-300)
    return float(at[last] + np.clip(share, 0.0, 1.0) * (at[last + 1] - at[last]))


@dataclass(frozen=True, eq=False)
class _Scale:
    """The scale of the statistic: ``c`` times 2·(F − ``best``).

    ``error`` is the standard error of the quantity's coordinate, ``curvature`` the profile's
    second derivative in it, ``along`` (p,) how parameters follow it to first order.
    """

    best: float
    c: float
    error: float
    curvature: float
    along: np.ndarray

    @classmethod
    def of(cls, fit: Fit, held: Constrained) -> _Scale:
        problem, a = fit.problem, held.slope
        best = float(held.objectives(fit.theta[None])[0])
        if best <= rounding_floor(problem):
            raise FitError(
                f"{fit.law.name} passes exactly through its runs: there is no noise to judge a "
                "profile by. All values but the estimate are ruled out."
            )
        if not np.isfinite(a).all() or not a.any():
            raise JscaleError(
                f"{held.name} does not depend on any free parameter at the fit: it has no profile."
            )
        along = _solve(fit, a)
        inverse = float(a @ along)
        if _is_classical(fit):
            # Then c·2(F − F̂) is the usual F statistic with 1 and n − p degrees of freedom.
            c = problem.freedom / (2.0 * best)
        else:
            # Otherwise scaled to match the sandwich variance near the estimate.
            c = inverse / float(of_parameters(fit.theta_covariance, a[None])[0, 0])
        error = float(np.clip(np.sqrt(inverse / c), 1e-12, 1e3)) if c > 0 else 1.0
        return cls(best, c, error, 1.0 / inverse, along / inverse)


def _solve(fit: Fit, a: np.ndarray) -> np.ndarray:
    """Return H⁻¹a (p,), H the smoothed Hessian; directions without data give little."""
    problem = fit.problem
    optimum = linearise(problem, fit.theta)
    used = problem.used
    J, r = optimum.jacobian[used], optimum.residual[used]
    J = np.where(np.isfinite(J).all(axis=0), J, 0.0)
    w = problem.weights[: problem.n][used]
    H = (J * (w * smoothed_curvature(problem.objective, r))[:, None]).T @ J
    scale, values, vectors = unit_diagonal_eigh(H)
    return scale * (vectors @ ((vectors.T @ (scale * a)) / floored(values)))


def _is_classical(fit: Fit) -> bool:
    """Whether the residuals' sum of squares is a chi-square of n − p: squares of lone rows."""
    units = fit.problem.units[fit.problem.used]
    lone = len(np.unique(units)) == len(units)
    return fit.settings.solved.quadratic and lone


@dataclass(frozen=True, eq=False)
class _Walk:
    """A partial profile.

    For each ``target`` (G,), in units of ``limit`` standard errors, the lane that ended lowest:
    ``total`` with the pseudo-observation, ``theta`` (G, p), and the quantity's coordinate ``at``
    and the ``objective`` of the real runs there.
    """

    held: Constrained
    scale: _Scale
    limit: float
    target: np.ndarray = field(default_factory=lambda: np.empty(0))
    total: np.ndarray = field(default_factory=lambda: np.empty(0))
    theta: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    at: np.ndarray = field(default_factory=lambda: np.empty(0))
    objective: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def statistic(self) -> np.ndarray:
        """2·(F − F̂)·c at each target, F̂ the least objective met."""
        # A better optimum on the way becomes the reference, so that no statistic is negative.
        least = min(self.scale.best, float(self.objective.min(initial=np.inf)))
        return np.maximum(2.0 * (self.objective - least) * self.scale.c, 0.0)

    def solved(self, target: np.ndarray) -> _Walk:
        """Add targets, started from the first-order prediction and from the nearest known."""
        fit = self.held.fit
        shift = (target * self.limit * self.scale.error)[:, None] * self.scale.along
        # First order fails far out: starts stay within a few units of the estimate.
        most = 3.0 * np.maximum(np.abs(fit.theta), 1.0)
        ahead = fit.theta + np.clip(shift, -most, most)
        # The nearest solution is the safer start where the first-order one is far off.
        near = np.repeat(fit.theta[None], len(target), axis=0)
        if len(self.target):
            near = self.theta[np.abs(target[:, None] - self.target).argmin(axis=1)]
        return self._from(np.tile(target, 2), np.concatenate([ahead, near]))

    def from_neighbours(self) -> _Walk:
        """Solve again for each target, started from its neighbours' solutions."""
        last = len(self.target) - 1
        before = np.maximum(np.arange(last + 1) - 1, 0)
        after = np.minimum(np.arange(last + 1) + 1, last)
        starts = np.concatenate([self.theta[before], self.theta[after]])
        return self._from(np.tile(self.target, 2), starts)

    def _from(self, target: np.ndarray, starts: np.ndarray) -> _Walk:
        """Solve for targets from starts, and keep the lowest lane of each, old ones included."""
        wanted = self.held.centre + target * self.limit * self.scale.error
        problems = self.held.problems(wanted, self.scale.error, self.scale.curvature)
        lanes = descend(problems, starts, family=np.arange(len(target)), settings=WARM)
        at, objective = self.held.at(lanes.theta), self.held.objectives(lanes.theta)
        good = np.isfinite(at) & np.isfinite(objective) & np.isfinite(lanes.objective)
        new = (target, lanes.objective, lanes.theta, at, objective)
        whole = tuple(x[good] for x in new)
        if len(self.target):
            old = (self.target, self.total, self.theta, self.at, self.objective)
            whole = tuple(np.concatenate(pair) for pair in zip(old, whole, strict=True))
        if not len(whole[0]):
            raise FitError(
                f"No fit with {self.held.name} constrained converged: the objective is not finite "
                "nearby. Read fit.notes, or use js.bootstrap(fit)."
            )
        # Sorted by target, then by objective: the first of each target is its lowest lane.
        order = np.lexsort((whole[1], whole[0]))
        _, first = np.unique(whole[0][order], return_index=True)
        kept = [x[order[first]] for x in whole]
        return replace(self, **dict(zip(_COLUMNS, kept, strict=True)))

    def further(self, reach: float, points: int) -> np.ndarray:
        """Return targets from ``reach`` to twice that, on sides where the interval is open."""
        root = np.sqrt(self.statistic)
        steps = np.linspace(1.0, 2.0, max(points // 4, 2) + 1)[1:] * reach
        low = self.target < 0
        sides = []
        for side, sign in ((low, -1.0), (~low, 1.0)):
            if not (side & (root >= self.limit)).any():
                sides.append(sign * steps)
        return np.sort(np.concatenate(sides)) if sides else np.empty(0)


_COLUMNS = ("target", "total", "theta", "at", "objective")


def _result(walk: _Walk, level: float) -> Profile:
    held, fit, scale = walk.held, walk.held.fit, walk.scale
    theta = np.concatenate([walk.theta, fit.theta[None]])
    at, objective = np.r_[walk.at, held.centre], np.r_[walk.objective, scale.best]
    statistic = np.maximum(2.0 * (objective - objective.min()) * scale.c, 0.0)
    order = np.argsort(at, kind="stable")
    value = from_space(at, held.space)
    table = pd.DataFrame({"value": value, "objective": objective, "statistic": statistic})
    natural = pd.DataFrame(natural_parameters(fit.problem, theta), columns=list(_names(fit)))
    table = pd.concat([table, natural], axis=1).iloc[order].reset_index(drop=True)
    estimate, freedom = float(value[-1]), fit.problem.freedom
    profiled = Profile(fit, held.name, estimate, table, level, freedom, held.space)
    better = 2.0 * (scale.best - objective.min()) * scale.c
    return replace(profiled, notes=tuple(_notes(profiled, better)))


def _names(fit: Fit) -> tuple[str, ...]:
    return flat_names(fit.problem.layout)


def _notes(profiled: Profile, better: float) -> list[Note]:
    notes = []
    ends = zip(("below", "above"), profiled.interval(), _EDGES[profiled.space], strict=True)
    sides = [side for side, end, edge in ends if end == edge]
    if sides:
        notes.append(
            Note(
                "profile-open",
                "caution",
                f"The profile of {profiled.name} does not rise to the "
                f"{100 * profiled.level:g}% limit {' or '.join(sides)} the estimate, as far as it "
                "was followed.",
                "The runs set no bound there: the interval is open.",
                "Read predictions, which are better determined; add runs that bound it, or fix it.",
            )
        )
    if better > _BETTER:
        notes.append(
            Note(
                "profile-lower",
                "warning",
                f"A better optimum was met along the profile (by a statistic of {better:.2g}).",
                "The fit is not at the lowest objective; the interval refers to the better one.",
                f"Fit again with more starts: starts={4 * max(profiled.fit.agree[1], 16)}.",
            )
        )
    return notes
