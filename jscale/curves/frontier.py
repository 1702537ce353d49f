"""Frontier: the runs with the lowest loss for their compute, and how N and D grow along it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.inputs import check_resampling, check_tolerance, row_weights, runs_with
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
    "was picked to be low."
)
_DO = "For a typical run, fit a law of N and D to all runs."


@dataclass(frozen=True, eq=False)
class Frontier:
    """The frontier of loss over compute, from :func:`jscale.frontier`.

    Attributes
    ----------
    table : pandas.DataFrame
        The runs of the frontier in order of compute, by their labels: C, N and D (those that the
        runs have) and the loss.
    paths : pandas.DataFrame
        A row for N and one for D: ``coefficient`` and ``exponent`` of N* = coefficient·C^exponent,
        each with ``…_low`` and ``…_high``.
    runs : Runs
        The runs of the frontier, to which a law of C can be fitted.
    all_runs : Runs
        The runs from which they were picked.
    level : float
        Probability of the intervals.
    settings : mapping
        Everything that is needed to reproduce the result.
    notes : tuple of Note
        What to know before using it.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    runs: Runs
    all_runs: Runs
    level: float
    settings: Mapping[str, Any]
    notes: tuple[Note, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the runs of the frontier as a table.

        Returns
        -------
        pandas.DataFrame
            A copy of ``table``.
        """
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
    """Find the runs that no run with at most (1 + ``tolerance``) times their compute beats.

    N* = coefficient·C^exponent (and D* likewise) is fitted to these runs by least squares of
    logarithms.

    Parameters
    ----------
    runs : Runs or pandas.DataFrame
        Runs with compute C, and N or D for a path. Rows of weight 0 are ignored; other weights
        multiply squares.
    tolerance : float
        How much more compute, as a share, a run with a lower loss may have and still count.
    level : float
        Probability of the intervals, in (0, 1).
    resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the resamples.

    Returns
    -------
    Frontier
        The frontier, with the paths of N and D along it.

    Raises
    ------
    DataError
        If the data are not runs, or have no compute C.
    JscaleError
        If the tolerance, level, number of resamples or seed is invalid.

    Notes
    -----
    This is approach 1 of [1]_, section 3.1. Intervals are those of a pairs bootstrap of whole runs
    (``Runs.run``, within each ``Runs.group``), with the frontier determined again in each
    resample. They describe the frontier of such runs, not its distance from the best that could
    be trained: of 100 or 300 runs at random N and D, the 90% interval of the exponent covered
    that of the law in 45 to 69 of 100 worlds.

    References
    ----------
    .. [1] Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv:2203.15556.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> best = js.frontier(table[table["split"] == "fit"], resamples=200)
    >>> best.paths["exponent"].round(2).to_dict()
    {'N': 0.33, 'D': 0.67}
    """
    tolerance = check_tolerance(tolerance)
    check_resampling(level, resamples, seed)
    runs = runs_with(runs, ("C",), "frontier")
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
    """Return which rows are on the frontier among those ``present``, both (R, n).

    >>> C, loss = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 2.0])
    >>> on_frontier(C, loss, 0.01, np.ones((1, 3), dtype=bool))
    array([[ True, False,  True]])
    """
    # The lowest loss up to each compute, then looked up at (1 + tolerance) times a run's own.
    order = np.argsort(C, kind="stable")
    losses = np.where(present[:, order], loss[order], np.inf)
    lowest = np.minimum.accumulate(losses, axis=1)
    last = np.searchsorted(C[order], (1 + tolerance) * C, side="right") - 1
    return present & (loss <= lowest[:, last])


def _lines(
    runs: Runs, on: np.ndarray, weights: np.ndarray, tolerance: float, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Return the log coefficient and exponent of each path (1 + R, 2), the estimate first."""
    C, loss = runs["C"], runs[runs.output]
    names = [x for x in ("N", "D") if x in runs.inputs]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}

    def add(weight: np.ndarray) -> None:
        for name in names:
            parts[name].append(log_lines(np.log(C), np.log(runs[name]), weight))

    # The estimate is the first lane, computed like the resamples.
    add((on * weights)[None])
    for counts in _resampled(runs, resamples, seed):
        resample = counts * weights
        add(resample * on_frontier(C, loss, tolerance, resample > 0))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _resampled(runs: Runs, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield counts of rows (r, n), r resamples at a time: long tables would exhaust memory."""
    piece = max(1, _NUMBERS_AT_ONCE // len(runs))
    starts = range(0, resamples, piece)
    seeds = np.random.SeedSequence(seed).generate_state(len(starts)).tolist()
    for start, piece_seed in zip(starts, seeds, strict=True):
        yield resample_counts(runs, {}, min(piece, resamples - start), piece_seed)


def _seen(count: int, total: int) -> str:
    return f"{count} of {total} rows make the frontier: they were picked for their low loss."


def _picked(runs: Runs, on: np.ndarray) -> Runs:
    """Return the runs of the frontier in order of compute, with the doubt that they were picked."""
    best = runs.where(on)
    order = np.argsort(best["C"], kind="stable")
    doubt = Doubt(_SELECTED, f"{_seen(int(on.sum()), len(runs))} {_MEANS}", _DO)
    doubts = (*(d for d in best.doubts if d.code != _SELECTED), doubt)
    return replace(best, frame=best.frame.iloc[order], doubts=doubts)


def _notes(runs: Runs, best: Runs, lines: Mapping[str, np.ndarray]) -> Iterator[Note]:
    yield Note(_SELECTED, "caution", _seen(len(best), len(runs)), _MEANS, _DO)
    if best.n_independent < _FEW:
        yield Note(
            "few-runs",
            "caution",
            f"{best.n_independent} independent runs make the frontier.",
            "The paths depend on each of them.",
            "Add runs, or read the optimum off a fitted law of N and D.",
        )
    lost = max((float(np.isnan(part[1:, 1]).mean()) for part in lines.values()), default=0.0)
    if lost > _LOST:
        yield Note(
            "resamples-lost",
            "caution",
            f"{100 * lost:.0f}% of the resamples have a frontier of a single compute.",
            "The intervals are those of the others, and too narrow.",
            "Add runs.",
        )
    yield from notes_of_doubts(runs.doubts)
