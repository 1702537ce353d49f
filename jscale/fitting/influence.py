"""influence: which runs a fit rests on, without refitting.

Leaving a run out takes its weight to zero. To first order the optimum then moves by
w·H⁻¹·psi·dr/dtheta (the infinitesimal jackknife), for all runs from one factorisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.errors import DataError, JscaleError, PredictionError, listing, nearest
from jscale.fitting.local import prediction_slopes, second_order
from jscale.fitting.problem import bucket, pad_rows
from jscale.fitting.result import Fit


@dataclass(frozen=True, eq=False)
class Influence:
    """How much each run moves a fit: the change from leaving it out.

    ``parameters`` has a row per row of ``runs`` (or per run, ``by="run"``) and a column per
    parameter: its value without the row minus its value with it, to first order in the row's
    weight. ``predictions`` is the same with a column per point of ``at``, in the output's own
    units, or None. ``errors`` are the standard errors of all columns, parameters first.
    ``smoothed`` says whether the expected curvature was used instead of the objective's own.
    """

    parameters: pd.DataFrame
    predictions: pd.DataFrame | None
    errors: pd.Series
    output: str
    smoothed: bool

    def to_frame(self) -> pd.DataFrame:
        """Return one table: a column per parameter, and ``loss[label]`` per predicted point."""
        if self.predictions is None:
            return self.parameters.copy()
        labelled = self.predictions.set_axis(
            [f"{self.output}[{label}]" for label in self.predictions.columns], axis=1
        )
        return pd.concat([self.parameters, labelled], axis=1)

    def in_errors(self) -> pd.DataFrame:
        """Return :meth:`to_frame` in units of each column's standard error."""
        frame = self.to_frame()
        return frame / self.errors.to_numpy()

    def most(self, k: int = 5) -> pd.DataFrame:
        """Return the k runs that move any parameter or prediction most, in standard errors.

        One row per run, the largest first: ``moves`` names what it moves most, ``change`` by
        how much, ``in_errors`` the same in standard errors of that number.
        """
        changes, sizes = self.to_frame(), self.in_errors()
        values = np.nan_to_num(sizes.to_numpy())
        column = np.argmax(np.abs(values), axis=1)
        rows = np.arange(len(values))
        table = pd.DataFrame(
            {
                "moves": changes.columns.to_numpy()[column],
                "change": changes.to_numpy()[rows, column],
                "in_errors": values[rows, column],
            },
            index=changes.index,
        )
        order = np.argsort(-np.abs(values[rows, column]), kind="stable")
        return table.iloc[order[:k]]

    def __repr__(self) -> str:
        table = self.most().to_string(float_format=lambda v: f"{v:.4g}")
        return f"Influence of {len(self.parameters)} runs; those that move most:\n{table}"


def influence(
    fit: Fit, *, at: Any = None, by: str = "row", smoothed: bool | str = "auto"
) -> Influence:
    """Say how leaving out each run would move the parameters and predictions of a fit.

    First order in the run's weight w: theta moves by w·H⁻¹·psi(r)·dr/dtheta, H the Hessian of
    the objective. Runs that determine a parameter nearly alone move it more than this says.
    ``at`` is a table or mapping of inputs to predict at (with a column for each parameter given
    per group), ``by="run"`` takes all rows of a run (``Runs.from_frame(…, run=…)``) together.
    ``smoothed`` chooses H: the objective's own curvature (False), the expected curvature that
    standard errors are made with (True), or "auto": the latter where an objective has a kink and
    fewer than 3 residuals per parameter inside it. With True, the squares summed over runs are
    the variances of ``fit.stderr``, but for its factor n/(n − p).

    Raises NotDifferentiable where H is singular, PredictionError for inputs in ``at`` that the
    law cannot take, DataError for ``by="run"`` without run ids.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=js.huber(1e-2))
    >>> found = js.influence(fit, at={"N": 2e7, "D": 1e9})
    >>> found.parameters.shape == (len(fit.runs), 5)
    True
    >>> len(found.most(3))
    3
    """
    check_smoothed(smoothed)
    problem = fit.problem
    rows, label = _units(fit, by)
    points = Points.of(fit, at)
    with float64_scope():
        local = second_order(problem, fit.theta, smoothed=smoothed)
        slopes = points.slopes(fit)
    moves = -local.by_weights() * local.weights[:, None]
    if rows is not None:
        summed = np.zeros((len(label), moves.shape[1]))
        np.add.at(summed, rows, moves)
        moves = summed
    predictions = None
    if at is not None:
        predictions = pd.DataFrame(moves @ slopes.T, index=label, columns=points.index)
    parameters = pd.DataFrame(moves @ local.slope.T, index=label, columns=fit.params.index)
    errors = standard_errors(fit, points, slopes)
    return Influence(parameters, predictions, errors, fit.law.output, local.smoothed)


def check_smoothed(smoothed: bool | str) -> None:
    """Raise JscaleError for a choice of curvature that there is not."""
    if not (isinstance(smoothed, bool) or smoothed == "auto"):
        raise JscaleError(f'smoothed={smoothed!r} is not known; use "auto", True or False.')


