"""isoflop: the best size at each budget by parabolas, with the parabolas' own bias beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.budgets import Budgets, checked_budgets, find_budgets
from jscale.curves.inputs import as_runs, check_resampling, check_within, row_weights
from jscale.curves.parabola import Parabolas
from jscale.curves.paths import bounds, log_lines, path_table
from jscale.curves.remarks import notes_of_doubts, notes_on_bias, notes_on_minima, notes_on_rows
from jscale.curves.show import as_html, as_text
from jscale.curves.surface import check_surface, default_surface, on_slice, optimum
from jscale.data.resampling import resample_counts
from jscale.data.runs import Runs
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit

_BUDGET = "budget"


@dataclass(frozen=True, eq=False)
class IsoFlop:
    """The best size at each budget of compute, and how it grows.

    ``table`` has a row per budget: ``C``, ``rows``, the size ``N``, the tokens ``D`` = C/(6 N)
    and the loss where its parabola is lowest (NaN where it opens downward), each with
    ``…_low`` and ``…_high`` at ``level``, of the resamples that open upward; ``at_edge``: the
    minimum lies outside the runs' N, or there is none; ``lost``: the share of resamples in
    which that is so; ``surface_N`` and ``surface_loss``: the optimum of the fitted surface at
    that compute; ``bias``: the N of a parabola through the surface itself, without noise, at
    the runs' N and C, over ``surface_N``, − 1.

    ``paths`` has a row for N and for D: ``coefficient`` and ``exponent`` of
    N* = coefficient·C^exponent over the budgets that are not at an edge (anew in each
    resample), with bounds;
    ``surface_exponent`` that of the surface's optima; ``exponent_bias`` how much larger that of
    parabolas through the surface is. ``points`` are the rows used, with their ``budget``;
    ``parabolas`` their coefficients in u = ln N − centre.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    points: pd.DataFrame
    parabolas: pd.DataFrame
    surface: Fit | None
    runs: Runs
    level: float
    settings: Mapping[str, Any]
    notes: tuple[Note, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def _title(self) -> str:
        surface = self.surface.law.name if self.surface is not None else "none"
        return (
            f"IsoFlop of {len(self.table)} budgets, {len(self.points)} of {len(self.runs)} rows, "
            f"{100 * self.level:g}% intervals; surface: {surface}"
        )

    def __repr__(self) -> str:
        return as_text(self._title(), (self.table, self.paths), self.notes)

    def _repr_html_(self) -> str:
        return as_html(self._title(), (self.table, self.paths), self.notes)


def isoflop(
    runs: Runs | pd.DataFrame,
    *,
    budgets: Any = None,
    within: float = 0.1,
    law: Fit | None = None,
    level: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> IsoFlop:
    """Find the best size N* at each budget of compute by a parabola of the loss in ln N.

    ``budgets`` are in FLOPs, each run going to the nearest within a factor 1 + ``within``; by
    default they are found: runs whose C lie within that factor of each other, the groups with
    most sizes first. Budgets of fewer than four sizes are left out. Parabolas are fitted by
    least squares, times ``Runs.weight``; N* = coefficient·C^exponent by least squares of
    logarithms. Intervals at ``level`` are those of a pairs bootstrap of runs within each
    budget (of whole runs over all budgets where a run is in several).

    A parabola is exact only for symmetric slices. So ``law``, a Fit of a law of N and D
    (default: chinchilla fitted to these runs), is treated in the same way without noise and
    compared with its true optimum; the note ``parabola-biased`` says where they differ.
    Approach 2 of Hoffmann et al., arXiv:2203.15556, §3.2; its bias: arXiv:2603.22339.

    Raises DataError for data that are no runs, have no N or C, or fewer than two budgets;
    LawError or JscaleError for a law or settings that cannot be.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> found = js.isoflop(table[table["part"] == "isoflop"], resamples=200)
    >>> found.table["rows"].tolist()
    [8, 8, 8]
    """
    within = check_within(within)
    check_resampling(level, resamples, seed)
    check_surface(law)
    given = checked_budgets(budgets)
    runs = as_runs(runs, ("N", "C"), "isoflop")
    weights = row_weights(runs)
    groups = find_budgets(runs["C"], runs["N"], weights > 0, within, given)
    surface, note = (law, None) if law is not None else default_surface(runs)
    counts = _counts(runs, groups, int(resamples), int(seed)) * weights[groups.places]
    fitted = _parabolas(runs, groups, counts, runs[runs.output][groups.places])
    table, lines = _measured(runs, groups, fitted, level)
    paths = path_table(lines, level)
    _set_surface(table, paths, runs, groups, surface, weights)
    settings = {
        "budgets": None if given is None else given.tolist(), "within": within,
        "resamples": int(resamples), "seed": int(seed),
    }  # fmt: skip
    return IsoFlop(
        table=table,
        paths=paths,
        points=_points(runs, groups),
        parabolas=_coefficients(fitted),
        surface=surface,
        runs=runs,
        level=float(level),
        settings=settings,
        notes=(
            *notes_on_rows(runs, groups),
            *notes_on_minima(table, float(np.isnan(lines["N"][1:, 1]).mean())),
            *notes_on_bias(table, paths, surface),
            *([] if note is None else [note]),
            *notes_of_doubts(runs.doubts),
        ),
    )


def _counts(runs: Runs, groups: Budgets, resamples: int, seed: int) -> np.ndarray:
    """Return ones, then how often each row of the budgets is drawn in each resample (1 + R, m).

    Runs are drawn within their budget; where one is in several, whole runs from all of them.
    """
    own = "__budget__"  # no column of the user's
    frame = runs.frame.iloc[groups.places].assign(**{own: groups.codes})
    spread = runs.run is not None and frame.groupby(runs.run)[own].nunique().max() > 1
    per = {} if spread else {"N": own}
    drawn = resample_counts(replace(runs, frame=frame), per, resamples, seed)
    return np.vstack([np.ones(len(frame)), drawn])


def _parabolas(
    runs: Runs, groups: Budgets, weights: np.ndarray, loss: np.ndarray
) -> list[Parabolas]:
    """Fit a parabola per budget, to weights (R, m) and losses (m,) of the budgets' rows."""
    N, codes = runs["N"][groups.places], groups.codes
    members = [codes == budget for budget in range(len(groups.rows))]
    return [Parabolas.fit(N[own], loss[own], weights[:, own]) for own in members]


def _measured(
    runs: Runs, groups: Budgets, fitted: list[Parabolas], level: float
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the table as far as the runs say, and each path's line in all lanes (1 + R, 2)."""
    C, output = groups.C, runs.output
    minima = [np.stack(values, axis=1) for values in zip(*(p.minimum for p in fitted), strict=True)]
    N, loss = minima
    inside = np.stack([p.inside for p in fitted], axis=1)
    table = pd.DataFrame({"C": C, "rows": [len(rows) for rows in groups.rows]})
    for name, values in (("N", N), ("D", C / (6 * N)), (output, loss)):
        low, high = bounds(values[1:], level)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = values[0], low, high
    table["at_edge"] = ~inside[0]
    table["lost"] = 1 - inside[1:].mean(axis=0)
    lines = {
        name: log_lines(np.log(C), np.log(values), inside.astype(np.float64))
        for name, values in (("N", N), ("D", C / (6 * N)))
    }
    return table.rename_axis(_BUDGET), lines


def _set_surface(
    table: pd.DataFrame, paths: pd.DataFrame, runs: Runs, groups: Budgets, surface: Fit | None,
    weights: np.ndarray,
) -> None:  # fmt: skip
    """Add what the surface says to table and paths: optima, bias, exponents."""
    for frame, names in (
        (table, ("surface_N", "surface_loss", "bias")),
        (paths, ("surface_exponent", "exponent_bias")),
    ):
        frame[list(names)] = np.nan
    if surface is None:
        return
    places, C = groups.places, groups.C
    N = runs["N"]
    best, lowest = optimum(surface, C, N[places].min(), N[places].max())
    exact = on_slice(surface, N[places], runs["C"][places])
    fitted = _parabolas(runs, groups, weights[places][None], exact)
    seen = np.array([p.minimum[0][0] for p in fitted])
    table["surface_N"], table["surface_loss"], table["bias"] = best, lowest, seen / best - 1
    used = ~table["at_edge"].to_numpy() & np.isfinite(seen / best)
    for name in paths.index:
        of = np.log([best, seen] if name == "N" else [C / (6 * best), C / (6 * seen)])
        true, parabolic = log_lines(np.log(C), of, np.tile(used.astype(np.float64), (2, 1)))[:, 1]
        paths.loc[name, ["surface_exponent", "exponent_bias"]] = true, parabolic - true


def _points(runs: Runs, groups: Budgets) -> pd.DataFrame:
    columns = [*(x for x in ("C", "N", "D") if x in runs.inputs), runs.output]
    points = runs.frame.iloc[groups.places][columns]
    points.insert(0, _BUDGET, groups.codes)
    return points


def _coefficients(fitted: list[Parabolas]) -> pd.DataFrame:
    columns = ["centre", "level", "slope", "curvature"]
    rows = [[p.centre, *p.coefficients[0]] for p in fitted]
    return pd.DataFrame(rows, columns=columns).rename_axis(_BUDGET)
