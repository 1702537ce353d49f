"""fit_many: one law fitted to many families in one batch of lanes.

Families × starts (and then families × resamples) are lanes of one program. Families of
similar size share a bucket of padded rows; a chunk of them is solved at a time, which bounds
memory. A family that cannot be fitted keeps its row, with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.data.checks import rows_at
from jscale.data.resampling import Units, count_units
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, JscaleError, listing, nearest, outside
from jscale.fitting import notes as judge
from jscale.fitting.build import as_runs, build
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
from jscale.fitting.fit import check_choices, chosen_devices, given_starts
from jscale.fitting.objective import Objective, as_objective, from_space
from jscale.fitting.problem import Families, Problem, buckets
from jscale.fitting.progress import lane_bar
from jscale.fitting.provenance import provenance
from jscale.fitting.result import Settings
from jscale.fitting.solver import starts as starting
from jscale.fitting.solver.gauss_newton import WARM, Lanes, Status, descend
from jscale.fitting.solver.search import search_families
from jscale.fitting.t_draws import t_draws
from jscale.fitting.table import FitTable
from jscale.model.law import Law

METHODS = ("bootstrap", "bayesian", "laplace")
# A chunk of families holds at most so many lanes, and cells (lane × row) of resamples' weights.
_LANES_AT_ONCE = 2**15
_CELLS_AT_ONCE = 2**22
_UNSETTLED_SHARE = 0.01


def fit_many(
    law: Law | str,
    data: Runs | pd.DataFrame,
    *,
    by: str,
    objective: Objective | str = "huber",
    weights: Any = None,
    fixed: Mapping[str, float] | None = None,
    tie: Sequence[Any] = (),
    starts: Any = "auto",
    start: Mapping[str, tuple[float, float]] | None = None,
    resamples: int = 0,
    method: str = "bootstrap",
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> FitTable:
    """Fit a law to each family of runs on its own, all in one batch.

    ``by`` names the column whose labels are the families; other arguments are those of
    :func:`jscale.fit`. ``resamples`` is the number of draws of each family, by ``method``:
    "bootstrap" refits resampled runs, "bayesian" refits randomly weighted ones (see
    :func:`jscale.bootstrap`), "laplace" is the t-tailed normal approximation.
    ``devices`` is None (the default one), "all", or a list of JAX devices: lanes are shared
    out among them. Memory is bounded: chunks of at most 32768 lanes are solved at a time.

    Raises DataError and LawError for input that cannot be fitted at all. A family that cannot
    (fewer runs than parameters, no finite start) keeps its row with status "failed"; one
    FitWarning says how many failed or did not converge.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> js.fit_many("chinchilla", small, by="part", starts=16).labels
    ('grid', 'isoflop')
    """
    law = laws.get(law)
    law = law.with_starts(start) if start else law
    runs = as_runs(law, data, columns)
    kind = as_objective(objective, law.space)
    check_choices(fixed, tie, None, seed)
    _check_own_choices(kind, resamples, method)
    chosen = given_starts(starts)
    codes, labels = _families(runs, by)
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(codes, minlength=len(labels)))[:-1])
    table = fit_sets(
        law, runs, rows, labels, by=by, objective=kind, weights=weights, fixed=fixed, tie=tie,
        starts=chosen, resamples=int(resamples), method=method, seed=int(seed),
        devices=devices, progress=progress,
    )  # fmt: skip
    _warn(table)
    return table


def fit_sets(
    law: Law,
    runs: Runs,
    rows: Sequence[np.ndarray],
    labels: Sequence[Any],
    *,
    by: str,
    objective: Objective,
    weights: Any = None,
    fixed: Mapping[str, float] | None = None,
    tie: Sequence[Any] = (),
    starts: Any = "auto",
    resamples: int = 0,
    method: str = "bootstrap",
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
) -> FitTable:
    """Fit a law to sets of rows (numbers of rows, which may overlap), all in one batch.

    ``labels`` name the sets, and ``by`` says what they are. Otherwise as :func:`fit_many`.
    """
    with float64_scope():
        whole, _ = build(law, runs, objective, fixed=fixed, tie=tie, weights=weights)
        settings = Settings(
            objective=objective,
            fixed=dict(fixed or {}),
            tie=tuple(tie),
            per={},
            weights=None if weights is None else np.asarray(weights, dtype=np.float64),
            starts=starts,
            seed=seed,
        )
        batch = _Batch(whole, settings, resamples, method, chosen_devices(devices))
        return batch.table(law, by, tuple(labels), rows, progress)


def _check_own_choices(objective: Objective, resamples: Any, method: Any) -> None:
    check_choice("method", method, METHODS)
    if objective.auto:
        raise JscaleError(
            f"fit_many takes a number for delta, not {objective}: families would each have "
            f"their own. Fit one by one, or give the number: {objective.at(0.01).code}."
        )
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 0:
        raise JscaleError(
            f"resamples={resamples!r} must be a whole number, 0 for none; intervals want 1000."
        )


def _families(runs: Runs, by: str) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Return each row's family as a number (n,), and the families' labels."""
    if by not in runs.frame.columns:
        columns = list(runs.frame.columns)
        raise DataError(
            f"The table has no column {by!r} to tell families apart.{nearest(str(by), columns)} "
            f'Its columns are: {listing(columns, 20)}. Say which: by="<column>".'
        )
    missing = runs.frame[by].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"column {by!r} has no label in {rows_at(runs.frame, missing, missing)}; "
            f"leave those rows out: runs.where(runs.frame[{by!r}].notna())."
        )
    codes, labels = pd.factorize(runs.frame[by], sort=True)
    return codes, tuple(labels)


