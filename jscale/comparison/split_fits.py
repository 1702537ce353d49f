"""Split fits: laws fitted to many sets of rows, and their predictions of other rows.

A question is a pair: from the rows of a set, predict a row. All sets of a law are one batch of
lanes, and all questions are flat arrays, a bounded number of samples at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.errors import JscaleError
from jscale.fitting.fit import chosen_devices
from jscale.fitting.objective import Objective, as_objective, to_space
from jscale.fitting.problem import bucket, pad_rows
from jscale.fitting.row_sets import RowSets, Sampling, fit_sets
from jscale.fitting.settings import Settings
from jscale.fitting.solver.compilation import programs
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.prediction.predictive import Samples

# Limit on the samples (draw × question) in memory.
_SAMPLES_AT_ONCE = 2**20
# Fewer questions are padded to this many: sharing a program is cheaper than compiling another.
_LEAST_PADDED = 512


def checked_objective(objective: Objective | str) -> Objective:
    """Return the objective; raises JscaleError where its scale is to be estimated."""
    kind = as_objective(objective)
    if kind.auto:
        raise JscaleError(
            f"Laws are compared with a number for delta, not by {kind}: every split would have "
            "its own. Give the number: huber(delta=1e-3), student_t(scale=0.01)."
        )
    return kind


@dataclass(frozen=True, eq=False)
class Questions:
    """The questions, flat: from set number ``sets`` (P,), predict row number ``rows`` (P,)."""

    sets: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, tests: Sequence[np.ndarray]) -> Questions:
        """Pair every set with the rows that it predicts."""
        sets = np.repeat(np.arange(len(tests)), [len(rows) for rows in tests])
        return cls(sets, np.concatenate([*tests, np.empty(0, dtype=int)]).astype(int))

    def __len__(self) -> int:
        return len(self.sets)


@dataclass(frozen=True, eq=False)
class SplitFits:
    """How laws are fitted and drawn: the runs, the objective, and the number of draws."""

    runs: Runs
    objective: Objective
    resamples: int
    method: str = "bootstrap"
    seed: int = 0
    devices: Any = None
    progress: bool = False

    def fit(self, law: Law, sets: Sequence[np.ndarray], labels: Sequence[Any]) -> FitTable:
        """Fit a law to every set of rows."""
        return fit_sets(
            law,
            self.runs,
            RowSets(sets, labels, "split"),
            Settings(self.objective, seed=self.seed),
            sampling=Sampling(self.resamples, self.method),
            devices=chosen_devices(self.devices),
            progress=self.progress,
        )

    def fit_all(
        self, laws: Mapping[str, Law], sets: Sequence[np.ndarray], labels: Sequence[Any]
    ) -> dict[str, FitTable]:
        """Fit every law to every set of rows, two laws at a time, the slowest first.

        While one law's lanes are solved, the other's program is compiled or its fits are judged.
        """
        order = sorted(laws, key=lambda name: -len(laws[name].names))
        fitted = self.each(lambda name: self.fit(laws[name], sets, labels), order)
        by_name = dict(zip(order, fitted, strict=True))
        return {name: by_name[name] for name in laws}

    def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Return the work on each item, two at a time (one, where a bar shows the progress)."""
        if self.progress or len(items) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, items))

    def measured(self, questions: Questions) -> np.ndarray:
        """Return the measured output of each question's row (P,)."""
        return self.runs.frame[self.runs.output].to_numpy(dtype=np.float64)[questions.rows]

    def pieces(self, questions: Questions) -> Iterator[slice]:
        """Yield the questions a bounded number at a time."""
        size = max(_SAMPLES_AT_ONCE // self.resamples, 1)
        for first in range(0, len(questions), size):
            yield slice(first, min(first + size, len(questions)))

    def samples(self, table: FitTable, questions: Questions, piece: slice) -> Samples:
        """Return a law's predictions for some questions (m,), one per draw (R, m)."""
        sets, rows = questions.sets[piece], questions.rows[piece]
        draws = table.draws if table.draws is not None else np.empty((len(table), 0, 0))
        params = np.concatenate([table.params.to_numpy()[:, None], draws], axis=1)[sets]
        frame = self.runs.frame
        inputs = [frame[x].to_numpy(dtype=np.float64)[rows] for x in table.law.inputs]
        size = max(bucket(len(rows)), _LEAST_PADDED)
        with float64_scope(), np.errstate(all="ignore"):
            program = _program(table.law, self.objective.space)
            padded = program(pad_rows(params, size), tuple(pad_rows(x, size) for x in inputs))
            curves = np.asarray(padded)[: len(rows)].T
        rng = np.random.default_rng((self.seed, piece.start))
        new = curves[1:] + _noise(table, sets, len(curves) - 1, rng)
        return Samples(curves[0], curves[1:], new, self.objective.space)


@programs
def _program(law: Law, space: str) -> Callable[..., Any]:
    """Return a program: parameters (m, R, q) and inputs (m,) each, to the curve's space (m, R)."""
    import jax

    def one(values: Any, inputs: Any) -> Any:
        named = dict(zip(law.names, values, strict=True))
        return to_space(
            law.evaluate({**dict(zip(law.inputs, inputs, strict=True)), **named}), space
        )

    return jax.jit(jax.vmap(jax.vmap(one, in_axes=(0, None))))


def _noise(table: FitTable, sets: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw errors of new runs (draws, m) from the residuals of each question's set."""
    count = np.array([len(each) for each in table.noise])
    padded = np.full((len(count), max(count.max(initial=0), 1)), np.nan)
    for k, each in enumerate(table.noise):
        padded[k, : len(each)] = each
    pick = (rng.random((draws, len(sets))) * np.maximum(count, 1)[sets]).astype(int)
    return padded[sets[None, :], pick]
