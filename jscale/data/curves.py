"""Curves: whole loss curves of runs, with the learning-rate schedule of each.

The rows of a curve become rows of Runs, with the areas S1 and S2 of its schedule up to their step
as inputs. Laws of the learning rate are fitted to these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import MISSING, fault_of_values, raise_fault, rows_at, to_numbers
from jscale.data.columns import find_column, missing_column
from jscale.data.runs import Runs
from jscale.data.schedule import MEMORY, Schedule
from jscale.data.schedules import from_log
from jscale.errors import DataError, listing, nearest

_RESERVED = ("run", "schedule", "S", "S1", "S2", "loss", "memory", "stretch")
_RATES = ("learning_rate", "lr", "eta", "rate")


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss curves of runs; make them with :meth:`from_frame`.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per logged loss, with the columns ``run``, ``schedule`` (index into
        ``schedules``), ``S`` (the step), ``S1``, ``S2``, ``loss``, and the source's other columns;
        those whose names are taken have "_given" appended. The index keeps the source's row labels.
    schedules : tuple of Schedule
        Learning-rate schedules of the runs.
    memory : float
        Decay factor of the annealing momentum in S2.
    dropped : pandas.DataFrame
        Rows within the warm-up, where no law of the learning rate holds.
    """

    frame: pd.DataFrame
    schedules: tuple[Schedule, ...]
    memory: float = MEMORY
    dropped: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        run: str = "run",
        step: str | None = None,
        learning_rate: str | None = None,
        loss: str | None = None,
        schedules: Mapping[Any, Schedule] | None = None,
        warmup: int | None = None,
        memory: float = MEMORY,
    ) -> Curves:
        """Make Curves from a table of logged losses, one row per run and step.

        Parameters
        ----------
        frame : pandas.DataFrame
            The table.
        run : str
            Column that identifies a run.
        step, learning_rate, loss : str, optional
            Columns of the step, the learning rate and the loss; found by their usual names unless
            named.
        schedules : mapping of label to Schedule, optional
            Schedule of each run. By default, each is interpolated linearly between the logged
            rates (:func:`jscale.schedules.from_log`), which is accurate where rates are logged
            densely or change little in between.
        warmup : int, optional
            Number of warm-up steps of interpolated schedules.
        memory : float
            Decay factor of the annealing momentum in S2, in [0, 1).

        Returns
        -------
        Curves
            The curves after the warm-up.

        Raises
        ------
        DataError
            If columns are missing or not numeric, steps repeat or run backwards within a run,
            rates are negative, a run has no schedule, or a schedule ends before its run does.

        Examples
        --------
        >>> import jscale as js
        >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
        >>> len(curves), len(curves.schedules)
        (966, 12)
        """
        if not isinstance(frame, pd.DataFrame) or len(frame) == 0:
            raise DataError("Curves are made from a pandas DataFrame with a row for each loss.")
        if run not in frame.columns:
            raise missing_column("run", run, frame.columns)
        columns = {"S": _column("S", step, frame), "loss": _column("loss", loss, frame)}
        if schedules is None:
            columns["learning_rate"] = _rate_column(learning_rate, frame)
        values = {name: _numbers(frame, name, column) for name, column in columns.items()}
        missing = frame[run].isna().to_numpy()
        if missing.any():
            raise_fault(frame, "run", run, MISSING, missing)
        labels = frame[run].astype(str)
        code, names = pd.factorize(labels)
        _check_steps(frame, code, names, values["S"])
        schedule_of_run = [
            _schedule(name, code == k, values, schedules, warmup) for k, name in enumerate(names)
        ]
        used = (run, *columns.values())
        taken = {c: f"{c}_given" for c in _RESERVED if c in frame.columns and c not in used[1:]}
        rows = frame.drop(columns=list(used), errors="ignore").rename(columns=taken)
        # The code of the schedule is an input of laws, and inputs are float64.
        rows = rows.assign(run=labels, schedule=code.astype(float), S=values["S"])
        rows = rows.assign(
            loss=values["loss"], **_areas(schedule_of_run, code, values["S"], memory)
        )
        early = values["S"] < np.array([s.warmup for s in schedule_of_run])[code]
        return cls(rows.loc[~early], tuple(schedule_of_run), memory, rows.loc[early])

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        counts = self.frame["run"].value_counts(sort=False)
        return "\n".join(
            [f"Curves of {len(counts)} runs, {len(self)} losses"]
            + [f"  {name}: {n} losses, {self.schedule_of(str(name))}" for name, n in counts.items()]
        )

    def schedule_of(self, run: str) -> Schedule:
        """Return the schedule of a run.

        Parameters
        ----------
        run : str
            Label of the run.

        Returns
        -------
        Schedule
            Its learning-rate schedule.

        Raises
        ------
        DataError
            If there is no such run.

        Examples
        --------
        >>> import jscale as js
        >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
        >>> len(curves.schedule_of(curves.frame["run"].iloc[0]))
        586
        """
        rows = self.frame.loc[self.frame["run"] == run]
        if not len(rows):
            known = list(dict.fromkeys(self.frame["run"]))
            raise DataError(f"There is no run {run!r}.{nearest(str(run), known)} {_known(known)}")
        return self.schedules[int(rows["schedule"].iloc[0])]

    def where(self, runs: Sequence[str]) -> Curves:
        """Return the curves of some runs.

        Parameters
        ----------
        runs : sequence of str
            Labels of the runs to keep.

        Returns
        -------
        Curves
            Their curves. All schedules are kept, so that the column ``schedule`` keeps its meaning.

        Raises
        ------
        DataError
            If one of the runs is not there.

        Examples
        --------
        >>> import jscale as js
        >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
        >>> first = curves.where([curves.frame["run"].iloc[0]])
        >>> first.frame["run"].nunique(), len(first.schedules)
        (1, 12)
        """
        for name in runs:
            self.schedule_of(name)
        return replace(self, frame=self.frame.loc[self.frame["run"].isin(list(runs))])

    def runs(self, *, blocks: int = 12, loss_unit: str = "nats", **columns: str) -> Runs:
        """Return the rows as Runs, to which a law of the learning rate can be fitted.

        Parameters
        ----------
        blocks : int
            Number of blocks, equal in steps, into which each curve is cut.
        loss_unit : {"nats", "bits", "perplexity", "other"}
            Unit of the loss.
        **columns : str
            Columns of further inputs, such as ``N="N"``.

        Returns
        -------
        Runs
            One row per logged loss, with S, S1, S2 and schedule among the inputs.

        Raises
        ------
        DataError
            If ``blocks`` is below 1, or a column cannot be used.

        Notes
        -----
        Errors of losses close together on a curve are correlated. The ``run`` of the Runs is
        therefore a block of a curve: a bootstrap resamples blocks, and its intervals cover the
        uncertainty due to noise along these curves. They do not cover the error of the law on
        another schedule, nor the difference between seeds. Where a fit or its notes mention
        independent runs, they mean blocks.

        Examples
        --------
        >>> import jscale as js
        >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
        >>> runs = curves.where([curves.frame["run"].iloc[0]]).runs(blocks=8)
        >>> runs.run, runs.n_independent
        ('stretch', 8)
        """
        if blocks < 1:
            raise DataError(f"blocks={blocks} must be 1 or more: blocks of each curve.")
        frame = self.frame.copy()
        steps = frame["S"].to_numpy()
        low, high = (frame.groupby("run")["S"].transform(x).to_numpy() for x in ("min", "max"))
        # Steps low to high are high − low + 1 in number, cut into blocks of equal length.
        part = np.minimum(((steps - low) / (high - low + 1) * blocks).astype(int), blocks - 1)
        frame["memory"] = self.memory
        frame["stretch"] = [
            f"{r} {k + 1}/{blocks}" for r, k in zip(frame["run"], part, strict=True)
        ]
        inputs = {name: name for name in ("schedule", "S", "S1", "S2")}
        return Runs.from_frame(
            frame, loss="loss", run="stretch", loss_unit=loss_unit, **{**inputs, **columns}
        )


