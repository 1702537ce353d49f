"""A chain's law, link and table, and the part of each stage.

A chain's rows may have a loss, a score, or both. Rows with a loss serve the inner law, rows with a
score the link.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.data.columns import find_column
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, LawError, listing, nearest
from jscale.model.law import Law

# The column with the places of a stage's rows in the chain's table.
ROW = "row of the chain"


@dataclass(frozen=True, eq=False)
class Parts:
    """A law and a link, the law that they compose, and the options of each.

    ``per`` and ``fixed`` are by the composed law's names of parameters.
    """

    inner: Law
    link: Law
    composed: Law
    per: Mapping[str, str]
    fixed: Mapping[str, float]

    @classmethod
    def of(cls, inner: Law, link: Law, per: Any, fixed: Any) -> Parts:
        """Compose; raises LawError for a link with a law's output, or unknown parameters."""
        composed = inner.then(link)
        if link.output == inner.output:
            raise LawError(
                f"{inner.name} and {link.name} both give {link.output!r}, so a table cannot hold "
                "the two apart. A link gives something else: sigmoid_link a score, loss_to_loss a "
                "target_loss."
            )
        for what, value in (("per", per), ("fixed", fixed)):
            if value is not None and not isinstance(value, Mapping):
                raise LawError(f"{what}={value!r} must be a mapping by parameter.")
        for name in (*(per or {}), *(fixed or {})):
            composed.role(name)
        return cls(inner, link, composed, dict(per or {}), dict(fixed or {}))

    @property
    def of_link(self) -> dict[str, str]:
        """The link's own name of each of its parameters, by its name in the composed law."""
        return dict(zip(self.composed.names[len(self.inner.names) :], self.link.names, strict=True))

    def inner_choices(self) -> dict[str, Any]:
        """Return the inner law's ``fixed`` and ``per``."""
        names = self.inner.names
        return {
            "per": {n: c for n, c in self.per.items() if n in names},
            "fixed": {n: v for n, v in self.fixed.items() if n in names},
        }

    def link_choices(self) -> dict[str, Any]:
        """Return the link's ``fixed`` and ``per``, by its own names."""
        link_names = self.of_link
        return {
            "per": {link_names[n]: c for n, c in self.per.items() if n in link_names},
            "fixed": {link_names[n]: v for n, v in self.fixed.items() if n in link_names},
        }


@dataclass(frozen=True, eq=False)
class Table:
    """A chain's rows: losses and scores under their laws' names, NaN where there is none.

    ``columns`` are what :meth:`Runs.from_frame` receives about the other columns.
    """

    frame: pd.DataFrame
    parts: Parts
    columns: Mapping[str, Any]

    @classmethod
    def of(
        cls, data: Runs | pd.DataFrame, parts: Parts, loss: str, score: str, columns: dict[str, Any]
    ) -> Table:
        """Take losses and scores from a table; raises DataError for missing columns."""
        frame, columns = _frame_of(data, columns)
        if columns.get("loss_unit") == "perplexity":
            raise DataError(
                "chain takes losses, not perplexities, since the link would be fitted to these: "
                f'df["{loss}"] = np.log(df["{loss}"]), which is in nats.'
            )
        if loss == score:
            raise DataError(f"loss={loss!r} and score={score!r} are one column; name two.")
        for keyword, column in (("loss", loss), ("score", score)):
            if column not in frame.columns:
                raise DataError(
                    f"The table has no column {column!r}.{nearest(str(column), frame.columns)} Its "
                    f"columns are: {listing(list(frame.columns), 20)}. Say which one holds the "
                    f'{keyword} of each run: chain(…, {keyword}="<column>").'
                )
        names = {loss: parts.inner.output, score: parts.link.output}
        # A column that already has the law's name for another quantity would clash.
        taken = [c for c in names.values() if c in frame.columns and c not in names]
        columns = {**_columns_of(parts.inner, frame), **columns}
        frame = frame.drop(columns=taken).rename(columns=names).assign(**{ROW: range(len(frame))})
        table = cls(frame, parts, columns)
        neither = ~(table.has_loss | table.has_score)
        if neither.any():
            raise DataError(
                f"{loss!r} and {score!r} are both missing in "
                f"{rows_at(frame, neither, frame[parts.inner.output])}. Leave such rows out: "
                f'df.dropna(subset=["{loss}", "{score}"], how="all").'
            )
        return table

    @property
    def has_loss(self) -> np.ndarray:
        """Which rows have a loss (n,)."""
        return self.frame[self.parts.inner.output].notna().to_numpy()

    @property
    def has_score(self) -> np.ndarray:
        """Which rows have a score (n,)."""
        return self.frame[self.parts.link.output].notna().to_numpy()

    @property
    def run(self) -> str | None:
        """The column that says which rows are of one run, or None where each row is one."""
        return self.columns.get("run")

    def check_any(self, rows: np.ndarray, what: str, do: str) -> None:
        """Raise DataError unless some row is left."""
        if not rows.any():
            raise DataError(f"None of the {len(self.frame)} rows has {what}. {do}")

    def losses(self) -> Runs:
        """Return the rows with a loss, as Runs of the inner law."""
        self.check_any(self.has_loss, "a loss", 'Fit the scores alone: how="score".')
        return Runs.from_frame(self.frame.loc[self.has_loss], **self._output(self.parts.inner))

    def scores(
        self, rows: np.ndarray | None = None, columns: Mapping[str, str] | None = None
    ) -> Runs:
        """Return the rows with a score (or ``rows`` (n,) of them), as Runs of scores.

        Warnings about them were given with the losses and are not repeated.
        """
        kept = self.has_score if rows is None else rows
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return Runs.from_frame(
                self.frame.loc[kept], **{**self._output(self.parts.link), **(columns or {})}
            )

    def _output(self, law: Law) -> dict[str, Any]:
        columns = {"output": law.output, **self.columns}
        # The unit of losses does not apply to scores.
        return columns if law.output == "loss" else {**columns, "loss_unit": "other"}


def _frame_of(
    data: Runs | pd.DataFrame, columns: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    if isinstance(data, Runs):
        if columns:
            raise DataError(
                f"{listing(list(columns))}: columns are named when Runs are made, or given to "
                "chain together with a DataFrame."
            )
        marks = {"run": data.run, "group": data.group, "weight": data.weight}
        marks |= {"loss_unit": data.loss_unit, "count": data.count}
        return data.frame, {**{x: x for x in data.inputs}, **marks}
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"chain takes Runs or a pandas DataFrame, not {type(data).__name__}.")
    return data, columns


def _columns_of(law: Law, frame: pd.DataFrame) -> dict[str, str]:
    """Return the columns that hold a law's inputs by their usual names."""
    columns = {name: find_column(name, frame.columns) for name in law.inputs}
    return {name: column for name, column in columns.items() if column is not None}


def places(runs: Runs) -> tuple[Runs, np.ndarray]:
    """Return Runs without the column of places, and the places of its rows in the table (n,)."""
    at = runs.frame[ROW].to_numpy()
    return replace(runs, frame=runs.frame.drop(columns=ROW)), at
