"""Weights of laws: the laws to try, the splits within a set of rows, and the laws' scores there.

Within the available rows, every law is fitted to the smaller runs and predicts the larger ones,
at successive origins. The scores determine the weights of the laws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws as registry
from jscale.comparison.criteria import interval_score
from jscale.comparison.split_fits import Questions, SplitFits
from jscale.comparison.splits import Split, folds, origins
from jscale.comparison.stacking import WIDENINGS, Evidence, weigh
from jscale.data.resampling import run_numbers
from jscale.data.runs import Runs
from jscale.data.units import LOSS_UNITS
from jscale.errors import DataError, LawError, listing
from jscale.fitting.build import as_runs
from jscale.model.law import Law
from jscale.prediction.predictive import Predictive, Samples

AUTO = "auto"
SURFACES = ("chinchilla_tied", "chinchilla", "farseer")
CURVES = ("power", "power_const", "broken:1")
# What a column may say of its rows, and which texts say it.
_CONVENTIONS = {
    "loss_unit": ("the unit of the loss", (*LOSS_UNITS, "perplexity")),
    "count": ("how parameters are counted", ("total", "non_embedding")),
}
# With fewer runs nothing can be held out by origin.
_FEW_RUNS = 12
_ORIGINS = 6
_LEVEL = 0.9


def chosen_laws(laws: Any) -> dict[str, Law]:
    """Return laws by name; raises LawError for none, twice the same, or different outputs."""
    if isinstance(laws, (str, Law)) or not laws:
        raise LawError(
            f'laws={laws!r} must name one law or more: ["chinchilla", "farseer"], or "auto".'
        )
    chosen = [registry.get(law) for law in laws]
    names = [law.name for law in chosen]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise LawError(f"{listing(twice)} is there more than once; name each law once.")
    outputs = list(dict.fromkeys(law.output for law in chosen))
    if len(outputs) > 1:
        raise LawError(
            f"The laws predict different things ({listing(outputs)}): errors in one cannot be "
            "compared with errors in another. Compare laws of one output."
        )
    return dict(zip(names, chosen, strict=True))


def runs_of(laws: Mapping[str, Law] | None, data: Any, columns: Mapping[str, Any]) -> Runs:
    """Return Runs with the columns that the laws need; with no law named, all known columns.

    Raises DataError where a column ``loss_unit`` or ``count`` says that rows differ in it.
    """
    if laws is not None:
        runs = as_runs(next(iter(laws.values())), data, columns)
    elif isinstance(data, Runs):
        runs = data
    elif isinstance(data, pd.DataFrame):
        runs = Runs.from_frame(data, **columns)
    else:
        raise DataError(f"Runs or a pandas DataFrame is needed, not {type(data).__name__}.")
    for column, (what, known) in _CONVENTIONS.items():
        values = list(dict.fromkeys(runs.frame[column])) if column in runs.frame else []
        if len(values) > 1 and set(values) <= set(known):
            raise DataError(
                f"The column {column!r} says that rows differ in {what}: {listing(values)}. Errors "
                "in one cannot be compared with errors in another: convert them first, or "
                "compare each on its own."
            )
    return runs


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
    entries = [registry.get(name) for name in names]
    return {law.name: law for law in entries if len(law.names) < runs.n_independent}


@dataclass(frozen=True, eq=False)
class WeighingSplits:
    """The splits within one set of rows, and the laws that can be fitted in all of them."""

    laws: tuple[str, ...]
    splits: tuple[Split, ...]
    beyond: bool


def weighing_splits(runs: Runs, rows: np.ndarray, laws: Mapping[str, Law]) -> WeighingSplits:
    """Choose the splits of one set of rows: successive origins, or each run in turn.

    At origins a law needs a spare run at two of them at least, and two runs per parameter; laws
    that lack them are left out, the one with the most parameters first. With fewer than
    12 runs, or no law left, runs are left out in turn, and one spare run is enough. Raises
    DataError where no law has a spare run.
    """
    units = run_numbers(runs)
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
    every, splits = able, []
    while rolled and able and not splits:
        p = len(laws[able[0]].names)
        enough = [s for s in rolled if len(np.unique(units[rows[s.fit]])) > p]
        splits = enough if 2 * p <= count and len(enough) >= 2 else []
        able = able if splits else able[1:]
    rolled, able = bool(splits), able if splits else every
    splits = splits or folds(count).make(part)
    whole = [Split(s.label, rows[s.fit], rows[s.test]) for s in splits]
    return WeighingSplits(tuple(n for n in laws if n in able), tuple(whole), rolled)


def _rolled(part: Runs, axis: str) -> list[Split]:
    try:
        return origins(axis, _ORIGINS).make(part)
    except DataError:  # all runs alike along the axis, or a run on both sides of a cut
        return []


def weigh_each(
    split_fits: SplitFits,
    laws: Mapping[str, Law],
    sets: Sequence[np.ndarray],
    labels: Sequence[Any] | None = None,
) -> tuple[list[pd.DataFrame], list[WeighingSplits]]:
    """Weigh the laws on each set of rows by itself, all sets of a law in one batch.

    Returns a table of :func:`~jscale.comparison.stacking.weigh` for each, with a row per law,
    and the splits used. Raises DataError as :func:`weighing_splits`, naming the set by its label.
    """
    weighings = []
    for k, rows in enumerate(sets):
        try:
            weighings.append(weighing_splits(split_fits.runs, rows, laws))
        except DataError as error:
            raise DataError(
                f"The split {labels[k]!r}: {error}" if labels else str(error)
            ) from error
    whose = np.repeat(np.arange(len(sets)), [len(each.splits) for each in weighings])
    splits = [split for each in weighings for split in each.splits]
    questions = Questions.of([split.test for split in splits])

    def scored(name: str) -> Any:
        positions = np.flatnonzero([name in weighings[k].laws for k in whose])
        return _scores(split_fits, laws[name], splits, positions, questions)

    scores = dict(zip(laws, split_fits.each(scored, list(laws)), strict=True))
    tables, bounds = [], np.searchsorted(whose[questions.sets], np.arange(len(sets) + 1))
    for k, each in enumerate(weighings):
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
    return tables, weighings


def _whole_table(table: pd.DataFrame, laws: Mapping[str, Law]) -> pd.DataFrame:
    """Return the table with a row for every law, including those that were not tried."""
    whole = table.reindex(pd.Index(list(laws), name="law"))
    whole["parameters"] = [len(law.names) for law in laws.values()]
    whole["weight"] = whole["weight"].fillna(0.0)
    whole["why"] = whole["why"].fillna("too few runs")
    return whole.sort_values("weight", ascending=False, kind="stable")


def _scores(
    split_fits: SplitFits,
    law: Law,
    splits: Sequence[Split],
    positions: np.ndarray,
    questions: Questions,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score one law on the predictions of its own splits; NaN on the others.

    Returns log scores (W, P) by WIDENINGS, interval scores over the measured number and
    absolute errors of the logarithm (P,).
    """
    P = len(questions)
    logs, width, error = (
        np.full((len(WIDENINGS), P), np.nan),
        np.full(P, np.nan),
        np.full(P, np.nan),
    )
    if not positions.size:
        return logs, width, error
    table = split_fits.fit(law, [splits[i].fit for i in positions], positions.tolist())
    at = np.flatnonzero(np.isin(questions.sets, positions))
    mine = Questions(np.searchsorted(positions, questions.sets[at]), questions.rows[at])
    measured = split_fits.measured(mine)
    for piece in split_fits.pieces(mine):
        samples, y = split_fits.samples(table, mine, piece), measured[piece]
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
    """The weights and widenings of K ``laws`` for each set: (K, sets)."""

    laws: tuple[str, ...]
    weights: np.ndarray
    widening: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame], laws: Sequence[str]) -> Mixing:
        """Read them off the tables of :func:`weigh_each`."""
        rows = [table.loc[list(laws)] for table in tables]
        weights = np.stack([row["weight"].to_numpy() for row in rows], axis=1)
        widening = np.stack([row["widening"].to_numpy() for row in rows], axis=1)
        return cls(tuple(laws), weights, np.nan_to_num(widening, nan=1.0))

    def mix(self, samples: Mapping[str, Samples], sets: np.ndarray) -> Predictive:
        """Mix the laws' samples at questions (m,) by the weights of each question's set."""
        weights, widening = self.weights[:, sets], self.widening[:, sets]
        used = np.flatnonzero(weights.any(axis=1))
        parts = [samples[self.laws[k]].widened(widening[k]) for k in used.tolist()]
        return Predictive.mix(parts, weights[used])
