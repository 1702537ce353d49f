"""compare: which law predicts best the runs that it has not seen.

Every law is fitted to the same rows of every split and predicts the same rows, with intervals
from a bootstrap; all splits of a law are one batch of lanes.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws as registry
from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.errors import DataError, FitWarning, JscaleError, LawError, listing
from jscale.fitting.batch import fit_sets
from jscale.fitting.build import as_runs
from jscale.fitting.fit import check_choices
from jscale.fitting.objective import Objective, as_objective, from_space, to_space
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.prediction.criteria import by_row, log_score, standard_error, summarise
from jscale.prediction.splits import Scheme, Split, as_scheme, largest, origins
from jscale.uncertainty.draws import check_level, tails

_FEW_CLUSTERS = 5
_ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class Comparison:
    """How laws predicted runs that they had not seen.

    ``table`` has a row per law, best interval score first: rows, RMSLE, R², and the means of
    absolute (relative) error, bias, coverage, interval score and width (over the measured
    number) and log score, each with its standard error over clusters (``…_error``); ``behind``
    is how much larger its interval score is than the best law's, ``behind_error`` the standard
    error of that paired difference; ``weight`` its stacking weight. ``rows`` has a row per law,
    split and predicted run: ``law``, ``split``, ``row`` (its label), ``place`` (its number),
    ``measured``, ``extrapolation`` (how many times it lies past the largest compute that was
    fitted, NaN without compute), ``curve``, the intervals and the criteria. ``fits`` are the
    laws' FitTables, a row per split.
    """

    table: pd.DataFrame
    rows: pd.DataFrame
    fits: Mapping[str, FitTable]
    scheme: Scheme
    level: float
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    @property
    def best(self) -> str:
        """The law with the lowest mean interval score."""
        return str(self.table.index[0])

    def __repr__(self) -> str:
        shown = ["rows", "absolute_error", "bias", "coverage", "interval_score",
                 "behind", "behind_error", "log_score", "weight"]  # fmt: skip
        text = self.table.loc[:, shown].to_string(float_format=lambda v: f"{v:.4g}")
        lines = [f"Comparison on {self.scheme}, {100 * self.level:g}% prediction intervals", text]
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        table = self.table.to_html(float_format=lambda v: f"{v:.4g}")
        return f"<p>{html.escape(str(self.scheme))}</p>{table}<ul>{notes}</ul>"


def compare(
    laws: Sequence[Law | str],
    data: Runs | pd.DataFrame,
    *,
    holdout: Scheme | Any = None,
    level: float = 0.9,
    objective: Objective | str = "huber",
    resamples: int = 500,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Comparison:
    """Fit laws to some runs and score their predictions of the others.

    ``holdout`` says which: a scheme of :mod:`jscale.splits` (default ``largest("C", 0.2)``), or
    a mask (n,), True for the rows to predict. Each law is fitted to the same rows, and its
    prediction intervals at ``level`` come from ``resamples`` bootstrap refits and the fit's own
    residuals. Standard errors take rows of a split together where there are several splits,
    else rows of a run. Warns with FitWarning where a law did not converge.

    Raises LawError for the same law twice or different outputs, JscaleError for a level or a
    number of resamples that cannot be, DataError for a law whose inputs
    the table has not, a split that leaves fewer runs than a law has parameters, or rows of one
    run on both sides.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> found = js.compare(["chinchilla", "farseer"], small, resamples=50)
    >>> found.best
    'farseer'
    """
    check_level(level)
    check_choices(None, (), None, seed)
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 2:
        raise JscaleError(f"resamples={resamples!r} must be a whole number, at least 2: 500.")
    chosen = _laws(laws)
    runs = as_runs(next(iter(chosen.values())), data, columns)
    scheme = largest("C", 0.2) if holdout is None else as_scheme(holdout)
    splits = scheme.make(runs)
    kind = as_objective(objective)
    fits = {
        name: _fitted(law, runs, splits, kind, resamples, seed, devices, progress)
        for name, law in chosen.items()
    }
    parts = [_scored(name, fits[name], runs, splits, level, seed) for name in fits]
    rows = pd.concat(parts, ignore_index=True)
    clusters = _clusters(rows, runs, splits)
    table = _table(rows, clusters)
    settings = {"objective": str(kind), "resamples": int(resamples), "seed": int(seed)}
    notes = _notes(fits, len(np.unique(clusters)))
    return Comparison(table, rows, fits, scheme, float(level), notes, settings)


def rollout(
    laws: Sequence[Law | str],
    data: Runs | pd.DataFrame,
    *,
    column: str = "C",
    count: int = 6,
    factor: float = 1.0,
    **choices: Any,
) -> Comparison:
    """Compare laws from origin after origin: all rows up to a cut predict all rows beyond it.

    ``count`` cuts of ``column``, even in its logarithm; only rows beyond ``factor`` times the
    cut are predicted. ``choices`` are those of :func:`compare`.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> found = js.rollout(["power_const"], table[table["split"] == "fit"], count=2, resamples=50)
    >>> len(found.fits["power_const"])
    2
    """
    return compare(laws, data, holdout=origins(column, count, factor), **choices)


def _laws(laws: Sequence[Law | str]) -> dict[str, Law]:
    if isinstance(laws, (str, Law)) or not laws:
        raise LawError(f'laws={laws!r} must name one law or more: ["chinchilla", "farseer"].')
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


def _fitted(
    law: Law, runs: Runs, splits: list[Split], objective: Objective, resamples: int, seed: int,
    devices: Any, progress: bool,
) -> FitTable:  # fmt: skip
    if objective.auto:
        raise JscaleError(f"compare takes a number for delta, not {objective}.")
    table = fit_sets(
        law, runs, [s.fit for s in splits], [s.label for s in splits], by="split",
        objective=objective, resamples=int(resamples), seed=int(seed), devices=devices,
        progress=progress,
    )  # fmt: skip
    if table.failures:
        label, why = next(iter(table.failures.items()))
        raise DataError(
            f"{law.name} cannot be fitted to the split {label!r}: {why}. All laws must answer the "
            "same questions: hold out fewer runs, or leave that law out."
        )
    spare = table.summary["runs"].to_numpy() - len(law.names)
    if (spare < 1).any():
        label = table.summary.index[int(np.argmax(spare < 1))]
        raise DataError(
            f"{law.name} has no run to spare in the split {label!r}: it passes through its runs "
            "and has no interval. Hold out fewer runs, or leave that law out."
        )
    unsettled = table.summary["status"].to_numpy() != "converged"
    if unsettled.any():
        warnings.warn(
            f"{law.name} did not converge in {int(unsettled.sum())} of {len(table)} splits; its "
            "predictions there may be off. See comparison.fits[…].summary.",
            FitWarning,
            stacklevel=3,
        )
    return table


def _scored(
    name: str, table: FitTable, runs: Runs, splits: list[Split], level: float, seed: int
) -> pd.DataFrame:
    """Return a row per split and predicted run of one law."""
    parts = []
    for k, split in enumerate(splits):
        frame = runs.frame.iloc[split.test]
        points = {x: frame[x].to_numpy(dtype=np.float64) for x in table.law.inputs}
        measured = frame[runs.output].to_numpy(dtype=np.float64)
        predicted, samples = _predicted(table, k, points, level, seed)
        scores = by_row(predicted, measured, level)
        scores["log_score"] = log_score(samples, measured)
        head = pd.DataFrame(
            {"law": name, "split": split.label, "row": frame.index, "place": split.test,
             "measured": measured, "extrapolation": _past(runs, split)}
        )  # fmt: skip
        parts.append(pd.concat([head, predicted, scores], axis=1))
    return pd.concat(parts, ignore_index=True)


def _predicted(
    table: FitTable, split: int, points: Mapping[str, np.ndarray], level: float, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the curve with both intervals at points (m,), and samples of new runs (R, m)."""
    assert table.draws is not None
    space, law = table.settings.objective.space, table.law
    draws = table.draws[split]
    draws = draws[np.isfinite(draws).all(axis=1)]
    params = np.vstack([table.params.to_numpy()[split], draws])
    values = {n: params[:, i, None] for i, n in enumerate(law.names)}
    with float64_scope(), np.errstate(all="ignore"):
        output = np.asarray(law(**points, **values), dtype=np.float64)
        curve = np.asarray(to_space(output[1:], space))
    rng = np.random.default_rng((seed, split))
    new = curve + rng.choice(table.noise[split], size=curve.shape)
    frame = pd.DataFrame({"curve": output[0]})
    for kind, sampled in (("confidence", curve), ("prediction", new)):
        low, high = from_space(np.nanquantile(sampled, tails(level), axis=0), space)
        frame[f"{kind}_low"], frame[f"{kind}_high"] = low, high
    return frame, from_space(new, space)


