"""Runs: a validated table of training runs, the input of every fit.

Runs are made once from a table. Everything that can be checked without knowing the law is checked
then (:mod:`jscale.data.validation`), and what was suspicious or left out is remembered.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import missing_column
from jscale.data.doubts import Doubt, seen_in_rows
from jscale.data.validation import Reading, validate
from jscale.errors import DataError, DataWarning, outside


# eq=False: comparing frames gives a frame, not a truth value.
@dataclass(frozen=True, eq=False)
class Runs:
    """A validated table of training runs; make one with :meth:`from_frame`.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per observation: inputs and output as float64 under their standard names, and
        every other column of the source untouched (except one whose name a standard name has
        taken, as "N" is by ``N="params"``). The index keeps the source's row labels.
    inputs : tuple of str
        Names of the columns that a law may take as inputs.
    output : str
        Name of the column that a law predicts.
    run, group, weight : str, optional
        Columns that identify the run of a row, its family, and its weight.
    loss_unit : {"nats", "bits", "other"}
        Unit of the output.
    count : {"total", "non_embedding"}, optional
        Which parameters N counts; None where it was not stated.
    dropped : pandas.DataFrame
        Rows of the source that were left out, with a column ``reason``.
    doubts : tuple of Doubt
        What is usable but suspicious; a note of every fit to these runs.
    source : str
        Where the table came from.
    """

    frame: pd.DataFrame
    inputs: tuple[str, ...]
    output: str = "loss"
    run: str | None = None
    group: str | None = None
    weight: str | None = None
    loss_unit: str = "nats"
    count: str | None = None
    dropped: pd.DataFrame = field(default_factory=pd.DataFrame)
    doubts: tuple[Doubt, ...] = ()
    source: str = ""

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        output: str = "loss",
        run: str | None = None,
        group: str | None = None,
        weight: str | None = None,
        loss_unit: str | None = None,
        count: str | None = None,
        invalid: str = "raise",
        source: str = "",
        **columns: str,
    ) -> Runs:
        """Make Runs from a DataFrame, one row per observation.

        Parameters
        ----------
        frame : pandas.DataFrame
            The table. N, D, C, U and the output are found by their usual names unless named.
        output : str
            The quantity that a law predicts, such as "loss" or "accuracy".
        run : str, optional
            Column that identifies a run, where runs have several rows.
        group : str, optional
            Column of the family of a run.
        weight : str, optional
            Column of the weights of rows, finite and not negative.
        loss_unit : {"nats", "bits", "perplexity", "other"}, optional
            Unit of the output. Perplexities are converted to nats; "other" is for scores. By
            default "nats" for the output "loss" and "other" for any other output.
        count : {"total", "non_embedding"}, optional
            Which parameters N counts.
        invalid : {"raise", "drop"}
            Whether invalid rows are an error, or are left out and listed with reasons in
            ``dropped``.
        source : str
            Where the table came from, for reports.
        **columns : str
            Columns of the table by standard name or by the name of a law's own input, such as
            ``N="params"``.

        Returns
        -------
        Runs
            The valid rows, with C computed as 6·N·D where the table has none. A C or U that was
            not named and has invalid values is ignored, with a doubt.

        Raises
        ------
        DataError
            If a setting, a column or a value cannot be used.

        Warns
        -----
        DataWarning
            For everything usable but suspicious: repeated rows, C far from 6·N·D, losses that
            look like another unit, …

        Examples
        --------
        >>> import pandas as pd, jscale as js
        >>> table = pd.DataFrame({"params": [1e6, 2e6], "tokens": [1e8, 1e8], "loss": [4.0, 3.9]})
        >>> js.Runs.from_frame(table, N="params", D="tokens").inputs
        ('N', 'D', 'C')
        """
        # Scores have no unit to convert, and none to be suspicious about.
        loss_unit = loss_unit or ("nats" if output == "loss" else "other")
        marks = {"run": run, "group": group, "weight": weight}
        valid = validate(frame, Reading(output, loss_unit, count, invalid, marks, columns))
        for doubt in valid.doubts:
            warnings.warn(f"{doubt.seen} {doubt.remedy}", DataWarning, stacklevel=outside())
        return cls(
            valid.frame,
            valid.inputs,
            output,
            **marks,
            loss_unit=valid.loss_unit,
            count=count,
            dropped=valid.dropped,
            doubts=valid.doubts,
            source=source,
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, column: str) -> np.ndarray:
        """Return one column as a NumPy array (n,)."""
        if column not in self.frame.columns:
            raise missing_column(column, None, self.frame.columns)
        return self.frame[column].to_numpy()

    def __repr__(self) -> str:
        spans = [
            f"{name} {self.frame[name].min():.3g}…{self.frame[name].max():.3g}"
            for name in (*self.inputs, self.output)
        ]
        left_out = f", {len(self.dropped)} rows dropped" if len(self.dropped) else ""
        counts = f"{len(self)} rows, {self.n_independent} independent{left_out}"
        return f"Runs({counts}: {', '.join(spans)})"

    @property
    def n_independent(self) -> int:
        """Number of independent runs: distinct labels in ``run``, or else distinct rows."""
        if self.run is not None:
            return len(self.frame.drop_duplicates(self.run))
        return len(self.frame[[*self.inputs, self.output]].drop_duplicates())

    @property
    def digest(self) -> str:
        """SHA-256 digest of names and values, equal for equal data (16 hexadecimal digits)."""
        hasher = hashlib.sha256()
        for name in (*self.inputs, self.output):
            hasher.update(name.encode())
            hasher.update(np.ascontiguousarray(self[name], dtype=np.float64).tobytes())
        for mark, name in (("run", self.run), ("group", self.group), ("weight", self.weight)):
            if name is not None:
                # Separated, so that labels "a", "bc" and "ab", "c" give different digests.
                hasher.update("\x1f".join([mark, *map(str, self.frame[name])]).encode())
        return hasher.hexdigest()[:16]

    def where(self, keep: Sequence[bool] | np.ndarray | pd.Series | Callable[..., Any]) -> Runs:
        """Return the runs of the rows where ``keep`` is True.

        Parameters
        ----------
        keep : array_like of bool, shape (n,), or callable
            A mask, or a function that returns one for ``frame``.

        Returns
        -------
        Runs
            The rows kept. Doubts about rows (repeats, C far from 6·N·D) are updated to these
            rows and not issued again.

        Raises
        ------
        DataError
            If the mask has the wrong length or type, or keeps no row.

        Examples
        --------
        >>> import jscale as js
        >>> runs = js.Runs.from_frame(js.datasets.load("stdlib_lm"))
        >>> len(runs.where(lambda table: table["split"] == "holdout")) > 0
        True
        """
        mask = np.asarray(keep(self.frame) if callable(keep) else keep)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise DataError(
                f"The mask has type {mask.dtype} and shape {mask.shape}; it must hold True or "
                f"False for each of the {len(self)} rows, such as runs['C'] < 1e20."
            )
        if not mask.any():
            raise DataError(f"The mask keeps none of the {len(self)} rows.")
        frame = self.frame.loc[mask]
        # Doubts about rows are restated for the rows kept, and vanish if none of these is at fault.
        seen = seen_in_rows(frame, self.inputs, self.output)
        doubts = [doubt._replace(seen=seen.get(doubt.code, doubt.seen)) for doubt in self.doubts]
        return replace(self, frame=frame, doubts=tuple(d for d in doubts if d.seen))
