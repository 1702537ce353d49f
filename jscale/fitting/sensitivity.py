"""sensitivity: the effect on a fit of errors in the table itself.

Parameter counts leave out embeddings, tokens are rounded, losses are read off a plot. To first
order the optimum moves by −H⁻¹·dg for a small change of any input or of the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.checks import rows_at
from jscale.errors import DataError, LawError, listing, nearest
from jscale.fitting.influence import check_smoothed
from jscale.fitting.points import Points, standard_errors
from jscale.fitting.result import Fit
from jscale.fitting.second_order import SecondOrder, checked, expand, second_order
from jscale.fitting.statistics import sums_by


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How errors in the columns of a table move a fit.

    Attributes
    ----------
    parameters : DataFrame
        One row per column of the table that is in error and one column per parameter: standard
        deviations, or, where ``signed``, the change if that column is too high by the given amount.
    predictions : DataFrame or None
        The same with one column per point of ``at``.
    errors : Series
        The fit's standard errors of all columns, for comparison.
    relative : Series
        The errors that were given (their mean, where they differ by row).
    output : str
        What the law predicts.
    signed : bool
        Whether errors are common to all rows, so that changes have signs.
    smoothed : bool
        Whether a curvature other than the objective's own at the optimum was used.
    """

    parameters: pd.DataFrame
    predictions: pd.DataFrame | None
    errors: pd.Series
    relative: pd.Series
    output: str
    signed: bool
    smoothed: bool

    @property
    def total(self) -> pd.Series:
        """The standard deviation from all columns together, their errors independent."""
        squares = np.sum(self._whole().to_numpy() ** 2, axis=0)
        return pd.Series(np.sqrt(squares), self.errors.index, name="total")

    def to_frame(self) -> pd.DataFrame:
        """Return the sensitivities as one table.

        Returns
        -------
        DataFrame
            One row per parameter and predicted point: a column per column in error, then ``total``,
            and
            the fit's own standard ``error``.
        """
        frame = self._whole().T
        return frame.assign(total=self.total, error=self.errors)

    def _whole(self) -> pd.DataFrame:
        parts = [self.parameters, *([] if self.predictions is None else [self.predictions])]
        return pd.concat(parts, axis=1).set_axis(self.errors.index, axis=1)

    def __repr__(self) -> str:
        given = ", ".join(f"{name} {100 * value:.3g}%" for name, value in self.relative.items())
        kind = "change if too high by" if self.signed else "standard deviation from errors of"
        table = self.to_frame().to_string(float_format=lambda v: f"{v:.4g}")
        return f"Sensitivity: {kind} {given}\n{table}"


def sensitivity(
    fit: Fit,
    *,
    at: Any = None,
    common: bool | str = False,
    smoothed: bool | str = "auto",
    **columns: Any,
) -> Sensitivity:
    """Return how much errors in the inputs, or in the output, move a fit, to first order.

    Parameters
    ----------
    fit : Fit
        The fit.
    at : DataFrame or mapping, optional
        Inputs to predict at, as for :func:`influence`. They are taken as exact, so that predictions
        tell only how the curve moves.
    common : bool or str
        Errors are independent between rows by default. True means one error shared by all rows (all
        N counted 10% too high), and the result is the signed change; the name of a column (a run
        id, a family) shares it among rows of equal labels.
    smoothed : bool or "auto"
        The curvature, as for :func:`influence`. For errors that are not common to all rows, "auto"
        is its mean over what the given errors do to each residual, since errors are seldom small
        compared with a delta of 1e-3.
    **columns
        Relative standard errors by column: ``N=0.1, loss=0.01`` means that N is known to within
        10%, the loss to 1%. An array (n,) gives each row its own.

    Returns
    -------
    Sensitivity
        How much each column's error moves each parameter and prediction.

    Raises
    ------
    LawError
        For a name that the law does not use.
    DataError
        For errors that are not numbers of zero or more, or labels that are missing.
    NotDifferentiable
        Where the Hessian is singular.

    Notes
    -----
    The fit's standard errors already contain errors of the output, but nothing of a common one. On
    Chinchilla's 240 points, with errors of 1e-4 to 0.1 drawn 200 times and refitted, the result is
    mostly .8 to 1.05 of the refits' standard deviation, .5 at worst; with the curvature at the
    optimum it is .7 to 3.3 of it. Errors as large as the residuals also shift the optimum to one
    side, there by up to .8 of that deviation, which first order cannot tell. A scale that the fit
    estimated (delta="auto") is held fixed.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=js.huber(1e-2))
    >>> moved = js.sensitivity(fit, N=0.1, common=True)  # N too high by a tenth changes A alone
    >>> (abs(moved.parameters.loc["N", ["E", "B", "alpha", "beta"]]) < 1e-9).all()
    np.True_
    """
    check_smoothed(smoothed)
    given = _errors(fit, columns)
    shared = _shared(fit, common)
    points = Points.of(fit, at)
    with float64_scope():
        local = _local(fit, given, common, smoothed)
        slopes = points.slopes(fit)
    both = np.concatenate([local.slope, slopes])
    table = np.stack(
        [_spread(fit, local, both, *item, shared, common is True) for item in given.items()]
    )
    errors = standard_errors(fit, points, slopes)
    q, names = len(local.slope), pd.Index(list(given), name="column")
    return Sensitivity(
        parameters=pd.DataFrame(table[:, :q], names, fit.params.index),
        predictions=None if at is None else pd.DataFrame(table[:, q:], names, points.index),
        errors=errors,
        relative=pd.Series([float(np.mean(e)) for e in given.values()], names, name="relative"),
        output=fit.law.output,
        signed=common is True,
        smoothed=local.smoothed or local.averaged,
    )


