"""ensemble: the laws that fit a table's columns, weighed by how they extrapolated within it.

No law is known to be right. Each is fitted to the smaller runs and predicts the larger ones,
from origin after origin; how well it did says how much it is believed, and how much wider its
intervals should have been. A law that never beat a simpler one out of range is not used.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws as registry
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, LawError, listing
from jscale.fitting.build import as_runs
from jscale.fitting.fit import check_choices, fit
from jscale.fitting.objective import Objective, as_objective
from jscale.model.law import Law
from jscale.prediction.criteria import interval_score
from jscale.prediction.predictive import Predictive, Samples
from jscale.prediction.splits import Split, folds, origins, units_of
from jscale.prediction.stacking import WIDENINGS, Evidence, weigh
from jscale.prediction.trials import Questions, Trials
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws

AUTO = "auto"
SURFACES = ("chinchilla_tied", "chinchilla", "farseer")
CURVES = ("power", "power_const", "broken:1")
# With fewer runs nothing can be held out by origin.
_FEW_RUNS = 12
_ORIGINS = 6
_LEVEL = 0.9
_WIDE = 2.0
_UNSETTLED = 0.01


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Laws fitted to all runs, and their weights; predict with :func:`jscale.predict`.

    ``members`` are the draws of each law with weight (``members[name].fit`` is its fit).
    ``table`` has a row per law that was tried: free ``parameters``, ``score`` (mean interval
    score beyond the origins, over the measured number), ``error`` (mean absolute error of the
    logarithm there), ``widening`` of its intervals, ``weight``, and ``why`` it has none.
    """

    members: Mapping[str, Draws]
    table: pd.DataFrame
    runs: Runs
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def weights(self) -> pd.Series:
        """The weight of each member."""
        return self.table.loc[list(self.members), "weight"]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def __repr__(self) -> str:
        text = self.table.to_string(float_format=lambda v: f"{v:.3g}")
        return "\n".join([f"Ensemble of {len(self.members)} laws", text, *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{self.table.to_html(float_format=lambda v: f'{v:.3g}')}<ul>{notes}</ul>"


def ensemble(
    data: Runs | pd.DataFrame,
    laws: Sequence[Law | str] | str = AUTO,
    *,
    objective: Objective | str = "huber",
    resamples: int = 500,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Ensemble:
    """Weigh laws by how they extrapolated within the runs, and fit those with weight to all.

    ``laws`` are those to try, or "auto": of N and D chinchilla, chinchilla_tied and farseer;
    of C (or the one input there is) power, power_const and broken:1. From each of six origins
    of compute, even in logarithm from the median run to the largest, every law predicts all
    runs beyond; :func:`jscale.prediction.stacking.weigh` makes weights of the scores. With
    fewer than 12 runs, each is left out in turn instead. Predictions are those of the mixture.

    Raises DataError where no law can be fitted with a run to spare, LawError for laws of
    different outputs or a law named twice.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> found = js.ensemble(small, ["power_const", "chinchilla"], resamples=50)
    >>> len(js.predict(found, N=3e5, D=5e6))
    1
    """
    check_choices(None, (), None, seed)
    kind = as_objective(objective)
    chosen = None if isinstance(laws, str) and laws == AUTO else chosen_laws(laws)
    runs = runs_of(chosen, data, columns)
    trials = Trials(runs, kind, resamples, seed=seed, devices=devices, progress=progress)
    chosen = chosen if chosen is not None else candidates(runs)
    (table,), (asked,) = weigh_each(trials, chosen, [np.arange(len(runs))])
    members = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # told in the notes
        for name in _with_weight(table):
            fitted = fit(chosen[name], runs, objective=kind, seed=seed, devices=devices)
            members[name] = bootstrap(fitted, resamples, seed=seed, progress=progress)
    settings = {"objective": str(kind), "resamples": int(resamples), "seed": int(seed)}
    notes = (*_notes(table, asked), *_notes_on_members(members))
    return Ensemble(members, table, runs, notes, settings)


def _with_weight(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, w in zip(table.index, table["weight"], strict=True) if w > 0]


def _notes(table: pd.DataFrame, asked: Rehearsal) -> tuple[str, ...]:
    notes = []
    if not asked.beyond:
        notes.append(
            f"[caution] not-extrapolated: {len(asked.splits)} runs are too few, or too alike in "
            "compute, to hold any out by origin. Each was left out in turn, which says little of "
            "how a law extrapolates. Add runs."
        )
    widening = {name: float(table.at[name, "widening"]) for name in _with_weight(table)}
    said = [f"{name} {w:g} times" for name, w in widening.items() if w >= _WIDE]
    if said:
        notes.append(
            f"[caution] intervals-widened: beyond the origins, runs lay outside these laws' "
            f"intervals more often than they say; they are made wider: {listing(said)}."
        )
    return tuple(notes)


def _notes_on_members(members: Mapping[str, Draws]) -> Iterator[str]:
    for name, draws in members.items():
        codes = [note.code for note in draws.fit.notes if note.severity == "warning"]
        if draws.failed + draws.unsettled > _UNSETTLED * (len(draws) + draws.failed):
            codes.append("draws-unsettled")
        if codes:
            yield (
                f"[caution] member-doubtful: {name}, fitted to all runs, has the notes "
                f"{listing(codes, 10)}: read ensemble.members[{name!r}].fit.notes."
            )


def chosen_laws(laws: Any) -> dict[str, Law]:
    """Return laws by name; raises LawError for none, twice the same, or different outputs."""
    if isinstance(laws, (str, Law)) or not laws:
        raise LawError(
            f'laws={laws!r} must name one law or more: ["chinchilla", "farseer"], or "auto".'
        )
    found = [registry.get(law) for law in laws]
    names = [law.name for law in found]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise LawError(f"{listing(twice)} is there more than once; name each law once.")
    outputs = list(dict.fromkeys(law.output for law in found))
    if len(outputs) > 1:
        raise LawError(
            f"The laws predict different things ({listing(outputs)}): errors of one cannot be set "
            "beside errors of another. Compare laws of one output."
        )
    return dict(zip(names, found, strict=True))


def runs_of(laws: Mapping[str, Law] | None, data: Any, columns: Mapping[str, Any]) -> Runs:
    """Return Runs that hold what the laws need; with no law named, what the table has."""
    if laws is not None:
        return as_runs(next(iter(laws.values())), data, columns)
    if isinstance(data, Runs):
        return data
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"Runs or a pandas DataFrame is needed, not {type(data).__name__}.")
    return Runs.from_frame(data, **columns)


def axis_of(runs: Runs) -> str | None:
    """Return the input along which these runs grow: C, or the only one; else None."""
    if "C" in runs.inputs:
        return "C"
    return runs.inputs[0] if len(runs.inputs) == 1 else None


def candidates(runs: Runs) -> dict[str, Law]:
    """Return the laws by name that the columns fit and that have fewer parameters than runs."""
    names = list(SURFACES) if {"N", "D"} <= set(runs.inputs) else []
    axis = axis_of(runs)
    if axis is not None and runs.output == "loss":
        names = [*(law if axis == "C" else f"{law}:{axis}" for law in CURVES), *names]
    if not names or runs.output != "loss":
        raise DataError(
            f'"auto" knows laws of a loss over N and D, or over one input; these runs have '
            f"{listing(runs.inputs)} and the output {runs.output!r}. Name the laws to try."
        )
    found = [registry.get(name) for name in names]
    return {law.name: law for law in found if len(law.names) < runs.n_independent}


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """The questions asked within one set of rows, and the laws that can answer all of them."""

    laws: tuple[str, ...]
    splits: tuple[Split, ...]
    beyond: bool


def rehearse(runs: Runs, rows: np.ndarray, laws: Mapping[str, Law]) -> Rehearsal:
    """Choose the questions of one set of rows: origin after origin, or each run in turn.

    A law needs a run to spare at two origins at least, and two runs per parameter; those that
    have not are left out, the one with the most parameters first. Raises DataError where no
    law has a run to spare.
    """
    units = units_of(runs)
    count = len(np.unique(units[rows]))
    able = sorted(
        (name for name, law in laws.items() if len(law.names) < count),
        key=lambda name: -len(laws[name].names),
    )
    if not able:
        raise DataError(
            f"{count} runs are too few for any of {listing(list(laws), 10)}: a law needs more runs "
            "than it has parameters. Add runs, or name a law of fewer parameters."
        )
    part = replace(runs, frame=runs.frame.iloc[rows], doubts=())
    axis = axis_of(runs)
    rolled = _rolled(part, axis) if axis is not None and count >= _FEW_RUNS else []
    while rolled and len(able) > 1:
        p = len(laws[able[0]].names)
        enough = [s for s in rolled if len(np.unique(units[rows[s.fit]])) > p]
        if 2 * p <= count and len(enough) >= 2:
            rolled = enough
            break
        able = able[1:]
    splits = rolled or folds(count).make(part)
    whole = [Split(s.label, rows[s.fit], rows[s.test]) for s in splits]
    return Rehearsal(tuple(n for n in laws if n in able), tuple(whole), bool(rolled))


def _rolled(part: Runs, axis: str) -> list[Split]:
    try:
        return origins(axis, _ORIGINS).make(part)
    except DataError:  # all runs alike along the axis, or a run on both sides of a cut
        return []


def weigh_each(
    trials: Trials, laws: Mapping[str, Law], sets: Sequence[np.ndarray]
) -> tuple[list[pd.DataFrame], list[Rehearsal]]:
    """Weigh the laws on each set of rows by itself, all sets of a law in one batch.

    Returns a table of :func:`~jscale.prediction.stacking.weigh` for each, with a row per law,
    and what was asked. Raises DataError as :func:`rehearse`.
    """
    asked = [rehearse(trials.runs, rows, laws) for rows in sets]
    whose = np.repeat(np.arange(len(sets)), [len(each.splits) for each in asked])
    splits = [split for each in asked for split in each.splits]
    questions = Questions.of([split.test for split in splits])

    def scored(name: str) -> Any:
        own = np.flatnonzero([name in asked[k].laws for k in whose])
        return _scores(trials, laws[name], splits, own, questions)

    scores = dict(zip(laws, trials.each(scored, list(laws)), strict=True))
    tables, bounds = [], np.searchsorted(whose[questions.sets], np.arange(len(sets) + 1))
    for k, each in enumerate(asked):
        here = slice(bounds[k], bounds[k + 1])
        evidence = Evidence(
            laws=each.laws,
            parameters=np.array([len(laws[name].names) for name in each.laws]),
            origin=questions.sets[here],
            log_score=np.stack([scores[name][0][:, here] for name in each.laws]),
            interval_score=np.stack([scores[name][1][here] for name in each.laws]),
            error=np.stack([scores[name][2][here] for name in each.laws]),
            beyond=each.beyond,
        )
        tables.append(_whole_table(weigh(evidence), laws))
    return tables, asked


def _whole_table(table: pd.DataFrame, laws: Mapping[str, Law]) -> pd.DataFrame:
    """Return the table with a row for every law, also those that were not asked."""
    whole = table.reindex(pd.Index(list(laws), name="law"))
    whole["parameters"] = [len(law.names) for law in laws.values()]
    whole["weight"] = whole["weight"].fillna(0.0)
    whole["why"] = whole["why"].fillna("too few runs")
    return whole.sort_values("weight", ascending=False, kind="stable")


def _scores(
    trials: Trials, law: Law, splits: Sequence[Split], own: np.ndarray, questions: Questions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score one law on the questions of its own splits; NaN on the others.

    Returns log scores (W, P) by WIDENINGS, interval scores over the measured number and
    absolute errors of the logarithm (P,).
    """
    P = len(questions)
    logs, width, error = (
        np.full((len(WIDENINGS), P), np.nan),
        np.full(P, np.nan),
        np.full(P, np.nan),
    )
    if not own.size:
        return logs, width, error
    table = trials.fit(law, [splits[i].fit for i in own], own.tolist())
    at = np.flatnonzero(np.isin(questions.sets, own))
    mine = Questions(np.searchsorted(own, questions.sets[at]), questions.rows[at])
    measured = trials.measured(mine)
    for piece in trials.pieces(mine):
        samples, y = trials.samples(table, mine, piece), measured[piece]
        place = at[piece]
        frame = Predictive.of(samples).frame(_LEVEL)
        low, high = frame["prediction_low"], frame["prediction_high"]
        width[place] = interval_score(low, high, y, _LEVEL) / y
        with np.errstate(all="ignore"):
            error[place] = np.abs(np.log(frame["curve"].to_numpy() / y))
        for w, factor in enumerate(WIDENINGS):
            logs[w, place] = samples.widened(factor).log_score(y)
    return logs, width, error


@dataclass(frozen=True, eq=False)
class Mixing:
    """The weights and widenings of K laws for each set: (K, sets)."""

    weights: np.ndarray
    widening: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame], laws: Sequence[str]) -> Mixing:
        """Read them off the tables of :func:`weigh_each`."""
        rows = [table.loc[list(laws)] for table in tables]
        weights = np.stack([row["weight"].to_numpy() for row in rows], axis=1)
        widening = np.stack([row["widening"].to_numpy() for row in rows], axis=1)
        return cls(weights, np.nan_to_num(widening, nan=1.0))

    def mix(self, samples: Sequence[Samples], sets: np.ndarray) -> Predictive:
        """Mix the K laws' samples at questions (m,) by the weights of each question's set."""
        weights, widening = self.weights[:, sets], self.widening[:, sets]
        used = np.flatnonzero(weights.any(axis=1))
        parts = [samples[k].widened(widening[k]) for k in used.tolist()]
        return Predictive.mix(parts, weights[used])
