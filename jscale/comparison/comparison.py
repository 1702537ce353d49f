"""Comparison: the scores of laws on runs held out from their fits, with caveats."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.comparison.criteria import standard_error, summarise
from jscale.comparison.stacking import stacking_weights
from jscale.errors import JscaleError
from jscale.fitting.table import FitTable

_FEW_CLUSTERS = 5


@dataclass(frozen=True, eq=False)
class Comparison:
    """How laws predicted runs that they had not seen.

    Attributes
    ----------
    table : DataFrame
        One row per law, the best interval score first: the number of rows, RMSLE, R², and the means
        of the absolute (relative) error, bias, coverage, interval score, width (relative to the
        measured value) and log score, each with its standard error over clusters (``…_error``);
        ``median_error``, the median of the absolute errors; ``behind``, how much larger the
        interval score is than the best law's, and ``behind_error``, the standard error of that
        paired difference; and ``weight``, the stacking weight on these rows (NaN for "auto", which
        takes no part).
    rows : DataFrame
        One row per law, split and predicted run: ``law``, ``split``, ``family`` (with ``by``),
        ``row`` (its label), ``place`` (its number), ``measured``, ``extrapolation`` (how many times
        it lies past the largest fitted compute, or single input), ``curve``, the intervals, ``pit``
        (the share of predicted new runs at or below the measured one) and the criteria.
    fits : mapping of str to FitTable
        The fits of each law, one row per split; with draws where intervals are within laws.
    scheme : str
        What was held out.
    level : float
        The level of the prediction intervals.
    notes : tuple of str
        What makes the comparison doubtful.
    settings : mapping
        How it was made.
    """

    table: pd.DataFrame
    rows: pd.DataFrame
    fits: Mapping[str, FitTable]
    scheme: Any
    level: float
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per law.
        """
        return self.table.copy()

    @property
    def best(self) -> str:
        """The law with the lowest mean interval score."""
        return str(self.table.index[0])

    def coverage(self, levels: Sequence[float] = (0.5, 0.8, 0.95)) -> pd.DataFrame:
        """Return the share of runs inside each law's equal-tailed intervals.

        Parameters
        ----------
        levels : sequence of float
            Levels between 0 and 1.

        Returns
        -------
        DataFrame
            One row per law and one column per level.

        Raises
        ------
        JscaleError
            For a level outside (0, 1).
        """
        if not levels:
            raise JscaleError("levels=() names no level: give some, such as (0.8, 0.95).")
        far = np.abs(self.rows["pit"].to_numpy() - 0.5)
        names = self.rows["law"].to_numpy()
        inside = {
            level: [
                np.mean(far[names == name] <= check_level(level) / 2) for name in self.table.index
            ]
            for level in levels
        }
        return pd.DataFrame(inside, index=self.table.index)

    def __repr__(self) -> str:
        shown = [
            "rows",
            "absolute_error",
            "bias",
            "coverage",
            "interval_score",
            "behind",
            "behind_error",
            "log_score",
            "weight",
        ]
        text = self.table.loc[:, shown].to_string(float_format=lambda v: f"{v:.4g}")
        lines = [f"Comparison on {self.scheme}, {self._intervals}", text]
        return "\n".join([*lines, *self.notes])

    @property
    def _intervals(self) -> str:
        """The intervals, in words."""
        method = self.settings.get("method")
        how = f"within each law by {method}" if method else "with each law's discrepancy"
        return f"{100 * self.level:g}% prediction intervals {how}"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        table = self.table.to_html(float_format=lambda v: f"{v:.4g}")
        head = html.escape(f"{self.scheme}, {self._intervals}")
        return f"<p>{head}</p>{table}<ul>{notes}</ul>"


def tabulate(parts: Mapping[str, pd.DataFrame], clusters: np.ndarray, auto: str) -> pd.DataFrame:
    """Return the criteria of each law, the best interval score first.

    ``parts`` are the laws' rows, all in the same order; ``clusters`` (P,) labels rows with
    correlated errors. ``auto`` is the name of the forecast, which takes no part in the weights.
    """
    summaries = {}
    for name, part in parts.items():
        summaries[name] = summarise(part, part["curve"], part["measured"], clusters)
        summaries[name]["median_error"] = float(np.median(part["absolute_error"]))
    table = pd.DataFrame.from_dict(summaries, orient="index").rename_axis("law")
    table = table.sort_values("interval_score", kind="stable")
    best = parts[str(table.index[0])]["interval_score"].to_numpy()
    with np.errstate(invalid="ignore"):  # inf − inf: both are infinitely behind
        behind = {name: parts[name]["interval_score"].to_numpy() - best for name in table.index}
        table["behind"] = [float(np.mean(behind[name])) for name in table.index]
        errors = [standard_error(behind[name], clusters) for name in table.index]
    table["behind_error"] = errors
    laws = [name for name in table.index if name != auto]
    table["weight"] = np.nan
    if laws:
        logs = np.stack([parts[name]["log_score"].to_numpy() for name in laws], axis=1)
        table.loc[laws, "weight"] = stacking_weights(np.nan_to_num(logs, nan=-1e3, neginf=-1e3))
    return table


def comparison_notes(
    fits: Mapping[str, FitTable], clusters: np.ndarray, rows: np.ndarray
) -> list[str]:
    """Return the caveats of a comparison, for predictions of ``rows`` (P,) in ``clusters``."""
    notes = []
    count = len(np.unique(clusters))
    if count < _FEW_CLUSTERS:
        notes.append(
            f"[caution] few-held-out: {count} questions were asked, so standard "
            "errors and weights are rough. Use more splits or hold out more runs."
        )
    if len(np.unique(rows)) < len(rows):
        notes.append(
            "[caution] shared-runs: runs are predicted by more than one split, so the splits err "
            "together and standard errors over them are too small (where the law was right, about "
            "a third of the true ones on 80 simulated tables). Look at single splits: "
            'comparison.rows.groupby(["law", "split"]).'
        )
    for name, table in fits.items():
        if table.draws is None or "unsettled" not in table.summary:
            continue
        most = table.summary["unsettled"].to_numpy() / table.draws.shape[1]
        if (most > 0.01).any():
            notes.append(
                f"[caution] draws-unsettled: {name} has over 1% of resamples that did not "
                f"converge in {int(np.sum(most > 0.01))} of {len(table)} splits."
            )
    return notes
