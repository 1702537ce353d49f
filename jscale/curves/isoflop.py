"""IsoFLOP tables: the best size at each budget by parabolas, with the bias of the parabolas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.budgets import Budgets, checked_budgets, find_budgets
from jscale.curves.inputs import check_resampling, check_within, row_weights, runs_with
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
    """The best size at each budget of compute, from :func:`jscale.isoflop`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per budget, with the columns described in the notes.
    paths : pandas.DataFrame
        A row for N and one for D: ``coefficient`` and ``exponent`` of N* = coefficient·C^exponent
        over the budgets that are not at an edge (determined again in each resample), each with
        ``…_low`` and ``…_high``; ``surface_exponent``, the exponent of the surface's optima;
        ``exponent_bias``, by how much the exponent of parabolas through the surface exceeds it.
    points : pandas.DataFrame
        The rows used, with their ``budget``.
    parabolas : pandas.DataFrame
        Coefficients of the parabolas in u = ln N − centre, one row per budget.
    surface : Fit or None
        The fitted surface with which the parabolas are compared.
    runs : Runs
        The runs.
    level : float
        Probability of the intervals.
    settings : mapping
        Everything that is needed to reproduce the result.
    notes : tuple of Note
        What to know before using it.

    Notes
    -----
    Columns of ``table``:

    - ``C`` and ``rows``: the budget in FLOPs, and its number of rows;
    - ``N``, ``D`` = C/(6 N) and the loss where the parabola is lowest (NaN where it opens
      downward), each with ``…_low`` and ``…_high`` over the resamples that open upward;
    - ``at_edge``: whether the minimum lies outside the runs' N, or does not exist;
    - ``lost``: the share of resamples in which that is so;
    - ``surface_N`` and ``surface_loss``: the optimum of the fitted surface at that compute;
    - ``bias``: the N of a parabola through the surface itself, without noise, at the runs' N and
      C, divided by ``surface_N``, minus 1.
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
        """Return the best size at each budget as a table.

        Returns
        -------
        pandas.DataFrame
            A copy of ``table``.
        """
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
    """Find the best size at each budget of compute by a parabola in ln N.

    The loss at compute C is fitted by level + slope·u + curvature·u² with u = ln N − centre, and
    its minima by N* = coefficient·C^exponent.

    Parameters
    ----------
    runs : Runs or pandas.DataFrame
        Runs with N and C (or D).
    budgets : array_like, optional
        Budgets in FLOPs; each run is assigned to the nearest one within a factor 1 + ``within``.
        By default they are detected: groups of runs whose C lie within that factor of each other,
        those with the most sizes first. Budgets with fewer than four sizes are left out.
    within : float
        Relative width of a budget, in (0, 1).
    law : Fit, optional
        Fit of a law of N and D with which the parabolas are compared; by default chinchilla
        fitted to these runs.
    level : float
        Probability of the intervals, in (0, 1).
    resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the resamples.

    Returns
    -------
    IsoFlop
        The best size at each budget, and its path over compute.

    Raises
    ------
    DataError
        If the data are not runs, have no N or C, or have fewer than two budgets.
    LawError
        If the law is not one of N and D that is the same for all runs.
    JscaleError
        If a setting is invalid.

    Notes
    -----
    This is approach 2 of [1]_, section 3.2. Parabolas are fitted by least squares, weighted by
    ``Runs.weight``; the paths by least squares of logarithms. Intervals are those of a pairs
    bootstrap of runs within each budget (of whole runs over all budgets if a run is in several).

    A parabola is exact only for symmetric slices; its bias is described in [2]_. Therefore
    parabolas are also fitted to the surface of ``law`` without noise and compared with its true
    optimum; the note ``parabola-biased`` reports where they differ.

    References
    ----------
    .. [1] Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv:2203.15556.
    .. [2] Czech, arXiv:2603.22339.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> sizes = js.isoflop(table[table["part"] == "isoflop"], resamples=200)
    >>> sizes.table["rows"].tolist()
    [8, 8, 8]
    """
    within = check_within(within)
    check_resampling(level, resamples, seed)
    check_surface(law)
    given = checked_budgets(budgets)
    runs = runs_with(runs, ("N", "C"), "isoflop")
    weights = row_weights(runs)
    groups = find_budgets(runs["C"], runs["N"], weights > 0, within, given)
    # A surface of the user's own needs no note on how it was made.
    surface, note = (law, None) if law is not None else default_surface(runs)
    counts = _counts(runs, groups, int(resamples), int(seed)) * weights[groups.places]
    fitted = _parabolas(runs, groups, counts, runs[runs.output][groups.places])
    table, lines = _measured(runs, groups, fitted, level)
    paths = path_table(lines, level)
    _set_surface(table, paths, runs, groups, surface, weights)
    settings = {
        "budgets": None if given is None else given.tolist(),
        "within": within,
        "resamples": int(resamples),
        "seed": int(seed),
    }
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

    Runs are drawn within their budget, or over all budgets if a run is in several.
    """
    column = "__budget__"  # a name that no table of a user's has
    frame = runs.frame.iloc[groups.places].assign(**{column: groups.codes})
    spread = runs.run is not None and frame.groupby(runs.run)[column].nunique().max() > 1
    per = {} if spread else {"N": column}
    counts = resample_counts(replace(runs, frame=frame), per, resamples, seed)
    # The estimate is the first lane, computed like the resamples.
    return np.vstack([np.ones(len(frame)), counts])


def _parabolas(
    runs: Runs, groups: Budgets, weights: np.ndarray, loss: np.ndarray
) -> list[Parabolas]:
    """Fit a parabola per budget to losses (m,) with weights (R, m) of the budgets' rows."""
    N, codes = runs["N"][groups.places], groups.codes
    members = [codes == budget for budget in range(len(groups.rows))]
    return [Parabolas.fit(N[rows], loss[rows], weights[:, rows]) for rows in members]


