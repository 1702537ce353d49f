"""Forecasts of many sets of runs at once: the laws of all sets are lanes of the same programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.discrepancy.experts import Curves, Solved, padded_sizes, predict
from jscale.errors import JscaleError
from jscale.prediction.forecast import Forecast, forecast_of, joined, mixture_of, pieces_of
from jscale.prediction.forecast_choices import DRAWS, Choices, Unsolved
from jscale.prediction.forecast_members import AUTO, checked_runs
from jscale.prediction.forecast_noise import solve_laws
from jscale.prediction.mixture_predictive import MixturePredictive

# Points of one table that are predicted together.
_POINTS_AT_ONCE = 256
# Limit on the numbers (expert × run × point) that a program works on: 128 MB.
_NUMBERS_AT_ONCE = 16_000_000


def forecast_sets(
    runs: Runs,
    sets: Sequence[np.ndarray],
    laws: Any = AUTO,
    *,
    prior: Any = "default",
    response: str = AUTO,
    draws: int = DRAWS,
    seed: int = 0,
    known_error: str | None = None,
) -> list[Forecast | JscaleError]:
    """Forecast from each set of rows, as :func:`jscale.forecast` does from those rows alone.

    Parameters
    ----------
    runs : Runs
        The runs of all sets.
    sets : sequence of ndarray of int
        The row numbers of each set; sets may overlap.
    laws, prior, response, draws, seed, known_error
        As for :func:`jscale.forecast`.

    Returns
    -------
    list of Forecast or JscaleError
        One for each set: the forecast, or the error that the set's runs would raise alone.

    Raises
    ------
    JscaleError
        For arguments that are not usable, whatever the runs.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> runs = js.Runs.from_frame(table[table["split"] == "fit"])
    >>> few, more = forecast_sets(runs, [np.arange(20), np.arange(40)])
    >>> few.runs.n_independent, more.runs.n_independent
    (20, 40)
    """
    choices = Choices.checked(laws, prior, response, draws, seed, known_error)
    prepared = [_prepared(choices, runs, rows) for rows in sets]
    usable = [each for each in prepared if isinstance(each, Unsolved)]
    solved = iter(solve_laws([(each.laws, each.runs) for each in usable]))
    return [
        each if isinstance(each, JscaleError) else forecast_of(each, next(solved))
        for each in prepared
    ]


def _prepared(choices: Choices, runs: Runs, rows: np.ndarray) -> Unsolved | JscaleError:
    """Return the laws of one set, or the error that its runs raise."""
    mask = np.zeros(len(runs), dtype=bool)
    mask[rows] = True
    try:
        return choices.of(checked_runs(runs.where(mask)))
    except JscaleError as error:
        return error


def mixtures(
    forecasts: Sequence[Forecast], tables: Sequence[pd.DataFrame]
) -> list[MixturePredictive]:
    """Return what each forecast predicts at the points of its own table.

    Parameters
    ----------
    forecasts : sequence of Forecast
        The forecasts.
    tables : sequence of DataFrame
        The points of each, as :meth:`jscale.prediction.forecast.ForecastSampler.table` checks
        them.

    Returns
    -------
    list of MixturePredictive
        The same as each forecast's ``mixture``, to rounding.
    """
    solved, where, owners = [], [], []
    for i, (forecast, table) in enumerate(zip(forecasts, tables, strict=True)):
        for law, (experts, points) in enumerate(forecast.at(table)):
            for piece in pieces_of(points, _POINTS_AT_ONCE):
                solved.append(experts)
                where.append(piece)
                owners.append((i, law))
    pieces: dict[tuple[int, int], list[Curves]] = {}
    for owner, curves in zip(owners, _predicted(solved, where), strict=True):
        pieces.setdefault(owner, []).append(curves)
    return [
        mixture_of(
            forecast,
            [joined(pieces[i, law]) for law in range(len(forecast.laws))],
            tables[i],
        )
        for i, forecast in enumerate(forecasts)
    ]


def _predicted(solved: Sequence[Solved], where: Sequence[Any]) -> list[Curves]:
    """Predict many tables' points, batching those that share a program and a size."""
    programs: dict[Any, list[int]] = {}
    for i, each in enumerate(solved):
        programs.setdefault((each.member.program_key, each.table.basis.shape), []).append(i)
    groups: dict[Any, list[int]] = {}
    for (key, shape), places in programs.items():
        sizes = padded_sizes([len(where[i][0][0]) for i in places])
        for i, points in zip(places, sizes, strict=True):
            groups.setdefault((key, shape, points), []).append(i)
    found: dict[int, Curves] = {}
    for (_, (_, *rows), points), places in groups.items():
        lanes = solved[places[0]].log_weights.size
        most = max(_NUMBERS_AT_ONCE // (lanes * max(rows) * points), 1)
        for first in range(0, len(places), most):
            part = places[first : first + most]
            ends = predict([solved[i] for i in part], [where[i] for i in part])
            found.update(zip(part, ends, strict=True))
    return [found[i] for i in range(len(solved))]
