"""Curves: whole loss curves of some runs, with the learning-rate schedule of each.

A curve's rows become rows of Runs with the areas S1 and S2 of its schedule up to their step, to
which laws of the learning rate are fitted.
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
from jscale.data.schedules import MEMORY, Schedule, from_log
from jscale.errors import DataError, listing, nearest

_OWN = ("run", "schedule", "S", "S1", "S2", "loss", "memory", "stretch")
_RATES = ("learning_rate", "lr", "eta", "rate")


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss curves of some runs.

    ``frame`` has a row per observed loss: ``run``, ``schedule`` (the place of the run's schedule
    in ``schedules``), ``S`` (the step), ``S1``, ``S2``, ``loss`` and the source's other columns,
    with "_given" behind names that these have taken; its index keeps the source's row labels.
    ``dropped`` holds the rows within the warm-up, where
    no law of the learning rate holds. Make one with :meth:`from_frame`.
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
        """Make Curves from a table of logged losses, a row for each run and step.

        ``schedules`` gives the schedule of every run by its label. Without, each is drawn in a
        straight line through the rates logged in the column ``learning_rate``, after ``warmup``
        steps if given (:func:`jscale.schedules.from_log`): fine where rates are logged densely, or
        change little between. ``memory`` is that of S2.

        Raises DataError for columns that are missing or no numbers, steps that repeat or run
        backwards within a run, rates below 0, runs without a schedule, and schedules that end
        before their run does.

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
        made = [
            _schedule(name, code == k, values, schedules, warmup) for k, name in enumerate(names)
        ]
        taken = {c: f"{c}_given" for c in _OWN if c in frame.columns and c not in columns.values()}
        kept = frame.drop(columns=[run, *columns.values()], errors="ignore").rename(columns=taken)
        kept = kept.assign(run=labels, schedule=code.astype(float), S=values["S"])
        kept = kept.assign(loss=values["loss"], **_areas(made, code, values["S"], memory))
        early = values["S"] < np.array([s.warmup for s in made])[code]
        return cls(kept.loc[~early], tuple(made), memory, kept.loc[early])

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        counts = self.frame["run"].value_counts(sort=False)
        return "\n".join(
            [f"Curves of {len(counts)} runs, {len(self)} losses"]
            + [f"  {name}: {n} losses, {self.schedule_of(str(name))}" for name, n in counts.items()]
        )

    def schedule_of(self, run: str) -> Schedule:
        """Return the schedule of a run; raises DataError for one that is not there."""
        rows = self.frame.loc[self.frame["run"] == run]
        if not len(rows):
            known = list(dict.fromkeys(self.frame["run"]))
            raise DataError(f"There is no run {run!r}.{nearest(str(run), known)} {_known(known)}")
        return self.schedules[int(rows["schedule"].iloc[0])]

    def where(self, runs: Sequence[str]) -> Curves:
        """Return the curves of some runs; all schedules stay, so that codes keep their meaning."""
        for name in runs:
            self.schedule_of(name)
        return replace(self, frame=self.frame.loc[self.frame["run"].isin(list(runs))])

    def runs(self, *, blocks: int = 12, loss_unit: str = "nats", **columns: str) -> Runs:
        """Return the rows as Runs, to fit a law of the learning rate to.

        Losses near one another on a curve err together. ``run`` of the Runs therefore names
        ``blocks`` stretches of each curve, equal in steps: a bootstrap draws those, and its
        intervals hold what noise along these curves leaves open. They know nothing of how wrong
        the law is on another schedule, nor how another seed would differ; where a fit or its notes
        speak of independent runs, they mean these stretches. ``columns`` name further inputs, such
        as N="N".
        """
        if blocks < 1:
            raise DataError(f"blocks={blocks} must be from 1 up: stretches of each curve.")
        frame = self.frame.copy()
        steps = frame["S"].to_numpy()
        low, high = (frame.groupby("run")["S"].transform(x).to_numpy() for x in ("min", "max"))
        part = np.minimum(((steps - low) / (high - low + 1) * blocks).astype(int), blocks - 1)
        frame["memory"] = self.memory
        frame["stretch"] = [
            f"{r} {k + 1}/{blocks}" for r, k in zip(frame["run"], part, strict=True)
        ]
        own = {name: name for name in ("schedule", "S", "S1", "S2")}
        return Runs.from_frame(
            frame, loss="loss", run="stretch", loss_unit=loss_unit, **{**own, **columns}
        )


