"""frontier: the runs of lowest loss for their compute, and how their N and D grow with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.inputs import as_runs, check_resampling, check_tolerance, row_weights
from jscale.curves.paths import log_lines, path_table
from jscale.curves.remarks import notes_of_doubts
from jscale.curves.show import as_html, as_text
from jscale.data.doubts import Doubt
from jscale.data.resampling import resample_counts
from jscale.data.runs import Runs
from jscale.fitting.notes import Note

_NUMBERS_AT_ONCE = 2_000_000
_FEW = 5
_LOST = 0.01
_SELECTED = "frontier-selected"
_MEANS = (
    "A law fitted to them predicts the best run for a budget, not a typical one, and their noise "
    "is picked to be low."
)
_DO = "For a typical run, fit a law of N and D to all runs."


@dataclass(frozen=True, eq=False)
class Frontier:
    """The frontier of loss over compute.

    ``table`` has a row per run of the frontier, in order of compute, under its label: C, N and
    D (those that the runs have) and the loss. ``paths`` has a row for N and for D:
    ``coefficient`` and ``exponent`` of N* = coefficient·C^exponent, each with ``…_low`` and
    ``…_high`` at ``level``. ``runs`` are the frontier's runs alone, to fit a law of C to;
    ``all_runs`` those that they were picked from. ``settings`` is all that is needed to do it
    again.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    runs: Runs
    all_runs: Runs
    level: float
    settings: Mapping[str, Any]
    notes: tuple[Note, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def _title(self) -> str:
        return (
            f"Frontier of {len(self.table)} of {len(self.all_runs)} rows, "
            f"{100 * self.level:g}% intervals"
        )

    def __repr__(self) -> str:
        return as_text(self._title(), (self.table, self.paths), self.notes)

    def _repr_html_(self) -> str:
        return as_html(self._title(), (self.table, self.paths), self.notes)


def frontier(
    runs: Runs | pd.DataFrame,
    *,
    tolerance: float = 0.01,
    level: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> Frontier:
    """Find the runs that no run of at most (1 + ``tolerance``) times their compute beats.

    N* = coefficient·C^exponent (and D* likewise) is fitted to them by least squares of
    logarithms. Intervals at ``level`` are those of a pairs bootstrap of whole runs
    (``Runs.run``, within each ``Runs.group``), the frontier found anew in each resample. Rows of
    weight 0 take no part, other weights multiply squares. Intervals are of the frontier of such
    runs: how far that lies from the best that could be trained, they do not know. Of 100 or 300
    runs at random N and D, the 90 % interval of the exponent held the law's own in 45 to 69 of
    100 worlds. Approach 1 of Hoffmann et al., arXiv:2203.15556, §3.1.

    Raises DataError for data that are no runs or have no compute C, JscaleError for a tolerance,
    level or number of resamples that cannot be.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> found = js.frontier(table[table["split"] == "fit"], resamples=200)
    >>> found.paths["exponent"].round(2).to_dict()
    {'N': 0.33, 'D': 0.67}
    """
    tolerance = check_tolerance(tolerance)
    check_resampling(level, resamples, seed)
    runs = as_runs(runs, ("C",), "frontier")
    weights = row_weights(runs)
    on = on_frontier(runs["C"], runs[runs.output], tolerance, (weights > 0)[None])[0]
    lines = _lines(runs, on, weights, tolerance, int(resamples), int(seed))
    settings = {"tolerance": tolerance, "resamples": int(resamples), "seed": int(seed)}
    best = _picked(runs, on)
    columns = [*(x for x in ("C", "N", "D") if x in runs.inputs), runs.output]
    return Frontier(
        table=best.frame.loc[:, columns].copy(),
        paths=path_table(lines, level),
        runs=best,
        all_runs=runs,
        level=float(level),
        settings=settings,
        notes=tuple(_notes(runs, best, lines)),
    )


def on_frontier(
    C: np.ndarray, loss: np.ndarray, tolerance: float, present: np.ndarray
) -> np.ndarray:
    """Say which rows (n,) are on the frontier among those ``present`` (R, n): (R, n).

    >>> C, loss = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 2.0])
    >>> on_frontier(C, loss, 0.01, np.ones((1, 3), dtype=bool))
    array([[ True, False,  True]])
    """
    order = np.argsort(C, kind="stable")
    losses = np.where(present[:, order], loss[order], np.inf)
    lowest = np.minimum.accumulate(losses, axis=1)
    last = np.searchsorted(C[order], (1 + tolerance) * C, side="right") - 1
    return present & (loss <= lowest[:, last])


def _lines(
    runs: Runs, on: np.ndarray, weights: np.ndarray, tolerance: float, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Return each path's log coefficient and exponent (1 + R, 2), the estimate's first."""
    C, loss = runs["C"], runs[runs.output]
    names = [x for x in ("N", "D") if x in runs.inputs]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}

    def add(weight: np.ndarray) -> None:
        for name in names:
            parts[name].append(log_lines(np.log(C), np.log(runs[name]), weight))

    add((on * weights)[None])
    for counts in _resampled(runs, resamples, seed):
        drawn = counts * weights
        add(drawn * on_frontier(C, loss, tolerance, drawn > 0))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _resampled(runs: Runs, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield counts of rows (r, n), r resamples at a time: all would not fit for long curves."""
    piece = max(1, _NUMBERS_AT_ONCE // len(runs))
    starts = range(0, resamples, piece)
    seeds = np.random.SeedSequence(seed).generate_state(len(starts)).tolist()
    for start, own in zip(starts, seeds, strict=True):
        yield resample_counts(runs, {}, min(piece, resamples - start), own)


def _seen(count: int, total: int) -> str:
    return f"{count} of {total} rows make the frontier: they were picked for their low loss."


def _picked(runs: Runs, on: np.ndarray) -> Runs:
    """Return the frontier's runs in order of compute, with the doubt that they were picked."""
    best = runs.where(on)
    order = np.argsort(best["C"], kind="stable")
    doubt = Doubt(_SELECTED, f"{_seen(int(on.sum()), len(runs))} {_MEANS}", _DO)
    doubts = (*(d for d in best.doubts if d.code != _SELECTED), doubt)
    return replace(best, frame=best.frame.iloc[order], doubts=doubts)


def _notes(runs: Runs, best: Runs, lines: Mapping[str, np.ndarray]) -> Iterator[Note]:
    yield Note(_SELECTED, "caution", _seen(len(best), len(runs)), _MEANS, _DO)
    if best.n_independent < _FEW:
        yield Note(
            "few-runs", "caution", f"{best.n_independent} independent runs make the frontier.",
            "The paths hang on each of them.",
            "Add runs, or read the optimum off a fitted law of N and D.",
        )  # fmt: skip
    lost = max((float(np.isnan(part[1:, 1]).mean()) for part in lines.values()), default=0.0)
    if lost > _LOST:
        yield Note(
            "resamples-lost", "caution",
            f"{100 * lost:.0f}% of the resamples have a frontier of a single compute.",
            "The intervals are of the others, and too narrow.", "Add runs.",
        )  # fmt: skip
    yield from notes_of_doubts(runs.doubts)
