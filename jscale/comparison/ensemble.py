"""ensemble: the laws that fit a table's columns, weighed by how they extrapolated within it.

No law is known to be right. Each is fitted to the smaller runs and predicts the larger ones,
from origin after origin; how well it did says how much it is believed, and how much wider its
intervals should have been. A law that never beat a simpler one out of range is not used.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_count
from jscale.comparison.law_weights import (
    AUTO,
    WeighingSplits,
    candidates,
    chosen_laws,
    runs_of,
    weigh_each,
)
from jscale.comparison.split_fits import SplitFits, checked_objective
from jscale.data.runs import Runs
from jscale.errors import FitWarning, listing
from jscale.fitting.fit import check_choices, fit
from jscale.fitting.objective import Objective
from jscale.model.law import Law
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws

_WIDE = 2.0
_UNSETTLED = 0.01


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Laws fitted to all runs, and their weights; predict with :func:`jscale.predict`.

    ``members`` are the draws of each law with weight (``members[name].fit`` is its fit).
    ``table`` has a row per law that was tried: free ``parameters``, ``score`` (mean interval
    score beyond the origins, over the measured number), ``error`` (mean absolute error of the
    logarithm there), ``widening`` of its intervals, ``weight``, and ``why`` it has none.
    """

    members: Mapping[str, Draws]
    table: pd.DataFrame
    runs: Runs
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def weights(self) -> pd.Series:
        """The weight of each member."""
        return self.table.loc[list(self.members), "weight"]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def __repr__(self) -> str:
        text = self.table.to_string(float_format=lambda v: f"{v:.3g}")
        return "\n".join([f"Ensemble of {len(self.members)} laws", text, *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{self.table.to_html(float_format=lambda v: f'{v:.3g}')}<ul>{notes}</ul>"


def ensemble(
    data: Runs | pd.DataFrame,
    laws: Sequence[Law | str] | str = AUTO,
    *,
    objective: Objective | str = "huber",
    resamples: int = 500,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Ensemble:
    """Weigh laws by how they extrapolated within the runs, and fit those with weight to all.

    ``laws`` are those to try, or "auto": of N and D chinchilla, chinchilla_tied and farseer;
    of C (or the one input there is) power, power_const and broken:1. From each of six origins
    of compute, even in logarithm from the median run to the largest, every law predicts all
    runs beyond; :func:`jscale.comparison.stacking.weigh` makes weights of the scores. With
    fewer than 12 runs, each is left out in turn instead. Rows of weight 0 are left out.
    Predictions are those of the mixture.

    Raises DataError where no law can be fitted with a run to spare or rows differ in the unit of
    loss, LawError for laws of different outputs or a law named twice, JscaleError for resamples
    that are no whole number from 2 up, or an objective whose scale is to be found.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> found = js.ensemble(small, ["power_const", "chinchilla"], resamples=50)
    >>> len(js.predict(found, N=3e5, D=5e6))
    1
    """
    check_choices(None, (), None, seed)
    kind, resamples = checked_objective(objective), check_count("resamples", resamples, "500")
    chosen = None if isinstance(laws, str) and laws == AUTO else chosen_laws(laws)
    runs = runs_of(chosen, data, columns)
    rows = len(runs)
    if runs.weight is not None:
        runs = runs.where(runs[runs.weight].astype(np.float64) > 0)
    split_fits = SplitFits(runs, kind, resamples, seed=seed, devices=devices, progress=progress)
    chosen = chosen if chosen is not None else candidates(runs)
    (table,), (asked,) = weigh_each(split_fits, chosen, [np.arange(len(runs))])
    members = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # told in the notes
        for name in _with_weight(table):
            fitted = fit(chosen[name], runs, objective=kind, seed=seed, devices=devices)
            members[name] = bootstrap(fitted, resamples, seed=seed, progress=progress)
    settings = {"objective": str(kind), "resamples": int(resamples), "seed": int(seed)}
    notes = [*_notes(table, asked), *_notes_on_members(members)]
    if len(runs) < rows:
        notes.append(
            f"[info] rows-without-weight: {rows - len(runs)} rows of weight 0 are left out."
        )
    return Ensemble(members, table, runs, tuple(notes), settings)


def _with_weight(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, w in zip(table.index, table["weight"], strict=True) if w > 0]


def _notes(table: pd.DataFrame, asked: WeighingSplits) -> tuple[str, ...]:
    notes = []
    if not asked.beyond:
        notes.append(
            f"[caution] not-extrapolated: {len(asked.splits)} runs are too few, or too alike in "
            "compute, to hold any out by origin. Each was left out in turn, which says little of "
            "how a law extrapolates. Add runs."
        )
    widening = {name: float(table.at[name, "widening"]) for name in _with_weight(table)}
    said = [f"{name} {w:g} times" for name, w in widening.items() if w >= _WIDE]
    if said:
        notes.append(
            f"[caution] intervals-widened: beyond the origins, runs lay outside these laws' "
            f"intervals more often than they say; they are made wider: {listing(said)}."
        )
    return tuple(notes)


def _notes_on_members(members: Mapping[str, Draws]) -> Iterator[str]:
    for name, draws in members.items():
        codes = [note.code for note in draws.fit.notes if note.severity == "warning"]
        if codes:
            yield (
                f"[caution] member-doubtful: {name}, fitted to all runs, has the notes "
                f"{listing(codes, 10)}: read ensemble.members[{name!r}].fit.notes."
            )
        lost = draws.failed + draws.unsettled
        if lost > _UNSETTLED * (len(draws) + draws.failed):
            yield (
                f"[caution] draws-unsettled: {lost} of {len(draws) + draws.failed} resamples of "
                f"{name} failed or did not converge, so its intervals may be off."
            )