def _local(
    fit: Fit, given: dict[str, np.ndarray], common: bool | str, smoothed: bool | str
) -> SecondOrder:
    """Expand around the optimum, with the curvature that these errors meet."""
    if smoothed != "auto" or common is True:
        return second_order(fit.problem, fit.theta, smoothed=smoothed)
    local = expand(fit.problem, fit.theta)
    moves = [
        _in_space(fit, local)
        if name == fit.law.output
        else local.input_slope[:, fit.law.inputs.index(name)] * fit.runs[name]
        for name in given
    ]
    squares = sum((move * error) ** 2 for move, error in zip(moves, given.values(), strict=True))
    return checked(local.averaged_over(np.sqrt(squares)))


def _spread(
    fit: Fit,
    local: SecondOrder,
    slopes: np.ndarray,
    name: str,
    error: np.ndarray,
    shared: np.ndarray | None,
    signed: bool,
) -> np.ndarray:
    """Return the effect of one column's error on all numbers: signed if shared by all rows."""
    moves = _by_logarithm(fit, local, name) * error[:, None] @ slopes.T
    if shared is None:
        return np.sqrt(np.sum(moves**2, axis=0))
    summed = sums_by(moves, shared)
    return summed[0] if signed else np.sqrt(np.sum(summed**2, axis=0))


def _by_logarithm(fit: Fit, local: SecondOrder, name: str) -> np.ndarray:
    """Return d theta/d ln(column) for each row, (n, p)."""
    if name in fit.law.inputs:
        by_input = local.by_inputs()[:, fit.law.inputs.index(name)]
        return by_input * np.asarray(fit.runs[name], dtype=np.float64)[:, None]
    return local.by_targets() * _in_space(fit, local)[:, None]


def _in_space(fit: Fit, local: SecondOrder) -> np.ndarray:
    """Return d target/d ln(output) for each row, the target being in the objective's space."""
    values = np.asarray(fit.runs[fit.law.output], dtype=np.float64)
    space = local.problem.model.space
    if space == "logit":
        return 1.0 / (1.0 - values)
    return values if space == "linear" else np.ones_like(values)


def _errors(fit: Fit, columns: dict[str, Any]) -> dict[str, np.ndarray]:
    """Check the relative errors and spread each over the rows (n,)."""
    law, n = fit.law, len(fit.runs)
    known = (*law.inputs, law.output)
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise LawError(
            f"{law.name} has no input {listing(unknown)}.{nearest(unknown[0], known)} Give errors "
            f"of {listing(known, 20)}, such as sensitivity(fit, {known[0]}=0.1)."
        )
    if not columns:
        raise DataError(
            "No errors are given. Give the errors of the table's columns: "
            f"sensitivity(fit, {known[0]}=0.1, {law.output}=0.01)."
        )
    return {name: _error(name, value, n) for name, value in columns.items()}


def _error(name: str, value: Any, n: int) -> np.ndarray:
    try:
        exact = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        exact = np.full((), np.nan)
    if exact.shape not in ((), (n,)) or not (np.isfinite(exact).all() and (exact >= 0).all()):
        raise DataError(
            f"{name}={value!r} must be a relative error, zero or more: one number, such as "
            f"{name}=0.1 for 10%, or {n}, one per row."
        )
    return np.broadcast_to(exact, (n,))


def _shared(fit: Fit, common: bool | str) -> np.ndarray | None:
    """Return which error each row shares (n,), or None where each has its own."""
    if common is False:
        return None
    if common is True:
        return np.zeros(len(fit.runs), dtype=int)
    frame = fit.runs.frame
    if not isinstance(common, str) or common not in frame.columns:
        raise DataError(
            f"common={common!r} is not a column of the table.{nearest(str(common), frame.columns)} "
            "Use True for one error of all rows, False for one each, or a column of labels: "
            f"{listing(list(frame.columns), 20)}."
        )
    missing = frame[common].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"column {common!r} has no label in {rows_at(frame, missing, missing)}: it does not "
            "say which error those rows share. Fill the labels in before the fit."
        )
    return pd.factorize(frame[common].astype(str))[0]
