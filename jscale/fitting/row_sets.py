"""Fits of many sets of rows, in one batch: families, splits, resampled tables.

Sets × starts (and then sets × resamples) are lanes of one program. Sets of similar size share a
bucket of padded rows; a chunk of them is solved at a time, which bounds memory. A set that cannot
be fitted keeps its row in the table, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.resampling import Units
from jscale.data.runs import Runs
from jscale.fitting import notes as judge
from jscale.fitting.build import build
from jscale.fitting.diagnostics import (
    Optimum,
    covariance,
    directions,
    flat_names,
    linearise_all,
    natural_parameters,
    of_parameters,
    rounding_floor,
    studentised,
)
from jscale.fitting.draw_methods import Method, Weigh, get_batched
from jscale.fitting.objective import from_space
from jscale.fitting.problem import Families, Problem, buckets
from jscale.fitting.progress import lane_bar
from jscale.fitting.provenance import provenance
from jscale.fitting.settings import Settings
from jscale.fitting.solver import starts as starting
from jscale.fitting.solver.gauss_newton import WARM, Lanes, Status, descend
from jscale.fitting.solver.search import search_families
from jscale.fitting.table import FitTable
from jscale.model.law import Law

# Limits of a chunk of sets: lanes, and cells (lane × row) of resamples' weights.
_LANES_AT_ONCE = 2**15
_CELLS_AT_ONCE = 2**22


@dataclass(frozen=True, eq=False)
class RowSets:
    """Sets of rows of a table, which may overlap.

    ``rows`` are the numbers of each set's rows, ``labels`` the sets' names, and ``by`` says what
    the sets are: a column whose labels they have, or "split".
    """

    rows: Sequence[np.ndarray]
    labels: Sequence[Any]
    by: str


@dataclass(frozen=True)
class Sampling:
    """The number of draws of the parameters for each set, and their method.

    ``method`` is the name of a registered one that draws many sets at once.
    """

    resamples: int = 0
    method: str = "bootstrap"

    @property
    def refits(self) -> bool:
        """Whether the draws are refits of resamples."""
        return self.resamples > 0 and self.how.weigh is not None

    @property
    def how(self) -> Method:
        """The method."""
        return get_batched(self.method)


def fit_sets(
    law: Law,
    runs: Runs,
    sets: RowSets,
    settings: Settings,
    *,
    sampling: Sampling | None = None,
    devices: Sequence[Any] | None = None,
    progress: bool = False,
) -> FitTable:
    """Fit a law to sets of rows, all in one batch.

    Parameters
    ----------
    law : Law
        The law.
    runs : Runs
        The table whose rows the sets number.
    sets : RowSets
        The sets of rows.
    settings : Settings
        The choices of every fit.
    sampling : Sampling, optional
        Draws of the parameters; by default none.
    devices : sequence of jax.Device, optional
        Devices that share the lanes; by default the first one.
    progress : bool, optional
        Whether to show a bar.

    Returns
    -------
    FitTable
        One row for each set, in order.
    """
    with float64_scope():
        whole, _ = build(law, runs, settings)
        batch = _Batch(law, whole, settings, sampling or Sampling(), devices)
        return batch.table(sets, progress)


@dataclass(frozen=True)
class _Row:
    """The results kept for one set, and ``why`` it failed, if it did."""

    status: str
    params: np.ndarray
    covariance: np.ndarray
    theta_covariance: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    objective: float = np.nan
    agree: int = 0
    ended: int = 0
    starts: int = 0
    condition: float = np.nan
    notes: tuple[str, ...] = ()
    draws: np.ndarray | None = None
    unsettled: int = 0
    noise: np.ndarray | None = None
    why: str = ""


@dataclass(frozen=True)
class _Batch:
    """The choices of a batch, and its steps from sets of rows to their table."""

    law: Law
    whole: Problem
    settings: Settings
    sampling: Sampling
    devices: Sequence[Any] | None

    def table(self, sets: RowSets, progress: bool) -> FitTable:
        """Fit every set and put their rows in the order of the labels."""
        rows = sets.rows
        sizes = buckets([len(r) for r in rows])
        problems = [self.whole.part(r, size) for r, size in zip(rows, sizes, strict=True)]
        done: dict[int, _Row] = {}
        with lane_bar(len(rows), "families", progress) as tick:
            for members in self._chunks(problems, done):
                done.update(self._chunk(problems, members))
                if tick is not None:
                    tick(len(members))
        return self._assemble(sets, problems, [done[f] for f in range(len(rows))])

    def _chunks(self, problems: list[Problem], done: dict[int, _Row]) -> Iterator[list[int]]:
        """Yield families of one bucket, a bounded number at a time; too small ones are done."""
        buckets: dict[int, list[int]] = {}
        for f, problem in enumerate(problems):
            if problem.freedom < 0:
                p, n = problem.layout.size, problem.freedom + problem.layout.size
                done[f] = self._failed(f"{n} independent runs for {p} free parameters")
            else:
                buckets.setdefault(problem.rows, []).append(f)
        for size in sorted(buckets):
            most = max(1, _LANES_AT_ONCE // self._starts_each)
            if self.sampling.refits:
                most = max(1, min(most, _CELLS_AT_ONCE // (self.sampling.resamples * size)))
            for first in range(0, len(buckets[size]), most):
                yield buckets[size][first : first + most]

    @property
    def _starts_each(self) -> int:
        starts = self.settings.starts
        if isinstance(starts, tuple):
            return len(starts)
        named = {"auto": self.whole.layout.law.starts, "hoffmann": 4500}
        return named[starts] if isinstance(starts, str) else int(starts)

    def _failed(self, why: str) -> _Row:
        q = len(flat_names(self.whole.layout))
        return _Row("failed", np.full(q, np.nan), np.full((q, q), np.nan), why=why)

    def _chunk(self, problems: list[Problem], members: list[int]) -> dict[int, _Row]:
        families = Families.stack([problems[f] for f in members])
        starts = self._starts(families)
        lanes = search_families(families, starts, devices=self.devices)
        count = starts.shape[1]
        ends = [lanes.taken(slice(k * count, (k + 1) * count)) for k in range(len(members))]
        best = np.stack([end.theta[end.best] for end in ends])
        optima = linearise_all(families, best)
        shares = self._shares(families, best)
        refitted = self._resample(families, best, members) if self.sampling.refits else None
        done = {}
        for k, f in enumerate(members):
            if not np.isfinite(ends[k].objective).any():
                done[f] = self._failed(f"no finite objective at any of {count} starts")
                continue
            row = _judged(problems[f], ends[k], optima[k], shares[k])
            if refitted is not None:
                row = replace(row, draws=refitted[0][k], unsettled=refitted[1][k])
            elif self.sampling.resamples:
                drawn = self._approximate(problems[f], optima[k], row, f)
                lost = int(np.sum(np.isnan(drawn).any(axis=1)))
                row = replace(row, draws=drawn, unsettled=lost)
            done[f] = row
        return done

    def _approximate(self, problem: Problem, optimum: Optimum, row: _Row, f: int) -> np.ndarray:
        """Draw from a family's normal approximation: (resamples, q), NaN without a spare run."""
        count = self.sampling.resamples
        if problem.freedom < 1:
            return np.full((count, len(row.params)), np.nan)
        rng = np.random.default_rng((self.settings.seed, f))
        approximate = self.sampling.how.approximate
        assert approximate is not None
        theta = approximate(optimum.theta, row.theta_covariance, problem.freedom, count, rng)
        return natural_parameters(problem, theta)

    def _starts(self, families: Families) -> np.ndarray:
        chosen, seed = self.settings.starts, self.settings.seed
        if isinstance(chosen, tuple) or chosen == "hoffmann":
            return np.stack([starting.make(part, chosen, seed) for part in families.parts])
        return starting.automatic_many(families, self._starts_each, seed)

    def _shares(self, families: Families, theta: np.ndarray) -> list[dict[str, float]]:
        layout = families.layout
        labels = [layout.labels[i] for i, _ in layout.linear]
        if not labels:
            return [{} for _ in families.parts]
        shares = starting.lane_shares(families, theta[:, None])[:, 0]
        return [dict(zip(labels, map(float, row), strict=True)) for row in shares]

    def _resample(
        self, families: Families, best: np.ndarray, members: list[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Refit resamples of each family from its optimum.

        Returns parameters (F, resamples, q), NaN where a refit is not finite, and how many
        resamples of each family did not converge (F,).
        """
        R = self.sampling.resamples
        weigh = self.sampling.how.weigh
        assert weigh is not None
        weights = np.zeros((len(members), R, families.rows))
        for k, (f, part) in enumerate(zip(members, families.parts, strict=True)):
            counts = _weights(part, R, (self.settings.seed, f), weigh)
            weights[k, :, : part.n] = counts * part.weights[: part.n]
        family = np.repeat(np.arange(len(members)), R)
        lanes = descend(
            families,
            np.repeat(best, R, axis=0),
            weights=weights.reshape(len(family), -1),
            family=family,
            settings=WARM,
            devices=self.devices,
        )
        theta = np.where(np.isfinite(lanes.objective)[:, None], lanes.theta, np.nan)
        theta = theta.reshape(len(members), R, -1)
        natural = [natural_parameters(families.parts[k], t) for k, t in enumerate(theta)]
        settled = np.isfinite(lanes.objective) & (lanes.status == Status.CONVERGED)
        return np.stack(natural), np.sum(~settled.reshape(len(members), R), axis=1)

    def _assemble(self, sets: RowSets, problems: list[Problem], rows: list[_Row]) -> FitTable:
        names, resamples = list(flat_names(self.whole.layout)), self.sampling.resamples
        labels = tuple(sets.labels)
        index = pd.Index(list(labels), name=sets.by)
        errors = [np.sqrt(np.maximum(np.diag(r.covariance), 0.0)) for r in rows]
        summary = pd.DataFrame(
            {
                "status": [r.status for r in rows],
                "objective": [r.objective for r in rows],
                "rows": [p.n for p in problems],
                "runs": [p.freedom + p.layout.size for p in problems],
                "agree": [r.agree for r in rows],
                "ended": [r.ended for r in rows],
                "starts": [r.starts for r in rows],
                "condition": [r.condition for r in rows],
                "notes": [", ".join(r.notes) for r in rows],
            },
            index=index,
        )
        if resamples:
            summary["unsettled"] = [r.unsettled for r in rows]
        empty = np.full((resamples, len(names)), np.nan)
        draws = [empty if r.draws is None else r.draws for r in rows]
        return FitTable(
            law=self.law,
            by=sets.by,
            labels=labels,
            settings=self.settings,
            params=pd.DataFrame(np.stack([r.params for r in rows]), index, names),
            stderr=pd.DataFrame(np.stack(errors), index, names),
            covariance=np.stack([r.covariance for r in rows]),
            summary=summary,
            failures={k: r.why for k, r in zip(labels, rows, strict=True) if r.why},
            draws=np.stack(draws) if resamples else None,
            noise=tuple(np.zeros(0) if r.noise is None else r.noise for r in rows),
            provenance=provenance(),
        )


def _judged(problem: Problem, lanes: Lanes, optimum: Optimum, shares: dict[str, float]) -> _Row:
    """Return errors, status and the codes of the notes of one family."""
    theta_covariance = covariance(problem, optimum)
    conditioning = directions(problem, optimum)
    rounding = rounding_floor(problem)
    observed = from_space(np.asarray(problem.data.target)[: problem.n], problem.model.space)
    agree, ended = judge.agreement(lanes, rounding)
    notes = [
        *judge.notes_on_search(lanes, rounding),
        *judge.notes_on_optimum(problem, optimum, np.sqrt(np.diag(theta_covariance)), conditioning),
        *judge.notes_on_terms(problem, shares),
        *judge.notes_on_floor(problem, optimum, observed),
        *judge.notes_on_data(problem, ()),
    ]
    status = Status(int(lanes.status[lanes.best])).name.lower()
    return _Row(
        status=status,
        params=optimum.natural,
        covariance=of_parameters(theta_covariance, optimum.slope),
        theta_covariance=theta_covariance,
        objective=problem.objective.value(optimum.residual, problem.weights[: problem.n]),
        agree=agree,
        ended=ended,
        starts=len(lanes.theta),
        condition=conditioning.condition,
        notes=tuple(dict.fromkeys(note.code for note in notes)),
        noise=studentised(problem, optimum),
    )


def _weights(problem: Problem, resamples: int, seed: tuple[int, int], weigh: Weigh) -> np.ndarray:
    """How often each row is drawn in each resample of whole runs, or how much it weighs (R, n)."""
    runs = problem.units[problem.used]
    units, rng = Units(runs, np.zeros_like(runs)), np.random.default_rng(seed)
    counts = np.zeros((resamples, problem.n))
    counts[:, problem.used] = weigh(units, resamples, rng)
    return counts
