"""compare: scores of laws on runs that were held out from their fits.

Every law is forecast from the same rows of every split and predicts the same rows; all splits of
a law are one batch. "auto" is the forecast that :func:`jscale.forecast` makes of the fitted rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_count, check_level, check_seed
from jscale.comparison.answers import Answers, coverage_in_words
from jscale.comparison.comparison import Comparison, comparison_notes, tabulate
from jscale.comparison.contenders import AUTO, axis_of, candidates, contenders, runs_of
from jscale.comparison.split_fits import Questions, SplitFits, checked_objective
from jscale.comparison.splits import Scheme, Split, largest, origins, splits_of
from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, LawError, listing, outside
from jscale.fitting import draw_methods as methods
from jscale.fitting.objective import Objective
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.prediction.extrapolation import warn_if_far

_WITHIN = (
    "Intervals within a law know nothing of the chance that the law is wrong out there; leave out "
    "discrepancy=False, method= and resamples= to allow for it."
)


def compare(
    laws: Sequence[Law | str] | str,
    data: Runs | pd.DataFrame,
    *,
    holdout: Scheme | Any = None,
    by: str | None = None,
    level: float = 0.9,
    discrepancy: bool = True,
    prior: Any = "default",
    objective: Objective | str = "huber",
    method: str | None = None,
    resamples: int | None = None,
    oracle: pd.DataFrame | None = None,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Comparison:
    """Fit laws to some runs and score their predictions of the others.

    All laws are fitted to the same rows and predict the same rows. Each predicts with the chance
    that it bends, as ``js.predict(js.forecast(fitted_rows, [law]), other_rows)`` does.

    Parameters
    ----------
    laws : sequence of Law or str, or "auto"
        Laws or their names. "auto" among them is the forecast of :func:`jscale.forecast`, and
        ``laws="auto"`` stands for all laws that fit the columns, and the forecast.
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
    discrepancy : bool
        Whether a law's intervals allow for its departure from the truth. If False they are within
        the law: of its parameters and the noise of its fit, by draws. "auto" always allows for it.
    prior : "default", "weak", path, ForecastPrior or None
        The learnt prior of forecasts, as for :func:`jscale.forecast`.
    objective : Objective or str
        What fits minimise.
    method : str, optional
        How intervals within laws are drawn: "bootstrap" (the default) refits resampled runs,
        "bayesian" randomly weighted ones (see :func:`jscale.bootstrap`), and "laplace" is the quick
        normal approximation. To name one means ``discrepancy=False``.
    resamples : int, optional
        The number of those draws, by default 500. To give one means ``discrepancy=False``.
    oracle : DataFrame, optional
        ``prediction_low`` and ``prediction_high`` by the rows' labels (see :func:`jscale.oracle`);
        adds each interval's width relative to that of one who knows the truth.
    seed : int
        The seed of starts and draws.
    devices : optional
        The devices that fits are shared among (see :func:`jscale.fit_many`).
    progress : bool
        Whether to show the progress of fits.
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
        For a law whose inputs the table lacks, a split that leaves too few runs, rows of one run
        on both sides, or rows that differ in the unit of loss.

    Warns
    -----
    ExtrapolationWarning
        Once, where runs lie more than ten times past the largest fitted compute.
    FitWarning
        Within laws, where a law did not converge.

    Notes
    -----
    Standard errors group the rows of a family, or of a split where there are several, or else of a
    run. With few runs the curves of "laplace" are off: its 50% intervals covered 13 to 44% near
    the largest of 20 runs (benchmarks/results/coverage.txt).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> js.compare(["chinchilla", "power_const"], small).best
    'chinchilla'
    """
    check_level(level)
    check_seed(seed, error=LawError)
    within = not discrepancy or method is not None or resamples is not None
    count = check_count("resamples", 500 if resamples is None else resamples, "500")
    method = "bootstrap" if method is None else method
    methods.get_batched(method)
    kind = checked_objective(objective)
    every, auto, chosen = contenders(laws)
    runs = runs_of(chosen, data, columns)
    runs, holdout, unweighted = _with_weight(runs, holdout)
    entered = candidates(runs) if every else chosen
    scheme, splits, families = _splits(runs, holdout, by)
    best = None if oracle is None else _checked_oracle(runs, oracle)
    split_fits = SplitFits(runs, kind, count if within else 0, method, int(seed), devices, progress)
    tables = split_fits.fit_all(entered, [s.fit for s in splits], [s.label for s in splits])
    answers = Answers(runs, splits, float(level), best)
    if within:
        parts, beyond, left_out = _by_draws(answers, split_fits, tables, every)
    else:
        parts, beyond, left_out = _by_forecasts(answers, entered, prior, every)
    if auto:
        parts[AUTO], beyond[AUTO] = answers.by_forecast(AUTO, AUTO, prior)
    clusters = _clusters(runs, splits, families)
    if by is not None:
        for part in parts.values():
            part.insert(2, "family", clusters)
    axis = axis_of(runs)
    warn_if_far(
        answers.past,
        "predictions",
        "compute" if axis == "C" else str(axis),
        coverage_in_words(beyond),
    )
    fits = {name: tables[name] for name in parts if name in tables}
    notes = [
        *comparison_notes(fits, clusters, answers.questions.rows),
        *left_out.values(),
        *unweighted,
    ]
    settings = {
        "objective": str(kind),
        "discrepancy": not within,
        "method": method if within else None,
        "resamples": count if within else None,
        "seed": int(seed),
        "by": by,
    }
    return Comparison(
        tabulate(parts, clusters, AUTO),
        pd.concat(parts.values(), ignore_index=True),
        fits,
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
    >>> rolled = js.rollout(["power_const"], small, count=2)
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


def _splits(runs: Runs, holdout: Any, by: str | None) -> tuple[Any, list[Split], np.ndarray | None]:
    """Return the scheme that holds runs out, the splits, and the family of each (or None)."""
    if holdout is None:
        holdout = largest(axis_of(runs) or "C", 0.2)
    return splits_of(runs, holdout, by)


_Parts = tuple[dict[str, pd.DataFrame], dict[str, str], dict[str, str]]


def _by_draws(
    answers: Answers, split_fits: SplitFits, tables: Mapping[str, FitTable], every: bool
) -> _Parts:
    """Return each law's rows by the draws of its fits, what to say of far ones, and laws left out.

    With all laws, those that cannot predict all splits are left out; a named one raises DataError.
    """
    parts, beyond, left_out = {}, {}, {}
    for name, table in tables.items():
        why = _cannot(table)
        if why and not every:
            raise DataError(
                f"{why} All laws must predict the same runs: hold out fewer runs, or leave "
                "that law out."
            )
        if why:
            left_out[name] = f"[info] left-out: {why}"
            continue
        unsettled = table.summary["status"].to_numpy() != "converged"
        if unsettled.any():
            warnings.warn(
                f"{name} did not converge in {int(unsettled.sum())} of {len(unsettled)} splits; "
                "its predictions there may be off. See comparison.fits[…].summary.",
                FitWarning,
                stacklevel=outside(),
            )
        parts[name], beyond[name] = answers.by_draws(split_fits, table), _WITHIN
    return parts, beyond, left_out


def _by_forecasts(answers: Answers, laws: Mapping[str, Law], prior: Any, every: bool) -> _Parts:
    """Return the same from forecasts by each law."""
    parts, beyond, left_out = {}, {}, {}
    for name, law in laws.items():
        try:
            parts[name], beyond[name] = answers.by_forecast(name, [law], prior)
        except DataError as error:
            if not every:
                raise DataError(
                    f"{error} To compare within the laws, by draws, give discrepancy=False."
                ) from error
            left_out[name] = f"[info] left-out: {error}"
    return parts, beyond, left_out


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
