"""Notes on isoFLOP tables and frontiers: what to know before trusting a best size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from jscale.curves.budgets import FEWEST_SIZES, Budgets
from jscale.data.doubts import Doubt
from jscale.data.runs import Runs
from jscale.errors import listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit

_BIASED = 0.10
_EXPONENT_BIASED = 0.01
_LOST = 0.05


def notes_of_doubts(doubts: Iterable[Doubt]) -> Iterator[Note]:
    """Yield the doubts about the runs as notes, as a fit does."""
    for doubt in doubts:
        yield Note(doubt.code, "caution", doubt.seen, "", doubt.remedy)


def notes_on_rows(runs: Runs, groups: Budgets) -> Iterator[Note]:
    """Note rows that belong to no budget, and given budgets with too few sizes."""
    out = np.setdiff1d(np.arange(len(runs)), groups.places)
    if not len(out) and not groups.short:
        return
    seen = f"{len(out)} of {len(runs)} rows are in no budget of at least {FEWEST_SIZES} sizes N"
    if len(out):
        seen += f" (C = {_listed(np.sort(runs['C'][out]))})"
    if groups.short:
        short = [f"{c:.4g} has {sizes}" for c, sizes in groups.short]
        seen += f"; of the budgets given, {listing(short)}"
    yield Note(
        "rows-left-out",
        "caution" if groups.short else "info",
        f"{seen}.",
        "They do not inform the best size here.",
        "",
    )


def notes_on_minima(table: pd.DataFrame, pathless: float) -> Iterator[Note]:
    """Note budgets without a minimum among their runs, in the data or in many resamples.

    ``pathless`` is the share of resamples that leave fewer than two budgets for a path.
    """
    edge = table["at_edge"].to_numpy()
    C, lost = table["C"].to_numpy(), table["lost"].to_numpy()
    if edge.any():
        yield Note(
            "at-edge",
            "caution",
            f"The minimum lies outside the runs' N, or there is none, at C = {_listed(C[edge])}.",
            f"These budgets do not determine the best size; {int((~edge).sum())} are left for the "
            "paths.",
            "Train smaller and larger models at these budgets.",
        )
    unsure = ~edge & (lost > _LOST)
    if unsure.any() or pathless > _LOST:
        where = f"at C = {_listed(C[unsure])}" if unsure.any() else "somewhere"
        yield Note(
            "minimum-unsure",
            "caution",
            f"Over {100 * _LOST:g}% of the resamples have no minimum among the runs' N {where}; "
            f"{100 * pathless:.0f}% have no path.",
            "Bounds of such a budget mean little, and those of the paths, which omit it from such "
            "resamples, may be too narrow.",
            "Add runs at these budgets.",
        )


def notes_on_bias(table: pd.DataFrame, paths: pd.DataFrame, surface: Fit | None) -> Iterator[Note]:
    """Note parabolas that miss the optimum of the surface itself, and a surface without one."""
    if surface is None:
        return
    best, C = table["surface_N"].to_numpy(), table["C"].to_numpy()
    if np.isnan(best).any():
        yield Note(
            "surface-without-optimum",
            "caution",
            f"{surface.law.name} has no lowest loss within a hundred times the runs' N at "
            f"C = {_listed(C[np.isnan(best)])}.",
            "The bias of the parabolas is unknown there.",
            "Read the notes of the surface, or give another one: law=….",
        )
    bias = table["bias"].to_numpy()[~table["at_edge"].to_numpy()]
    bias = bias[np.isfinite(bias)]
    exponent, error = (float(paths.at["N", x]) for x in ("surface_exponent", "exponent_bias"))
    if len(bias) and (np.abs(bias).max() > _BIASED or abs(error) > _EXPONENT_BIASED):
        yield Note(
            "parabola-biased",
            "caution",
            "On the surface itself, without noise, parabolas at these N miss the best N by "
            f"{100 * bias.min():+.1f}% to {100 * bias.max():+.1f}%, and its exponent "
            f"{exponent:.4f} by {error:+.4f}.",
            "Slices are not parabolas: their arms differ, or extend unequally far from the "
            "minimum. The bounds do not cover that.",
            "Take N* from the surface (surface_N) if it fits, or use sizes nearer to the minimum.",
        )


def _listed(C: np.ndarray) -> str:
    return listing([f"{c:.4g}" for c in C])