@dataclass(frozen=True)
class _Row:
    """What is kept of one family; ``why`` it failed, if it did."""

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
    """The choices of a batch, and its steps from rows of families to their table."""

    whole: Problem
    settings: Settings
    resamples: int
    method: str
    devices: Sequence[Any] | None

    def table(
        self, law: Law, by: str, labels: tuple[Any, ...], rows: Sequence[np.ndarray], progress: bool
    ) -> FitTable:
        """Fit every family and put the rows in the order of the labels."""
        sizes = buckets([len(r) for r in rows])
        problems = [self.whole.part(r, size) for r, size in zip(rows, sizes, strict=True)]
        done: dict[int, _Row] = {}
        with lane_bar(len(rows), "families", progress) as tick:
            for members in self._chunks(problems, done):
                done.update(self._chunk(problems, members))
                if tick is not None:
                    tick(len(members))
        return self._assemble(law, by, labels, problems, [done[f] for f in range(len(rows))])

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
            if self._refits:
                most = max(1, min(most, _CELLS_AT_ONCE // (self.resamples * size)))
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
        each = [_lanes_of(lanes, k, starts.shape[1]) for k in range(len(members))]
        best = np.stack([own.theta[own.best] for own in each])
        optima = linearise_all(families, best)
        shares = self._shares(families, best)
        refitted = self._resample(families, best, members) if self._refits else None
        done = {}
        for k, f in enumerate(members):
            if not np.isfinite(each[k].objective).any():
                done[f] = self._failed(f"no finite objective at any of {starts.shape[1]} starts")
                continue
            row = _judged(problems[f], each[k], optima[k], shares[k])
            if refitted is not None:
                row = replace(row, draws=refitted[0][k], unsettled=refitted[1][k])
            elif self.resamples:
                drawn = self._approximate(problems[f], optima[k], row, f)
                lost = int(np.sum(np.isnan(drawn).any(axis=1)))
                row = replace(row, draws=drawn, unsettled=lost)
            done[f] = row
        return done

    @property
    def _refits(self) -> bool:
        return self.resamples > 0 and self.method != "laplace"

    def _approximate(self, problem: Problem, optimum: Optimum, row: _Row, f: int) -> np.ndarray:
        """Draw from a family's normal approximation: (resamples, q), NaN without a spare run."""
        if problem.freedom < 1:
            return np.full((self.resamples, len(row.params)), np.nan)
        rng = np.random.default_rng((self.settings.seed, f))
        theta = t_draws(optimum.theta, row.theta_covariance, problem.freedom, self.resamples, rng)
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
        R = self.resamples
        weights = np.zeros((len(members), R, families.rows))
        for k, (f, part) in enumerate(zip(members, families.parts, strict=True)):
            counts = _counts(part, R, (self.settings.seed, f), self.method)
            weights[k, :, : part.n] = counts * part.weights[: part.n]
        family = np.repeat(np.arange(len(members)), R)
        lanes = descend(
            families, np.repeat(best, R, axis=0), weights=weights.reshape(len(family), -1),
            family=family, settings=WARM, devices=self.devices,
        )  # fmt: skip
        theta = np.where(np.isfinite(lanes.objective)[:, None], lanes.theta, np.nan)
        theta = theta.reshape(len(members), R, -1)
        natural = [natural_parameters(families.parts[k], t) for k, t in enumerate(theta)]
        settled = np.isfinite(lanes.objective) & (lanes.status == Status.CONVERGED)
        return np.stack(natural), np.sum(~settled.reshape(len(members), R), axis=1)

    def _assemble(
        self, law: Law, by: str, labels: tuple[Any, ...], problems: list[Problem], rows: list[_Row]
    ) -> FitTable:
        names = list(flat_names(self.whole.layout))
        index = pd.Index(list(labels), name=by)
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
        if self.resamples:
            summary["unsettled"] = [r.unsettled for r in rows]
        empty = np.full((self.resamples, len(names)), np.nan)
        draws = [empty if r.draws is None else r.draws for r in rows]
        return FitTable(
            law=law,
            by=by,
            labels=labels,
            settings=self.settings,
            params=pd.DataFrame(np.stack([r.params for r in rows]), index, names),
            stderr=pd.DataFrame(np.stack(errors), index, names),
            covariance=np.stack([r.covariance for r in rows]),
            summary=summary,
            failures={k: r.why for k, r in zip(labels, rows, strict=True) if r.why},
            draws=np.stack(draws) if self.resamples else None,
            noise=tuple(np.zeros(0) if r.noise is None else r.noise for r in rows),
            provenance=provenance(),
        )


def _lanes_of(lanes: Lanes, family: int, starts: int) -> Lanes:
    own = slice(family * starts, (family + 1) * starts)
    return Lanes(*(np.asarray(v)[own] for v in vars(lanes).values()))


def _judged(problem: Problem, lanes: Lanes, optimum: Optimum, shares: dict[str, float]) -> _Row:
    """Errors, status and the codes of the notes of one family."""
    theta_covariance = covariance(problem, optimum)
    found = directions(problem, optimum)
    rounding = rounding_floor(problem)
    observed = from_space(np.asarray(problem.data.target)[: problem.n], problem.model.space)
    agree, ended = judge.agreement(lanes, rounding)
    notes = [
        *judge.notes_on_search(lanes, rounding),
        *judge.notes_on_optimum(problem, optimum, np.sqrt(np.diag(theta_covariance)), found),
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
        condition=found.condition,
        notes=tuple(dict.fromkeys(note.code for note in notes)),
        noise=studentised(problem, optimum),
    )


def _counts(problem: Problem, resamples: int, seed: tuple[int, int], method: str) -> np.ndarray:
    """How often each row is drawn in each resample of whole runs, or how much it weighs (R, n)."""
    runs = problem.units[problem.used]
    units, rng = Units(runs, np.zeros_like(runs)), np.random.default_rng(seed)
    counts = np.zeros((resamples, problem.n))
    counts[:, problem.used] = count_units(units, resamples, rng, smooth=method == "bayesian")
    return counts


def _warn(table: FitTable) -> None:
    status = table.summary["status"]
    failed = int(np.sum(status == "failed"))
    unsettled = int(np.sum(~status.isin(["failed", "converged"])))
    if failed + unsettled:
        warnings.warn(
            f"{failed} of {len(table)} families could not be fitted and {unsettled} did not "
            "converge: see table.failures, and table.summary['status'].",
            FitWarning,
            stacklevel=outside(),
        )
    if table.draws is not None:
        many = table.summary["unsettled"] > _UNSETTLED_SHARE * table.draws.shape[1]
        if many.any():
            warnings.warn(
                f"In {int(many.sum())} of {len(table)} families over 1 % of the resamples failed "
                "or did not converge, and their intervals may be off: see "
                "table.summary['unsettled'].",
                FitWarning,
                stacklevel=outside(),
            )