def _measured(
    runs: Runs, groups: Budgets, fitted: list[Parabolas], level: float
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the table without the surface's columns, and the line of each path (1 + R, 2)."""
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
    table: pd.DataFrame,
    paths: pd.DataFrame,
    runs: Runs,
    groups: Budgets,
    surface: Fit | None,
    weights: np.ndarray,
) -> None:
    """Add the surface's optima, the bias of parabolas, and exponents to table and paths."""
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
    # What parabolas make of losses that lie exactly on the surface is their bias alone.
    noiseless = on_slice(surface, N[places], runs["C"][places])
    fitted = _parabolas(runs, groups, weights[places][None], noiseless)
    by_parabola = np.array([p.minimum[0][0] for p in fitted])
    bias = by_parabola / best - 1
    table["surface_N"], table["surface_loss"], table["bias"] = best, lowest, bias
    used = ~table["at_edge"].to_numpy() & np.isfinite(by_parabola / best)
    weight = np.tile(used.astype(np.float64), (2, 1))
    for name in paths.index:
        both = [best, by_parabola] if name == "N" else [C / (6 * best), C / (6 * by_parabola)]
        true, parabolic = log_lines(np.log(C), np.log(both), weight)[:, 1]
        paths.loc[name, ["surface_exponent", "exponent_bias"]] = true, parabolic - true


def _points(runs: Runs, groups: Budgets) -> pd.DataFrame:
    """Return the rows of all budgets, with the number of their budget."""
    columns = [*(x for x in ("C", "N", "D") if x in runs.inputs), runs.output]
    points = runs.frame.iloc[groups.places][columns]
    points.insert(0, _BUDGET, groups.codes)
    return points


def _coefficients(fitted: list[Parabolas]) -> pd.DataFrame:
    """Return the coefficients of the parabola of each budget."""
    columns = ["centre", "level", "slope", "curvature"]
    rows = [[p.centre, *p.coefficients[0]] for p in fitted]
    return pd.DataFrame(rows, columns=columns).rename_axis(_BUDGET)
