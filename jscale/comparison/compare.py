"""compare: scores of laws on runs that were held out from their fits.

Every law is fitted to the same rows of every split and predicts the same rows, with intervals
from its draws; all splits of a law are one batch of lanes. "auto" is the stacked ensemble, whose
weights are computed within the fitted rows of each split.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_count, check_level, check_seed
from jscale.comparison.comparison import Comparison, comparison_notes, tabulate
from jscale.comparison.criteria import by_row
from jscale.comparison.law_weights import (
    AUTO,
    Mixing,
    WeighingSplits,
    axis_of,
    candidates,
    chosen_laws,
    runs_of,
    weigh_each,
)
from jscale.comparison.split_fits import (
    Questions,
    SplitFits,
    checked_objective,
)
from jscale.comparison.splits import Scheme, Split, largest, origins, splits_of
from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, LawError, listing, outside
from jscale.fitting import draw_methods as methods
from jscale.fitting.objective import Objective
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.prediction.predictive import Predictive


def compare(
    laws: Sequence[Law | str] | str,
    data: Runs | pd.DataFrame,
    *,
    holdout: Scheme | Any = None,
    by: str | None = None,
    level: float = 0.9,
    objective: Objective | str = "huber",
    method: str = "bootstrap",
    resamples: int = 500,
    oracle: pd.DataFrame | None = None,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Comparison:
    """Fit laws to some runs and score their predictions of the others.

    All laws are fitted to the same rows and predict the same rows, and their intervals come from
    draws of their parameters and the noise of each fit.

    Parameters
    ----------
    laws : sequence of Law or str, or "auto"
        Laws or their names. "auto" among them is the ensemble of :func:`jscale.ensemble`, and
        ``laws="auto"`` stands for all laws that fit the columns, and the ensemble.
    data : Runs or DataFrame
        The runs.
    holdout : Scheme or array_like of bool, shape (n,), optional
        Which runs are predicted: a scheme of :mod:`jscale.splits`, or True for the rows to predict.
        By default ``largest("C", 0.2)``.
    by : str, optional
        A column of families (tasks, worlds). Each is split, fitted and predicted separately, and
        all are scored together.
    level : float
        The level of the prediction intervals.
    objective : Objective or str
        What fits minimise.
    method : str
        How intervals are drawn: "bootstrap" refits resampled runs, "bayesian" randomly weighted
        ones
        (see :func:`jscale.bootstrap`), and "laplace" is the quick normal approximation.
    resamples : int
        The number of draws.
    oracle : DataFrame, optional
        ``prediction_low`` and ``prediction_high`` by the rows' labels (see :func:`jscale.oracle`);
        adds each interval's width relative to that of one who knows the truth.
    seed : int
        The seed of starts and draws.
    devices : optional
        The devices that lanes are shared among (see :func:`jscale.fit_many`).
    progress : bool
        Whether to show progress.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    Comparison
        A table of criteria with the best law first, and the rows that it was computed from.

    Raises
    ------
    LawError
        For a law named twice, or laws of different outputs.
    JscaleError
        For a level, method or number of resamples that is not usable.
    DataError
        For a law whose inputs the table lacks, a split that leaves fewer runs than a law has
        parameters, or rows of one run on both sides.

    Warns
    -----
    FitWarning
        Where a law did not converge.

    Notes
    -----
    Standard errors group the rows of a family, or of a split where there are several, or else of a
    run. With few runs the curves of "laplace" are off: its 50 % intervals covered 13 to 44 % near
    the largest of 20 runs (benchmarks/results/coverage.txt).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> js.compare(["chinchilla", "farseer"], small, resamples=50).best
    'farseer'
    """
    check_level(level)
    check_seed(seed, error=LawError)
    methods.get_batched(method)
    kind, resamples = checked_objective(objective), check_count("resamples", resamples, "500")
    every, auto, chosen = _contenders(laws)
    runs = runs_of(None if every else chosen, data, columns)
    runs, holdout, unweighted = _with_weight(runs, holdout)
    members = candidates(runs) if auto else {}
    _check_names(chosen, members)
    scheme, splits, families = _splits(runs, holdout, by)
    best = None if oracle is None else _checked_oracle(runs, oracle)
    split_fits = SplitFits(runs, kind, resamples, method, int(seed), devices, progress)
    named = members if every else chosen
    tables = split_fits.fit_all(
        {**named, **members}, [s.fit for s in splits], [s.label for s in splits]
    )
    left_out = _left_out(tables, named, every)
    weights, weighings = ([], [])
    if auto:
        weights, weighings = weigh_each(
            split_fits, members, [s.fit for s in splits], [s.label for s in splits]
        )
    entered = [name for name in named if name not in left_out]
    mixing = Mixing.of(weights, list(members)) if weights else None
    answers = _Answers(split_fits, splits, {name: tables[name] for name in entered}, level, best)
    parts = answers.rows(tables, mixing)
    clusters = _clusters(runs, splits, families)
    if by is not None:
        for part in parts.values():
            part.insert(2, "family", clusters)
    table = tabulate(parts, clusters, AUTO)
    fits = {name: tables[name] for name in entered}
    notes = [
        *comparison_notes(fits, clusters, Questions.of([s.test for s in splits]).rows),
        *left_out.values(),
        *unweighted,
        *_notes_on_auto(weighings),
    ]
    settings = {
        "objective": str(kind),
        "method": method,
        "resamples": resamples,
        "seed": int(seed),
        "by": by,
    }
    return Comparison(
        table,
        pd.concat(parts.values(), ignore_index=True),
        fits,
        _by_split(weights, splits),
        scheme,
        float(level),
        tuple(notes),
        settings,
    )


def rollout(
    laws: Sequence[Law | str] | str,
    data: Runs | pd.DataFrame,
    *,
    column: str | None = None,
    count: int = 6,
    factor: float = 1.0,
    **choices: Any,
) -> Comparison:
    """Compare laws at successive origins: all rows up to a cut predict the rows beyond it.

    Parameters
    ----------
    laws : sequence of Law or str, or "auto"
        Laws or their names, as for :func:`compare`.
    data : Runs or DataFrame
        The runs.
    column : str, optional
        The column that is cut: by default the compute C, or the only input.
    count : int
        The largest number of cuts, evenly spaced in the logarithm of the column.
    factor : float
        Only rows beyond ``factor`` times the cut are predicted.
    **choices
        Other arguments of :func:`compare`.

    Returns
    -------
    Comparison
        The criteria over all origins. Origins share runs, so standard errors over them are too
        small: see the note ``shared-runs``.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> rolled = js.rollout(["power_const"], small, count=2, resamples=50)
    >>> len(rolled.fits["power_const"])
    2
    """
    usual = origins(column or "C", count, factor)

    def make(runs: Runs) -> list[Split]:
        return origins(column or axis_of(runs) or "C", count, factor).make(runs)

    return compare(laws, data, holdout=Scheme(usual.name, make), **choices)


def _with_weight(runs: Runs, holdout: Any) -> tuple[Runs, Any, list[str]]:
    """Leave out rows of weight 0, from a mask of rows to hold out as well, and say so."""
    if runs.weight is None:
        return runs, holdout, []
    keep = runs[runs.weight].astype(np.float64) > 0
    if keep.all():
        return runs, holdout, []
    if holdout is not None and not isinstance(holdout, Scheme) and len(holdout) == len(keep):
        holdout = np.asarray(holdout)[keep]
    note = f"[info] rows-without-weight: {int((~keep).sum())} rows of weight 0 are left out."
    return runs.where(keep), holdout, [note]


def _check_names(chosen: Mapping[str, Law], members: Mapping[str, Law]) -> None:
    for name, law in chosen.items():
        if name in members and members[name] != law:
            raise LawError(
                f'"auto" tries a different law named {name!r}; give yours '
                f'another name: @jscale.law(name="my_{name}").'
            )


def _notes_on_auto(weighings: Sequence[WeighingSplits]) -> list[str]:
    few = sum(not each.beyond for each in weighings)
    if not few:
        return []
    return [
        f"[caution] not-extrapolated: in {few} of {len(weighings)} splits the fitted runs are too "
        "few, or too alike in compute, to hold any out by origin; auto left out each in turn "
        "instead, which says little about how a law extrapolates."
    ]


def _contenders(laws: Any) -> tuple[bool, bool, dict[str, Law]]:
    """Return whether all laws are asked for, whether the ensemble is, and the laws named."""
    if isinstance(laws, str) and laws == AUTO:
        return True, True, {}
    if isinstance(laws, (list, tuple)) and AUTO in [x for x in laws if isinstance(x, str)]:
        named = [x for x in laws if not (isinstance(x, str) and x == AUTO)]
        return not named, True, chosen_laws(named) if named else {}
    return False, False, chosen_laws(laws)


def _splits(runs: Runs, holdout: Any, by: str | None) -> tuple[Any, list[Split], np.ndarray | None]:
    """Return the scheme that holds runs out, the splits, and the family of each (or None)."""
    if holdout is None:
        holdout = largest(axis_of(runs) or "C", 0.2)
    return splits_of(runs, holdout, by)


def _left_out(
    tables: Mapping[str, FitTable], named: Mapping[str, Law], every: bool
) -> dict[str, str]:
    """Check that the named laws can predict all splits; with all laws, say which cannot."""
    left_out = {}
    for name in named:
        why = _cannot(tables[name])
        if why and not every:
            raise DataError(
                f"{why} All laws must predict the same runs: hold out fewer runs, or leave "
                "that law out."
            )
        if why:
            left_out[name] = f"[info] left-out: {why}"
            continue
        unsettled = tables[name].summary["status"].to_numpy() != "converged"
        if unsettled.any():
            warnings.warn(
                f"{name} did not converge in {int(unsettled.sum())} of {len(unsettled)} splits; "
                "its predictions there may be off. See comparison.fits[…].summary.",
                FitWarning,
                stacklevel=outside(),
            )
    return left_out


def _cannot(table: FitTable) -> str:
    """Say why a law cannot be used in some split, or return nothing."""
    name = table.law.name
    if table.failures:
        label, why = next(iter(table.failures.items()))
        return f"{name} cannot be fitted to the split {label!r}: {why}."
    spare = table.summary["runs"].to_numpy() - len(table.law.names)
    if (spare < 1).any():
        label = table.labels[int(np.argmax(spare < 1))]
        return (
            f"{name} has no run to spare in the split {label!r}: it passes through its runs and "
            "has no interval."
        )
    return ""


@dataclass(frozen=True, eq=False)
class _Answers:
    """The predictions of the entered laws on the splits, and how they are scored."""

    split_fits: SplitFits
    splits: list[Split]
    entered: Mapping[str, FitTable]
    level: float
    oracle: pd.DataFrame | None

    def rows(
        self, tables: Mapping[str, FitTable], mixing: Mixing | None
    ) -> dict[str, pd.DataFrame]:
        """Return a row per split and predicted run of each law, and of the ensemble.

        ``tables`` are the fits of the entered laws and of those that the ensemble mixes.
        """
        split_fits, questions = self.split_fits, Questions.of([s.test for s in self.splits])
        measured = split_fits.measured(questions)
        pieces: dict[str, list[pd.DataFrame]] = {name: [] for name in self.entered}
        if mixing is not None:
            pieces[AUTO] = []
        for piece in split_fits.pieces(questions):
            samples = {name: split_fits.samples(t, questions, piece) for name, t in tables.items()}
            predictive = {name: Predictive.of(samples[name]) for name in self.entered}
            if mixing is not None:
                predictive[AUTO] = mixing.mix(samples, questions.sets[piece])
            for name, answer in predictive.items():
                pieces[name].append(self._scored(answer, measured[piece], questions.rows[piece]))
        head = _head(split_fits.runs, self.splits, questions, measured)
        return {
            name: pd.concat(
                [head.assign(law=name)[["law", *head]], pd.concat(scored, ignore_index=True)],
                axis=1,
            )
            for name, scored in pieces.items()
        }

    def _scored(
        self, predictive: Predictive, measured: np.ndarray, rows: np.ndarray
    ) -> pd.DataFrame:
        frame = predictive.frame(self.level)
        truth = None if self.oracle is None else self.oracle.iloc[rows]
        scores = by_row(frame, measured, self.level, oracle=truth)
        scores["log_score"] = predictive.log_score(measured)
        return pd.concat([frame, pd.DataFrame({"pit": predictive.pit(measured)}), scores], axis=1)


def _head(
    runs: Runs, splits: list[Split], questions: Questions, measured: np.ndarray
) -> pd.DataFrame:
    labels = np.array([s.label for s in splits] + [None], dtype=object)[:-1]
    return pd.DataFrame(
        {
            "split": labels[questions.sets],
            "row": runs.frame.index[questions.rows],
            "place": questions.rows,
            "measured": measured,
            "extrapolation": _past(runs, splits, questions),
        }
    )


def _past(runs: Runs, splits: list[Split], questions: Questions) -> np.ndarray:
    axis = axis_of(runs)
    if axis is None:
        return np.full(len(questions), np.nan)
    x = runs[axis]
    largest_fitted = np.array([x[s.fit].max() for s in splits])
    return x[questions.rows] / largest_fitted[questions.sets]


def _checked_oracle(runs: Runs, oracle: pd.DataFrame) -> pd.DataFrame:
    """Return the oracle's intervals row by row; raises DataError where labels are ambiguous."""
    wanted = ["prediction_low", "prediction_high"]
    missing = [c for c in wanted if c not in oracle]
    if missing:
        raise DataError(
            f"The oracle's table has no column {listing(missing)}; js.oracle(law, params, design, "
            "noise) makes one."
        )
    labels = runs.frame.index
    for whose, index in (("The runs' table", labels), ("The oracle's table", oracle.index)):
        if not index.is_unique:
            twice = index[index.duplicated()].tolist()[0]
            raise DataError(
                f"{whose} has the label {twice!r} more than once, so "
                "the oracle cannot be matched to it row by row: number the rows of both, "
                "df.reset_index(drop=True)."
            )
    absent = np.asarray(~labels.isin(oracle.index))
    if absent.any():
        raise DataError(
            "The oracle's table lacks "
            f"{rows_at(runs.frame, absent, runs.frame[runs.output])}; give a row for each run."
        )
    return oracle.loc[labels, wanted]


def _clusters(runs: Runs, splits: list[Split], families: np.ndarray | None) -> np.ndarray:
    """Clusters of correlated errors: a family, a split, or a run if there is one split."""
    questions = Questions.of([s.test for s in splits])
    if families is not None:
        return families[questions.sets]
    if len(splits) > 1:
        return questions.sets
    if runs.run is None:
        return questions.rows
    return runs.frame[runs.run].to_numpy()[questions.rows]


def _by_split(weights: list[pd.DataFrame], splits: list[Split]) -> pd.DataFrame | None:
    if not weights:
        return None
    parts = [t.reset_index().assign(split=s.label) for t, s in zip(weights, splits, strict=True)]
    return pd.concat(parts, ignore_index=True)