def _units(fit: Fit, by: str) -> tuple[np.ndarray | None, pd.Index]:
    """Return each row's unit, or None where rows stand alone, and the units' labels."""
    runs = fit.runs
    if by == "row":
        return None, runs.frame.index
    if by != "run":
        raise JscaleError(f'by={by!r} is not known; use "row" or "run".{nearest(str(by), ["run"])}')
    if runs.run is None:
        raise DataError(
            'by="run" takes the rows of a run together, but these Runs have no run ids. Name their '
            'column, Runs.from_frame(df, run="<column>"), or use by="row".'
        )
    codes, labels = pd.factorize(runs.frame[runs.run])
    return codes, pd.Index(labels, name=runs.run)


# Points to predict at


@dataclass(frozen=True, eq=False)
class Points:
    """Inputs to predict at, checked: a value per input and a code per group column (m,)."""

    index: pd.Index
    inputs: tuple[np.ndarray, ...]
    codes: dict[str, np.ndarray]

    @classmethod
    def of(cls, fit: Fit, at: Any) -> Points:
        """Check inputs against a fit's law; raises PredictionError. ``None`` is no point."""
        law, groups = fit.law, dict(fit.problem.layout.groups)
        columns = [*law.inputs, *(c for c in groups if c not in law.inputs)]
        if at is None:
            return cls(pd.RangeIndex(0), (), {})
        table = _table(fit, at, columns)
        inputs = tuple(_numbers(fit, name, pd.Series(table[name])) for name in law.inputs)
        codes = {name: _codes(pd.Series(table[name]), labels) for name, labels in groups.items()}
        return cls(table.index, inputs, codes)

    def slopes(self, fit: Fit) -> np.ndarray:
        """Return d prediction/d theta (m, p). Call inside the float64 scope."""
        m, p = len(self.index), len(fit.theta)
        if m == 0:
            return np.zeros((0, p))
        rows = bucket(m)
        inputs = [pad_rows(x, rows) for x in self.inputs]
        codes = {name: pad_rows(code, rows) for name, code in self.codes.items()}
        return prediction_slopes(fit.problem, fit.theta, inputs, codes)[1][:m]


def standard_errors(fit: Fit, points: Points, slopes: np.ndarray) -> pd.Series:
    """Return the standard errors of all parameters, then of the curve at all points."""
    names = [*fit.params.index, *(f"{fit.law.output}[{label}]" for label in points.index)]
    with np.errstate(invalid="ignore"):
        variance = np.einsum("mp,pq,mq->m", slopes, fit.theta_covariance, slopes)
    if not np.isfinite(fit.theta_covariance).all():
        variance = np.full(len(slopes), np.inf)
    errors = np.concatenate([fit.stderr.to_numpy(), np.sqrt(np.maximum(variance, 0.0))])
    return pd.Series(errors, names, name="error")


def _table(fit: Fit, at: Any, columns: list[str]) -> pd.DataFrame:
    source = at.frame if isinstance(at, Runs) else at
    if not isinstance(source, (pd.DataFrame, Mapping)):
        raise PredictionError(
            f"at={at!r} must be a table or a mapping of inputs: "
            f"at={{{', '.join(f'{c!r}: …' for c in columns)}}}."
        )
    missing = [c for c in columns if c not in source]
    # A table may have any columns beside; a name in a mapping that means nothing is a slip.
    known = (*columns, *fit.runs.inputs)
    unknown = [str(c) for c in source if c not in known and not isinstance(source, pd.DataFrame)]
    if missing or unknown:
        raise PredictionError(
            f"{fit.law.name} predicts from {listing(columns)}; "
            + (f"at has no {listing(missing)}. " if missing else "")
            + (f"{listing(unknown)} is not one of them.{_hint(unknown, columns)} " * bool(unknown))
            + f"Give at={{{', '.join(f'{c!r}: …' for c in columns)}}}."
        )
    if isinstance(source, pd.DataFrame):
        return source.loc[:, columns]
    try:
        arrays = np.broadcast_arrays(*(np.asarray(source[c]) for c in columns))
    except ValueError as error:
        shapes = listing([f"{c} {np.shape(source[c])}" for c in columns])
        raise PredictionError(
            f"Inputs of shapes {shapes} do not broadcast. Give arrays of one length, or numbers."
        ) from error
    return pd.DataFrame({c: np.ravel(a) for c, a in zip(columns, arrays, strict=True)})


def _hint(unknown: list[str], columns: list[str]) -> str:
    return nearest(unknown[0], columns) if unknown else ""


def _numbers(fit: Fit, name: str, column: pd.Series) -> np.ndarray:
    values = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    positive = name in fit.law.positive_inputs
    bad = ~np.isfinite(values) | ((values <= 0) if positive else False)
    if bad.any():
        what = "a positive, finite number" if positive else "a finite number"
        raise PredictionError(
            f"{name} must be {what}; it is {listing(column[bad].tolist())} in row "
            f"{listing(column.index[bad].tolist())} of at. Give numbers, such as {name}=7e9."
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