def _past(runs: Runs, split: Split) -> np.ndarray:
    if "C" not in runs.inputs:
        return np.full(len(split.test), np.nan)
    C = runs["C"]
    return C[split.test] / C[split.fit].max()


def _clusters(rows: pd.DataFrame, runs: Runs, splits: list[Split]) -> np.ndarray:
    """What errs together: the rows of a split, or of a run where there is one split."""
    if len(splits) > 1:
        return rows["split"].to_numpy()
    if runs.run is None:
        return rows["place"].to_numpy()
    return runs.frame[runs.run].to_numpy()[rows["place"]]


def _table(rows: pd.DataFrame, clusters: np.ndarray) -> pd.DataFrame:
    """Return the criteria of each law, the best interval score first."""
    found = {}
    for name, part in rows.groupby("law", sort=False):
        own = clusters[part.index]
        found[name] = summarise(part, part["curve"], part["measured"], own)
    table = pd.DataFrame.from_dict(found, orient="index").rename_axis("law")
    table = table.sort_values("interval_score", kind="stable")
    scores = rows.pivot(index=["split", "place"], columns="law", values="interval_score")
    first = rows[rows["law"] == table.index[0]]
    same = pd.Series(clusters[first.index], [first["split"], first["place"]])
    behind = scores.sub(scores[table.index[0]], axis=0)
    table["behind"] = behind.mean()
    table["behind_error"] = [
        standard_error(behind[name], same.reindex(behind.index).to_numpy()) for name in table.index
    ]
    logs = rows.pivot(index=["split", "place"], columns="law", values="log_score")[table.index]
    table["weight"] = stacking_weights(logs.to_numpy())
    return table


def stacking_weights(log_scores: np.ndarray) -> np.ndarray:
    """Return weights (K,) that give the mixture of K laws the best log score on rows (n, K).

    They maximise Σ ln Σ w_k·exp(score_k) with w ≥ 0 and Σ w = 1, by expectation–maximisation,
    which cannot leave that set (Yao et al. 2018, doi:10.1214/17-BA1091).

    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.1]])).round(3)
    array([1., 0.])
    """
    density = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(_ITERATIONS):
        share = density * weights
        weights = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights


def _notes(fits: Mapping[str, FitTable], clusters: int) -> tuple[str, ...]:
    notes = []
    if clusters < _FEW_CLUSTERS:
        notes.append(
            f"[caution] few-held-out: {clusters} independent questions were asked, so standard "
            "errors and weights are rough. Use more splits or hold out more runs."
        )
    for name, table in fits.items():
        assert table.draws is not None
        most = table.summary["unsettled"].to_numpy() / table.draws.shape[1]
        if (most > 0.01).any():
            notes.append(
                f"[caution] draws-unsettled: {name} has over 1 % of resamples that did not "
                f"converge in {int(np.sum(most > 0.01))} of {len(table)} splits."
            )
    return tuple(notes)