def _column(name: str, named: str | None, frame: pd.DataFrame) -> str:
    """Return the column of the step or the loss: the one ``named``, or one with a usual name."""
    column = find_column(name, frame.columns) if named is None else named
    # "steps", an alias of S, is often the length of the run; "step" is the place on the curve.
    if named is None and name == "S" and "step" in frame.columns:
        column = "step"
    if column is None or column not in frame.columns:
        raise missing_column(name, named, frame.columns)
    return column


def _rate_column(named: str | None, frame: pd.DataFrame) -> str:
    column = named or next((name for name in _RATES if name in frame.columns), None)
    if column is None or column not in frame.columns:
        raise DataError(
            f"The table has no column of the learning rate{f', named {named!r}' if named else ''}. "
            f"Its columns are: {listing(list(frame.columns), 20)}. Name it, "
            'learning_rate="<column>", or give schedules={run: js.schedules.cosine(…)}.'
        )
    return column


def _numbers(frame: pd.DataFrame, name: str, column: str) -> np.ndarray:
    """Return a column as float64 (n,); raises DataError for values that cannot be used."""
    values = to_numbers(frame, column)
    above = None if name == "learning_rate" else 0.0
    for reason, bad in fault_of_values(frame, column, values, above=above).items():
        raise_fault(frame, name, column, reason, bad)
    negative = values < 0
    if negative.any():
        raise DataError(
            f"Learning rates must not be negative, but {column!r} is below 0 in "
            f"{rows_at(frame, negative, values)}."
        )
    return values


