"""Points: inputs to predict at, checked against the domain of a fit's law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.data.runs import Runs
from jscale.errors import PredictionError, listing, nearest
from jscale.fitting.diagnostics import of_parameters
from jscale.fitting.domain import check_domain
from jscale.fitting.problem import bucket, pad_rows
from jscale.fitting.result import Fit
from jscale.fitting.second_order import prediction_slopes
from jscale.model.law import Law


@dataclass(frozen=True, eq=False)
class Points:
    """Inputs to predict at: a checked value per input and a code per group column (m,)."""

    index: pd.Index
    inputs: tuple[np.ndarray, ...]
    codes: dict[str, np.ndarray]

    @classmethod
    def of(cls, fit: Fit, at: Any) -> Points:
        """Check a table or mapping of inputs against a fit's law; ``None`` gives no points.

        Raises PredictionError.
        """
        if at is None:
            return cls(pd.RangeIndex(0), (), {})
        slots = ", ".join(f"{c!r}: …" for c in _columns(fit))
        return cls.in_table(fit, input_table(fit, at, {}, f"Give at={{{slots}}}."))

    @classmethod
    def in_table(cls, fit: Fit, table: pd.DataFrame) -> Points:
        """Take the law's inputs from a table of :func:`input_table`."""
        inputs = tuple(table[x].to_numpy(dtype=np.float64) for x in fit.law.inputs)
        groups = fit.problem.layout.groups
        codes = {name: _codes(table.loc[:, name], labels) for name, labels in groups}
        return cls(table.index, inputs, codes)

    def __len__(self) -> int:
        return len(self.index)

    def padded(self) -> tuple[tuple[np.ndarray, ...], dict[str, np.ndarray]]:
        """Return inputs and codes lengthened to a size bucket, for compiled programs."""
        rows = bucket(len(self))
        codes = {name: pad_rows(code, rows) for name, code in self.codes.items()}
        return tuple(pad_rows(x, rows) for x in self.inputs), codes

    def slopes(self, fit: Fit) -> np.ndarray:
        """Return d prediction / d theta (m, p). Call inside the float64 scope."""
        if len(self) == 0:
            return np.zeros((0, len(fit.theta)))
        inputs, codes = self.padded()
        return prediction_slopes(fit.problem, fit.theta, inputs, codes)[1][: len(self)]


def standard_errors(fit: Fit, points: Points, slopes: np.ndarray) -> pd.Series:
    """Return the standard errors of all parameters, then of the curve at all points."""
    names = [*fit.params.index, *(f"{fit.law.output}[{label}]" for label in points.index)]
    variance = np.diag(of_parameters(fit.theta_covariance, slopes))
    errors = np.concatenate([fit.stderr.to_numpy(), np.sqrt(np.maximum(variance, 0.0))])
    return pd.Series(errors, names, name="error")


def input_table(
    fit: Fit,
    where: Any,
    by_name: Mapping[str, Any],
    call: str | None = None,
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a table with the law's inputs (float64), the group columns it needs, and C if given.

    ``where`` is a table, Runs, a mapping or None, and ``by_name`` overrides it; ``call`` is what
    a message tells the caller to do. Columns ``also`` are kept where they are given. Raises
    PredictionError for inputs that are missing, unknown, of shapes that do not fit together, or
    not usable numbers.
    """
    columns = _columns(fit)
    call = call or f"Call predict(fit, {', '.join(f'{c}=…' for c in columns)})."
    given = {**_given(where, call), **by_name}
    # A table may have other columns; an unknown name given by hand is a mistake.
    by_hand = by_name if isinstance(where, (pd.DataFrame, Runs)) else given
    unknown = [k for k in by_hand if k not in (*columns, *fit.runs.inputs, *also)]
    missing = [k for k in columns if k not in given]
    if unknown or missing:
        raise _wrong_names(fit.law, columns, unknown, missing, call)
    table = broadcast({c: given[c] for c in given if c in (*columns, "C", *also)})
    if len(table) == 0:
        raise PredictionError(f"No rows to predict: {listing(columns)} are empty; give values.")
    source = where.frame if isinstance(where, Runs) else where
    if isinstance(source, pd.DataFrame) and len(table) == len(source):
        table.index = source.index
    for name in map(str, table):
        if name in (*fit.law.inputs, "C"):
            table[name] = numbers_of(table.loc[:, name], _must_be_positive(fit.law, name))
    check_domain(fit.law, table, PredictionError, lambda _: "Predict within the limit.")
    return table


def _columns(fit: Fit) -> list[str]:
    return list(dict.fromkeys((*fit.law.inputs, *(c for c, _ in fit.problem.layout.groups))))


def _given(where: Any, call: str) -> dict[str, Any]:
    """Return what ``where`` holds, by name."""
    if where is None:
        return {}
    if isinstance(where, Runs):
        where = where.frame
    if not isinstance(where, (pd.DataFrame, Mapping)):
        raise PredictionError(
            f"Inputs come as a table or by name, not as {type(where).__name__}. {call}"
        )
    return {str(k): where[k] for k in where}


def _wrong_names(
    law: Law, columns: list[str], unknown: list[str], missing: list[str], call: str
) -> PredictionError:
    hint = nearest(unknown[0], columns) if unknown else ""
    return PredictionError(
        f"{law.name} predicts from {listing(columns)}; "
        + (f"{listing(missing)} is missing. " if missing else "")
        + (f"{listing(unknown)} is not one of them.{hint} " if unknown else "")
        + call
    )


def broadcast(given: Mapping[str, Any]) -> pd.DataFrame:
    """Return inputs as a table, numbers repeated; raises PredictionError for unlike shapes."""
    arrays = {name: np.asarray(values) for name, values in given.items()}
    try:
        whole = np.broadcast_arrays(*arrays.values())
    except ValueError as error:
        shapes = listing([f"{name} {array.shape}" for name, array in arrays.items()])
        raise PredictionError(
            f"Inputs of shapes {shapes} do not broadcast. Give arrays of one length, or numbers."
        ) from error
    return pd.DataFrame({name: np.ravel(a) for name, a in zip(arrays, whole, strict=True)})


def _must_be_positive(law: Law, name: str) -> bool:
    """Inputs that the glossary says are positive, and those that the law needs so."""
    known = GLOSSARY.get(name)
    return name in law.positive_inputs or (known is not None and known.positive)


def numbers_of(column: pd.Series, positive: bool) -> np.ndarray:
    """Return a column as float64; raises PredictionError unless finite (and positive)."""
    values = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    bad = ~np.isfinite(values) | ((values <= 0) if positive else False)
    if bad.any():
        what = "a positive, finite number" if positive else "a finite number"
        raise PredictionError(
            f"{column.name} must be {what}; it is {listing(column[bad].tolist())} in row "
            f"{listing(column.index[bad].tolist())}. Give numbers, such as {column.name}=7e9."
        )
    return values


def _codes(column: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    places = {label: i for i, label in enumerate(labels)}
    unknown = [v for v in column.astype(str) if v not in places]
    if unknown:
        raise PredictionError(
            f"{column.name}={unknown[0]!r} was not among the fitted runs."
            f"{nearest(unknown[0], labels)} Use one of {listing(labels, 24)}."
        )
    return column.astype(str).map(places).to_numpy(dtype=np.int32)