def _column(name: str, asked: str | None, frame: pd.DataFrame) -> str:
    found = find_column(name, frame.columns) if asked is None else asked
    if asked is None and name == "S" and "step" in frame.columns:
        found = "step"
    if found is None or found not in frame.columns:
        raise missing_column(name, asked, frame.columns)
    return found


def _rate_column(asked: str | None, frame: pd.DataFrame) -> str:
    found = asked or next((c for c in _RATES if c in frame.columns), None)
    if found is None or found not in frame.columns:
        raise DataError(
            f"The table has no column of the learning rate{f', named {asked!r}' if asked else ''}. "
            f"Its columns are: {listing(list(frame.columns), 20)}. Name it, "
            'learning_rate="<column>", or give schedules={run: js.schedules.cosine(…)}.'
        )
    return found


def _numbers(frame: pd.DataFrame, name: str, column: str) -> np.ndarray:
    values = to_numbers(frame, column)
    above = None if name == "learning_rate" else 0.0
    for reason, bad in fault_of_values(frame, column, values, above=above).items():
        raise_fault(frame, name, column, reason, bad)
    negative = values < 0
    if negative.any():
        raise DataError(
            f"A learning rate is a number from 0 up, but {column!r} is below 0 in "
            f"{rows_at(frame, negative, values)}."
        )
    return values


def _check_steps(frame: pd.DataFrame, code: np.ndarray, names: Any, steps: np.ndarray) -> None:
    """Raise DataError where a run's steps, in the order of its rows, repeat or run backwards."""
    broken = steps != np.floor(steps)
    if broken.any():
        raise DataError(f"Steps are whole numbers, but not in {rows_at(frame, broken, steps)}.")
    order = np.argsort(code, kind="stable")
    same = np.diff(code[order], prepend=-1) == 0
    back = same & (np.diff(steps[order], prepend=0.0) <= 0)
    if back.any():
        bad = np.zeros(len(steps), dtype=bool)
        bad[order[back]] = True
        who = names[code[order[back][0]]]
        raise DataError(
            f"The steps of a run must rise from row to row, but repeat or run backwards in "
            f"{rows_at(frame, bad, steps)} of run {who!r}. Sort them, "
            "df.sort_values([run, step]), and leave repeats out."
        )


def _schedule(
    name: str, rows: np.ndarray, values: Mapping[str, np.ndarray],
    schedules: Mapping[Any, Schedule] | None, warmup: int | None,
) -> Schedule:  # fmt: skip
    steps = values["S"][rows]
    if schedules is None:
        return from_log(steps, values["learning_rate"][rows], warmup=warmup, name=name)
    by_name = {str(k): v for k, v in schedules.items()}
    if not isinstance(by_name.get(name), Schedule):
        raise DataError(
            f"There is no schedule for the run {name!r}; schedules={{…}} has "
            f"{listing(list(by_name), 10) or 'none'}. Give one for each run."
        )
    made = by_name[name].renamed(name)
    if steps[-1] > len(made):
        raise DataError(
            f"The schedule of the run {name!r} has {len(made)} steps, but its losses go on to step "
            f"{steps[-1]:g}. Give the rates of all its steps."
        )
    return made


def _areas(
    schedules: Sequence[Schedule], code: np.ndarray, steps: np.ndarray, memory: float
) -> dict[str, np.ndarray]:
    found = {"S1": np.zeros(len(steps)), "S2": np.zeros(len(steps))}
    for k, schedule in enumerate(schedules):
        rows = code == k
        found["S1"][rows] = schedule.area(steps[rows])
        found["S2"][rows] = schedule.annealing_area(steps[rows], memory)
    return found


def _known(names: Sequence[str]) -> str:
    return f"Runs are {listing(list(names), 10)}."
