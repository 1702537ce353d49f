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

from benchmarks.forecast_parts.stacking import WIDENINGS, Evidence, weigh
from jscale.comparison.contenders import axis_of, candidates
from jscale.comparison.criteria import interval_score
from jscale.comparison.split_fits import Questions, SplitFits, checked_objective
from jscale.comparison.splits import Split, folds, origins
from jscale.data.resampling import run_numbers
from jscale.data.runs import Runs
from jscale.errors import DataError, listing
from jscale.model.law import Law
from jscale.prediction.predictive import Predictive

# With fewer runs nothing can be held out by origin.
_FEW_RUNS = 12
_ORIGINS = 6
_LEVEL = 0.9


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

    Returns a table of :func:`~benchmarks.forecast_parts.stacking.weigh` for each, with a row per
    law, and the splits used. Raises DataError as :func:`weighing_splits`, naming the set by its
    label.
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


def weights_within(runs: Runs, sets: Sequence[np.ndarray], resamples: int) -> list[pd.DataFrame]:
    """Weigh the laws that fit the columns on each set of rows: a table for each."""
    split_fits = SplitFits(runs, checked_objective("huber"), resamples)
    return weigh_each(split_fits, candidates(runs), sets)[0]


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
