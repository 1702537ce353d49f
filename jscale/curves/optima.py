"""Optima: the settings of lowest loss in each cell of a sweep, and how flat the loss is there."""

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

    Parameters
    ----------
    frame : pandas.DataFrame
        The sweep, one row per run. Rows whose loss is missing or infinite (runs that diverged)
        are ignored.
    by : sequence of str
        Columns that define a cell.
    over : sequence of str
        Columns that were swept in each cell. Batch sizes should be in tokens (sequences times
        their length) if a law of tokens is to be fitted.
    loss : str
        Column to minimise.
    within : float
        Relative excess of loss that counts as near the optimum, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row per cell, by the label of the row chosen (the first among equal losses): ``by``,
        ``over`` and ``loss`` there; for each swept column ``…_low`` and ``…_high``, the range of
        its values among rows whose loss is at most 1 + ``within`` times the lowest; ``rows``, the
        number of rows with a finite loss, and ``near``, how many of them lie in that range;
        ``at_edge``, whether a swept column is at the lowest or highest value tried in the cell, so
        that the true optimum may lie outside.

    Raises
    ------
    DataError
        If columns are missing or not numeric, or a cell has fewer than two rows with a finite
        loss.
    JscaleError
        If ``within`` is out of range.

    Notes
    -----
    The lowest of many noisy losses is biased low, and where the loss is flat its position is
    noisy: look at the ranges, or fit a surface to all rows (``learning_rate_surface``, whose
    exponents of the rate can differ from those of optima).

    Examples
    --------
    >>> import jscale as js, pandas as pd
    >>> sweep = pd.DataFrame({"N": 1e8, "lr": [1e-4, 1e-3, 1e-2], "loss": [3.0, 2.5, 2.9]})
    >>> js.optima(sweep, by=("N",), over=("lr",))[["N", "lr", "loss", "at_edge"]].to_dict("list")
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
    """Return the label of a cell's lowest row, and its row of the result."""
    losses = cell[loss].to_numpy()
    place = int(np.nanargmin(losses))
    # The absolute value: an output such as a log-likelihood may be negative.
    near = losses <= losses[place] + within * abs(losses[place])
    columns = {name: cell[name].to_numpy() for name in (*by, *over, loss)}
    row: dict[str, Any] = {name: values[place] for name, values in columns.items()}
    edge = False
    for name in over:
        values = columns[name]
        row[f"{name}_low"], row[f"{name}_high"] = values[near].min(), values[near].max()
        # Rates at which all runs diverged were tried too, so the rate below them is not an edge.
        swept = values.min() < values.max()
        edge |= swept and row[name] in (values.min(), values.max())
    counts = {"rows": int(np.isfinite(losses).sum()), "near": int(near.sum())}
    return cell.index[place], {**row, **counts, "at_edge": bool(edge)}


def _names(argument: str, columns: Any) -> tuple[str, ...]:
    if isinstance(columns, str) or not len(columns):
        raise DataError(
            f'{argument}={columns!r} must list one or more columns: {argument}=("N", "D").'
        )
    return tuple(columns)


def _checked(frame: Any, by: tuple[str, ...], over: tuple[str, ...], loss: str) -> pd.DataFrame:
    """Return the columns as numbers, losses that are not finite as NaN; raises DataError."""
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
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{listing(repeated)}: named more than once among by, over and loss.")
    table = pd.DataFrame({name: to_numbers(frame, name) for name in names}, index=frame.index)
    for name in (*by, *over):
        bad = ~np.isfinite(table[name].to_numpy())
        if bad.any():
            raise DataError(f"{name} is not a finite number in {rows_at(frame, bad, frame[name])}.")
    finite = table.assign(**{loss: np.isfinite(table[loss].to_numpy())})
    sizes = pd.Series(finite.groupby(list(by))[loss].sum())
    few = sizes.index[sizes.to_numpy() < _LEAST].tolist()
    if len(few):
        cells = [f"{', '.join(by)} = {_label(cell)}" for cell in few]
        raise DataError(
            f"Fewer than {_LEAST} rows with a finite {loss} in the cell {listing(cells)}: there is "
            "nothing to choose from. Leave the cell out, or name fewer columns in by."
        )
    return table.assign(**{loss: table[loss].where(np.isfinite(table[loss]))})


def _label(cell: Any) -> str:
    return ", ".join(f"{v:g}" for v in (cell if isinstance(cell, tuple) else (cell,)))
