"""optima: the settings of lowest loss in each cell of a sweep, and how flat the loss is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.curves.inputs import check_within
from jscale.data.checks import rows_at, to_numbers
from jscale.errors import DataError, listing, nearest

_LEAST = 2


def optima(
    frame: pd.DataFrame,
    *,
    by: Sequence[str] = ("N", "D"),
    over: Sequence[str] = ("lr", "B"),
    loss: str = "loss",
    within: float = 0.001,
) -> pd.DataFrame:
    """Return the row of lowest loss for each cell of a sweep.

    ``by`` names the columns that make a cell, ``over`` those that were swept in each (batch sizes
    in tokens, if a law of tokens is to be fitted: sequences times their length), ``loss`` the
    column to minimise. Columns of the result: ``by``, ``over`` and ``loss`` at the lowest row;
    for each swept column ``…_low`` and ``…_high``, the range of its values among rows whose loss
    is at most 1 + ``within`` times the lowest; ``rows`` of finite loss in the cell, and ``near`` of
    them in that range; ``at_edge``: a swept column is at the lowest or highest value tried in the
    cell, so that the true optimum may lie outside. The index holds the label of the row chosen.
    Among equal losses the first row is taken. Rows whose loss is missing or infinite (runs that
    diverged) are passed over.

    The lowest of many noisy losses is too low, and where the loss is flat its place is noisy: see
    the ranges, or fit a surface to all rows (learning_rate_surface, whose exponents of the rate can
    differ from those of optima).
    Raises DataError for columns that are missing or hold no numbers, and for cells with
    fewer than two rows of finite loss; JscaleError for ``within`` outside (0, 1).

    >>> import pandas as pd
    >>> sweep = pd.DataFrame({"N": 1e8, "lr": [1e-4, 1e-3, 1e-2], "loss": [3.0, 2.5, 2.9]})
    >>> optima(sweep, by=("N",), over=("lr",))[["N", "lr", "loss", "at_edge"]].to_dict("list")
    {'N': [100000000.0], 'lr': [0.001], 'loss': [2.5], 'at_edge': [False]}
    """
    within = check_within(within)
    table = _checked(frame, _names("by", by), _names("over", over), loss)
    rows = []
    for _, cell in table.groupby(list(by), sort=True):
        rows.append(_lowest(cell, list(by), list(over), loss, within))
    return pd.DataFrame([row for _, row in rows], index=[label for label, _ in rows])


def _lowest(
    cell: pd.DataFrame, by: list[str], over: list[str], loss: str, within: float
) -> tuple[Any, dict[str, Any]]:
    """Return the label of a cell's lowest row, and what the result says of it."""
    y = cell[loss].to_numpy()
    place = int(np.nanargmin(y))
    near = y <= y[place] + within * abs(y[place])
    columns = {name: cell[name].to_numpy() for name in (*by, *over, loss)}
    row: dict[str, Any] = {name: values[place] for name, values in columns.items()}
    edge = False
    for name in over:
        values = columns[name]
        row[f"{name}_low"], row[f"{name}_high"] = values[near].min(), values[near].max()
        # Rates at which all runs diverged were tried too: the rate below them is no edge.
        swept = values.min() < values.max()
        edge |= swept and row[name] in (values.min(), values.max())
    counts = {"rows": int(np.isfinite(y).sum()), "near": int(near.sum())}
    return cell.index[place], {**row, **counts, "at_edge": bool(edge)}


def _names(what: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not len(given):
        raise DataError(f'{what}={given!r} must list one or more columns: {what}=("N", "D").')
    return tuple(given)


def _checked(frame: Any, by: tuple[str, ...], over: tuple[str, ...], loss: str) -> pd.DataFrame:
    """Return the columns as numbers, without rows of no finite loss; raises DataError."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"optima takes a pandas DataFrame, not {type(frame).__name__}.")
    names = (*by, *over, loss)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(
            f"The table has no column {listing([repr(m) for m in missing])}."
            f"{nearest(missing[0], map(str, frame.columns))} Its columns are: "
            f"{listing(list(frame.columns), 20)}. Name them: optima(df, by=…, over=…, loss=…)."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{listing(twice)}: named more than once among by, over and loss.")
    table = pd.DataFrame({name: to_numbers(frame, name) for name in names}, index=frame.index)
    for name in (*by, *over):
        bad = ~np.isfinite(table[name].to_numpy())
        if bad.any():
            raise DataError(f"{name} is no finite number in {rows_at(frame, bad, frame[name])}.")
    finite = table.assign(**{loss: np.isfinite(table[loss].to_numpy())})
    sizes = pd.Series(finite.groupby(list(by))[loss].sum())
    few = sizes.index[sizes.to_numpy() < _LEAST].tolist()
    if len(few):
        cells = [f"{', '.join(by)} = {_label(cell)}" for cell in few]
        raise DataError(
            f"Fewer than {_LEAST} rows with a finite {loss} in the cell {listing(cells)}: there is "
            "nothing to choose from. Leave the cell out, or take fewer columns in by."
        )
    return table.assign(**{loss: table[loss].where(np.isfinite(table[loss]))})


def _label(cell: Any) -> str:
    return ", ".join(f"{v:g}" for v in (cell if isinstance(cell, tuple) else (cell,)))