def _check_steps(frame: pd.DataFrame, code: np.ndarray, names: Any, steps: np.ndarray) -> None:
    """Raise DataError where a run's steps, in the order of its rows, repeat or run backwards."""
    fractional = steps != np.floor(steps)
    if fractional.any():
        raise DataError(
            f"Steps must be whole numbers, but are not in {rows_at(frame, fractional, steps)}."
        )
    # A stable sort groups the runs and keeps the order of rows within each of them.
    order = np.argsort(code, kind="stable")
    same = np.diff(code[order], prepend=-1) == 0
    back = same & (np.diff(steps[order], prepend=0.0) <= 0)
    if back.any():
        bad = np.zeros(len(steps), dtype=bool)
        bad[order[back]] = True
        name = names[code[order[back][0]]]
        raise DataError(
            f"The steps of a run must rise from row to row, but repeat or run backwards in "
            f"{rows_at(frame, bad, steps)} of run {name!r}. Sort them, "
            "df.sort_values([run, step]), and leave out repeats."
        )


def _schedule(
    name: str,
    rows: np.ndarray,
    values: Mapping[str, np.ndarray],
    schedules: Mapping[Any, Schedule] | None,
    warmup: int | None,
) -> Schedule:
    """Return the schedule of the run in ``rows``: the one given, or one from its logged rates."""
    steps = values["S"][rows]
    if schedules is None:
        return from_log(steps, values["learning_rate"][rows], warmup=warmup, name=name)
    by_name = {str(k): v for k, v in schedules.items()}
    if not isinstance(by_name.get(name), Schedule):
        raise DataError(
            f"There is no schedule for the run {name!r}; schedules={{…}} has "
            f"{listing(list(by_name), 10) or 'none'}. Give one for each run."
        )
    schedule = by_name[name].renamed(name)
    if steps[-1] > len(schedule):
        raise DataError(
            f"The schedule of the run {name!r} has {len(schedule)} steps, but its losses go on to "
            f"step {steps[-1]:g}. Give the rates of all its steps."
        )
    return schedule


def _areas(
    schedules: Sequence[Schedule], code: np.ndarray, steps: np.ndarray, memory: float
) -> dict[str, np.ndarray]:
    """Return S1 and S2 at every row (n,), each by the schedule of its run."""
    areas = {"S1": np.zeros(len(steps)), "S2": np.zeros(len(steps))}
    for k, schedule in enumerate(schedules):
        rows = code == k
        areas["S1"][rows] = schedule.area(steps[rows])
        areas["S2"][rows] = schedule.annealing_area(steps[rows], memory)
    return areas


def _known(names: Sequence[str]) -> str:
    return f"Runs are {listing(list(names), 10)}."
